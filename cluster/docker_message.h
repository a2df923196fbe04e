/* docker_message.h: what the Docker engine tells of its containers (Docker
 * Engine API, GET /containers/json, from version 1.24 on). Bytes in, records
 * out; no I/O. */
#ifndef TALLY_DOCKER_MESSAGE_H
#define TALLY_DOCKER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/buf.h"

/* Texts are never NULL; those of no use are "". */
struct docker_container {
    char *id;
    char *name;    /* without Docker's leading slash */
    char *service; /* Compose's, which is a host name in its network */
    char *address; /* in the first of its networks that has a gateway */
    char *gateway; /* this machine, as that network sees it */
    int *ports;    /* of this machine, TCP, that lead to it; ends at 0 */
    int *own;      /* beside each of them, its port; then those that are only exposed; ends at 0 */
    char *image;   /* its reference */
    char *files;   /* the compose files, as Compose 2 tells it: paths, with commas between */
    char **networks; /* their names, "bridge" and "host" among them; ends at NULL */
};

struct docker_containers {
    struct docker_container *list;
    size_t count;
};

/* -1 when the bytes are no such answer. Free with docker_containers_free. */
int docker_containers_read(const char *bytes, size_t length, struct docker_containers *containers);
void docker_containers_free(struct docker_containers *containers);

/* The container that the port leads to; NULL if there is none. */
const struct docker_container *docker_find_port(const struct docker_containers *containers,
                                                int port);
/* The container that goes by this host name or address: its name, its
 * service, its id or the part of it that is its host name, its address. */
const struct docker_container *docker_find_host(const struct docker_containers *containers,
                                                const char *host);
/* The command, its arguments and the environment ("NAME=VALUE") of a container,
 * of GET /containers/ID/json. The list ends at NULL; free each, and it. */
char **docker_words_read(const char *bytes, size_t length);
/* What a container wrote (GET /containers/ID/logs without a terminal): frames
 * with a stream's number, 1 or 2, and a length. Those of `stream` are added. -1
 * when they are no such frames. */
int docker_output_read(const char *bytes, size_t length, int stream, struct buf *text);
/* What X-Docker-Container-Path-Stat tells of a file in a container (base64 of
 * JSON; container_stat.go): its size; -1 when it is none of that, or no regular
 * file. */
int64_t docker_file_size(const char *header);
/* The engine's words in an error's {"message":...}, on one line; "" if there
 * are none. free() it. */
char *docker_reason(const char *bytes, size_t length);

#endif

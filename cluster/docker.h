/* docker.h: the Docker engine of this machine, through its unix socket: which
 * container is meant, by what address containers reach this machine, and files
 * out of containers. It is only asked; nothing is changed (docker_run.h does). */
#ifndef TALLY_DOCKER_H
#define TALLY_DOCKER_H

#include "cluster/base/buf.h"
#include "cluster/base/error.h"
#include "cluster/docker_message.h"
#include "cluster/http.h"

/* The engine's socket: DOCKER_HOST, or else /var/run/docker.sock. NULL when
 * DOCKER_HOST names an engine that is no unix socket's: it may be elsewhere. */
const char *docker_socket(void);

/* The running containers. EXIT_UNREACHABLE, with the reason, when the engine
 * cannot be asked. Free with docker_containers_free. */
int docker_list(struct http *http, struct docker_containers *containers, struct error *error);

/* What the engine knows of a regular file in a container, without reading it: 1,
 * or 0 when there is none, or -1, EXIT_UNREACHABLE. `path` is an absolute one.
 * `*size` in bytes; `*told`: the engine's words for that, its time and the rest,
 * which stay the same as long as the file does; free() them. */
int docker_stat_file(struct http *http, const char *container, const char *path, int64_t *size,
                     char **told, struct error *error);
/* Reads the file's bytes from `from` on, `most` of them or as many as there are,
 * into `text` (which starts as {0}); the engine can only give a file from its
 * beginning: what is not wanted is passed over. The same results. */
int docker_read_file(struct http *http, const char *container, const char *path, int64_t from,
                     size_t most, struct buf *text, struct error *error);

#endif

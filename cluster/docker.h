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

/* Reads a whole file out of a container into `text` (which starts as {0}): 1,
 * or 0 when it has no such file, or -1, EXIT_UNREACHABLE, also when it is
 * longer than LIMIT_DOCKER_FILE. `path` is an absolute one. */
int docker_read_file(struct http *http, const struct docker_container *container, const char *path,
                     struct buf *text, struct error *error);
/* A driver's log out of the container of its worker, whose host name (or
 * address) is the one that the master's page gives. `type`: "stderr" or
 * "stdout". The same results; 0 also when no container goes by that name. */
int docker_driver_log(struct http *http, const char *worker_host, const char *driver_id,
                      const char *type, struct buf *text, struct error *error);

#endif

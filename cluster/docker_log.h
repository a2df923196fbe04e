/* docker_log.h: a log of Spark's out of the container of its worker, through the
 * Docker engine of this machine, as it grows. */
#ifndef TALLY_DOCKER_LOG_H
#define TALLY_DOCKER_LOG_H

#include "cluster/base/error.h"
#include "cluster/http.h"
#include "cluster/spark_log.h"

struct docker_log;

enum docker_log_result {
    DOCKER_LOG_FAILED = -1,  /* EXIT_UNREACHABLE, or a signal's */
    DOCKER_LOG_NO_CONTAINER, /* none goes by the worker's name */
    DOCKER_LOG_MISSING,      /* the container has no such file (yet) */
    DOCKER_LOG_PIECE,
};

/* `worker_host`: the worker's host name or address, as the master's page gives
 * it; `folder`: "DRIVER" or "APP/EXECUTOR"; `type`: "stderr" or "stdout". Asks
 * nothing. Free with docker_log_free; NULL is fine there. */
struct docker_log *docker_log_new(const char *worker_host, const char *folder, const char *type);
void docker_log_free(struct docker_log *log);

/* The piece from `offset` on, at most `bytes` long, as a worker's page gives it;
 * it stays until the next call. Of a file longer than LIMIT_DOCKER_FILE only its
 * end can be had: then the piece starts later than at `offset`. The file is read
 * again only when it has changed, and only what is asked for is kept of it. */
enum docker_log_result docker_log_read(struct docker_log *log, struct http *http, int64_t offset,
                                       int64_t bytes, struct spark_log *piece, struct error *error);

#endif

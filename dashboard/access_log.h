/* access_log.h: one line a request, in the common log format
 * (https://httpd.apache.org/docs/2.4/logs.html#common). The token never
 * stands in it, and nothing a client sends can make a line of its own. */
#ifndef TALLY_ACCESS_LOG_H
#define TALLY_ACCESS_LOG_H

#include <stdint.h>

#include "cluster/base/buf.h"
#include "cluster/base/error.h"

struct access_log;

/* Appends to the file, made with mode 0640; "-" is standard error. EXIT_INPUT. */
struct access_log *access_log_open(const char *path, struct error *error);
/* NULL is fine, here and below. */
void access_log_close(struct access_log *log);

struct access_entry {
    const char *peer;          /* its address */
    int64_t time_ms;           /* since the epoch */
    const char *method, *path; /* path: with the query, decoded or not */
    int status;
    int64_t bytes; /* of the body; -1: a stream, nobody knows yet */
};

void access_log_add(struct access_log *log, const struct access_entry *entry);
/* The line alone, with its end: text in, text out. */
void access_log_write(const struct access_entry *entry, struct buf *buf);

#endif

/* spark_reader.h: the log of a driver or an executor, read piece by piece from
 * the page of the worker that runs it or ran it. */
#ifndef TALLY_SPARK_READER_H
#define TALLY_SPARK_READER_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/spark.h"

struct spark_reader;

/* Whose log: a driver's, or (`driver` NULL) that of an application's executor. */
struct spark_log_name {
    const char *driver;
    const char *app, *executor;
    const char *type; /* "stderr" or "stdout"; must outlive the reader */
};

/* Finds the worker by the master's page; its addresses (spark_pages.h) are
 * tried in turn, and at last the Docker engine of this machine, which gives the
 * last LIMIT_DOCKER_FILE bytes of a log. EXIT_UNREACHABLE with all that was tried; EXIT_LOST when
 * the master knows the worker no more. */
struct spark_reader *spark_reader_open(struct spark *spark, const struct spark_log_name *name,
                                       const char *worker_id, struct error *error);
/* Begins so many lines before the end instead of at the beginning. */
void spark_reader_set_tail(struct spark_reader *reader, int64_t lines);
/* Begins so many bytes before the end, likely within a line. */
void spark_reader_set_tail_bytes(struct spark_reader *reader, int64_t bytes);
/* Ends at what is there at the first call: a log may grow faster than it is read. */
void spark_reader_set_snapshot(struct spark_reader *reader);
/* The next piece: 1, 0 when there is nothing more now, -1 with the error. The
 * text stays until the next call. The pieces are the log without a gap, also
 * when its oldest files are deleted meanwhile (spark.executor.logs.rolling.*);
 * one that was emptied is read from its new beginning. */
int spark_reader_next(struct spark_reader *reader, const char **text, size_t *length,
                      struct error *error);
/* NULL is fine. */
void spark_reader_close(struct spark_reader *reader);

#endif

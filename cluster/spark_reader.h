/* spark_reader.h: a driver's log, read piece by piece from the page of the
 * worker that runs it or ran it. */
#ifndef TALLY_SPARK_READER_H
#define TALLY_SPARK_READER_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/spark.h"

struct spark_reader;

/* `type`: "stderr" or "stdout", which must outlive the reader. Finds the
 * worker by the master's page and tries its addresses in turn: as it names
 * itself; by its host name; by the master's (where containers' names are
 * unknown, their ports are published there). EXIT_UNREACHABLE with all that
 * was tried; EXIT_LOST when the master knows the worker no more. */
struct spark_reader *spark_reader_open(struct spark *spark, const char *id, const char *worker_id,
                                       const char *type, struct error *error);
/* Begins this many bytes before the end instead of at the beginning. */
void spark_reader_set_tail(struct spark_reader *reader, int64_t bytes);
/* The next piece: 1, 0 when there is nothing more now, -1 with the error. The
 * text stays until the next call. */
int spark_reader_next(struct spark_reader *reader, const char **text, size_t *length,
                      struct error *error);
/* NULL is fine. */
void spark_reader_close(struct spark_reader *reader);

#endif

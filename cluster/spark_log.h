/* spark_log.h: a piece of a driver's log, as a worker's page gives it:
 * "==== Bytes S-E of TOTAL of FILE ====", a line end, the text. Bytes in, a
 * record out; no I/O. (LogPage.scala)
 *
 * The worker makes text of the bytes and bytes of the text again: a character
 * that its end cuts in two comes as U+FFFD. Such an end is left for the next
 * piece, so that the pieces together are the file. */
#ifndef TALLY_SPARK_LOG_H
#define TALLY_SPARK_LOG_H

#include <stddef.h>
#include <stdint.h>

struct spark_log {
    int64_t start, total; /* offsets in the file */
    int64_t next;         /* where the next piece begins */
    const char *text;     /* of the bytes from start to next; within what was read */
    size_t length;
};

enum spark_log_result {
    SPARK_LOG_PIECE,
    SPARK_LOG_MISSING, /* the worker has no such log (yet) */
    SPARK_LOG_NONE,    /* this is no worker's answer */
};

enum spark_log_result spark_log_read(const char *bytes, size_t length, struct spark_log *log);

#endif

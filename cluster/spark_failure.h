/* spark_failure.h: what the lines of a driver's standard error, or of a Python
 * application's standard output, tell of its fate: its root cause first, with a
 * plain sentence for causes that are known. Lines in, words out; no I/O. */
#ifndef TALLY_SPARK_FAILURE_H
#define TALLY_SPARK_FAILURE_H

#include <stdbool.h>

struct spark_failure;

struct spark_failure *spark_failure_new(void);
/* The next line, without its end. */
void spark_failure_take(struct spark_failure *failure, const char *line);
/* NULL is fine. */
void spark_failure_free(struct spark_failure *failure);

/* The text behind "tally-job: error: ", once our job said it; else NULL. */
const char *spark_failure_error(const struct spark_failure *failure);
/* Whether there is more to tell than the last line: an error, a stack trace, a traceback. */
bool spark_failure_is_told(const struct spark_failure *failure);
/* In one line, the most telling thing so far: the job's own error; else the
 * last stack trace's root cause, what it was wrapped in, and what to do about
 * it where that is known; else the last line; NULL when there is none.
 * `version` is Spark's ("" if not known). free() it. */
char *spark_failure_reason(const struct spark_failure *failure, const char *version);
/* How often the driver was started again: the first start is the log's first line. */
int spark_failure_restarts(const struct spark_failure *failure);
/* spark.app.name on the command line of the last start; NULL if there was none. */
const char *spark_failure_app_name(const struct spark_failure *failure);
/* The application that registered last, where the log's level tells; else NULL. */
const char *spark_failure_app_id(const struct spark_failure *failure);

#endif

/* driver_log.h: what a driver's standard error says of its fate, read as it
 * grows. */
#ifndef TALLY_DRIVER_LOG_H
#define TALLY_DRIVER_LOG_H

#include "cluster/spark.h"
#include "cluster/spark_failure.h"

struct driver_log;

/* `tail`: only the last so many bytes of what is there, -1 for all of it. */
struct driver_log *driver_log_new(struct spark *spark, const char *id, int64_t tail);
/* Reads what is new, at most a few pieces. False when the worker cannot be
 * asked, which is no error: it is said once, with --verbose. */
bool driver_log_read(struct driver_log *log, const char *worker_id);
/* What was found in it so far; belongs to the log. */
const struct spark_failure *driver_log_found(const struct driver_log *log);
/* What a driver that was started again has died of, by what was found, or else by the
 * end of its standard output; free() it; NULL when neither says. */
char *driver_log_death(const struct driver_log *log, const struct spark_answer *answer);
/* NULL is fine. */
void driver_log_free(struct driver_log *log);

/* Why a driver failed, by the end of its log; free() it; NULL when that says
 * nothing or cannot be read. `*in_stdout`: it stands in the standard output, where
 * a Python application's errors go. */
char *driver_log_reason(struct spark *spark, const struct spark_answer *answer, bool *in_stdout);

/* The name of a driver's application, which nothing but its log tells: the
 * application that the log says has registered, or spark.app.name on the
 * driver's command line, which the program may overrule. free() it; NULL when
 * the log cannot be read or does not tell. `*app` (NULL: not wanted): that
 * application in `state`; NULL when the log does not tell of one, or goes on
 * where another start may have registered another. */
char *driver_log_app_name(struct spark *spark, const struct spark_state *state, const char *id,
                          const char *worker_id, const struct spark_app **app);

#endif

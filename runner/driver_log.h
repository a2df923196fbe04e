/* driver_log.h: what a driver's standard error says of its fate, read as it
 * grows. */
#ifndef TALLY_DRIVER_LOG_H
#define TALLY_DRIVER_LOG_H

#include "cluster/spark.h"

struct driver_log;

struct driver_log *driver_log_new(struct spark *spark, const char *id);
/* Reads what is new, at most a few pieces. A worker that cannot be asked is no
 * error: it is said once, with --verbose. */
void driver_log_read(struct driver_log *log, const char *worker_id);
/* The text behind "tally-job: error: ", once the job said it; else NULL. */
const char *driver_log_error(const struct driver_log *log);
/* The most telling line so far: the job's own error, an exception, else the
 * last line; NULL when there is none. */
const char *driver_log_reason(const struct driver_log *log);
/* How often the driver was started. */
int driver_log_launches(const struct driver_log *log);
void driver_log_free(struct driver_log *log);

#endif

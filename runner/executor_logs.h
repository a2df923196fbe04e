/* executor_logs.h: the logs of an application's executors, as `tally logs
 * --executor` prints them. */
#ifndef TALLY_EXECUTOR_LOGS_H
#define TALLY_EXECUTOR_LOGS_H

#include "cluster/spark.h"
#include "runner/options.h"

/* options->arguments[0] is an application's id, or that of its driver;
 * options->executor which of them. Prints them on stdout, of several each under
 * a line that names it, and with options->follow what comes, whole lines only,
 * until the application ends or a signal comes. An executor whose worker cannot
 * be asked is an error when it is the only one, else a warning. */
int executor_logs(const struct options *options, struct spark *spark, struct error *error);

#endif

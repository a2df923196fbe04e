/* run.h: the two ways of `run`. */
#ifndef TALLY_RUN_H
#define TALLY_RUN_H

#include "runner/options.h"

/* Job, broker (unless Kafka is elsewhere), feed, relay and page in this process. */
int run_local(const struct options *options, struct error *error);
/* The job on a Spark cluster, the rest here. */
int run_spark(const struct options *options, struct error *error);

#endif

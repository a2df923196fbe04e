/* creation.h: a driver is created once, or it is known why not. */
#ifndef TALLY_CREATION_H
#define TALLY_CREATION_H

#include "cluster/spark.h"
#include "runner/options.h"
#include "runner/submission.h"

/* Looks (preflight_check), serves what is only here, completes the submission,
 * and has the driver created; `*id`: free() it. When the answer to that is lost, the master's list
 * of drivers tells: one new driver like it is ours; none, on the same master, which still leads,
 * means that there is none: then it is tried once more. Anything else is EXIT_UNKNOWN. Says on
 * standard error what it does. */
int create_driver(const struct options *options, struct submission *submission, struct spark *spark,
                  char **id, struct error *error);

#endif

/* preflight.h: a look at the cluster before anything is created there. */
#ifndef TALLY_PREFLIGHT_H
#define TALLY_PREFLIGHT_H

#include "cluster/spark.h"
#include "runner/options.h"
#include "runner/submission.h"

/* What was found. Starts as {0}; free with preflight_free. */
struct preflight {
    struct spark_state *before; /* the leader's page; NULL: not seen */
    char *url;                  /* "spark://HOST:PORT[,...]", as the masters name themselves */
    char *version;              /* the leader's Spark; NULL: not seen */
};

/* Finds the leader (waits for one in recovery, up to `patience_ms`), reads its
 * page and its version, and refuses (EXIT_REFUSED) what cannot run: without REST,
 * without room, without its jar where that is to be had by HTTP; a jar of this
 * machine without the main class or with another Scala than Spark's; and a job
 * that runs already: two of one checkpoint break each other. A page that cannot
 * be had is no reason to refuse. With --no-preflight it asks nothing. */
int preflight_check(const struct options *options, const struct submission *submission,
                    struct spark *spark, int64_t patience_ms, struct preflight *preflight,
                    struct error *error);
void preflight_free(struct preflight *preflight);

#endif

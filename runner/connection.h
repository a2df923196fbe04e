/* connection.h: where Spark is and how it is asked, as the options say: its
 * masters, the proxy and certificates on the way, the key that signs. */
#ifndef TALLY_CONNECTION_H
#define TALLY_CONNECTION_H

#include "cluster/spark.h"
#include "cluster/spark_conf.h"
#include "runner/options.h"

/* The masters of --master, or else of spark.master in `conf` (may be NULL), or
 * else of MASTER in the environment. */
int find_masters(const struct options *options, const struct spark_conf *conf,
                 struct spark_masters *masters, struct error *error);
/* spark_open as the options say: proxy, certificates, key. EXIT_INPUT. */
struct spark *connect_spark(const struct options *options, const struct spark_masters *masters,
                            struct error *error);
/* --master, for commands about drivers that are there. */
struct spark *open_spark(const struct options *options, struct error *error);

#endif

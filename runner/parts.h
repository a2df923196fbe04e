/* parts.h: what several commands do alike. */
#ifndef TALLY_PARTS_H
#define TALLY_PARTS_H

#include <ev.h>

#include "cluster/spark.h"
#include "dashboard/server.h"
#include "jobs/feed.h"
#include "runner/options.h"

/* Kafka's address must be known. */
int need_servers(const struct options *options, struct error *error);

/* A feed as the options say, from `file` (NULL: the sample, "-": standard input). */
struct feed *open_feed(const struct options *options, const struct kafka_settings *settings,
                       const struct spec *spec, const char *file,
                       bool (*may_send)(void *, uint64_t, uint64_t), void *context,
                       struct error *error);

/* What is done at a master, with the command's operands. */
typedef int spark_action(const struct options *options, struct spark *spark, struct error *error);

/* Checks that each operand can be an id, opens Spark as --master says, does it, closes. */
int with_spark(const struct options *options, spark_action *action, struct error *error);

/* Waits this long, or until a signal comes. */
void wait_for_interrupt(int64_t wait_ms);

/* The options of those who serve the page. */
#define PAGE_OPTIONS                                                                               \
    "host port history max-clients base-path allow-host allow-origin token-file tls-cert tls-key " \
    "access-log "

/* --history for this job: EXIT_USAGE when that is more than it can hold. */
int find_history(const struct options *options, const struct spec *spec,
                 struct relay_history *wanted, struct error *error);

/* The server as the options say; prints where the page is. */
struct server *open_page(struct ev_loop *loop, const struct options *options,
                         struct relay *const *relays,
                         struct server_job_state (*job_state)(void *, const struct spec *),
                         void *context, struct error *error);

/* Runs the loop until a signal comes or somebody breaks it. */
void run_loop(struct ev_loop *loop);

/* "tally 1.0.0", or as an object, to stdout. */
int print_version(bool json, struct error *error);

#endif

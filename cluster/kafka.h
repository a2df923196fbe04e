/* kafka.h: how every part of the program reaches Kafka: clients made from the
 * user's settings, the checks before work starts, and librdkafka's errors as
 * ours. */
#ifndef TALLY_KAFKA_H
#define TALLY_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "cluster/kafka_settings.h"

/* What a caller needs of its client, set before the user's settings. */
struct kafka_pair {
    const char *name, *value;
};

/* Called from rd_kafka_poll, in the caller's thread; each may be NULL. */
struct kafka_calls {
    void (*delivered)(void *context, const rd_kafka_message_t *message);
    void (*statistics)(void *context, const char *json, size_t length);
    void *context;
};

/* A client with the program's defaults, then `pairs` (ends at a NULL name),
 * then the user's settings, which must outlive it. `calls` is copied. End it with
 * kafka_close. */
rd_kafka_t *kafka_consumer(const struct kafka_settings *settings, const struct kafka_pair *pairs,
                           const struct kafka_calls *calls, struct error *error);
rd_kafka_t *kafka_producer(const struct kafka_settings *settings, const struct kafka_pair *pairs,
                           const struct kafka_calls *calls, struct error *error);
/* Ends a client, in the background: it is not to be used any more, and none of
 * its calls comes any more. NULL is fine. */
void kafka_close(rd_kafka_t *client);
/* False when some client has not ended in this time: then leave with _exit,
 * for its threads are still at work. */
bool kafka_wait_closed(int wait_ms);

/* How long the program waits for a broker at its start. */
#define KAFKA_PATIENCE_MS 5000

/* Asks something of Kafka until it is answered, `patience_ms` are over
 * (EXIT_UNREACHABLE, with the reason the client gave), or a signal has come.
 * `ask` waits no longer than `wait_ms`; says on standard error that it
 * waits when it takes long. */
int kafka_ask(rd_kafka_t *client, const struct kafka_settings *settings,
              rd_kafka_resp_err_t (*ask)(void *context, int wait_ms), void *context,
              int64_t patience_ms, struct error *error);

/* What says, in a sentence or two, why these servers cannot be reached, where
 * the client itself knows only its last error; free() what it gives, NULL when
 * it knows nothing. It lies above this file (cluster/probe), therefore it is
 * handed in, at the program's start; NULL: none. It is asked once, too, when
 * servers have answered, and those they send their clients to do not. */
void kafka_explain_by(char *(*explain)(const struct kafka_settings *settings));

/* The number of partitions of a topic (0: there is no such topic). Asks
 * by kafka_ask. */
int kafka_partitions(rd_kafka_t *client, const struct kafka_settings *settings, const char *topic,
                     int32_t *count, struct error *error);
/* The same, but no such topic is EXIT_REFUSED, saying `advice`. */
int kafka_need_topic(rd_kafka_t *client, const struct kafka_settings *settings, const char *topic,
                     const char *advice, int32_t *count, struct error *error);
/* Creates the topic when it is missing: CreateTime, kept for ever within a
 * bound in bytes. Says so. `*count`: its partitions. */
int kafka_make_topic(rd_kafka_t *client, const struct kafka_settings *settings, const char *topic,
                     int32_t partitions, int32_t *count, struct error *error);

/* What the client last said of its connection; "" if nothing was wrong. */
const char *kafka_last_error(const rd_kafka_t *client);

#endif

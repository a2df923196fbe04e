#include "cluster/consumer_queue.h"

#include <stdint.h>

#include "cluster/base/number.h"

#define FIRST_WITH_BACKOFF 0x02020000 /* fetch.queue.backoff.ms: set in kafka.c */

/* A number of the client's configuration, as it holds: the user may have set it. */
static size_t setting(const rd_kafka_t *client, const char *name)
{
    char text[32];
    size_t size = sizeof text;
    int64_t value = 0;

    if (rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)client), name, text, &size) ==
        RD_KAFKA_CONF_OK)
        number_int64(text, size - 1, &value);
    return (size_t)value;
}

void consumer_queue_init(struct consumer_queue *self, const rd_kafka_t *client,
                         rd_kafka_queue_t *queue)
{
    *self = (struct consumer_queue){
        .queue = queue,
        .most_records = setting(client, "queued.min.messages"),
        .most_bytes = 1000 * setting(client, "queued.max.messages.kbytes"), /* rdkafka.c */
    };
}

/* librdkafka judges the queue when it has put something in. If that did not fill it, it fetches on,
 * and a seek would throw away what is on its way. How much was in it is known when it is empty:
 * what was taken since it last grew, and the batch before, which may have been in it then. */
size_t consumer_queue_take(struct consumer_queue *self, rd_kafka_message_t **records, size_t most)
{
    size_t length = rd_kafka_queue_length(self->queue);
    ssize_t got = rd_kafka_consume_batch_queue(self->queue, 0, records, most);
    size_t count = got > 0 ? (size_t)got : 0;

    if (length > self->left)
        self->taken = self->last;
    self->left = length > count ? length - count : 0;
    self->last.records = count;
    self->last.bytes = 0;
    for (size_t i = 0; i < count; i++)
        self->last.bytes += records[i]->len;
    self->taken.records += self->last.records;
    self->taken.bytes += self->last.bytes;
    return count;
}

void consumer_queue_note(struct consumer_queue *self, const rd_kafka_message_t *record)
{
    self->last.records = 1;
    self->last.bytes = record->len;
    self->taken = self->last;
}

/* Before 2.2 a broker's thread of librdkafka, having found the queue full, looks again only when
 * something wakes it, or after a second (rdkafka_broker.c; later: fetch.queue.backoff.ms). */
bool consumer_queue_sleeps(struct consumer_queue *self)
{
    bool was_full =
        self->taken.records >= self->most_records || self->taken.bytes >= self->most_bytes;

    self->taken.records = self->taken.bytes = 0;
    return rd_kafka_version() < FIRST_WITH_BACKOFF && was_full;
}

/* consumer_queue.h: how far librdkafka reads ahead of us, for a queue that all partitions of a
 * client share: bounded over all of them, so that memory is reached early and small. */
#ifndef TALLY_CONSUMER_QUEUE_H
#define TALLY_CONSUMER_QUEUE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/limits.h"

#define CONSUMER_QUEUE_TEXT_OF(text) #text
#define CONSUMER_QUEUE_TEXT(number)  CONSUMER_QUEUE_TEXT_OF(number)

/* What sets the bounds, for kafka_consumer's pairs. One fetch from each broker can come on top of
 * the queue: its bytes, of all partitions, are bounded as the queue's are (rdkafka_conf.c:
 * fetch.max.bytes follows queued.max.messages.kbytes), of one partition by fetch.message.max.bytes,
 * since 1 MiB would be 130,000 records of a byte. */
#define CONSUMER_QUEUE_PAIRS                                                                       \
    {"queued.min.messages", CONSUMER_QUEUE_TEXT(LIMIT_QUEUE_RECORDS)},                             \
        {"queued.max.messages.kbytes", CONSUMER_QUEUE_TEXT(LIMIT_QUEUE_KILOBYTES)},                \
    {                                                                                              \
        "fetch.message.max.bytes", CONSUMER_QUEUE_TEXT(LIMIT_FETCH_BYTES)                          \
    }

struct consumer_queue {
    rd_kafka_queue_t *queue;         /* the caller's */
    size_t most_records, most_bytes; /* librdkafka fetches no more when so many are in it */
    size_t left;                     /* messages in it, when we last looked */
    struct {
        size_t records, bytes;
    } last, taken; /* out of it: the last batch; since it last grew, and the batch before */
};

/* `queue`: of the client, shared by all partitions; it stays the caller's. */
void consumer_queue_init(struct consumer_queue *self, const rd_kafka_t *client,
                         rd_kafka_queue_t *queue);
/* Takes up to `most` records (at most LIMIT_BATCH), and does not wait: how many there were. */
size_t consumer_queue_take(struct consumer_queue *self, rd_kafka_message_t **records, size_t most);
/* The caller has taken this one from the empty queue by itself, waiting for it. */
void consumer_queue_note(struct consumer_queue *self, const rd_kafka_message_t *record);
/* To be asked when there were none. True, once: the client has perhaps stopped to fetch, and must
 * be woken, each broker's fetcher by a seek of a partition to where the caller stands; nothing is
 * read twice or lost. */
bool consumer_queue_sleeps(struct consumer_queue *self);

#endif

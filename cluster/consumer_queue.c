#include "cluster/consumer_queue.h"

/* We look at the queue when a batch and perhaps one more record were taken from it since the client
 * did; how many bytes it has we can only guess, by the length of one record. */
#define NEARLY_FULL_RECORDS (LIMIT_QUEUE_RECORDS - 2 * LIMIT_BATCH)
#define NEARLY_FULL_BYTES   (LIMIT_QUEUE_KILOBYTES * 1000u / 2)
#define FIRST_WITH_BACKOFF  0x02020000 /* fetch.queue.backoff.ms: set in kafka.c */

/* Before 2.2 librdkafka, having found the queue full, looks again only when something wakes it, or
 * after a second (rdkafka_broker.c; later: fetch.queue.backoff.ms). A seek wakes it; while the
 * queue is empty it costs no more than what is on its way. */
static void look(struct consumer_queue *queue, size_t record_bytes)
{
    size_t waiting = rd_kafka_queue_length(queue->queue);

    if (rd_kafka_version() < FIRST_WITH_BACKOFF)
        queue->was_full |=
            waiting >= NEARLY_FULL_RECORDS || waiting * record_bytes >= NEARLY_FULL_BYTES;
}

size_t consumer_queue_take(struct consumer_queue *queue, rd_kafka_message_t **records, size_t most)
{
    ssize_t got = rd_kafka_consume_batch_queue(queue->queue, 0, records, most);

    if (got <= 0)
        return 0;
    look(queue, records[got - 1]->len);
    return (size_t)got;
}

bool consumer_queue_sleeps(struct consumer_queue *queue)
{
    bool was_full = queue->was_full;

    queue->was_full = false;
    return was_full;
}

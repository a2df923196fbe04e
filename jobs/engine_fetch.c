/* Fetching the source topic: one queue for all partitions, so that what librdkafka
 * reads ahead is bounded for all together, however many they are. */
#include <inttypes.h>

#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "jobs/engine_parts.h"

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

static int start_partition(struct engine *engine, int32_t partition, struct error *error)
{
    if (rd_kafka_consume_start_queue(engine->source_topic, partition,
                                     engine->sources[partition].read, engine->records) == 0)
        return 0;
    return error_set(error, EXIT_FAILED, "cannot read topic '%s' partition %d: %s",
                     engine->spec->topic, (int)partition, rd_kafka_err2str(rd_kafka_last_error()));
}

int fetch_start(struct engine *engine, struct error *error)
{
    engine->most_records = setting(engine->consumer, "queued.min.messages");
    engine->most_bytes = 1000 * setting(engine->consumer, "queued.max.messages.kbytes");
    engine->records = rd_kafka_queue_new(engine->consumer);
    wake_watch(&engine->wake, engine->records);
    for (int32_t i = 0; i < engine->source_count; i++)
        if (start_partition(engine, i, error) < 0)
            return -1;
    return 0;
}

void fetch_set_aside(struct engine *engine, struct source *source)
{
    int32_t partition = (int32_t)(source - engine->sources);

    log_verbose("topic '%s' partition %d: set aside at offset %" PRId64 " until others catch up",
                engine->spec->topic, (int)partition, source->read);
    source->aside = true;
    rd_kafka_consume_stop(engine->source_topic, partition);
}

/* Only between two batches: one may still have records of before. */
static void take_back(struct engine *engine)
{
    for (int32_t i = 0; i < engine->source_count; i++) {
        struct source *source = &engine->sources[i];
        if (!source->aside || source->waiting_count > 0)
            continue;
        source->aside = false;
        if (start_partition(engine, i, &engine->error) < 0)
            engine_fail(engine);
    }
}

static bool is_first_of_broker(const struct engine *engine, int32_t partition)
{
    const struct source *source = &engine->sources[partition];

    for (const struct source *other = engine->sources; other < source; other++)
        if (!other->aside && other->broker == source->broker)
            return false;
    return !source->aside;
}

/* Before 2.2 a broker's thread of librdkafka, having found the queue full, looks again only when
 * something wakes it, or after a second (rdkafka_broker.c; later: fetch.queue.backoff.ms). A seek
 * to where we stand, in one partition of each broker, wakes it; the queue is empty, there is
 * nothing to lose. */
static void wake_fetchers(struct engine *engine)
{
    engine->taken_records = engine->taken_bytes = 0;
    for (int32_t i = 0; i < engine->source_count; i++)
        if (is_first_of_broker(engine, i))
            rd_kafka_seek(engine->source_topic, i, engine->sources[i].read, 0);
}

/* librdkafka judges the queue when it has put something in. If that did not fill it, it fetches on,
 * and a seek would throw away what is on its way. How much was in it is known when it is empty:
 * what was taken since it last grew, and the batch before, which may have been in it then. */
static bool was_full(const struct engine *engine)
{
    return rd_kafka_version() < FIRST_WITH_BACKOFF &&
           (engine->taken_records >= engine->most_records ||
            engine->taken_bytes >= engine->most_bytes);
}

bool fetch_batch(struct engine *engine)
{
    size_t length;
    ssize_t count;

    take_back(engine);
    length = rd_kafka_queue_length(engine->records);
    if (length > engine->queued) {
        engine->taken_records = engine->batch_count;
        engine->taken_bytes = engine->batch_bytes;
    }
    count = rd_kafka_consume_batch_queue(engine->records, 0, engine->batch, LIMIT_BATCH);
    engine->batch_at = engine->batch_bytes = 0;
    engine->batch_count = count > 0 ? (size_t)count : 0;
    for (size_t i = 0; i < engine->batch_count; i++)
        engine->batch_bytes += engine->batch[i]->len;
    engine->queued = length > engine->batch_count ? length - engine->batch_count : 0;
    engine->taken_records += engine->batch_count;
    engine->taken_bytes += engine->batch_bytes;
    if (engine->batch_count == 0 && was_full(engine))
        wake_fetchers(engine);
    return engine->batch_count > 0;
}

void fetch_close(struct engine *engine)
{
    while (engine->batch_at < engine->batch_count)
        rd_kafka_message_destroy(engine->batch[engine->batch_at++]);
    if (!engine->records)
        return;
    wake_unwatch(engine->records);
    for (int32_t i = 0; i < engine->source_count; i++)
        rd_kafka_consume_stop(engine->source_topic, i);
    rd_kafka_queue_destroy(engine->records);
}

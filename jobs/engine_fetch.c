/* Fetching the source topic: one queue for all partitions, so that what librdkafka
 * reads ahead is bounded for all together, however many they are. */
#include <inttypes.h>

#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "jobs/engine_parts.h"

static int start_partition(struct engine *engine, int32_t partition, struct error *error)
{
    if (rd_kafka_consume_start_queue(engine->source_topic, partition,
                                     engine->sources[partition].read, engine->records.queue) == 0)
        return 0;
    return error_set(error, EXIT_FAILED, "cannot read topic '%s' partition %d: %s",
                     engine->spec->topic, (int)partition, rd_kafka_err2str(rd_kafka_last_error()));
}

int fetch_start(struct engine *engine, struct error *error)
{
    consumer_queue_init(&engine->records, engine->consumer, rd_kafka_queue_new(engine->consumer));
    wake_watch(&engine->wake, engine->records.queue);
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

/* See consumer_queue_sleeps. */
static void wake_fetchers(struct engine *engine)
{
    for (int32_t i = 0; i < engine->source_count; i++)
        if (is_first_of_broker(engine, i))
            rd_kafka_seek(engine->source_topic, i, engine->sources[i].read, 0);
}

bool fetch_batch(struct engine *engine)
{
    take_back(engine);
    engine->batch_at = 0;
    engine->batch_count = consumer_queue_take(&engine->records, engine->batch, LIMIT_BATCH);
    if (engine->batch_count == 0 && consumer_queue_sleeps(&engine->records))
        wake_fetchers(engine);
    return engine->batch_count > 0;
}

void fetch_close(struct engine *engine)
{
    while (engine->batch_at < engine->batch_count)
        rd_kafka_message_destroy(engine->batch[engine->batch_at++]);
    if (!engine->records.queue)
        return;
    wake_unwatch(engine->records.queue);
    for (int32_t i = 0; i < engine->source_count; i++)
        rd_kafka_consume_stop(engine->source_topic, i);
    rd_kafka_queue_destroy(engine->records.queue);
}

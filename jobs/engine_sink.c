/* Sending results, and committing what needs no recounting. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "jobs/engine_parts.h"

#define TIME_DIGITS 24

/* A record sent is acknowledged or has failed for good. Its opaque is the
 * window it closed, or NULL for an update. */
static void take_delivery(void *context, const rd_kafka_message_t *message)
{
    struct engine *engine = context;
    struct window *window = message->_private;

    engine->unacknowledged--;
    if (!message->err) {
        if (window)
            window->acknowledged = true;
        return;
    }
    if (engine->stopping)
        return; /* given up on purpose: it will be counted again */
    error_set(&engine->error, EXIT_FAILED, "result topic '%s' did not take a record: %s",
              engine->spec->sink, rd_kafka_err2str(message->err));
    engine_fail(engine);
}

int sink_open(struct engine *engine, struct error *error)
{
    static const struct kafka_pair pairs[] = {
        {"enable.idempotence", "true"}, {"acks", "all"}, {"linger.ms", "5"},
        {"message.timeout.ms", "0"}, /* however long a broker is away: nothing is given up */
        {"compression.codec", "lz4"},   {NULL, NULL},
    };
    const struct kafka_calls calls = {.delivered = take_delivery, .context = engine};
    int32_t partitions;

    engine->closed_end = &engine->closed;
    engine->producer = kafka_producer(engine->settings, pairs, &calls, error);
    if (!engine->producer || kafka_make_topic(engine->producer, engine->settings,
                                              engine->spec->sink, 1, &partitions, error) < 0)
        return -1;
    engine->sink_topic = rd_kafka_topic_new(engine->producer, engine->spec->sink, NULL);
    engine->commits = rd_kafka_queue_new(engine->consumer);
    engine->producer_events = rd_kafka_queue_get_main(engine->producer);
    wake_watch(&engine->wake, engine->commits);
    wake_watch(&engine->wake, engine->producer_events);
    return 0;
}

bool sink_is_full(const struct engine *engine)
{
    return engine->unacknowledged >= LIMIT_UNACKNOWLEDGED;
}

/* False when the client's queue is full: try again after some were acknowledged. */
static bool send_record(struct engine *engine, struct window *window, void *opaque)
{
    engine->key.length = engine->value.length = 0;
    record_write_key(engine->writer, &window->record, &engine->key);
    record_write(engine->writer, &window->record, &engine->value);
    if (rd_kafka_produce(engine->sink_topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                         engine->value.data, engine->value.length, engine->key.data,
                         engine->key.length, opaque) == 0) {
        engine->unacknowledged++;
        window->changed = false;
        return true;
    }
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        error_set(&engine->error, EXIT_FAILED, "result topic '%s' does not take a record: %s",
                  engine->spec->sink, rd_kafka_err2str(rd_kafka_last_error()));
        engine_fail(engine);
    }
    return false;
}

void sink_send_closed(struct engine *engine, bool all)
{
    struct window *window;

    while (!sink_is_full(engine) && (window = windows_take_closed(engine->windows, all))) {
        window->acknowledged = false;
        if (!send_record(engine, window, window)) {
            windows_put_back(engine->windows, window);
            return;
        }
        window->next = NULL;
        *engine->closed_end = window;
        engine->closed_end = &window->next;
        engine->stats.closed++;
    }
}

/* Event time has passed the end of a window that changed: this may be its last total. */
static bool one_has_ended(const struct engine *engine)
{
    int64_t time = windows_watermark(engine->windows) + engine->spec->lateness;

    for (size_t i = 0; i < windows_open(engine->windows); i++) {
        const struct window *window = windows_at(engine->windows, i);
        if (window->record.end > time)
            return false;
        if (window->changed)
            return true;
    }
    return false;
}

/* Every EMIT_EVERY_MS; and as often, in between, for the totals of windows that have ended: to
 * hold those back made half of the time from a window's end to its last total on the page. */
static bool are_updates_due(struct engine *engine, int64_t time)
{
    if (pace_wait(&engine->pace, time) <= 0)
        return true;
    if (time - engine->hurried_at < EMIT_EVERY_MS || !one_has_ended(engine))
        return false;
    engine->hurried_at = time;
    return true;
}

void sink_send_changed(struct engine *engine, bool now)
{
    int64_t time = clock_monotonic_ms();

    if (!engine->changed || (!now && !are_updates_due(engine, time)))
        return;
    for (size_t i = 0; i < windows_open(engine->windows); i++) {
        struct window *window = windows_at(engine->windows, i);
        if (!window->changed)
            continue;
        if (sink_is_full(engine) || !send_record(engine, window, NULL))
            return; /* the rest goes out with the next updates */
    }
    engine->changed = false;
    pace_note(&engine->pace, time);
}

/* Away with the windows at the front that are acknowledged: nothing needs them. */
static void release_acknowledged(struct engine *engine)
{
    while (engine->closed && engine->closed->acknowledged) {
        struct window *window = engine->closed;
        engine->closed = window->next;
        if (!engine->closed)
            engine->closed_end = &engine->closed;
        windows_release(engine->windows, window);
    }
}

static int64_t lowest_needed(const struct engine *engine, int32_t partition)
{
    int64_t lowest = engine->sources[partition].position;

    for (const struct window *window = engine->closed; window; window = window->next)
        if (window->offsets[partition] < lowest)
            lowest = window->offsets[partition];
    for (size_t i = 0; i < windows_open(engine->windows); i++)
        if (windows_at(engine->windows, i)->offsets[partition] < lowest)
            lowest = windows_at(engine->windows, i)->offsets[partition];
    return lowest;
}

/* The watermark up to which every window is closed and acknowledged: the next
 * start takes those for done. */
static int64_t safe_watermark(const struct engine *engine)
{
    int64_t watermark = windows_watermark(engine->windows);

    if (engine->closed && engine->closed->record.end <= watermark)
        watermark = engine->closed->record.end - 1;
    if (windows_open(engine->windows) && windows_at(engine->windows, 0)->record.end <= watermark)
        watermark = windows_at(engine->windows, 0)->record.end - 1;
    return watermark;
}

static void add_commit(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition,
                       int64_t offset, int64_t watermark)
{
    rd_kafka_topic_partition_t *commit = rd_kafka_topic_partition_list_add(list, topic, partition);

    commit->offset = offset;
    if (watermark == NO_WATERMARK)
        return;
    commit->metadata = mem_format("%" PRId64, watermark); /* the list frees it */
    commit->metadata_size = strlen(commit->metadata);
}

static void start_commit(struct engine *engine)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(engine->source_count);
    int64_t watermark = safe_watermark(engine);
    bool differs = watermark != engine->committed_watermark;

    for (int32_t i = 0; i < engine->source_count; i++) {
        int64_t offset = lowest_needed(engine, i);
        differs |= offset != engine->sources[i].committed;
        engine->sources[i].committed = offset;
        add_commit(list, engine->spec->topic, i, offset, watermark);
    }
    engine->committed_watermark = watermark;
    if (differs && rd_kafka_commit_queue(engine->consumer, list, engine->commits, NULL, NULL) == 0)
        engine->committing = true;
    rd_kafka_topic_partition_list_destroy(list);
}

void sink_commit(struct engine *engine, bool now)
{
    int64_t time = clock_monotonic_ms();

    release_acknowledged(engine);
    if (engine->committing || (!now && time < engine->commit_at))
        return;
    engine->commit_at = time + COMMIT_EVERY_MS;
    start_commit(engine);
}

/* A commit that failed is made again: the next one differs from "nothing". */
static void take_outcome(struct engine *engine, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    engine->committing = false;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET)
        return;
    engine->sources[0].committed = RD_KAFKA_OFFSET_INVALID;
    log_verbose("commit to group tally-%s: %s", engine->spec->name, rd_kafka_err2str(code));
}

void sink_take_outcomes(struct engine *engine)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(engine->commits, 0))) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
            take_outcome(engine, event);
        rd_kafka_event_destroy(event);
    }
}

static void free_closed(struct engine *engine)
{
    while (engine->closed) {
        struct window *window = engine->closed;
        engine->closed = window->next;
        windows_release(engine->windows, window);
    }
}

void sink_close(struct engine *engine)
{
    if (engine->producer_events) {
        wake_unwatch(engine->producer_events);
        rd_kafka_queue_destroy(engine->producer_events);
    }
    if (engine->commits) {
        wake_unwatch(engine->commits);
        rd_kafka_queue_destroy(engine->commits);
    }
    if (engine->sink_topic)
        rd_kafka_topic_destroy(engine->sink_topic);
    if (engine->producer) /* the windows sent are its opaques: it must be through with them */
        rd_kafka_purge(engine->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    kafka_close(engine->producer);
    free_closed(engine);
}

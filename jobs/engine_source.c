/* Reading the source topic: positions, event times, the watermark. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "cluster/statistics.h"
#include "jobs/engine_parts.h"

#define TURN_US 5000 /* the loop has other work, too */
/* A cluster that has had no group yet makes its topic for offsets first. */
#define FIRST_GROUP_MS 20000
/* A topic is taken for deleted after so many statistics, one a second: a broker
 * that has just started may not know its topics yet. */
#define MISSING_MOST 5

static rd_kafka_t *make_consumer(struct engine *engine, struct error *error)
{
    char *group = mem_format("tally-%s", engine->spec->name);
    const struct kafka_pair pairs[] = {
        {"group.id", group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        /* A position that is gone is ours to judge: never silently from the latest. */
        {"auto.offset.reset", "error"},
        {"queued.min.messages", CONSUMER_QUEUE_TEXT(LIMIT_FETCHED_RECORDS)},
        {"queued.max.messages.kbytes", CONSUMER_QUEUE_TEXT(LIMIT_FETCHED_KILOBYTES)},
        {"fetch.max.bytes", CONSUMER_QUEUE_TEXT(LIMIT_ENGINE_FETCH_BYTES)},
        {"fetch.message.max.bytes", CONSUMER_QUEUE_TEXT(LIMIT_ENGINE_FETCH_BYTES)},
        {"message.max.bytes",
         CONSUMER_QUEUE_TEXT(LIMIT_ENGINE_FETCH_BYTES)}, /* or it lifts fetch.max.bytes */
        {"fetch.error.backoff.ms", "100"},
        {"statistics.interval.ms", "1000"},
        {"fetch.wait.max.ms", engine->options.in_process ? "10" : "500"},
        {NULL, NULL},
    };
    const struct kafka_calls calls = {.statistics = source_take_statistics, .context = engine};
    rd_kafka_t *consumer = kafka_consumer(engine->settings, pairs, &calls, error);

    free(group);
    return consumer;
}

struct offsets_question {
    rd_kafka_t *consumer;
    rd_kafka_topic_partition_list_t *list;
};

static rd_kafka_resp_err_t ask_committed(void *context, int wait_ms)
{
    struct offsets_question *question = context;

    return rd_kafka_committed(question->consumer, question->list, wait_ms);
}

static int get_committed(struct engine *engine, rd_kafka_topic_partition_list_t *list,
                         struct error *error)
{
    struct offsets_question question = {engine->consumer, list};

    for (int32_t i = 0; i < engine->source_count; i++)
        rd_kafka_topic_partition_list_add(list, engine->spec->topic, i);
    if (kafka_ask(engine->consumer, engine->settings, ask_committed, &question, FIRST_GROUP_MS,
                  error) == 0)
        return 0;
    return error_wrap(error, "the offsets of group tally-%s", engine->spec->name);
}

struct ends_question {
    rd_kafka_t *consumer;
    const char *topic;
    int32_t partition;
    int64_t low, high;
};

static rd_kafka_resp_err_t ask_ends(void *context, int wait_ms)
{
    struct ends_question *question = context;

    return rd_kafka_query_watermark_offsets(question->consumer, question->topic,
                                            question->partition, &question->low, &question->high,
                                            wait_ms);
}

static int get_ends(struct engine *engine, int32_t partition, int64_t *low, int64_t *high,
                    struct error *error)
{
    struct ends_question question = {engine->consumer, engine->spec->topic, partition, 0, 0};

    if (kafka_ask(engine->consumer, engine->settings, ask_ends, &question, KAFKA_PATIENCE_MS,
                  error) < 0)
        return error_wrap(error, "the ends of topic '%s'", engine->spec->topic);
    *low = question.low;
    *high = question.high;
    return 0;
}

/* Where a partition begins. A committed offset that is gone means that what it
 * pointed to is lost: count again what there is, and say so. */
static int64_t choose_start(const struct engine *engine, int32_t partition, int64_t committed,
                            int64_t low, int64_t high, bool *forget)
{
    const char *topic = engine->spec->topic;

    if (committed < 0)
        return engine->spec->start_latest ? high : low;
    if (committed > high) {
        log_warning("topic '%s' partition %d ends at %" PRId64 ", before the committed offset "
                    "%" PRId64 ": it was made anew; counting from its earliest record",
                    topic, (int)partition, high, committed);
        *forget = true;
        return low;
    }
    if (committed < low)
        log_warning("topic '%s' partition %d begins at %" PRId64 ", behind the committed offset "
                    "%" PRId64 ": records were deleted uncounted; counting from the earliest",
                    topic, (int)partition, low, committed);
    return committed < low ? low : committed;
}

/* The metadata of one commit: the watermark then, or NO_WATERMARK. */
static int64_t read_watermark(const rd_kafka_topic_partition_t *commit)
{
    int64_t watermark;

    if (!commit->metadata || !number_int64(commit->metadata, commit->metadata_size, &watermark))
        return NO_WATERMARK;
    return watermark;
}

/* Takes up each partition where the group left it. The lowest watermark of the
 * commits holds: from each offset all windows behind it can be recounted. */
static int restore(struct engine *engine, const rd_kafka_topic_partition_list_t *commits,
                   struct error *error)
{
    int64_t watermark = INT64_MAX, low = 0, high = 0;
    bool forget = false;

    for (int32_t i = 0; i < engine->source_count; i++) {
        const rd_kafka_topic_partition_t *commit = &commits->elems[i];
        struct source *source = &engine->sources[i];
        if (get_ends(engine, i, &low, &high, error) < 0)
            return -1;
        source->position = choose_start(engine, i, commit->offset, low, high, &forget);
        source->read = source->position;
        source->committed = commit->offset;
        log_verbose("topic '%s' partition %d: from offset %" PRId64 " of %" PRId64,
                    engine->spec->topic, (int)i, source->position, high);
        if (commit->offset >= 0 && read_watermark(commit) < watermark)
            watermark = read_watermark(commit);
    }
    engine->restored = forget || watermark == INT64_MAX ? NO_WATERMARK : watermark;
    engine->committed_watermark = engine->restored;
    windows_set_watermark(engine->windows, engine->restored);
    return 0;
}

int source_open(struct engine *engine, struct error *error)
{
    rd_kafka_topic_partition_list_t *commits;
    int result;

    engine->consumer = make_consumer(engine, error);
    if (!engine->consumer ||
        kafka_need_topic(engine->consumer, engine->settings, engine->spec->topic,
                         "feed it with tally produce, or with --feed", &engine->source_count,
                         error) < 0)
        return -1;
    engine->source_topic = rd_kafka_topic_new(engine->consumer, engine->spec->topic, NULL);
    engine->sources = mem_alloc((size_t)engine->source_count, sizeof *engine->sources);
    engine->live = mem_alloc((size_t)engine->source_count, sizeof *engine->live);
    for (int32_t i = 0; i < engine->source_count; i++) {
        engine->sources[i].largest = NO_TIME;
        engine->sources[i].target = INT64_MAX;
        engine->sources[i].broker = -1;
        engine->sources[i].quiet_since = clock_monotonic_ms();
    }
    engine->windows = windows_new(engine->spec, (size_t)engine->source_count);
    engine->consumer_events = rd_kafka_queue_get_main(engine->consumer);
    wake_watch(&engine->wake, engine->consumer_events);
    commits = rd_kafka_topic_partition_list_new(engine->source_count);
    result = get_committed(engine, commits, error);
    if (result == 0)
        result = restore(engine, commits, error);
    rd_kafka_topic_partition_list_destroy(commits);
    return result == 0 ? fetch_start(engine, error) : -1;
}

/* One that is counted up to its target holds nothing up. */
static bool holds_up(const struct source *source)
{
    return !source->left_out && source->position < source->target;
}

/* Whoever is left out counts again; nothing else makes the smallest of all smaller. */
static void take_part(struct engine *engine, struct source *source)
{
    if (source->left_out)
        engine->slowest = NULL;
    source->left_out = false;
}

static void find_slowest(struct engine *engine)
{
    engine->slowest = NULL;
    engine->next_slowest = INT64_MAX;
    for (int32_t i = 0; i < engine->source_count; i++) {
        const struct source *source = &engine->sources[i];
        if (!holds_up(source))
            continue;
        if (!engine->slowest || source->largest < engine->slowest->largest) {
            engine->next_slowest = engine->slowest ? engine->slowest->largest : INT64_MAX;
            engine->slowest = source;
        } else if (source->largest < engine->next_slowest) {
            engine->next_slowest = source->largest;
        }
    }
}

/* The smallest, over the partitions that count, of the largest time seen;
 * NO_TIME while one of them has shown none, or when none counts. Asked for each
 * record, and there may be 1024 partitions: looked for only when it may be another. */
static int64_t smallest_largest(struct engine *engine)
{
    const struct source *slowest = engine->slowest;

    if (!slowest || !holds_up(slowest) || slowest->largest > engine->next_slowest)
        find_slowest(engine);
    return engine->slowest ? engine->slowest->largest : NO_TIME;
}

static void advance_watermark(struct engine *engine)
{
    int64_t time = smallest_largest(engine);

    if (time != NO_TIME)
        windows_set_watermark(engine->windows, time - engine->spec->lateness);
}

/* A partition shows a time. After a silence of the whole topic all partitions
 * count again: the others' records of the same moment may still be on their way. */
static void see_time(struct engine *engine, struct source *source, int64_t time)
{
    int64_t now = engine->now;

    if (now - engine->last_record >= IDLE_PARTITION_MS)
        for (int32_t i = 0; i < engine->source_count; i++) {
            engine->sources[i].quiet_since = now;
            take_part(engine, &engine->sources[i]);
        }
    engine->last_record = now;
    source->quiet_since = now;
    take_part(engine, source);
    if (time <= source->largest)
        return;
    source->largest = time;
    advance_watermark(engine);
}

/* False with `*why` for a time no window can have. */
static bool check_time(const struct engine *engine, const rd_kafka_message_t *message,
                       int64_t *time, enum reject *why)
{
    rd_kafka_timestamp_type_t type;

    *time = rd_kafka_message_timestamp(message, &type);
    *why = REJECT_TIME;
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || *time < 0)
        return false;
    *why = REJECT_FUTURE;
    return *time <= LIMIT_TIME_MS && *time - engine->now_wall <= engine->options.max_future;
}

/* False: it cannot be counted in any window. */
static bool read_record(struct engine *engine, const rd_kafka_message_t *message,
                        struct waiting *record)
{
    struct csv_field value;
    enum reject why;

    if (!check_time(engine, message, &record->time, &why) ||
        !extract_value(engine->extract, message->payload, message->len, &value, &why)) {
        engine->stats.rejects.of[why]++;
        return false;
    }
    record->offset = message->offset;
    record->series = labels_series(&engine->labels, value.data, value.length);
    return true;
}

/* False: it has to wait until some window is closed. */
static bool count_record(struct engine *engine, struct source *source, const struct waiting *record)
{
    struct place place = {(size_t)(source - engine->sources), record->offset};
    uint64_t late = 0, before;
    bool slowest;

    see_time(engine, source, record->time);
    slowest = source->largest == smallest_largest(engine);
    if (!windows_count(engine->windows, record->time, record->series, place, slowest, &late))
        return false;
    source->position = record->offset + 1;
    engine->changed = true;
    /* Late only because their window was closed before this start. */
    before = late ? windows_closed_by(engine->windows, record->time, engine->restored) : 0;
    engine->stats.skipped += before;
    engine->stats.late += late - before;
    sink_send_closed(engine, false);
    return true;
}

/* How many records of one partition may wait. */
static size_t waiting_room(const struct engine *engine)
{
    return LIMIT_WAITING / (size_t)engine->source_count;
}

static void let_wait(struct engine *engine, struct source *source, const struct waiting *record)
{
    size_t room = waiting_room(engine);

    if (!source->waiting)
        source->waiting = mem_alloc(room, sizeof *source->waiting);
    source->waiting[(source->waiting_first + source->waiting_count++) % room] = *record;
}

/* True when some was counted. */
static bool count_waiting(struct engine *engine, struct source *source)
{
    size_t before = source->waiting_count;

    if (before == 0)
        return false;
    while (source->waiting_count > 0 && !sink_is_full(engine) &&
           count_record(engine, source, &source->waiting[source->waiting_first])) {
        source->waiting_first = (source->waiting_first + 1) % waiting_room(engine);
        source->waiting_count--;
    }
    if (source->waiting_count == 0) {
        source->waiting_first = 0; /* the pages in use stay few */
        source->position = source->read;
    }
    return source->waiting_count < before;
}

static void take_end(struct source *source, const rd_kafka_message_t *message)
{
    source->read = message->offset;
    if (source->waiting_count == 0)
        source->position = source->read;
    source->at_end = true;
    source->quiet_since = clock_monotonic_ms();
}

/* librdkafka retries what may pass by itself; the rest ends the job by name. */
static void take_error(struct engine *engine, const rd_kafka_message_t *message)
{
    const char *topic = engine->spec->topic;

    switch (message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        error_set(&engine->error, EXIT_FAILED,
                  "topic '%s' partition %d no longer has the records from offset %" PRId64
                  " on: they were deleted before they were counted (%s)",
                  topic, (int)message->partition, engine->sources[message->partition].read,
                  rd_kafka_message_errstr(message));
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        error_set(&engine->error, EXIT_FAILED, "topic '%s' was deleted", topic);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        error_set(&engine->error, EXIT_REFUSED, "topic '%s': not authorised to read it", topic);
        break;
    default:
        log_verbose("topic '%s': %s", topic, rd_kafka_message_errstr(message));
        return;
    }
    engine_fail(engine);
}

static void take_record(struct engine *engine, struct source *source,
                        const rd_kafka_message_t *message)
{
    struct waiting record;

    source->read = message->offset + 1;
    source->broker = rd_kafka_message_broker_id(message);
    source->at_end = false;
    engine->stats.records++;
    engine->stats.bytes += message->len;
    if (read_record(engine, message, &record)) {
        if (source->waiting_count > 0 || !count_record(engine, source, &record))
            let_wait(engine, source, &record);
    } else if (source->waiting_count == 0) {
        source->position = source->read;
    }
}

static void take_message(struct engine *engine, const rd_kafka_message_t *message)
{
    struct source *source = &engine->sources[message->partition];

    if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        take_error(engine, message);
    else if (source->aside)
        return; /* it comes again */
    else if (message->err)
        take_end(source, message);
    else if (source->waiting_count == waiting_room(engine))
        fetch_set_aside(engine, source);
    else
        take_record(engine, source, message);
}

/* Counts one batch, or as much of it as may be counted now. True when something was done. */
static bool take_batch(struct engine *engine)
{
    size_t before;

    if (engine->batch_at == engine->batch_count && !fetch_batch(engine))
        return false;
    before = engine->batch_at;
    while (engine->batch_at < engine->batch_count && !sink_is_full(engine) && !engine->ended) {
        take_message(engine, engine->batch[engine->batch_at]);
        rd_kafka_message_destroy(engine->batch[engine->batch_at++]);
    }
    return engine->batch_at > before;
}

/* The records of a batch share a look at the clocks: two for each took a seventh of the time. */
bool source_turn(struct engine *engine)
{
    int64_t start = clock_monotonic_us();
    bool progress = true;

    while (progress && !engine->ended && clock_monotonic_us() - start < TURN_US) {
        progress = false;
        engine->now = clock_monotonic_ms();
        engine->now_wall = clock_wall_ms();
        for (int32_t i = 0; i < engine->source_count; i++)
            progress |= count_waiting(engine, &engine->sources[i]);
        progress |= take_batch(engine);
    }
    return progress;
}

void source_look_for_idle(struct engine *engine)
{
    int64_t now = clock_monotonic_ms();

    for (int32_t i = 0; i < engine->source_count; i++) {
        struct source *source = &engine->sources[i];
        if (!engine->live[i]) { /* it cannot tell whether it is at its end */
            source->quiet_since = now;
            take_part(engine, source);
        } else if (source->at_end && source->waiting_count == 0 &&
                   now - source->quiet_since >= IDLE_PARTITION_MS) {
            source->left_out = true;
        }
    }
    advance_watermark(engine);
}

/* Fails when the topic is no longer the one we count: gone, or with more partitions. */
static void judge_topic(struct engine *engine, const struct statistics *now)
{
    const char *topic = engine->spec->topic;

    engine->missing = now->connected && now->topic_missing ? engine->missing + 1 : 0;
    if (engine->missing >= MISSING_MOST)
        error_set(&engine->error, EXIT_FAILED, "topic '%s' was deleted", topic);
    else if (now->partition_count > engine->source_count)
        error_set(&engine->error, EXIT_FAILED,
                  "topic '%s' has grown from %d to %d partitions: start the job again, it will "
                  "count them all",
                  topic, (int)engine->source_count, (int)now->partition_count);
    else
        return;
    engine_fail(engine);
}

void source_take_statistics(void *context, const char *json, size_t length)
{
    struct engine *engine = context;
    struct statistics now =
        statistics_read(json, length, engine->spec->topic, engine->live, engine->source_count);

    engine->connected = now.connected;
    if (engine->sources)
        judge_topic(engine, &now);
}

static rd_kafka_resp_err_t ask_last(void *context, int wait_ms)
{
    struct offsets_question *question = context;
    rd_kafka_resp_err_t code;

    for (int i = 0; i < question->list->cnt; i++) /* a try before may have left its answer */
        question->list->elems[i].offset = RD_KAFKA_OFFSET_END;
    code = rd_kafka_offsets_for_times(question->consumer, question->list, wait_ms);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < question->list->cnt; i++)
        code = question->list->elems[i].err;
    return code;
}

/* One question for all partitions: each one waits its turn behind a fetch, which may wait for
 * records. */
int engine_finish(struct engine *engine, struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(engine->source_count);
    struct offsets_question question = {engine->consumer, list};
    int result;

    for (int32_t i = 0; i < engine->source_count; i++)
        rd_kafka_topic_partition_list_add(list, engine->spec->topic, i);
    result = kafka_ask(engine->consumer, engine->settings, ask_last, &question, KAFKA_PATIENCE_MS,
                       error);
    for (int32_t i = 0; result == 0 && i < engine->source_count; i++)
        engine->sources[i].target = list->elems[i].offset;
    engine->slowest = NULL;
    rd_kafka_topic_partition_list_destroy(list);
    if (result < 0)
        return error_wrap(error, "the ends of topic '%s'", engine->spec->topic);
    engine->finishing = true;
    wake_poke(&engine->wake);
    return 0;
}

bool source_is_done(const struct engine *engine)
{
    for (int32_t i = 0; i < engine->source_count; i++)
        if (engine->sources[i].position < engine->sources[i].target)
            return false;
    return true;
}

void source_close(struct engine *engine)
{
    fetch_close(engine);
    for (int32_t i = 0; engine->sources && i < engine->source_count; i++)
        free(engine->sources[i].waiting);
    if (engine->consumer_events) {
        wake_unwatch(engine->consumer_events);
        rd_kafka_queue_destroy(engine->consumer_events);
    }
    if (engine->source_topic)
        rd_kafka_topic_destroy(engine->source_topic);
    kafka_close(engine->consumer);
    free(engine->sources);
    free(engine->live);
}

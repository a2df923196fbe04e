#include "dashboard/relay.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/hash.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/consumer_queue.h"
#include "cluster/statistics.h"
#include "cluster/wake.h"
#include "dashboard/history_edition.h"
#include "jobs/points.h"

#define TURN_US 5000
#define SLICE   64
/* Records that make up one window at the usual pace of updates: how far back
 * to begin, to fill the history. */
#define RECORDS_PER_WINDOW 16

struct mark {
    int64_t offset; /* -1: none */
    uint64_t hash;
};

struct partition {
    int64_t next;        /* offset to read; -1: not known yet */
    int64_t expected;    /* nothing before this comes, but from another topic */
    struct mark newest;  /* the last record that was read */
    struct mark trusted; /* likewise, when there was no doubt about the topic */
    bool doubted;        /* that one is read again, first of all, and must be the same */
    bool started;
    bool at_end;           /* was there once */
    struct points *points; /* NULL until a record without a window came */
};

struct relay {
    const struct spec *spec;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct consumer_queue records; /* of all partitions */
    rd_kafka_queue_t *events;      /* statistics, errors, logs */
    struct wake wake;
    struct partition *partitions;
    int32_t partition_count;
    bool *live;    /* a partition: its leader answers */
    bool attached; /* the partitions are read */
    struct history *history;
    struct record record;            /* room to read into */
    const rd_kafka_message_t *taken; /* whose points are put */
    struct relay_stats stats;
    int64_t metadata_asked; /* as of the last statistics */
    bool changed;
    bool renewed; /* in this slice; what is left of it is of no use */
    void (*on_change)(void *context);
    void *context;
};

static void note_end(struct relay *relay, struct partition *partition)
{
    if (partition->at_end)
        return;
    partition->at_end = true;
    for (int32_t i = 0; i < relay->partition_count; i++)
        if (!relay->partitions[i].at_end)
            return;
    relay->stats.filled = relay->changed = true;
    history_past_is_read(relay->history);
}

static int64_t end_of(const struct relay *relay, int32_t partition)
{
    int64_t low, high;

    /* What the last fetch said; asks nobody. */
    if (rd_kafka_get_watermark_offsets(relay->client, relay->spec->sink, partition, &low, &high) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return high;
}

/* A busy topic is never at its end: to have read what was there is enough. */
static void look_for_ends(struct relay *relay)
{
    for (int32_t i = 0; i < relay->partition_count; i++) {
        struct partition *partition = &relay->partitions[i];
        int64_t end = partition->at_end ? -1 : end_of(relay, i);
        if (end >= 0 && partition->next >= end)
            note_end(relay, partition);
    }
}

/* While the topic's past is read, its records' own times tell their age. */
static int64_t time_of(const struct partition *partition, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t now = clock_wall_ms(), time = rd_kafka_message_timestamp(message, &type);

    return !partition->at_end && time > 0 && time < now ? time : now;
}

static void put_record(struct relay *relay, const struct record *record)
{
    if (history_add(relay->history, record, relay->taken->partition, relay->taken->offset))
        relay->changed = true;
}

static void put_point(void *context, const struct record *record)
{
    put_record(context, record);
}

static bool is_taken(void *context, int64_t time)
{
    const struct relay *relay = context;

    return history_has(relay->history, time);
}

static int take_points(struct relay *relay, struct partition *partition,
                       const rd_kafka_message_t *message, struct error *error)
{
    const struct points_calls calls = {put_point, is_taken, relay};
    rd_kafka_timestamp_type_t type;
    int64_t time = rd_kafka_message_timestamp(message, &type);

    if (!partition->points)
        partition->points = points_new(relay->spec, &calls);
    if (time < 0 || time > LIMIT_TIME_MS)
        time = clock_wall_ms();
    if (points_read(partition->points, time, message->payload, message->len, error) < 0)
        return -1;
    history_set_bare(relay->history, true);
    return 0;
}

/* One of ours, or one of the tutorials'. */
static int take_result(struct relay *relay, struct partition *partition,
                       const rd_kafka_message_t *message, struct error *error)
{
    const char *bytes = message->payload ? message->payload : "";

    relay->taken = message;
    if (points_is_list(bytes, message->len))
        return take_points(relay, partition, message, error);
    if (record_read(relay->spec, bytes, message->len, &relay->record, error) < 0)
        return -1;
    history_set_bare(relay->history, false);
    put_record(relay, &relay->record);
    return 0;
}

/* ---- whether the topic is still the same */

/* Tells a record from any other at the same offset: a hash of its time and its bytes. */
static struct mark mark_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    uint64_t start = HASH_START ^ (uint64_t)rd_kafka_message_timestamp(message, &type);

    return (struct mark){message->offset, hash_bytes(start, message->payload, message->len)};
}

/* Reads again from the newest record that is known to be of our topic. */
static void doubt(struct relay *relay)
{
    for (int32_t i = 0; i < relay->partition_count; i++) {
        struct partition *partition = &relay->partitions[i];
        if (partition->doubted || partition->newest.offset < 0)
            continue;
        if (partition->trusted.offset < 0)
            partition->trusted = partition->newest;
        partition->doubted = true;
        rd_kafka_seek(relay->topic, i, partition->trusted.offset, 0);
    }
}

static void trust(struct relay *relay)
{
    for (int32_t i = 0; i < relay->partition_count; i++)
        if (!relay->partitions[i].doubted)
            relay->partitions[i].trusted = relay->partitions[i].newest;
}

/* All partitions, even if only one tells it: a window may have records in each. */
static void read_anew(struct relay *relay)
{
    log_warning("topic '%s' was made anew, or has lost its records: it is read from its beginning",
                relay->spec->sink);
    for (int32_t i = 0; i < relay->partition_count; i++) {
        struct partition *partition = &relay->partitions[i];
        points_free(partition->points);
        *partition = (struct partition){
            .next = -1, .newest = {.offset = -1}, .trusted = {.offset = -1}, .started = true};
        rd_kafka_seek(relay->topic, i, RD_KAFKA_OFFSET_BEGINNING, 0);
    }
    history_restart(relay->history, relay->partition_count);
    relay->stats.last_record = 0;
    relay->changed = relay->renewed = true;
}

/* `message`: a record, or the end of a partition. What was read before cannot
 * lie ahead; a doubted record may have gone by its age, and then so has all
 * that was before it. */
static bool is_another_topic(const struct partition *partition, const rd_kafka_message_t *message)
{
    if (!partition->doubted)
        return message->offset < partition->expected;
    if (message->offset != partition->trusted.offset)
        return message->offset < partition->trusted.offset;
    return message->err || mark_of(message).hash != partition->trusted.hash;
}

/* ---- what comes */

static void take_record(struct relay *relay, const rd_kafka_message_t *message)
{
    struct partition *partition = &relay->partitions[message->partition];
    struct error error;

    partition->next = message->offset + 1;
    partition->newest = mark_of(message);
    relay->stats.records++;
    if (take_result(relay, partition, message, &error) < 0) {
        relay->stats.rejected++;
        log_verbose("%s, partition %d, offset %lld: %s", relay->spec->sink, (int)message->partition,
                    (long long)message->offset, error.text);
        history_position(relay->history, message->partition, partition->next);
        return;
    }
    relay->stats.last_record = time_of(partition, message);
}

static void take_end(struct relay *relay, const rd_kafka_message_t *message)
{
    struct partition *partition = &relay->partitions[message->partition];

    partition->next = message->offset;
    history_position(relay->history, message->partition, message->offset);
    note_end(relay, partition);
}

static void take_place(struct relay *relay, const rd_kafka_message_t *message)
{
    struct partition *partition = &relay->partitions[message->partition];

    if (is_another_topic(partition, message)) {
        read_anew(relay);
        return;
    }
    partition->doubted = false;
    partition->expected = message->offset + !message->err;
    if (message->err)
        take_end(relay, message);
    else if (message->offset > partition->newest.offset)
        take_record(relay, message);
}

static void take_message(struct relay *relay, const rd_kafka_message_t *message)
{
    bool known = message->partition >= 0 && message->partition < relay->partition_count;

    if (known && (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                  message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
        take_place(relay, message);
        return;
    }
    log_verbose("%s: %s", relay->spec->sink, rd_kafka_message_errstr(message));
}

/* See consumer_queue_sleeps. A doubted partition has just been sought, or was not yet answered. */
static void wake_fetcher(struct relay *relay)
{
    for (int32_t i = 0; i < relay->partition_count; i++)
        if (relay->partitions[i].next >= 0 && !relay->partitions[i].doubted)
            rd_kafka_seek(relay->topic, i, relay->partitions[i].next, 0);
}

/* Takes up to a slice; false: there was nothing more. */
static bool take_slice(struct relay *relay)
{
    rd_kafka_message_t *messages[SLICE];
    size_t count = consumer_queue_take(&relay->records, messages, SLICE);

    if (count == 0 && consumer_queue_sleeps(&relay->records))
        wake_fetcher(relay);
    relay->renewed = false;
    for (size_t i = 0; i < count; i++) {
        if (!relay->renewed)
            take_message(relay, messages[i]);
        rd_kafka_message_destroy(messages[i]);
    }
    return count > 0;
}

static bool work(void *context)
{
    struct relay *relay = context;
    int64_t until = clock_monotonic_us() + TURN_US;
    bool more = true;

    rd_kafka_poll(relay->client, 0);
    for (int taken = 0; more && taken < LIMIT_BATCH; taken += SLICE) {
        more = take_slice(relay);
        if (clock_monotonic_us() >= until)
            break;
    }
    if (!relay->stats.filled)
        look_for_ends(relay);
    if (relay->changed && relay->on_change) {
        relay->changed = false;
        relay->on_change(relay->context);
    }
    return more;
}

/* ---- how Kafka and the topic are */

static void start_partition(struct relay *relay, int32_t number, int64_t offset)
{
    struct partition *partition = &relay->partitions[number];

    *partition =
        (struct partition){.next = -1, .newest = {.offset = -1}, .trusted = {.offset = -1}};
    if (rd_kafka_consume_start_queue(relay->topic, number, offset, relay->records.queue) == 0)
        partition->started = true;
}

/* Stops them, and forgets them. */
static void drop_partitions(struct relay *relay)
{
    for (int32_t i = 0; relay->partitions && i < relay->partition_count; i++) {
        if (relay->partitions[i].started)
            rd_kafka_consume_stop(relay->topic, i);
        points_free(relay->partitions[i].points);
    }
    free(relay->partitions);
    free(relay->live);
}

static void make_partitions(struct relay *relay, int32_t count)
{
    relay->partition_count = count;
    relay->partitions = mem_alloc((size_t)count, sizeof *relay->partitions);
    relay->live = mem_alloc((size_t)count, sizeof *relay->live);
}

static void change_partitions(struct relay *relay, int32_t count)
{
    log_warning("topic '%s' has %d partitions now, and had %d: it is read from its beginning",
                relay->spec->sink, (int)count, (int)relay->partition_count);
    drop_partitions(relay);
    make_partitions(relay, count);
    for (int32_t i = 0; i < count; i++)
        start_partition(relay, i, RD_KAFKA_OFFSET_BEGINNING);
    history_restart(relay->history, count);
    relay->stats.last_record = 0;
    relay->changed = true;
}

static bool all_live(const struct relay *relay)
{
    for (int32_t i = 0; i < relay->partition_count; i++)
        if (!relay->live[i])
            return false;
    return true;
}

static void set_gone(struct relay *relay, bool gone)
{
    if (gone == relay->stats.gone)
        return;
    if (gone)
        log_warning("topic '%s' is gone from Kafka; what was read of it is still served, and it is "
                    "read again when it is back",
                    relay->spec->sink);
    relay->stats.gone = gone;
    relay->changed = true;
}

static void set_connected(struct relay *relay, bool connected)
{
    relay->changed |= connected != relay->stats.connected;
    relay->stats.connected = connected;
}

/* A connection to some broker is not enough: the one to the bootstrap address
 * stays, and says nothing, while the broker that has the topic hangs. */
static void on_statistics(void *context, const char *json, size_t length)
{
    struct relay *relay = context;
    struct statistics now;
    bool gone, connected, asked;

    if (!relay->attached) /* to wait for a slow Kafka's answers serves these, too */
        return;
    now = statistics_read(json, length, relay->spec->sink, relay->live, relay->partition_count);
    gone = now.topic_missing && now.known_count == 0;
    connected = now.connected && (gone || all_live(relay));
    asked = relay->metadata_asked && now.metadata_asked != relay->metadata_asked;
    /* Whoever deletes a topic and makes it anew in an instant is not seen
     * otherwise than by the question for the metadata, after a fetch failed. */
    if (gone || !connected || asked)
        doubt(relay);
    else
        trust(relay);
    relay->metadata_asked = now.metadata_asked;
    set_gone(relay, gone);
    set_connected(relay, connected);
    if (now.known_count > 0 && now.known_count != relay->partition_count)
        change_partitions(relay, now.known_count);
}

static rd_kafka_t *make_client(struct relay *relay, const struct kafka_settings *settings,
                               bool whole, struct error *error)
{
    const struct kafka_calls calls = {.statistics = on_statistics, .context = relay};
    const struct kafka_pair pairs[] = {
        {"enable.partition.eof", "true"},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},
        {"statistics.interval.ms", "500"}, /* as soon it is known that Kafka is lost */
        /* Where a network was cut without a word, a new connection is made
         * soon; and the results are small, so that slow ones do in this time. */
        {"socket.timeout.ms", "10000"},
        {"socket.connection.setup.timeout.ms", "4000"},
        CONSUMER_QUEUE_PAIRS,
        /* the in-process broker does not wake a waiting fetch */
        {"fetch.wait.max.ms", whole ? "10" : "500"},
        {NULL, NULL},
    };

    return kafka_consumer(settings, pairs, &calls, error);
}

/* ---- where to begin */

struct times {
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *list;
};

static rd_kafka_resp_err_t ask_times(void *context, int wait_ms)
{
    struct times *times = context;

    return rd_kafka_offsets_for_times(times->client, times->list, wait_ms);
}

/* The offsets of the first records of the last `time_ms`; RD_KAFKA_OFFSET_END
 * for a partition without any, or when the broker does not know. */
static void find_times(struct relay *relay, const struct kafka_settings *settings, int64_t time_ms,
                       int64_t *offsets)
{
    struct times times = {relay->client,
                          rd_kafka_topic_partition_list_new((int)relay->partition_count)};
    struct error error;

    for (int32_t i = 0; i < relay->partition_count; i++)
        rd_kafka_topic_partition_list_add(times.list, relay->spec->sink, i)->offset =
            clock_wall_ms() - time_ms;
    if (kafka_ask(relay->client, settings, ask_times, &times, KAFKA_PATIENCE_MS, &error) < 0)
        log_verbose("%s: no offsets for times: %s", relay->spec->sink, error.text);
    for (int32_t i = 0; i < relay->partition_count; i++) {
        const rd_kafka_topic_partition_t *found = &times.list->elems[i];
        offsets[i] = found->err || found->offset < 0 ? RD_KAFKA_OFFSET_END : found->offset;
    }
    rd_kafka_topic_partition_list_destroy(times.list);
}

/* The earlier one of where the times say and where, from the end, enough
 * records lie: the job may have been idle, or its windows may be of another time. */
static int64_t earlier(const struct relay *relay, int32_t partition, int64_t by_time, int64_t back)
{
    int64_t low, high;

    if (by_time < 0 ||
        rd_kafka_query_watermark_offsets(relay->client, relay->spec->sink, partition, &low, &high,
                                         KAFKA_PATIENCE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return RD_KAFKA_OFFSET_TAIL(back);
    return by_time < high - back ? by_time : RD_KAFKA_OFFSET_TAIL(back);
}

static void find_starts(struct relay *relay, const struct kafka_settings *settings,
                        const struct relay_history *wanted, int64_t *starts)
{
    size_t windows = wanted->windows ? wanted->windows : LIMIT_HISTORY;
    int64_t back = (int64_t)windows * RECORDS_PER_WINDOW / relay->partition_count + 1;

    for (int32_t i = 0; i < relay->partition_count; i++)
        starts[i] = wanted->whole ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_TAIL(back);
    if (wanted->whole || wanted->time_ms == 0)
        return;
    find_times(relay, settings, wanted->time_ms, starts);
    for (int32_t i = 0; i < relay->partition_count; i++)
        starts[i] = earlier(relay, i, starts[i], back);
}

static int start_partitions(struct relay *relay, const struct kafka_settings *settings,
                            const struct relay_history *wanted, struct error *error)
{
    int64_t *starts = mem_alloc((size_t)relay->partition_count, sizeof *starts);
    int result = 0;

    find_starts(relay, settings, wanted, starts);
    for (int32_t i = 0; i < relay->partition_count && result == 0; i++) {
        start_partition(relay, i, starts[i]);
        if (!relay->partitions[i].started)
            result = error_set(error, EXIT_FAILED, "cannot read topic '%s': %s", relay->spec->sink,
                               rd_kafka_err2str(rd_kafka_last_error()));
    }
    free(starts);
    return result;
}

/* The reader of single partitions, not the one of groups: nothing is
 * committed, and no right to a group is needed. */
static int attach(struct relay *relay, const struct kafka_settings *settings,
                  const struct relay_history *wanted, struct error *error)
{
    int32_t count;

    relay->client = make_client(relay, settings, wanted->whole, error);
    if (!relay->client ||
        kafka_need_topic(relay->client, settings, relay->spec->sink,
                         "start the job that writes it first, or create it", &count, error) < 0)
        return -1;
    relay->stats.connected = true;
    make_partitions(relay, count);
    relay->history = history_new(relay->spec, relay->partition_count, wanted->windows);
    relay->topic = rd_kafka_topic_new(relay->client, relay->spec->sink, NULL);
    consumer_queue_init(&relay->records, relay->client, rd_kafka_queue_new(relay->client));
    relay->events = rd_kafka_queue_get_main(relay->client);
    if (start_partitions(relay, settings, wanted, error) < 0)
        return -1;
    relay->attached = true;
    return 0;
}

struct relay *relay_start(struct ev_loop *loop, const struct kafka_settings *settings,
                          const struct spec *spec, const struct relay_history *wanted,
                          struct error *error)
{
    struct relay *relay = mem_alloc(1, sizeof *relay);

    relay->spec = spec;
    relay->record.counts = mem_alloc(spec->series_count, sizeof *relay->record.counts);
    wake_start(&relay->wake, loop, work, relay);
    if (attach(relay, settings, wanted, error) < 0) {
        relay_stop(relay);
        return NULL;
    }
    wake_watch(&relay->wake, relay->records.queue);
    wake_watch(&relay->wake, relay->events);
    return relay;
}

void relay_on_change(struct relay *relay, void (*on_change)(void *context), void *context)
{
    relay->on_change = on_change;
    relay->context = context;
}

const struct spec *relay_spec(const struct relay *relay)
{
    return relay->spec;
}

struct history *relay_history(const struct relay *relay)
{
    return relay->history;
}

struct relay_stats relay_stats(const struct relay *relay)
{
    struct relay_stats stats = relay->stats;

    for (int32_t i = 0; i < relay->partition_count; i++) {
        int64_t end = end_of(relay, i), next = relay->partitions[i].next;
        if (next >= 0 && end > next)
            stats.lag += end - next;
    }
    return stats;
}

void relay_stop(struct relay *relay)
{
    if (!relay)
        return;
    drop_partitions(relay);
    if (relay->records.queue) {
        wake_unwatch(relay->records.queue);
        rd_kafka_queue_destroy(relay->records.queue);
    }
    if (relay->events) {
        wake_unwatch(relay->events);
        rd_kafka_queue_destroy(relay->events);
    }
    if (relay->topic)
        rd_kafka_topic_destroy(relay->topic);
    kafka_close(relay->client);
    wake_stop(&relay->wake);
    history_free(relay->history);
    free(relay->record.counts);
    free(relay);
}

#include "jobs/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"

#define TURN_ROWS     1000
#define BATCH_RECORDS 500
#define BATCH_BYTES   (1 << 18)
#define DEFAULT_RATE  10000   /* thousandths: for times, where the pace says nothing */
#define CATCH_UP_US   1000000 /* after a longer pause the pace begins anew */
#define RETRY_MS      2

struct feed {
    const struct spec *spec;
    struct rows *rows;
    struct feed_options options;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    int32_t partitions;
    struct feed_stats stats;
    struct buf value;
    uint64_t bytes;
    /* Records with the present time go out many at a time, which takes the
     * client's locks and clock once for all, each lot to the next partition. */
    rd_kafka_message_t batch[BATCH_RECORDS];
    size_t batch_count;
    struct buf batch_bytes; /* their values, one behind the other */
    int32_t next_partition;
    int64_t started_us; /* when row `paced_from` was due */
    uint64_t paced_from;
    bool pending; /* `row` is read and could not be sent yet */
    struct csv_row row;
    bool ended;
    char reason[256]; /* of the last delivery that failed */
};

static void note_failure(struct feed *feed, rd_kafka_resp_err_t code)
{
    feed->stats.failed++;
    snprintf(feed->reason, sizeof feed->reason, "%s", rd_kafka_err2str(code));
}

static void take_failure(void *context, const rd_kafka_message_t *message)
{
    struct feed *feed = context;

    if (!message->err)
        return;
    note_failure(feed, message->err);
}

static int open_producer(struct feed *feed, const struct kafka_settings *settings,
                         struct error *error)
{
    bool full_speed = feed->options.rate == 0;
    const struct kafka_pair pairs[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        /* Reports of success are not needed, but with them librdkafka frees the
         * records in this thread and not in its busy one: 1.3 times the speed. */
        {"delivery.report.only.error", "false"},
        {"linger.ms", full_speed ? "50" : "5"},
        {"batch.num.messages", "100000"},
        /* One batch on its way (of an idempotent client's, librdkafka sends one a partition at a
         * time) and one that fills; measured: more is not faster, and takes 190 bytes a record. */
        {"queue.buffering.max.messages", "200000"},
        {"queue.buffering.max.kbytes", "65536"},
        {NULL, NULL},
    };
    const struct kafka_calls calls = {.delivered = take_failure, .context = feed};

    feed->producer = kafka_producer(settings, pairs, &calls, error);
    if (!feed->producer || kafka_make_topic(feed->producer, settings, feed->spec->topic,
                                            feed->options.partitions, &feed->partitions, error) < 0)
        return -1;
    feed->topic = rd_kafka_topic_new(feed->producer, feed->spec->topic, NULL);
    return 0;
}

struct feed *feed_open(const struct kafka_settings *settings, const struct spec *spec,
                       struct rows *rows, const struct feed_options *options, struct error *error)
{
    struct feed *feed = mem_alloc(1, sizeof *feed);

    feed->spec = spec;
    feed->rows = rows;
    feed->options = *options;
    /* Once for all: its bytes must not move while messages point to them. */
    buf_reserve(&feed->batch_bytes, BATCH_BYTES + LIMIT_RECORD_BYTES);
    if (open_producer(feed, settings, error) == 0)
        return feed;
    feed_close(feed);
    return NULL;
}

/* {"a":{"b":"value"}} for the field a.b */
static void write_json(struct buf *buf, const char *field, const struct csv_field *value)
{
    size_t depth = 0;

    for (const char *at = field; *at;) {
        size_t length = strcspn(at, ".");
        buf_char(buf, '{');
        buf_json_string(buf, at, length);
        buf_char(buf, ':');
        at += length + (at[length] == '.');
        depth++;
    }
    buf_json_string(buf, value->data, value->length);
    while (depth-- > 0)
        buf_char(buf, '}');
}

static struct csv_field record_value(struct feed *feed)
{
    switch (feed->spec->format) {
    case FORMAT_CSV:
        return feed->row.text;
    case FORMAT_JSON:
        feed->value.length = 0;
        write_json(&feed->value, feed->spec->field, &feed->row.fields[0]);
        return (struct csv_field){feed->value.data, feed->value.length};
    case FORMAT_VALUE:
        break;
    }
    return feed->row.fields[0];
}

/* The row's event time; 0: the present (librdkafka fills it in). */
static bool row_time(struct feed *feed, int64_t *time)
{
    const struct csv_field *text = &feed->row.fields[1];
    int64_t rate = feed->options.rate ? feed->options.rate : DEFAULT_RATE;
    uint64_t index = feed->stats.rows - 1;

    *time = 0;
    if (feed->options.timed)
        return number_int64(text->data, text->length, time) && *time >= 0 && *time <= LIMIT_TIME_MS;
    if (feed->options.start_time >= 0)
        *time = feed->options.start_time +
                (int64_t)((__extension__(unsigned __int128) index * 1000000) / (uint64_t)rate);
    return true;
}

static bool has_time(const struct feed *feed)
{
    return feed->options.timed || feed->options.start_time >= 0;
}

/* What the client's queue had no room for moves to the front, to be tried again. */
static void keep_unsent(struct feed *feed)
{
    size_t kept = 0;

    for (size_t i = 0; i < feed->batch_count; i++) {
        const rd_kafka_message_t *message = &feed->batch[i];
        if (message->err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            feed->batch[kept++] = *message;
        else if (message->err)
            note_failure(feed, message->err);
        else
            feed->stats.sent++;
    }
    feed->batch_count = kept;
}

/* True when nothing is left to send. */
static bool send_batch(struct feed *feed)
{
    if (feed->batch_count == 0)
        return true;
    for (size_t i = 0; i < feed->batch_count; i++)
        feed->batch[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_produce_batch(feed->topic, feed->next_partition, RD_KAFKA_MSG_F_COPY, feed->batch,
                           (int)feed->batch_count);
    feed->next_partition = (feed->next_partition + 1) % feed->partitions;
    keep_unsent(feed);
    if (feed->batch_count == 0)
        feed->batch_bytes.length = 0;
    return feed->batch_count == 0;
}

/* False when the batch is full and cannot be sent yet. */
static bool add_to_batch(struct feed *feed, const struct csv_field *value)
{
    rd_kafka_message_t *message;

    if (feed->batch_count == BATCH_RECORDS ||
        feed->batch_bytes.length + value->length > BATCH_BYTES)
        if (!send_batch(feed))
            return false;
    message = &feed->batch[feed->batch_count++];
    message->payload = feed->batch_bytes.data + feed->batch_bytes.length;
    message->len = value->length;
    buf_add(&feed->batch_bytes, value->data, value->length);
    return true;
}

/* False when the client's queue is full. */
static bool send_timed(struct feed *feed, const struct csv_field *value, int64_t time)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        feed->producer, RD_KAFKA_V_RKT(feed->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)value->data, value->length), RD_KAFKA_V_TIMESTAMP(time),
        RD_KAFKA_V_END);

    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return false;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        note_failure(feed, code);
    else
        feed->stats.sent++;
    return true;
}

/* False when there is no room for it now: the row stays pending. */
static bool send_row(struct feed *feed)
{
    struct csv_field value;
    int64_t time;

    if (!row_time(feed, &time)) {
        feed->stats.rejects.of[REJECT_TIME]++;
        return true;
    }
    value = record_value(feed);
    if (has_time(feed) ? !send_timed(feed, &value, time) : !add_to_batch(feed, &value))
        return false;
    feed->bytes += value.length;
    return true;
}

/* How long until the next row is due, in us; 0: now. */
static int64_t until_due(struct feed *feed)
{
    int64_t now, due;

    if (feed->options.rate == 0)
        return 0;
    now = clock_monotonic_us();
    if (feed->started_us == 0) {
        feed->started_us = now;
        feed->paced_from = feed->stats.rows;
    }
    due = feed->started_us + (int64_t)((double)(feed->stats.rows - feed->paced_from) * 1e9 /
                                       (double)feed->options.rate);
    if (now - due > CATCH_UP_US)
        feed->started_us = 0;
    return due > now ? due - now : 0;
}

/* Reads the next row that can be sent; FEED_AGAIN when there is one. */
static enum feed_state read_row(struct feed *feed, int64_t *wait_ms, struct error *error)
{
    switch (rows_next(feed->rows, &feed->row, error)) {
    case ROWS_ROW:
        feed->stats.rows++;
        feed->pending = feed->stats.rows > (uint64_t)feed->options.skip;
        return FEED_AGAIN;
    case ROWS_REJECT:
        feed->stats.rows++;
        if (feed->stats.rows > (uint64_t)feed->options.skip)
            feed->stats.rejects.of[feed->row.reject]++;
        return FEED_AGAIN;
    case ROWS_WAIT:
        *wait_ms = RETRY_MS;
        return FEED_LATER;
    case ROWS_ERROR:
        return FEED_FAILED;
    case ROWS_END:
        break;
    }
    if (!feed->options.loop || feed->stats.sent + feed->batch_count == 0) {
        feed->ended = true;
        return FEED_DONE;
    }
    return rows_rewind(feed->rows, error) == 0 ? FEED_AGAIN : FEED_FAILED;
}

static enum feed_state one_row(struct feed *feed, int64_t *wait_ms, struct error *error)
{
    enum feed_state state;
    int64_t wait_us = 0;

    if (!feed->pending) {
        if (feed->stats.rows >= (uint64_t)feed->options.skip)
            wait_us = until_due(feed);
        if (wait_us > 0) {
            *wait_ms = wait_us / 1000 + 1;
            return FEED_LATER;
        }
        state = read_row(feed, wait_ms, error);
        if (!feed->pending)
            return state;
    }
    if (feed->options.may_send &&
        !feed->options.may_send(feed->options.context, feed->stats.sent + feed->batch_count,
                                feed->bytes)) {
        *wait_ms = RETRY_MS;
        return FEED_LATER;
    }
    if (!send_row(feed)) {
        *wait_ms = RETRY_MS;
        return FEED_LATER;
    }
    feed->pending = false;
    return FEED_AGAIN;
}

enum feed_state feed_turn(struct feed *feed, int64_t *wait_ms, struct error *error)
{
    enum feed_state state = feed->ended ? FEED_DONE : FEED_AGAIN;

    rd_kafka_poll(feed->producer, 0);
    for (int i = 0; i < TURN_ROWS && state == FEED_AGAIN; i++)
        state = one_row(feed, wait_ms, error);
    if (!send_batch(feed) && state == FEED_DONE) {
        *wait_ms = RETRY_MS;
        state = FEED_LATER;
    }
    if (feed->stats.failed > 0)
        return error_set(error, EXIT_FAILED, "topic '%s' did not take a record: %s",
                         feed->spec->topic, feed->reason),
               FEED_FAILED;
    return state;
}

bool feed_flush(struct feed *feed, int wait_ms)
{
    send_batch(feed);
    rd_kafka_flush(feed->producer, wait_ms);
    return feed->batch_count == 0 && rd_kafka_outq_len(feed->producer) == 0;
}

struct feed_stats feed_stats(const struct feed *feed)
{
    struct feed_stats stats = feed->stats;

    stats.waiting = feed->batch_count + (uint64_t)rd_kafka_outq_len(feed->producer);
    return stats;
}

void feed_close(struct feed *feed)
{
    if (!feed)
        return;
    if (feed->topic)
        rd_kafka_topic_destroy(feed->topic);
    kafka_close(feed->producer);
    rows_close(feed->rows);
    buf_free(&feed->value);
    buf_free(&feed->batch_bytes);
    free(feed);
}

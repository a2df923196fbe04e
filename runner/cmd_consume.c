#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/consumer_queue.h"
#include "runner/commands.h"
#include "runner/live_table.h"
#include "runner/parts.h"

#define POLL_MS       100
#define DRAW_EVERY_MS 100
#define FLUSH_BYTES   (1 << 16)

struct consumer {
    const struct options *options;
    struct spec *spec;
    rd_kafka_t *client;
    struct consumer_queue queue;    /* of all partitions */
    int32_t partition_count, ended; /* ended: have been read to their end */
    struct partition {
        int64_t next; /* the offset behind the last record; -1: none yet */
        bool ended;
    } * partitions;
    struct live_table *table; /* NULL: JSON lines */
    struct record record;
    struct buf out;
    int64_t drawn, taken;
    uint64_t rejected;
};

static int open_client(struct consumer *consumer, struct error *error)
{
    static const struct kafka_pair pairs[] = {
        {"group.id", "tally-consume"}, /* librdkafka wants one; nothing is committed */
        {"enable.auto.commit", "false"},
        {"enable.partition.eof", "true"},
        CONSUMER_QUEUE_PAIRS,
        {"fetch.wait.max.ms", "100"},
        {NULL, NULL},
    };
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;

    consumer->client = kafka_consumer(consumer->options->kafka, pairs, NULL, error);
    if (!consumer->client ||
        kafka_need_topic(consumer->client, consumer->options->kafka, consumer->spec->sink,
                         "it comes with the job's first start (tally run)",
                         &consumer->partition_count, error) < 0)
        return -1;
    rd_kafka_poll_set_consumer(consumer->client);
    consumer_queue_init(&consumer->queue, consumer->client,
                        rd_kafka_queue_get_consumer(consumer->client));
    consumer->partitions =
        mem_alloc((size_t)consumer->partition_count, sizeof *consumer->partitions);
    list = rd_kafka_topic_partition_list_new(consumer->partition_count);
    for (int32_t i = 0; i < consumer->partition_count; i++) {
        consumer->partitions[i].next = -1;
        rd_kafka_topic_partition_list_add(list, consumer->spec->sink, i)->offset =
            consumer->options->from_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    }
    code = rd_kafka_assign(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return error_set(error, EXIT_FAILED, "topic '%s': %s", consumer->spec->sink,
                     rd_kafka_err2str(code));
}

static int flush(struct consumer *consumer, struct error *error)
{
    int result = output_write(STDOUT_FILENO, consumer->out.data, consumer->out.length, error);

    consumer->out.length = 0;
    return result;
}

static int draw(struct consumer *consumer, struct error *error)
{
    int64_t now = clock_monotonic_ms();

    if (!consumer->table || now - consumer->drawn < DRAW_EVERY_MS)
        return 0;
    consumer->drawn = now;
    live_table_draw(consumer->table, &consumer->out);
    return flush(consumer, error);
}

/* A record goes out as it came, if it is one of the job's. */
static void take_record(struct consumer *consumer, const rd_kafka_message_t *message)
{
    struct error why;

    if (record_read(consumer->spec, message->payload, message->len, &consumer->record, &why) < 0) {
        consumer->rejected++;
        log_verbose("offset %" PRId64 ": %s", message->offset, why.text);
        return;
    }
    consumer->taken++;
    if (consumer->table) {
        live_table_put(consumer->table, &consumer->record);
    } else {
        buf_add(&consumer->out, message->payload, message->len);
        buf_char(&consumer->out, '\n');
    }
}

/* It comes again behind each new record. */
static void note_end(struct consumer *consumer, struct partition *partition)
{
    consumer->ended += !partition->ended;
    partition->ended = true;
}

static int take_message(struct consumer *consumer, const rd_kafka_message_t *message,
                        struct error *error)
{
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        consumer->partitions[message->partition].next = message->offset + 1;
        take_record(consumer, message);
        return consumer->out.length >= FLUSH_BYTES ? flush(consumer, error) : 0;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        note_end(consumer, &consumer->partitions[message->partition]);
        return flush(consumer, error);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return error_set(error, EXIT_FAILED, "topic '%s' was deleted", consumer->spec->sink);
    default:
        log_verbose("topic '%s': %s", consumer->spec->sink, rd_kafka_message_errstr(message));
        return 0;
    }
}

static bool is_done(const struct consumer *consumer)
{
    const struct options *options = consumer->options;

    return interrupt_signal() || (options->count > 0 && consumer->taken >= options->count) ||
           (options->exit_at_end && consumer->ended >= consumer->partition_count);
}

/* See consumer_queue_sleeps. */
static void wake_fetcher(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(consumer->partition_count);

    for (int32_t i = 0; i < consumer->partition_count; i++)
        if (consumer->partitions[i].next >= 0)
            rd_kafka_topic_partition_list_add(list, consumer->spec->sink, i)->offset =
                consumer->partitions[i].next;
    rd_kafka_error_destroy(rd_kafka_seek_partitions(consumer->client, list, 0));
    rd_kafka_topic_partition_list_destroy(list);
}

/* Fills `batch` with what has come, or waits for one: `*count` is 0 when none came. */
static int next_batch(struct consumer *consumer, rd_kafka_message_t **batch, size_t *count,
                      struct error *error)
{
    *count = consumer_queue_take(&consumer->queue, batch, LIMIT_BATCH);
    if (*count > 0)
        return 0;
    if (consumer_queue_sleeps(&consumer->queue))
        wake_fetcher(consumer);
    if (flush(consumer, error) < 0)
        return -1;
    batch[0] = rd_kafka_consumer_poll(consumer->client, POLL_MS);
    *count = batch[0] ? 1 : 0;
    if (batch[0])
        consumer_queue_note(&consumer->queue, batch[0]);
    return 0;
}

static int take_batch(struct consumer *consumer, struct error *error)
{
    rd_kafka_message_t *batch[LIMIT_BATCH];
    size_t count;
    int result = next_batch(consumer, batch, &count, error);

    for (size_t i = 0; i < count; i++) {
        if (result == 0 && !is_done(consumer))
            result = take_message(consumer, batch[i], error);
        rd_kafka_message_destroy(batch[i]);
    }
    return result;
}

static int consume(struct consumer *consumer, struct error *error)
{
    int result = 0;

    while (result == 0 && !is_done(consumer)) {
        result = take_batch(consumer, error);
        if (result == 0)
            result = draw(consumer, error);
    }
    consumer->drawn = 0;
    if (result == 0)
        result = draw(consumer, error);
    return result == 0 ? flush(consumer, error) : result;
}

static int run_consume(const struct options *options, struct error *error)
{
    struct consumer consumer = {.options = options};
    int result = -1;

    if (need_servers(options, error) < 0)
        return -1;
    consumer.spec = spec_load(options->arguments[0], error);
    if (!consumer.spec)
        return -1;
    interrupt_install();
    consumer.record.counts = mem_alloc(consumer.spec->series_count, sizeof *consumer.record.counts);
    if (!options->json && isatty(STDOUT_FILENO) == 1)
        consumer.table = live_table_new(consumer.spec);
    if (open_client(&consumer, error) == 0)
        result = consume(&consumer, error);
    if (consumer.rejected)
        log_warning("%" PRIu64 " records of topic '%s' are none of job %s", consumer.rejected,
                    consumer.spec->sink, consumer.spec->name);
    if (consumer.queue.queue)
        rd_kafka_queue_destroy(consumer.queue.queue);
    kafka_close(consumer.client);
    live_table_free(consumer.table);
    free(consumer.partitions);
    free(consumer.record.counts);
    buf_free(&consumer.out);
    spec_free(consumer.spec);
    return result;
}

const struct command command_consume = {
    .name = "consume",
    .usage = "JOB",
    .summary = "a job's results: a live table, or JSON lines",
    .text =
        "Prints a job's result records: on a terminal the newest windows as a table, else each\n"
        "record as a line of JSON, as it comes. A window comes several times while it grows:\n"
        "the record with the largest total holds.\n\n"
        "  tally consume gender -b localhost:9092\n"
        "  tally consume gender -b localhost:9092 -e | jq .counts.female",
    .options = " bootstrap-servers set kafka-config offset count exit json ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_consume,
};

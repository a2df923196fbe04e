#include "cluster/probe/round_trip.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"

#define WAIT_MS 5000
#define POLL_MS 50

/* What a delivery report told. */
struct delivered {
    bool done;
    rd_kafka_resp_err_t code;
    int64_t offset;
};

static void on_delivered(void *context, const rd_kafka_message_t *message)
{
    struct delivered *delivered = context;

    *delivered = (struct delivered){true, message->err, message->offset};
}

static int64_t still(int64_t since)
{
    int64_t left = WAIT_MS - (clock_monotonic_ms() - since);

    return interrupt_signal() ? 0 : left;
}

static int say(rd_kafka_t *client, const char *what, rd_kafka_resp_err_t code, struct error *error)
{
    const char *last = kafka_last_error(client);

    return error_set(error, EXIT_UNREACHABLE, "%s: %s", what,
                     code == RD_KAFKA_RESP_ERR__TIMED_OUT && *last ? last : rd_kafka_err2str(code));
}

static int send_one(rd_kafka_t *producer, const struct delivered *delivered, const char *topic,
                    char *value, struct error *error)
{
    int64_t start = clock_monotonic_ms();
    rd_kafka_resp_err_t code =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_VALUE(value, strlen(value)),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

    while (code == RD_KAFKA_RESP_ERR_NO_ERROR && !delivered->done && still(start) > 0)
        rd_kafka_poll(producer, POLL_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = delivered->done ? delivered->code : RD_KAFKA_RESP_ERR__TIMED_OUT;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : say(producer, "the record is not acknowledged", code, error);
}

static int read_one(rd_kafka_t *consumer, const char *topic, int64_t offset, const char *value,
                    struct error *error)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    int64_t start = clock_monotonic_ms();
    bool found = false;

    rd_kafka_consume_start(handle, 0, offset);
    while (!found && still(start) > 0) {
        rd_kafka_message_t *message = rd_kafka_consume(handle, 0, POLL_MS);
        rd_kafka_poll(consumer, 0);
        if (!message)
            continue;
        found = !message->err && message->len == strlen(value) &&
                memcmp(message->payload, value, message->len) == 0;
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consume_stop(handle, 0);
    rd_kafka_topic_destroy(handle);
    return found ? 0
                 : say(consumer, "the record does not come back", RD_KAFKA_RESP_ERR__TIMED_OUT,
                       error);
}

static void delete_topic(rd_kafka_t *client, const char *topic)
{
    rd_kafka_DeleteTopic_t *wanted = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_event_t *event;

    rd_kafka_DeleteTopics(client, &wanted, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(wanted);
}

static int there_and_back(const struct kafka_settings *settings, rd_kafka_t *producer,
                          const struct delivered *delivered, const char *topic,
                          struct round_trip *trip, struct error *error)
{
    static const struct kafka_pair quick[] = {{"fetch.wait.max.ms", "10"}, {NULL, NULL}};
    char *value = mem_format("%lld", (long long)clock_wall_us());
    rd_kafka_t *consumer = kafka_consumer(settings, quick, NULL, error);
    int64_t start = clock_monotonic_us();
    int result = consumer ? send_one(producer, delivered, topic, value, error) : -1;

    if (result == 0) {
        trip->produce_ms = (double)(clock_monotonic_us() - start) / 1000;
        start = clock_monotonic_us();
        result = read_one(consumer, topic, delivered->offset, value, error);
    }
    if (result == 0)
        trip->consume_ms = (double)(clock_monotonic_us() - start) / 1000;
    kafka_close(consumer);
    free(value);
    return result;
}

void round_trip(const struct kafka_settings *settings, const char *address, const char *suffix,
                struct round_trip *trip)
{
    static const struct kafka_pair now[] = {{"linger.ms", "0"}, {NULL, NULL}};
    struct delivered delivered = {0};
    const struct kafka_calls calls = {.delivered = on_delivered, .context = &delivered};
    struct kafka_settings *own = kafka_settings_copy(settings);
    char *servers = mem_format("bootstrap.servers=%s", address);
    char *topic = mem_format("%s%s", ROUND_TRIP_TOPIC, suffix);
    rd_kafka_t *producer = NULL;
    struct error error = {.text = ""};
    int32_t partitions;

    *trip = (struct round_trip){.address = mem_text(address), .produce_ms = -1, .consume_ms = -1};
    if (kafka_settings_add(own, servers, &error) == 0)
        producer = kafka_producer(own, now, &calls, &error);
    if (producer && kafka_make_topic(producer, own, topic, 1, &partitions, &error) == 0) {
        trip->ok = there_and_back(own, producer, &delivered, topic, trip, &error) == 0;
        delete_topic(producer, topic);
    }
    trip->reason = mem_text(trip->ok ? "" : error.text);
    kafka_close(producer);
    kafka_settings_free(own);
    free(servers);
    free(topic);
}

void round_trip_free(struct round_trip *trip)
{
    free(trip->address);
    free(trip->reason);
}

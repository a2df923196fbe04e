#include "cluster/kafka.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"

#define FIRST_WAIT_MS     100
#define EXPLAIN_WITHIN_MS 15000
#define SAY_AFTER_MS      2000
#define CREATE_TIMEOUT_MS 10000
/* Topics we create are kept for ever, within this bound a partition. */
#define TOPIC_BYTES "1073741824"
#define CONFIG_LINE 4096

struct kafka_settings {
    struct setting {
        char *name, *value;
    } * list;
    size_t count;
};

/* What hangs on a client: librdkafka hands it back as its opaque. */
struct client {
    struct kafka_calls calls;
    const struct kafka_settings *settings;
    bool unreachable; /* some server could not be reached */
    char last_error[512];
};

static char *(*explain)(const struct kafka_settings *settings);
static bool explained;
/* When the first answer came to any client, on the monotonic clock; 0: none yet. */
static int64_t answered;

struct kafka_settings *kafka_settings_new(void)
{
    return mem_alloc(1, sizeof(struct kafka_settings));
}

void kafka_settings_free(struct kafka_settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->list[i].name);
        free(settings->list[i].value);
    }
    free(settings->list);
    free(settings);
}

/* Tries the setting on a configuration that is thrown away: the client's own
 * words tell best what is wrong with it. */
static int check_setting(const struct setting *setting, struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, setting->name, setting->value, reason, sizeof reason);

    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_OK)
        return 0;
    return error_set(error, EXIT_USAGE, "Kafka setting %s: %s", setting->name, reason);
}

int kafka_settings_add(struct kafka_settings *settings, const char *pair, struct error *error)
{
    const char *equals = strchr(pair, '=');
    struct setting setting;

    if (!equals || equals == pair)
        return error_set(error, EXIT_USAGE, "Kafka setting '%s': it must be KEY=VALUE", pair);
    setting.name = mem_bytes(pair, (size_t)(equals - pair));
    setting.value = mem_text(equals + 1);
    if (check_setting(&setting, error) < 0) {
        free(setting.name);
        free(setting.value);
        return -1;
    }
    settings->list = mem_grow(settings->list, settings->count + 1, sizeof setting);
    settings->list[settings->count++] = setting;
    return 0;
}

static char *trim(char *line)
{
    size_t length;

    line += strspn(line, " \t");
    length = strlen(line);
    while (length && strchr(" \t\r\n", line[length - 1]))
        line[--length] = '\0';
    return line;
}

/* Properties files put blanks around the equals sign. */
static void close_up(char *line)
{
    char *equals = strchr(line, '=');
    char *name_end = equals, *value;

    if (!equals)
        return;
    while (name_end > line && strchr(" \t", name_end[-1]))
        name_end--;
    value = equals + 1 + strspn(equals + 1, " \t");
    *name_end = '=';
    memmove(name_end + 1, value, strlen(value) + 1);
}

int kafka_settings_read(struct kafka_settings *settings, const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    char line[CONFIG_LINE];
    int number = 0, result = 0;

    if (!file)
        return error_set(error, EXIT_INPUT, "cannot read the Kafka configuration %s: %s", path,
                         strerror(errno));
    while (result == 0 && fgets(line, sizeof line, file)) {
        char *text = trim(line);
        number++;
        if (*text == '\0' || *text == '#')
            continue;
        close_up(text);
        result = kafka_settings_add(settings, text, error);
    }
    if (result == 0 && ferror(file))
        result = error_set(error, EXIT_INPUT, "%s", strerror(errno));
    fclose(file);
    if (result == 0)
        return 0;
    error->code = EXIT_INPUT;
    return error_wrap(error, "%s:%d", path, number);
}

struct kafka_settings *kafka_settings_copy(const struct kafka_settings *settings)
{
    struct kafka_settings *copy = kafka_settings_new();

    copy->list = mem_alloc(settings->count + 1, sizeof *copy->list);
    for (; copy->count < settings->count; copy->count++)
        copy->list[copy->count] = (struct setting){mem_text(settings->list[copy->count].name),
                                                   mem_text(settings->list[copy->count].value)};
    return copy;
}

const char *kafka_settings_value(const struct kafka_settings *settings, const char *name)
{
    for (size_t i = settings->count; i-- > 0;)
        if (strcmp(settings->list[i].name, name) == 0)
            return settings->list[i].value;
    return NULL;
}

const char *kafka_settings_servers(const struct kafka_settings *settings)
{
    for (size_t i = settings->count; i-- > 0;)
        if (strcmp(settings->list[i].name, "bootstrap.servers") == 0 ||
            strcmp(settings->list[i].name, "metadata.broker.list") == 0)
            return settings->list[i].value;
    return "";
}

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct client *client = opaque;

    (void)handle;
    client->calls.delivered(client->calls.context, message);
}

static int on_statistics(rd_kafka_t *handle, char *json, size_t length, void *opaque)
{
    struct client *client = opaque;

    (void)handle;
    client->calls.statistics(client->calls.context, json, length);
    return 0; /* librdkafka frees the text */
}

/* The bootstrap address answered, and where it sends its clients does not lead
 * anywhere: the client would try for ever without a word. Later it is rather a
 * broker that restarts. */
static void explain_once(const struct client *client)
{
    char *why;

    if (!explain || explained || !client->unreachable || !answered ||
        clock_monotonic_ms() - answered > EXPLAIN_WITHIN_MS)
        return;
    explained = true;
    why = explain(client->settings);
    if (why)
        log_warning("Kafka at %s: %s", kafka_settings_servers(client->settings), why);
    free(why);
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct client *client = opaque;

    (void)handle;
    /* "all brokers are down" says less than the reason that came before it. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !client->last_error[0])
        snprintf(client->last_error, sizeof client->last_error, "%s", reason);
    log_verbose("Kafka: %s", reason);
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE)
        client->unreachable = true;
    explain_once(client);
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    log_verbose("librdkafka: %s: %s", facility, text);
}

static int set_pair(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return 0;
    return error_set(error, EXIT_USAGE, "Kafka setting %s: %s", name, reason);
}

/* What only newer clients know is left out with older ones. */
static void set_if_known(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[128];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        log_verbose("librdkafka %s does not know %s", rd_kafka_version_str(), name);
}

static int set_all(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                   const struct kafka_pair *pairs, struct error *error)
{
    static const struct kafka_pair defaults[] = {
        {"client.id", "tally"},
        {"log.queue", "true"}, /* logs come through rd_kafka_poll, in our thread */
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"}, /* a broker that is back is found within a second */
        {NULL, NULL},
    };

    for (const struct kafka_pair *pair = defaults; pair->name; pair++)
        if (set_pair(conf, pair->name, pair->value, error) < 0)
            return -1;
    set_if_known(conf, "fetch.queue.backoff.ms", "10"); /* from 2.2 on; else a second */
    for (const struct kafka_pair *pair = pairs; pair && pair->name; pair++)
        if (set_pair(conf, pair->name, pair->value, error) < 0)
            return -1;
    for (size_t i = 0; i < settings->count; i++)
        if (set_pair(conf, settings->list[i].name, settings->list[i].value, error) < 0)
            return -1;
    return 0;
}

static void set_calls(rd_kafka_conf_t *conf, struct client *client)
{
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (client->calls.delivered)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (client->calls.statistics)
        rd_kafka_conf_set_stats_cb(conf, on_statistics);
}

static rd_kafka_t *make_client(rd_kafka_type_t type, const struct kafka_settings *settings,
                               const struct kafka_pair *pairs, const struct kafka_calls *calls,
                               struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct client *client = mem_alloc(1, sizeof *client);
    rd_kafka_t *handle = NULL;
    char reason[256];

    if (calls)
        client->calls = *calls;
    client->settings = settings;
    set_calls(conf, client);
    if (set_all(conf, settings, pairs, error) == 0) {
        handle = rd_kafka_new(type, conf, reason, sizeof reason);
        if (handle) { /* it took conf */
            rd_kafka_set_log_queue(handle, NULL);
            return handle;
        }
        error_set(error, EXIT_USAGE, "cannot make a Kafka client: %s", reason);
    }
    rd_kafka_conf_destroy(conf);
    free(client);
    return NULL;
}

rd_kafka_t *kafka_consumer(const struct kafka_settings *settings, const struct kafka_pair *pairs,
                           const struct kafka_calls *calls, struct error *error)
{
    return make_client(RD_KAFKA_CONSUMER, settings, pairs, calls, error);
}

rd_kafka_t *kafka_producer(const struct kafka_settings *settings, const struct kafka_pair *pairs,
                           const struct kafka_calls *calls, struct error *error)
{
    return make_client(RD_KAFKA_PRODUCER, settings, pairs, calls, error);
}

/* A client on its way out. */
struct closing {
    pthread_t thread;
    rd_kafka_t *handle;
    struct client *client;
    struct closing *next;
};

static struct closing *closings; /* those not yet waited for */

static void *destroy(void *argument)
{
    struct closing *closing = argument;

    rd_kafka_destroy_flags(closing->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(closing->client);
    return NULL;
}

/* librdkafka's end can take long: 2.8 waits for threads that look up once a
 * second, and 2.0, with a commit on its way to a broker that has gone, does not
 * end before the broker is back. Nobody here needs to wait for it. */
void kafka_close(rd_kafka_t *handle)
{
    struct closing *closing;

    if (!handle)
        return;
    /* What is still unsent was given up by the caller, or it would have flushed. */
    if (rd_kafka_type(handle) == RD_KAFKA_PRODUCER)
        rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    closing = mem_alloc(1, sizeof *closing);
    closing->handle = handle;
    closing->client = rd_kafka_opaque(handle);
    if (pthread_create(&closing->thread, NULL, destroy, closing) != 0)
        abort(); /* no memory for a stack */
    closing->next = closings;
    closings = closing;
}

bool kafka_wait_closed(int wait_ms)
{
    int64_t until = clock_wall_ms() + wait_ms;
    const struct timespec deadline = {until / 1000, until % 1000 * 1000000};

    while (closings) {
        struct closing *closing = closings;
        if (pthread_timedjoin_np(closing->thread, NULL, &deadline) != 0)
            return false;
        closings = closing->next;
        free(closing);
    }
    return true;
}

const char *kafka_last_error(const rd_kafka_t *handle)
{
    const struct client *client = rd_kafka_opaque(handle);

    return client->last_error;
}

void kafka_explain_by(char *(*how)(const struct kafka_settings *settings))
{
    explain = how;
}

static int cannot_reach(rd_kafka_t *handle, const struct kafka_settings *settings,
                        rd_kafka_resp_err_t code, struct error *error)
{
    const char *reason = kafka_last_error(handle);
    char *why = explain ? explain(settings) : NULL;

    if (why)
        error_set(error, EXIT_UNREACHABLE, "cannot reach Kafka at %s: %s",
                  kafka_settings_servers(settings), why);
    else
        error_set(error, EXIT_UNREACHABLE,
                  "cannot reach Kafka at %s: %s: check the address and that the broker runs",
                  kafka_settings_servers(settings), *reason ? reason : rd_kafka_err2str(code));
    free(why);
    return -1;
}

static void note_answer(rd_kafka_t *handle)
{
    if (!answered)
        answered = clock_monotonic_ms();
    explain_once(rd_kafka_opaque(handle));
}

/* Long enough for a slow link to answer, short enough for Ctrl-C to be heard:
 * each try may take as long as all before it. */
static int next_wait(int64_t waited, int64_t patience)
{
    int64_t wait = waited < FIRST_WAIT_MS ? FIRST_WAIT_MS : waited;

    return (int)(wait < patience - waited ? wait : patience - waited);
}

int kafka_ask(rd_kafka_t *handle, const struct kafka_settings *settings,
              rd_kafka_resp_err_t (*ask)(void *context, int wait_ms), void *context,
              int64_t patience_ms, struct error *error)
{
    int64_t start = clock_monotonic_ms(), waited = 0;
    rd_kafka_resp_err_t code;
    bool said = false;

    for (;;) {
        code = ask(context, next_wait(waited, patience_ms));
        rd_kafka_poll(handle, 0); /* errors and logs come by this way */
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_answer(handle);
            return 0;
        }
        if (interrupt_signal())
            return interrupt_error(error);
        waited = clock_monotonic_ms() - start;
        if (waited >= patience_ms)
            return cannot_reach(handle, settings, code, error);
        if (waited >= SAY_AFTER_MS && !said)
            log_info("waiting for Kafka at %s ...", kafka_settings_servers(settings));
        said = waited >= SAY_AFTER_MS;
    }
}

struct metadata_question {
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic;
    const rd_kafka_metadata_t *answer;
};

static rd_kafka_resp_err_t ask_metadata(void *context, int wait_ms)
{
    struct metadata_question *question = context;

    return rd_kafka_metadata(question->handle, 0, question->topic, &question->answer, wait_ms);
}

int kafka_partitions(rd_kafka_t *handle, const struct kafka_settings *settings, const char *topic,
                     int32_t *count, struct error *error)
{
    struct metadata_question question = {handle, rd_kafka_topic_new(handle, topic, NULL), NULL};
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t code;
    int32_t found;
    int result;

    if (!question.topic)
        return error_set(error, EXIT_INPUT, "topic '%s': %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    result = kafka_ask(handle, settings, ask_metadata, &question, KAFKA_PATIENCE_MS, error);
    rd_kafka_topic_destroy(question.topic);
    if (result < 0)
        return -1;
    metadata = question.answer;
    code = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    found = code == RD_KAFKA_RESP_ERR_NO_ERROR ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
        code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return error_set(error, EXIT_REFUSED, "topic '%s' at %s: %s", topic,
                         kafka_settings_servers(settings), rd_kafka_err2str(code));
    if (found > LIMIT_PARTITIONS)
        return error_set(error, EXIT_REFUSED, "topic '%s' has %d partitions, the limit is %d",
                         topic, (int)found, LIMIT_PARTITIONS);
    *count = found;
    return 0;
}

int kafka_need_topic(rd_kafka_t *handle, const struct kafka_settings *settings, const char *topic,
                     const char *advice, int32_t *count, struct error *error)
{
    if (kafka_partitions(handle, settings, topic, count, error) < 0)
        return -1;
    if (*count > 0)
        return 0;
    return error_set(error, EXIT_REFUSED, "topic '%s' does not exist at %s: %s", topic,
                     kafka_settings_servers(settings), advice);
}

static rd_kafka_resp_err_t created_code(rd_kafka_event_t *event, char *reason, size_t size)
{
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **topics;
    const char *text = NULL;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    size_t count = 0;

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        text = rd_kafka_event_error_string(event);
    } else if (result) {
        topics = rd_kafka_CreateTopics_result_topics(result, &count);
        code = count ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
        text = count ? rd_kafka_topic_result_error_string(topics[0]) : NULL;
    }
    snprintf(reason, size, "%s", text ? text : rd_kafka_err2str(code));
    return code;
}

static rd_kafka_resp_err_t create_topic(rd_kafka_t *handle, const char *topic, int32_t partitions,
                                        char *reason, size_t size)
{
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, reason, size);
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (!wanted)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    rd_kafka_NewTopic_set_config(wanted, "message.timestamp.type", "CreateTime");
    rd_kafka_NewTopic_set_config(wanted, "retention.ms", "-1");
    rd_kafka_NewTopic_set_config(wanted, "retention.bytes", TOPIC_BYTES);
    queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &wanted, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, CREATE_TIMEOUT_MS);
    if (event) {
        code = created_code(event, reason, size);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
    return code;
}

/* A topic just made is known to all brokers a moment later. */
static int wait_for_topic(rd_kafka_t *handle, const struct kafka_settings *settings,
                          const char *topic, int32_t *count, struct error *error)
{
    int64_t start = clock_monotonic_ms();

    do {
        if (kafka_partitions(handle, settings, topic, count, error) < 0)
            return -1;
    } while (*count == 0 && clock_monotonic_ms() - start < CREATE_TIMEOUT_MS);
    if (*count == 0)
        return error_set(error, EXIT_REFUSED, "topic '%s' was created at %s and is not there",
                         topic, kafka_settings_servers(settings));
    return 0;
}

int kafka_make_topic(rd_kafka_t *handle, const struct kafka_settings *settings, const char *topic,
                     int32_t partitions, int32_t *count, struct error *error)
{
    char reason[256] = "no answer";
    rd_kafka_resp_err_t code;
    rd_kafka_t *asker = kafka_consumer(settings, NULL, NULL, error);
    int result;

    /* A producer's metadata request may create the topic with the broker's own
     * settings (auto.create.topics.enable), a consumer's does not. */
    if (!asker)
        return -1;
    result = kafka_partitions(asker, settings, topic, count, error);
    if (result == 0 && *count == 0) {
        code = create_topic(handle, topic, partitions, reason, sizeof reason);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            log_info("created topic '%s' (%d partition%s)", topic, (int)partitions,
                     partitions == 1 ? "" : "s");
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            result = wait_for_topic(asker, settings, topic, count, error);
        else if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
            result = cannot_reach(handle, settings, code, error); /* the controller */
        else
            result = error_set(error, EXIT_REFUSED, "cannot create topic '%s' at %s: %s", topic,
                               kafka_settings_servers(settings), reason);
    }
    kafka_close(asker);
    return result;
}

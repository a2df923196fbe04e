#include "cluster/probe/probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"

#define TICK_MS   50  /* how soon Ctrl-C is heard */
#define SLACK_MS  500 /* for a busy machine */
#define SLICE_MS  250
#define ENOUGH_MS 1000
#define TIMES     3 /* the bootstrap's time, that of those it names, and of those they name */

/* Each address has a thread, since getaddrinfo waits as long as the system's
 * resolver likes. One that is still at it when the time is over is left to
 * itself, and frees what it has when it ends. */
struct work {
    struct probe_endpoint endpoint;
    int64_t deadline;
    bool plain, done, left_alone;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

struct room {
    struct work *works[LIMIT_PROBE_ENDPOINTS];
    size_t count;
    const struct probe_request *request;
    bool plain;
    int64_t last; /* no work begins or goes on after that */
};

const char *probe_step_name(enum probe_step step)
{
    static const char *const names[] = {"resolve", "connect", "api_versions", "metadata",
                                        "identity"};

    return names[step];
}

const char *probe_failure_name(enum probe_failure failure)
{
    static const char *const names[] = {
        "",    "unresolved", "refused",   "no-route", "timeout",    "closed",    "silent",
        "tls", "http",       "not-kafka", "sasl",     "controller", "plaintext", "client"};

    return names[failure];
}

char *probe_address(const char *host, int port)
{
    return mem_format(strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

bool probe_split(const char *address, char **host, int *port)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;
    int64_t number;

    if (length > 2 && address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    } else if (length && memchr(address, ':', length)) {
        return false;
    }
    if (length == 0 || length > LIMIT_HOST || strcspn(address, " \t/,[]") < length ||
        !number_in_range(colon + 1, 1, 65535, &number))
        return false;
    *host = mem_bytes(address, length);
    *port = (int)number;
    return true;
}

bool probe_is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

const struct probe_endpoint *probe_find(const struct probe_result *result, const char *address)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->list[i].address, address) == 0)
            return &result->list[i];
    return NULL;
}

static struct probe_endpoint new_endpoint(const char *host, int port, bool asked)
{
    struct probe_endpoint endpoint = {.host = mem_text(host),
                                      .port = port,
                                      .address = probe_address(host, port),
                                      .asked = asked,
                                      .reason = mem_text(""),
                                      .answered_by = -1};

    for (int step = 0; step < PROBE_STEPS; step++)
        endpoint.ms[step] = -1;
    return endpoint;
}

void probe_endpoint_free(struct probe_endpoint *endpoint)
{
    free(endpoint->host);
    free(endpoint->address);
    free(endpoint->reason);
    wire_metadata_free(&endpoint->told);
}

void probe_result_free(struct probe_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        probe_endpoint_free(&result->list[i]);
    free(result->list);
    *result = (struct probe_result){0};
}

static void *run(void *argument)
{
    struct work *work = argument;
    bool left_alone;

    probe_one(&work->endpoint, work->deadline, work->plain);
    pthread_mutex_lock(&lock);
    work->done = true;
    left_alone = work->left_alone;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
    if (left_alone) {
        probe_endpoint_free(&work->endpoint);
        free(work);
    }
    return NULL;
}

static void begin(struct room *room, const char *host, int port, bool asked)
{
    struct work *work = mem_alloc(1, sizeof *work);
    int wait_ms = room->request->wait_ms ? room->request->wait_ms : PROBE_WAIT_MS;
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    pthread_t thread;

    work->endpoint = new_endpoint(host, port, asked);
    for (size_t i = 0; i < room->count; i++) {
        if (strcmp(room->works[i]->endpoint.address, work->endpoint.address) != 0)
            continue;
        probe_endpoint_free(&work->endpoint); /* it is there already */
        free(work);
        return;
    }
    work->plain = room->plain;
    work->deadline = deadline < room->last ? deadline : room->last;
    room->works[room->count++] = work;
    if (pthread_create(&thread, NULL, run, work) != 0)
        abort(); /* no memory for a stack */
    pthread_detach(thread);
}

/* Where it sends clients to. */
static void follow(struct room *room, const struct probe_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->told.count && room->count < LIMIT_PROBE_ENDPOINTS; i++)
        begin(room, endpoint->told.nodes[i].host, endpoint->told.nodes[i].port, false);
}

/* With the lock: waits until one has ended, or a tick is over. */
static void wait_a_tick(void)
{
    int64_t until = clock_wall_ms() + TICK_MS;
    const struct timespec deadline = {until / 1000, until % 1000 * 1000000};

    pthread_cond_timedwait(&ended, &lock, &deadline);
}

/* In place of a work that does not end: the resolver is at it. */
static struct work *give_up(struct work *work)
{
    struct work *instead = mem_alloc(1, sizeof *instead);

    instead->endpoint =
        new_endpoint(work->endpoint.host, work->endpoint.port, work->endpoint.asked);
    instead->endpoint.failure = PROBE_UNRESOLVED;
    free(instead->endpoint.reason);
    instead->endpoint.reason = mem_format(
        "the name '%s' does not resolve (no name server answers in time)", instead->endpoint.host);
    instead->done = true;
    work->left_alone = true;
    return instead;
}

/* From `first` on, until all have ended, also those that are found on the way.
 * With TLS and SASL what is told is not known yet. */
static void wait_for_all(struct room *room, size_t first)
{
    pthread_mutex_lock(&lock);
    for (size_t i = first; i < room->count; i++) {
        struct work *work = room->works[i];
        while (!work->done && !interrupt_signal() &&
               clock_monotonic_ms() < work->deadline + SLACK_MS)
            wait_a_tick();
        if (!work->done)
            room->works[i] = give_up(work);
        pthread_mutex_unlock(&lock);
        follow(room, &room->works[i]->endpoint);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- TLS and SASL: by librdkafka, one after the other */

bool probe_is_plain(const struct kafka_settings *settings)
{
    const char *protocol = settings ? kafka_settings_value(settings, "security.protocol") : NULL;

    return !protocol || strcasecmp(protocol, "plaintext") == 0;
}

static void take_metadata(struct probe_endpoint *endpoint, const rd_kafka_metadata_t *metadata,
                          rd_kafka_t *client)
{
    struct wire_metadata *told = &endpoint->told;
    char *cluster = rd_kafka_clusterid(client, 0);

    told->nodes = mem_alloc((size_t)metadata->broker_cnt + 1, sizeof *told->nodes);
    for (int i = 0; i < metadata->broker_cnt && i < LIMIT_PROBE_NODES; i++)
        told->nodes[told->count++] =
            (struct wire_node){metadata->brokers[i].id, mem_text(metadata->brokers[i].host),
                               metadata->brokers[i].port};
    told->cluster = mem_text(cluster ? cluster : "");
    rd_kafka_mem_free(client, cluster);
}

/* librdkafka's "ssl://kafka:9093/bootstrap: reason (after 2ms in state X)". */
static char *short_reason(const char *text)
{
    const char *colon = strstr(text, "/bootstrap: ");
    char *reason = mem_text(colon ? colon + strlen("/bootstrap: ") : text);

    reason[strcspn(reason, "\r\n")] = '\0';
    if (strstr(reason, " (after "))
        *strstr(reason, " (after ") = '\0';
    return reason;
}

/* When the client fails: perhaps the listener does not speak what it was set to. */
static void ask_plainly(const struct room *room, struct probe_endpoint *endpoint)
{
    const char *protocol = kafka_settings_value(room->request->settings, "security.protocol");
    bool tls = strcasestr(protocol, "ssl") != NULL;
    struct probe_endpoint plain = new_endpoint(endpoint->host, endpoint->port, false);

    probe_one(&plain, clock_monotonic_ms() + PROBE_WAIT_MS / 2, true);
    if (tls && (plain.failure == PROBE_OK || plain.failure == PROBE_SASL ||
                plain.failure == PROBE_CONTROLLER)) {
        endpoint->failure = PROBE_PLAIN;
        free(endpoint->reason);
        endpoint->reason = mem_format("the listener speaks plaintext, and the client %s", protocol);
    } else if ((!tls && plain.failure == PROBE_TLS) || plain.failure == PROBE_HTTP) {
        endpoint->failure = plain.failure;
        free(endpoint->reason);
        endpoint->reason = mem_text(plain.reason);
    }
    probe_endpoint_free(&plain);
}

static void say_error(struct probe_endpoint *endpoint, const char *words)
{
    free(endpoint->reason);
    endpoint->failure = PROBE_CLIENT;
    endpoint->reason = short_reason(words);
}

/* In slices: errors come by polling, and after one more second for another try
 * it is known what they are. */
static rd_kafka_resp_err_t ask_metadata(rd_kafka_t *client, int64_t until,
                                        const rd_kafka_metadata_t **metadata)
{
    int64_t start = clock_monotonic_ms();
    rd_kafka_resp_err_t code;

    do {
        code = rd_kafka_metadata(client, 0, NULL, metadata, SLICE_MS);
        rd_kafka_poll(client, 0);
    } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && !interrupt_signal() &&
             clock_monotonic_ms() < until &&
             !(*kafka_last_error(client) && clock_monotonic_ms() - start > ENOUGH_MS));
    return code;
}

static void ask_client(struct room *room, struct probe_endpoint *endpoint)
{
    struct kafka_settings *settings = kafka_settings_copy(room->request->settings);
    char *servers = mem_format("bootstrap.servers=%s", endpoint->address);
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    int64_t start = clock_monotonic_us();
    rd_kafka_t *client = NULL;
    struct error error;

    if (kafka_settings_add(settings, servers, &error) == 0)
        client = kafka_consumer(settings, NULL, NULL, &error);
    if (client)
        code = ask_metadata(client, room->last, &metadata);
    if (!client) {
        say_error(endpoint, error.text);
    } else if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        endpoint->ms[STEP_METADATA] = (double)(clock_monotonic_us() - start) / 1000;
        take_metadata(endpoint, metadata, client);
        rd_kafka_metadata_destroy(metadata);
    } else {
        say_error(endpoint,
                  *kafka_last_error(client) ? kafka_last_error(client) : rd_kafka_err2str(code));
        ask_plainly(room, endpoint);
    }
    kafka_close(client);
    kafka_settings_free(settings);
    free(servers);
}

static void ask_clients(struct room *room)
{
    for (size_t i = 0; i < room->count && !interrupt_signal(); i++) {
        size_t known = room->count;
        int64_t wait = room->last; /* each its own time, within the whole */
        if (room->works[i]->endpoint.failure != PROBE_OK)
            continue;
        if (wait > clock_monotonic_ms() + PROBE_WAIT_MS)
            room->last = clock_monotonic_ms() + PROBE_WAIT_MS;
        ask_client(room, &room->works[i]->endpoint);
        room->last = wait;
        follow(room, &room->works[i]->endpoint);
        wait_for_all(room, known);
    }
}

/* ---- All */

static int begin_asked(struct room *room, struct error *error)
{
    for (const char *const *at = room->request->addresses; *at; at++) {
        char *host;
        int port;
        if (!probe_split(*at, &host, &port))
            return error_set(error, EXIT_USAGE, "'%s' is no address: HOST:PORT is needed", *at);
        if (room->count < LIMIT_PROBE_ENDPOINTS)
            begin(room, host, port, true);
        free(host);
    }
    return 0;
}

static void take_results(struct room *room, struct probe_result *result)
{
    result->list = mem_alloc(room->count + 1, sizeof *result->list);
    for (size_t i = 0; i < room->count; i++) {
        result->list[result->count++] = room->works[i]->endpoint;
        free(room->works[i]);
    }
}

int probe(const struct probe_request *request, struct probe_result *result, struct error *error)
{
    int64_t wait_ms = request->wait_ms ? request->wait_ms : PROBE_WAIT_MS;
    struct room room = {.request = request,
                        .plain = probe_is_plain(request->settings),
                        .last = clock_monotonic_ms() + TIMES * wait_ms};
    int code = begin_asked(&room, error);

    *result = (struct probe_result){0};
    wait_for_all(&room, 0);
    if (!room.plain)
        ask_clients(&room);
    take_results(&room, result);
    if (code == 0 && interrupt_signal())
        code = interrupt_error(error);
    return code;
}

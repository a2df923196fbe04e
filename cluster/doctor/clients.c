/* clients.c: the clients in the files: every address of a broker that a
 * service is given, by a variable, by a word of its command, in its health
 * check. What names a variable or stands before an address tells whether it
 * is Kafka's; addresses of ZooKeeper, registries and the like are not. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/doctor/reach.h"
#include "cluster/doctor/rules.h"

/* What speaks for an address. */
enum hint {
    HINT_NONE,
    HINT_NEVER,  /* another server's */
    HINT_MEDIUM, /* something of Kafka's: it counts if host or port are a broker's */
    HINT_KNOCK,  /* a port that is waited for */
    HINT_STRONG, /* a bootstrap list */
};

struct search {
    struct diagnosis *diagnosis;
    const struct reach *reach;
    const struct compose_service *service;
    const struct compose_text *value;
    const char *variable;
    const struct broker *own; /* the broker that the service is; NULL */
    bool inside;
    enum hint by_name; /* what the variable's name says */
};

/* ---- Hints */

struct word {
    const char *text;
    enum hint hint;
};

static const struct word words[] = {
    {"-controller", HINT_NEVER},   {"quorum.bootstrap", HINT_NEVER},
    {"bootstrap", HINT_STRONG},    {"broker-list", HINT_STRONG},
    {"broker.list", HINT_STRONG},  {"brokerlist", HINT_STRONG},
    {"brokers", HINT_STRONG},      {"kafka.server", HINT_STRONG},
    {"kafka-server", HINT_STRONG}, {"brokerconnect", HINT_STRONG},
    {"kafka-ready", HINT_STRONG},  {" -b ", HINT_STRONG},
    {"kafka", HINT_MEDIUM},        {"broker", HINT_MEDIUM},
    {"wait-for", HINT_KNOCK},      {"wait_for", HINT_KNOCK},
    {"waitfor", HINT_KNOCK},       {"dockerize", HINT_KNOCK},
    {"wait-port", HINT_KNOCK},     {"-wait", HINT_KNOCK},
    {"zookeeper", HINT_NEVER},     {"zk-", HINT_NEVER},
    {"zk-ready", HINT_NEVER},      {"registry", HINT_NEVER},
    {"connect", HINT_NEVER},       {"ksql", HINT_NEVER},
    {"http", HINT_NEVER},          {"url", HINT_NEVER},
    {"admin", HINT_NEVER},         {"jmx", HINT_NEVER},
    {"listeners", HINT_NEVER},     {"quorum", HINT_NEVER},
    {"voters", HINT_NEVER},        {"server.port", HINT_NEVER},
    {"database", HINT_NEVER},      {"redis", HINT_NEVER},
    {"mongo", HINT_NEVER},         {"elastic", HINT_NEVER},
    {"postgres", HINT_NEVER},      {"mysql", HINT_NEVER},
    {"otlp", HINT_NEVER},          {NULL, HINT_NONE},
};

/* The last of the words in a stretch of text; the first of the table, if they end together. */
static enum hint hint_within(const char *text, size_t length)
{
    char *copy = mem_bytes(text, length);
    const char *last = NULL;
    enum hint hint = HINT_NONE;

    for (const struct word *word = words; word->text; word++) {
        const char *at = copy, *found = NULL;
        while ((at = strcasestr(at, word->text))) {
            found = at + strlen(word->text);
            at++;
        }
        if (found && (!last || found > last)) {
            last = found;
            hint = word->hint;
        }
    }
    free(copy);
    return hint;
}

static bool only_separators(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(", ;\"'[]-\t\r\n", text[i]))
            return false;
    return true;
}

static bool has(const char *name, const char *const *parts)
{
    for (; *parts; parts++)
        if (strcasestr(name, *parts))
            return true;
    return false;
}

static enum hint hint_of_name(const char *name)
{
    static const char *const never[] = {
        "ZOOKEEPER",    "LISTENER",     "ADVERTISED", "JMX",   "QUORUM",
        "CREATE_TOPIC", "_PATH",        "REACT_APP",  "VITE_", "NEXT_PUBLIC",
        "PROMETHEUS",   "METRICS_PORT", "ZK_",        "_ZK",   "INTER_BROKER",
        "RABBIT",       "MQTT",         "REDIS",      NULL};
    /* docker-compose-wait's; of the bde2020 images' entry points. */
    static const char *const knock[] = {"WAIT_", "SERVICE_PRECONDITION", NULL};
    static const char *const strong[] = {"BOOTSTRAP_SERVER", "BOOTSTRAPSERVER", "BOOTSTRAP-SERVER",
                                         "BOOTSTRAP.SERVER", "KAFKA_BOOTSTRAP", "BROKERCONNECT",
                                         "BROKER_LIST",      "BROKERLIST",      "KAFKA_BROKER",
                                         "KAFKABROKER",      "KAFKA_SERVERS",   NULL};
    static const char *const other[] = {"REGISTRY",     "KSQL",        "HTTP", "REST_", "_CONNECT_",
                                        "KAFKACONNECT", "CONNECT_URL", "_UI_", NULL};
    static const char *const medium[] = {"KAFKA", "BROKER", "BOOTSTRAP", NULL};

    if (has(name, never))
        return HINT_NEVER;
    if (strcasestr(name, "_OPTS"))
        return HINT_NONE;
    if (has(name, knock))
        return HINT_KNOCK;
    if (has(name, strong))
        return HINT_STRONG;
    if (has(name, other))
        return HINT_NONE;
    return has(name, medium) ? HINT_MEDIUM : HINT_NONE;
}

/* ---- Which addresses count */

static bool is_kafka_scheme(const char *scheme)
{
    static const char *const parts[] = {"kafka",    "plaintext", "ssl",    "sasl",   "tcp",
                                        "internal", "external",  "client", "docker", NULL};

    return !*scheme || has(scheme, parts);
}

/* 9092, 19093, 29094: ports that people give Kafka. */
static bool is_usual_port(int port)
{
    return port % 1000 >= 91 && port % 1000 <= 99 && port / 1000 % 10 == 9;
}

static const struct broker *broker_of(const struct diagnosis *diagnosis,
                                      const struct compose_service *service)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        if (diagnosis->brokers.list[i].service == service)
            return &diagnosis->brokers.list[i];
    return NULL;
}

static bool listens(const struct broker *broker, int port)
{
    for (size_t i = 0; i < broker->listeners.count; i++)
        if (broker->listeners.list[i].port == port)
            return true;
    return false;
}

/* Some broker listens at the port, or publishes it. */
static bool is_known_port(const struct diagnosis *diagnosis, int port)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        if (listens(broker, port))
            return true;
        for (size_t k = 0; k < broker->service->port_count; k++)
            if (broker->service->ports[k].published == port)
                return true;
    }
    return false;
}

static bool counts(const struct search *search, enum hint hint, const char *host, int port)
{
    const struct compose_service *named = reach_named(search->reach, host);
    const struct broker *broker = named ? broker_of(search->diagnosis, named) : NULL;

    if (port == 2181 || (named && !broker && hint != HINT_STRONG))
        return false;
    switch (hint) {
    case HINT_STRONG:
        return true;
    case HINT_MEDIUM:
        if (broker)
            return is_usual_port(port) || listens(broker, port);
        if (host_kind(host) == HOST_LOCAL)
            return is_known_port(search->diagnosis, port) && is_usual_port(port);
        return host_kind(host) == HOST_LABEL && is_usual_port(port);
    case HINT_KNOCK:
        return broker && (is_usual_port(port) || listens(broker, port));
    default:
        return broker && listens(broker, port);
    }
}

static struct client *client_add(const struct search *search, char *host, int port, bool knock)
{
    struct diagnosis *diagnosis = search->diagnosis;
    struct client *client;

    diagnosis->clients =
        mem_grow(diagnosis->clients, diagnosis->client_count + 1, sizeof *diagnosis->clients);
    client = &diagnosis->clients[diagnosis->client_count++];
    *client = (struct client){.service = search->service,
                              .value = search->value,
                              .host = host,
                              .port = port,
                              .variable = search->variable,
                              .knock = knock,
                              .inside = search->inside};
    return client;
}

static char *host_of(const char *text, const struct address *address)
{
    const char *start = text + address->start;
    size_t length = address->host_length;

    if (*start == '[' && length > 2)
        return mem_bytes(start + 1, length - 2);
    return mem_bytes(start, length);
}

/* ---- Searching a text */

/* A line that begins with a #: of a script, or of YAML. */
static bool is_comment(const char *line)
{
    return line[strspn(line, " \t")] == '#';
}

/* Redpanda's and Kafka's own flags are no client's; a script that asks the broker is.
 * Of Java's options only a bootstrap list counts. */
static bool other_word(const struct search *search, enum hint hint)
{
    return (search->own || strcasestr(search->variable, "_OPTS")) && hint != HINT_STRONG;
}

static void search_text(const struct search *search, enum hint before)
{
    const char *text = search->value->text, *line = text;
    enum hint hint = before;
    struct address address;
    size_t at = 0;

    for (; search->diagnosis->client_count < LIMIT_CLIENT_ADDRESSES &&
           address_find(text, at, &address);
         at = address.start + address.length) {
        enum hint said = hint_within(text + at, address.start - at);
        const char *newline = memrchr(text + at, '\n', address.start - at);
        char *host;
        line = newline ? newline + 1 : line;
        if (said != HINT_NONE)
            hint = said;
        else if (!only_separators(text + at, address.start - at) && !*address.scheme)
            hint = search->by_name;
        if (hint == HINT_NEVER || !is_kafka_scheme(address.scheme) || other_word(search, hint) ||
            is_comment(line))
            continue;
        host = host_of(text, &address);
        if (counts(search, hint, host, address.port)) {
            struct client *client = client_add(search, host, address.port, hint == HINT_KNOCK);
            client->offset = address.start;
            client->length = address.length;
        } else {
            free(host);
        }
    }
}

/* ---- nc -z kafka 9092; /dev/tcp/kafka/9092 */

static size_t word_length(const char *text)
{
    return strcspn(text, " \t\r\n\"';&|()");
}

static void knock_at(const struct search *search, const char *host, size_t length, int port)
{
    char *name = mem_bytes(host, length);
    const struct compose_service *named = reach_named(search->reach, name);

    if (port > 0 && port < 65536 && named && named != search->service &&
        counts(search, HINT_KNOCK, name, port)) {
        struct client *client = client_add(search, name, port, true);
        client->offset = (size_t)(host - search->value->text);
        /* With more than one byte between them there is nothing to put others in the place of. */
        client->length = isdigit((unsigned char)host[length + 1])
                             ? length + 1 + strspn(host + length + 1, "0123456789")
                             : 0;
    } else {
        free(name);
    }
}

static void search_netcat(const struct search *search)
{
    const char *text = search->value->text;

    for (const char *p = text; (p = strstr(p, "nc "));) {
        bool begins = p == text || !isalnum((unsigned char)p[-1]);
        p += 3;
        while (begins && (isspace((unsigned char)*p) || *p == '-')) {
            bool waits = *p == '-' && p[word_length(p) - 1] == 'w';
            p += isspace((unsigned char)*p) ? 1 : word_length(p);
            if (waits) { /* -w SECONDS */
                p += strspn(p, " ");
                p += strspn(p, "0123456789");
            }
        }
        if (begins && word_length(p))
            knock_at(search, p, word_length(p), atoi(p + word_length(p)));
    }
    for (const char *p = text; (p = strstr(p, "/dev/tcp/"));) {
        size_t length = strcspn(p += 9, "/");
        if (p[length])
            knock_at(search, p, length, atoi(p + length + 1));
    }
}

/* ---- Where to search */

/* KAFKA_HOST and KAFKA_PORT. */
static void search_pair(const struct search *search, const struct compose_pair *pair)
{
    size_t length = strlen(pair->name);
    const struct compose_pair *other;
    const char *host = pair->value.text;
    struct client *client;
    char *name;
    int port;

    if (length < 5 || strcasecmp(pair->name + length - 4, "HOST") != 0 || strchr(host, ':') ||
        !*host || search->by_name == HINT_NEVER || search->by_name == HINT_NONE)
        return;
    name = mem_format("%.*s%s", (int)length - 4, pair->name,
                      !strcmp(pair->name + length - 4, "HOST")   ? "PORT"
                      : !strcmp(pair->name + length - 4, "Host") ? "Port"
                                                                 : "port");
    other = compose_variable(search->service, name);
    free(name);
    port = other ? atoi(other->value.text) : 0;
    if (port < 1 || port > 65535 || !counts(search, HINT_MEDIUM, host, port))
        return;
    client = client_add(search, mem_text(host), port, false);
    client->length = strlen(host);
    client->port_value = &other->value;
}

static void search_variable(struct search *search, const struct compose_pair *pair)
{
    /* cp-server's reporter of metrics is a client of its own broker. */
    if (search->own && strcmp(pair->name, "CONFLUENT_METRICS_REPORTER_BOOTSTRAP_SERVERS") != 0)
        return;
    search->inside = search->own != NULL;
    search->variable = pair->name;
    search->value = &pair->value;
    search->by_name = hint_of_name(pair->name);
    if (search->by_name == HINT_NEVER)
        return;
    search_text(search, search->by_name);
    search_pair(search, pair);
}

/* What a word says of the next. wait-for-it.sh -t 60 HOST:PORT, dockerize -wait tcp://HOST:PORT:
 * what is waited for comes some words later, the command itself behind "--". */
static enum hint hint_behind(const char *word, enum hint before)
{
    enum hint said = !strcmp(word, "-b") ? HINT_STRONG : hint_within(word, strlen(word));

    if (before == HINT_KNOCK && (said == HINT_NONE || said == HINT_MEDIUM) &&
        strcmp(word, "--") != 0)
        return HINT_KNOCK;
    return said;
}

/* dadarek/wait-for-dependencies and its like. */
static bool only_waits(const struct compose_service *service)
{
    return strcasestr(service->image.text, "wait-for") ||
           strcasestr(service->image.text, "dockerize");
}

static void search_words(struct search *search, const struct compose_text *list, size_t count)
{
    enum hint before = only_waits(search->service) ? HINT_KNOCK : HINT_NONE;

    search->variable = "command";
    search->by_name = HINT_NONE;
    search->inside = search->own != NULL;
    for (size_t i = 0; i < count; i++) {
        search->value = &list[i];
        search_text(search, before);
        search_netcat(search);
        before = hint_behind(list[i].text, before);
    }
}

static void search_service(struct search *search, const struct compose_service *service)
{
    search->service = service;
    search->own = broker_of(search->diagnosis, service);
    if (service->replicas == 0)
        return;
    for (size_t i = 0; i < service->environment_count; i++)
        search_variable(search, &service->environment[i]);
    search_words(search, service->entrypoint, service->entrypoint_count);
    search_words(search, service->command, service->command_count);
    search->variable = "healthcheck";
    search->value = &service->healthcheck;
    search->inside = true;
    search_text(search, HINT_NONE);
}

void clients_find(struct diagnosis *diagnosis)
{
    struct reach *reach;
    struct search search = {.diagnosis = diagnosis};

    if (!diagnosis->brokers.count)
        return;
    search.reach = reach = reach_new(diagnosis);
    for (size_t i = 0; i < diagnosis->compose->service_count; i++)
        search_service(&search, &diagnosis->compose->services[i]);
    reach_free(reach);
}

void clients_free(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->client_count; i++)
        free(diagnosis->clients[i].host);
    free(diagnosis->clients);
}

/* image_env.c: from the variables of a service to Kafka's properties, as each
 * image's entry scripts do it.
 *
 * Sources: apache/kafka docker/resources/common-scripts/configure and
 * KafkaDockerWrapper.scala (3.7-4.1); confluentinc/kafka-images
 * kafka/include/etc/confluent/docker/configure (5.4-8.3), local/.../configureDefaults;
 * bitnami/containers bitnami/kafka libkafka.sh and kafka-env.sh (2.8-4.0);
 * wurstmeister/kafka-docker start-kafka.sh. */
#include "cluster/doctor/image_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

/* What the images' scripts keep to themselves. */
static bool own_variable(const char *name)
{
    static const char *const names[] = {"KAFKA_VERSION",
                                        "KAFKA_HEAP_OPTS",
                                        "KAFKA_LOG4J_OPTS",
                                        "KAFKA_OPTS",
                                        "KAFKA_JMX_OPTS",
                                        "KAFKA_JVM_PERFORMANCE_OPTS",
                                        "KAFKA_GC_LOG_OPTS",
                                        "KAFKA_LOG4J_ROOT_LOGLEVEL",
                                        "KAFKA_LOG4J_LOGGERS",
                                        "KAFKA_TOOLS_LOG4J_LOGLEVEL",
                                        "KAFKA_JMX_HOSTNAME",
                                        "KAFKA_HOME",
                                        NULL};

    for (size_t i = 0; names[i]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* KAFKA_A_B__C___D -> a.b_c-d; where `plain`, every _ becomes a dot. */
static char *property_name(const char *rest, bool plain)
{
    struct buf name = {0};

    while (*rest) {
        size_t run = strspn(rest, "_");

        if (run && plain)
            buf_char(&name, '.'), rest++;
        else if (run)
            for (; run; run -= run >= 3 ? 3 : run)
                buf_char(&name, run >= 3 ? '-' : run == 2 ? '_' : '.'), rest += run >= 3 ? 3 : run;
        else
            buf_char(&name, (char)tolower((unsigned char)*rest++));
    }
    return name.data ? name.data : mem_text("");
}

static void take(struct broker *broker, const struct compose_pair *pair, const char *rest,
                 bool plain)
{
    char *name;

    if (broker->property_count >= LIMIT_PROPERTIES) {
        broker->unknown = true;
        return;
    }
    name = property_name(rest, plain);
    if (pair->absent) {
        if (strstr(name, "listener"))
            broker->unknown = true; /* the shell of whoever starts it decides */
    } else if (*name) {
        property_set(broker, name, pair, &pair->value);
    }
    free(name);
}

/* All KAFKA_ variables; returns how many became properties. */
static size_t take_all(struct broker *broker, bool plain)
{
    size_t before = broker->property_count;

    for (size_t i = 0; i < broker->service->environment_count; i++) {
        const struct compose_pair *pair = &broker->service->environment[i];

        if (!strncmp(pair->name, "KAFKA_", 6) && !own_variable(pair->name))
            take(broker, pair, pair->name + 6, plain);
    }
    return broker->property_count - before;
}

static const char *text(const struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);

    return property ? property->value->text : "";
}

static const char *variable(const struct broker *broker, const char *name)
{
    const struct compose_pair *pair = compose_variable(broker->service, name);

    return pair && !pair->absent ? pair->value.text : "";
}

/* sed 's|://[^:]*:|://0.0.0.0:|g' on the advertised list. */
static char *any_address(const char *from)
{
    struct buf to = {0};

    while (*from) {
        const char *host = strncmp(from, "://", 3) ? NULL : from + 3;
        const char *colon = host ? strchr(host, ':') : NULL;

        if (colon) {
            buf_text(&to, "://0.0.0.0:");
            from = colon + 1;
        } else {
            buf_char(&to, *from++);
        }
    }
    return to.data ? to.data : mem_text("");
}

/* apache/kafka and Confluent's images: who gives no listeners gets the advertised ones, bound
 * everywhere. */
static void derive_listeners(struct broker *broker)
{
    const struct property *advertised = broker_property(broker, "advertised.listeners");
    struct property *listeners;
    char *derived;

    if (*text(broker, "listeners") || !advertised || !advertised->pair ||
        !*advertised->value->text || !strcmp(text(broker, "process.roles"), "controller"))
        return;
    derived = any_address(advertised->value->text);
    listeners = property_derive(broker, "listeners", derived);
    /* Where to point when the derived list is at fault. */
    listeners->own->place = broker_property(broker, "advertised.listeners")->value->place;
    listeners->own->place.style = PLACE_NONE;
    free(derived);
}

/* config/kraft/server.properties of Kafka 3, config/server.properties of Kafka 4, which differ in
 * nothing that matters here. */
void kraft_defaults(struct broker *broker)
{
    property_default(broker, "process.roles", "broker,controller");
    property_default(broker, "node.id", "1");
    property_default(broker, "controller.quorum.voters", "1@localhost:9093");
    property_default(broker, "listeners", "PLAINTEXT://:9092,CONTROLLER://:9093");
    property_default(broker, "inter.broker.listener.name", "PLAINTEXT");
    property_default(broker, "advertised.listeners", "PLAINTEXT://localhost:9092");
    property_default(broker, "controller.listener.names", "CONTROLLER");
    property_default(broker, "listener.security.protocol.map",
                     "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,"
                     "SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL");
}

static void apache(struct broker *broker)
{
    take_all(broker, false);
    if (!broker->property_count && !broker->unknown)
        kraft_defaults(broker);
    derive_listeners(broker);
}

static void confluent(struct broker *broker)
{
    take_all(broker, false);
    if (image_is(broker->service->image.text, "confluent-local")) {
        property_default(broker, "process.roles", "broker,controller");
        property_default(broker, "node.id", "1");
        property_default(broker, "controller.quorum.voters", "1@localhost:29093");
        property_default(broker, "listeners",
                         "PLAINTEXT://localhost:29092,CONTROLLER://localhost:29093,"
                         "PLAINTEXT_HOST://0.0.0.0:9092");
        property_default(broker, "inter.broker.listener.name", "PLAINTEXT");
        property_default(broker, "advertised.listeners",
                         "PLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:9092");
        property_default(broker, "controller.listener.names", "CONTROLLER");
        property_default(broker, "listener.security.protocol.map",
                         "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT");
    }
    derive_listeners(broker);
}

static void tally(struct broker *broker)
{
    take_all(broker, false);
}

/* The plain variables that override their KAFKA_CFG_ twins
 * (kafka_create_alias_environment_variables), as far as listeners are concerned. */
static bool bitnami_alias(const struct broker *broker, const char *rest)
{
    static const char *const always[] = {"ADVERTISED_LISTENERS",
                                         "BROKER_ID",
                                         "INTER_BROKER_LISTENER_NAME",
                                         "LISTENERS",
                                         "LISTENER_SECURITY_PROTOCOL_MAP",
                                         "ZOOKEEPER_CONNECT",
                                         NULL};
    /* Since they were rewritten for 3.5. */
    static const char *const later[] = {"NODE_ID", "CONTROLLER_QUORUM_VOTERS", "PROCESS_ROLES",
                                        NULL};

    for (size_t i = 0; always[i]; i++)
        if (!strcmp(rest, always[i]))
            return true;
    for (size_t i = 0; later[i]; i++)
        if (!strcmp(rest, later[i]))
            return !broker_before(broker, 3, 2);
    return false;
}

static bool says(const char *value, const char *what)
{
    return !strcasecmp(value, what);
}

/* Up to 3.4 with KRaft on, KAFKA_CFG_ variables came on top of Kafka's own
 * config/kraft/server.properties. */
static void bitnami_defaults(struct broker *broker)
{
    const char *enabled = variable(broker, "KAFKA_ENABLE_KRAFT");
    bool off = says(enabled, "no") || says(enabled, "false") || says(enabled, "0");

    if (!broker_before(broker, 3, 5) || broker_before(broker, 2, 8) || image_rewritten(broker))
        return;
    if (off || (!*enabled && (broker_before(broker, 3, 3) || (*text(broker, "zookeeper.connect") &&
                                                              !*text(broker, "process.roles")))))
        return;
    property_default(broker, "controller.listener.names", "CONTROLLER");
    property_default(broker, "advertised.listeners", "PLAINTEXT://:9092");
    kraft_defaults(broker);
}

static void bitnami(struct broker *broker)
{
    const struct compose_service *service = broker->service;
    /* An empty variable becomes a line of the file, too; the older scripts had defaults for most.
     */
    bool empty = broker_since(broker, 3, 6);

    for (size_t i = 0; i < service->environment_count; i++)
        if (!strncmp(service->environment[i].name, "KAFKA_CFG_", 10))
            if (empty || *service->environment[i].value.text || service->environment[i].absent)
                take(broker, &service->environment[i], service->environment[i].name + 10, true);
    for (size_t i = 0; i < service->environment_count; i++)
        if (!strncmp(service->environment[i].name, "KAFKA_", 6) &&
            bitnami_alias(broker, service->environment[i].name + 6) &&
            (empty || *service->environment[i].value.text))
            take(broker, &service->environment[i], service->environment[i].name + 6, true);
    if (*variable(broker, "KAFKA_NODE_ID_COMMAND") ||
        *variable(broker, "KAFKA_CONTROLLER_QUORUM_VOTERS_COMMAND"))
        broker->unknown = true;
    bitnami_defaults(broker);
}

static bool has_command_placeholder(const struct broker *broker)
{
    for (size_t i = 0; i < broker->property_count; i++)
        if (strstr(broker->properties[i].value->text, "_COMMAND}"))
            return true;
    return false;
}

static void wurstmeister(struct broker *broker)
{
    const char *host = variable(broker, "HOSTNAME_COMMAND");

    take_all(broker, true);
    /* "_{HOSTNAME_COMMAND}" becomes what a command in the container says. */
    if ((*host && !*text(broker, "listeners") && !*text(broker, "advertised.host.name")) ||
        has_command_placeholder(broker))
        broker->unknown = true;
    /* Up to April 2018 its script put listeners together from these. */
    if (broker_before(broker, 1, 1) && (*variable(broker, "KAFKA_ADVERTISED_PROTOCOL_NAME") ||
                                        *variable(broker, "KAFKA_PROTOCOL_NAME")))
        broker->unknown = true;
}

/* spotify/kafka, landoop/fast-data-dev and their kin have variables of their own. */
static void other(struct broker *broker)
{
    static const struct {
        const char *variable, *name;
    } own[] = {{"ADVERTISED_HOST", "advertised.host.name"},
               {"ADVERTISED_PORT", "advertised.port"},
               {"ADVERTISED_HOST_NAME", "advertised.host.name"},
               {"ADVERTISED_LISTENERS", "advertised.listeners"},
               {"ADV_HOST", "advertised.host.name"}};
    const char *base = broker->service->build_base;
    bool cfg = image_is(base, "bitnami/kafka") || image_is(base, "bitnamilegacy/kafka");

    for (size_t i = 0; !cfg && i < broker->service->environment_count; i++)
        cfg = !strncmp(broker->service->environment[i].name, "KAFKA_CFG_", 10);
    if (cfg)
        bitnami(broker);
    else
        take_all(broker, false);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const struct compose_pair *pair = compose_variable(broker->service, own[i].variable);

        if (pair && !pair->absent && *pair->value.text && !broker_property(broker, own[i].name))
            property_set(broker, own[i].name, pair, &pair->value);
    }
    if (!cfg)
        derive_listeners(broker);
    /* These advertise the container's own name then. */
    if (!broker_property(broker, "advertised.listeners") &&
        !broker_property(broker, "advertised.host.name") &&
        strcmp(text(broker, "process.roles"), "controller") != 0 &&
        !image_is(broker->service->image.text, "spotify/kafka") &&
        !image_is(broker->service->image.text, "johnnypark/kafka-zookeeper") &&
        !image_is(broker->service->image.text, "fast-data-dev"))
        broker->unknown = true;
}

void image_properties(struct broker *broker)
{
    static void (*const styles[])(struct broker *) = {
        [IMAGE_APACHE] = apache,
        [IMAGE_CONFLUENT] = confluent,
        [IMAGE_BITNAMI] = bitnami,
        [IMAGE_WURSTMEISTER] = wurstmeister,
        [IMAGE_REDPANDA] = image_redpanda,
        [IMAGE_TALLY] = tally,
        [IMAGE_OTHER] = other,
    };

    styles[broker->image](broker);
}

/* rules_start_image.c: why an image refuses to start, before Kafka is asked.
 *
 * Sources as in image_env.c: the images' own scripts. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/fix.h"
#include "cluster/doctor/start.h"

static bool set(const struct broker *broker, const char *property)
{
    return *property_text(broker, property);
}

static bool has_variable(const struct broker *broker, const char *name)
{
    const struct compose_pair *pair = compose_variable(broker->service, name);

    /* Unset, or the shell's: somebody may set it. */
    return pair && (pair->absent || pair->value.unset || *pair->value.text);
}

/* ---- WRONG-STYLE */

/* The same setting in another image's style, if the file has that. */
static const struct compose_pair *other_style(const struct broker *broker, const char *property)
{
    struct buf name = {0};
    const struct compose_pair *pair;

    buf_text(&name, broker->image == IMAGE_BITNAMI ? "KAFKA_" : "KAFKA_CFG_");
    for (const char *at = property; *at; at++)
        buf_char(&name, *at == '.' ? '_' : (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at));
    pair = compose_variable(broker->service, name.data);
    buf_free(&name);
    return pair;
}

/* Whether the missing property is there under another image's name; then that is the finding. */
static bool wrong_style(struct diagnosis *diagnosis, const struct broker *broker,
                        const char *property)
{
    const struct property *given = broker_property(broker, property);
    const struct compose_pair *pair = other_style(broker, property);
    const char *right = variable_name(broker, property);
    struct finding *finding;

    if (!pair || (given && !given->derived && *given->value->text))
        return false;
    finding = finding_add(diagnosis, "WRONG-STYLE", broker->service, &pair->value.place,
                          "`%s` refuses to start: its image does not read %s; it "
                          "must be %s",
                          broker->service->name, pair->name, right);
    finding_fix(finding, "%s: %s", right, pair->value.text);
    edit_rename_variable(finding, pair, right);
    return true;
}

/* All of them at once, once one that is needed is missing. */
static bool any_wrong_style(struct diagnosis *diagnosis, const struct broker *broker)
{
    static const char *const properties[] = {"process.roles",
                                             "advertised.listeners",
                                             "listeners",
                                             "node.id",
                                             "controller.quorum.voters",
                                             "controller.listener.names",
                                             "listener.security.protocol.map",
                                             "inter.broker.listener.name",
                                             "zookeeper.connect"};
    bool any = false;

    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        any |= wrong_style(diagnosis, broker, properties[i]);
    return any;
}

/* ---- IMG-REQUIRED */

static struct finding *required(struct diagnosis *diagnosis, const struct broker *broker,
                                const char *name, const char *message)
{
    return finding_add(diagnosis, "IMG-REQUIRED", broker->service,
                       *broker->service->image.text && broker->service->image.place.source
                           ? &broker->service->image.place
                           : &broker->service->place,
                       "`%s` refuses to start: its image needs %s: \"%s\"", broker->service->name,
                       name, message);
}

static void require(struct diagnosis *diagnosis, const struct broker *broker, const char *name,
                    const char *message, const char *value)
{
    struct finding *finding = required(diagnosis, broker, name, message);

    finding_fix(finding, "add %s: %s", name, value);
    edit_add_variable(finding, broker->service, name, value);
}

static void require_advertised(struct diagnosis *diagnosis, const struct broker *broker,
                               const char *message)
{
    char *value = advertise_all(broker);

    require(diagnosis, broker, "KAFKA_ADVERTISED_LISTENERS", message, value);
    free(value);
}

/* The image at another version; Confluent's tags for one kind of machine keep their end. Docker Hub
 * has bitnami's images of old under bitnamilegacy only, since September 2025
 * (github.com/bitnami/containers/issues/83267). */
static char *image_at(const struct broker *broker, const char *version)
{
    const char *text = broker->service->image.text, *slash = strrchr(text, '/');
    const char *tag = strchr(slash ? slash : text, ':');
    size_t length = tag ? (size_t)(tag - text) : strlen(text);
    const char *machine = tag && strstr(tag, ".a") ? strstr(tag, ".a") : "";

    if (strcmp(machine, ".amd64") != 0 && strcmp(machine, ".arm64") != 0)
        machine = "";
    if (!strncmp(text, "bitnami/", 8) || !strncmp(text, "docker.io/bitnami/", 18))
        return mem_format("%sbitnamilegacy/%.*s:%s", *text == 'd' ? "docker.io/" : "",
                          (int)(length - (size_t)(slash + 1 - text)), slash + 1, version);
    return mem_format("%.*s:%s%s", (int)length, text, version, machine);
}

/* The last version of its line that takes ZooKeeper; NULL: it has none. */
static char *older_image(const struct broker *broker)
{
    if (broker->image == IMAGE_APACHE || broker->image == IMAGE_TALLY ||
        strchr(broker->service->image.text, '@'))
        return NULL;
    return image_at(broker, broker->image == IMAGE_CONFLUENT ? "7.9.0" : "3.9.0");
}

/* Where a variable gives the tag, the path and the tag are two places. */
static void set_image(struct finding *finding, const struct compose_text *image, const char *older)
{
    const char *tag = strrchr(older, ':'), *path = strstr(image->text, "bitnami/");
    struct place place;
    char *same;

    if (edit_value(finding, image, 0, strlen(image->text), older) ||
        edit_default(finding, image, older) || !path || !strstr(older, "bitnamilegacy/") ||
        !fix_place(image, (size_t)(path - image->text), strlen("bitnami"), &place))
        return;
    same = mem_format("%.*s%s", (int)(strrchr(image->text, '/') - image->text), image->text,
                      strrchr(older, '/'));
    if (tag && edit_default(finding, image, same))
        finding_edit(finding, place.source, place.start, place.end, mem_text("bitnamilegacy"));
    free(same);
}

/* Below. */
static void complete_kraft(struct finding *finding, const struct broker *broker);

/* One node alone is its own controller; how several share that is for their owner to say. */
static void to_kraft(const struct diagnosis *diagnosis, struct finding *finding,
                     const struct broker *broker)
{
    const struct property *zookeeper = broker_property(broker, "zookeeper.connect");

    if (diagnosis->brokers.count == 1 && zookeeper && zookeeper->pair &&
        edit_remove_variable(finding, zookeeper->pair))
        complete_kraft(finding, broker);
}

static void zookeeper_gone(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct compose_text *image = &broker->service->image;
    bool apache = broker->image == IMAGE_APACHE || broker->image == IMAGE_TALLY;
    const char *message =
        broker->image == IMAGE_CONFLUENT ? "environment variable \"KAFKA_PROCESS_ROLES\" is not set"
        : broker->image == IMAGE_BITNAMI
            ? "Kafka requires at least one process role to be set."
            : "Missing required configuration \"process.roles\" which has no default value.";
    char *older = older_image(broker);
    struct finding *finding = finding_add(
        diagnosis, "ZK-LATEST", broker->service, &image->place,
        "`%s` refuses to start: %s %s: \"%s\"", broker->service->name, image->text,
        apache ? "starts with KRaft only" : "is Kafka 4 or later, which has no ZooKeeper any more",
        message);

    finding_fix(finding, "%s%sKRaft in ZooKeeper's place: KAFKA_%sPROCESS_ROLES: broker,controller",
                older ? older : "", older ? ", or " : "",
                broker->image == IMAGE_BITNAMI ? "CFG_" : "");
    if (older)
        set_image(finding, image, older);
    else if (apache)
        to_kraft(diagnosis, finding, broker);
    free(older);
}

static const char *dub(const struct broker *broker, const char *name)
{
    static char message[128];

    /* dub and cub are Python's up to 7, ub is Go's since 8: their words differ. */
    snprintf(message, sizeof message,
             broker_since(broker, 4, 0) ? "environment variable \"%s\" is not set"
                                        : "%s is required.",
             name);
    return message;
}

/* Whether anything is said of a login for SASL: in a property, or in options of Java's. */
static bool says_jaas(const struct broker *broker)
{
    for (size_t i = 0; i < broker->property_count; i++)
        if (strstr(broker->properties[i].name, "sasl.jaas.config"))
            return true;
    for (size_t i = 0; i < broker->service->environment_count; i++)
        if (strstr(broker->service->environment[i].name, "OPT") ||
            strstr(broker->service->environment[i].name, "JAAS"))
            return true;
    return false;
}

/* JaasContext.loadServerContext: by the protocols in the map, whatever the names. */
static void require_jaas(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct endpoint *listener = NULL;
    struct finding *finding;
    char *message;

    for (size_t i = 0; i < broker->listeners.count && !listener; i++)
        if (!strncmp(broker_protocol(broker, broker->listeners.list[i].name), "SASL_", 5))
            listener = &broker->listeners.list[i];
    if (!listener || !certain(broker->listeners.property) || says_jaas(broker))
        return;
    message = mem_format("Could not find a 'KafkaServer' or '%s.KafkaServer' entry in the JAAS "
                         "configuration.",
                         listener->name);
    for (char *at = strstr(message, listener->name); at && *at != '.'; at++)
        *at = (char)tolower((unsigned char)*at);
    finding = required(diagnosis, broker, "KAFKA_OPTS", message);
    free(message);
    finding_fix(finding,
                "add KAFKA_OPTS: -Djava.security.auth.login.config=/path/to/jaas.conf; or "
                "give %s the protocol PLAINTEXT in the map",
                listener->name);
}

/* TLS and SASL: the scripts go by the advertised names, whatever the map says. */
static void require_security(struct diagnosis *diagnosis, const struct broker *broker,
                             const char *format)
{
    const struct property *advertised = broker_property(broker, "advertised.listeners");
    const char *name = NULL, *text = advertised ? advertised->value->text : "";
    char message[128];
    struct finding *finding;

    if (!certain(advertised))
        return;
    if (strstr(text, "SSL://") && !has_variable(broker, "KAFKA_SSL_KEYSTORE_FILENAME"))
        name = "KAFKA_SSL_KEYSTORE_FILENAME";
    else if (strstr(text, "SASL_") && !has_variable(broker, "KAFKA_OPTS"))
        name = "KAFKA_OPTS";
    if (!name) {
        require_jaas(diagnosis, broker);
        return;
    }
    snprintf(message, sizeof message, format, name);
    finding = required(diagnosis, broker, name, message);
    finding_fix(finding, "%s",
                !strcmp(name, "KAFKA_OPTS")
                    ? "add KAFKA_OPTS: -Djava.security.auth.login.config=/path/to/jaas.conf"
                    : "add KAFKA_SSL_KEYSTORE_FILENAME, a file in /etc/kafka/secrets, and its "
                      "credentials; or give the listener a name that does not end in SSL");
}

/* Neither ZooKeeper nor KRaft. */
static void without_mode(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool kraft = broker_since(broker, 4, 0);
    const char *name = kraft ? "KAFKA_PROCESS_ROLES" : "KAFKA_ZOOKEEPER_CONNECT";
    struct finding *finding = required(diagnosis, broker, name, dub(broker, name));

    if (!kraft) {
        finding_fix(finding, "add KAFKA_ZOOKEEPER_CONNECT, and a ZooKeeper");
        return;
    }
    finding_fix(finding, "add KAFKA_PROCESS_ROLES: broker,controller, with KAFKA_NODE_ID, "
                         "KAFKA_CONTROLLER_QUORUM_VOTERS, KAFKA_CONTROLLER_LISTENER_NAMES "
                         "and CLUSTER_ID");
    if (diagnosis->brokers.count == 1)
        complete_kraft(finding, broker);
}

static void without_kraft(struct diagnosis *diagnosis, const struct broker *broker)
{
    struct finding *finding = required(diagnosis, broker, "KAFKA_ZOOKEEPER_CONNECT",
                                       dub(broker, "KAFKA_ZOOKEEPER_CONNECT"));
    char *image = image_at(broker, "7.4.0");

    finding_fix(finding, "take %s or later: this one knows no KRaft", image);
    if (!strchr(image, '@'))
        set_image(finding, &broker->service->image, image);
    free(image);
}

static void confluent(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool advertised =
        set(broker, "advertised.listeners") || has_variable(broker, "KAFKA_ADVERTISED_LISTENERS");
    bool controller = !strcmp(property_text(broker, "process.roles"), "controller");

    if (broker->zookeeper && broker_since(broker, 4, 0)) {
        zookeeper_gone(diagnosis, broker);
        return;
    }
    if (image_is(broker->service->image.text, "confluent-local"))
        return;
    if (!broker->kraft && !broker->zookeeper && !has_variable(broker, "KAFKA_PROCESS_ROLES") &&
        !has_variable(broker, "KAFKA_ZOOKEEPER_CONNECT")) {
        if (!any_wrong_style(diagnosis, broker))
            without_mode(diagnosis, broker);
        return;
    }
    if (broker->kraft && broker_before(broker, 3, 4) && !broker->zookeeper) {
        without_kraft(diagnosis, broker);
        return;
    }
    if (!advertised && !controller && !wrong_style(diagnosis, broker, "advertised.listeners"))
        require_advertised(diagnosis, broker, dub(broker, "KAFKA_ADVERTISED_LISTENERS"));
    if (broker->kraft && !broker_before(broker, 3, 4) && !has_variable(broker, "CLUSTER_ID"))
        require(diagnosis, broker, "CLUSTER_ID", dub(broker, "CLUSTER_ID"),
                "MkU3OEVBNTcwNTJENDM2Qk");
    require_security(diagnosis, broker, "%s is required.");
}

/* One node that is broker and controller, as apache/kafka:4 is by default, where one variable drops
 * all of it. */
static void complete_kraft(struct finding *finding, const struct broker *broker)
{
    const struct compose_service *service = broker->service;
    const int port = free_port(broker, 9093);
    const char *given_id = property_text(broker, "node.id");
    const char *id = *given_id                             ? given_id
                     : *property_text(broker, "broker.id") ? property_text(broker, "broker.id")
                                                           : "1";
    char *voters = mem_format("%s@%s:%d", id, service->name, port);
    static const char *const names[] = {"node.id", "process.roles", "controller.quorum.voters",
                                        "controller.listener.names", "listeners"};
    const char *values[] = {id, "broker,controller", voters, "CONTROLLER", NULL};
    struct buf listeners = {0};

    for (size_t i = 0; i < broker->listeners.count; i++)
        buf_format(&listeners, "%s://:%d,", broker->listeners.list[i].name,
                   broker->listeners.list[i].port);
    buf_format(&listeners, "CONTROLLER://:%d", port);
    values[4] = listeners.data;
    for (size_t i = 0; i < 5; i++) {
        const struct property *given = broker_property(broker, names[i]);

        if (!given || given->derived)
            edit_add_variable(finding, service, variable_name(broker, names[i]), values[i]);
    }
    if (!endpoint_find(&broker->listeners, "CONTROLLER") && !broker->listeners.property->derived)
        edit_append(finding, broker, "listeners", strstr(values[4], "CONTROLLER:"), "");
    if (broker->map_given && !*broker_protocol(broker, "CONTROLLER"))
        edit_append(finding, broker, "listener.security.protocol.map", "CONTROLLER:PLAINTEXT", "");
    buf_free(&listeners);
    free(voters);
}

/* They are what a configuration begins with, unless ZooKeeper's is given. */
static void require_roles(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool roles = broker->kraft || has_variable(broker, "KAFKA_PROCESS_ROLES");
    struct finding *finding;

    if (roles || has_variable(broker, "KAFKA_ZOOKEEPER_CONNECT") ||
        any_wrong_style(diagnosis, broker))
        return;
    finding = required(
        diagnosis, broker, "KAFKA_PROCESS_ROLES",
        broker_before(broker, 4, 0)
            ? "Missing required configuration `zookeeper.connect` which has no default value."
        : broker_property(broker, "process.roles")
            ? "The kafka configuration file appears to be for a legacy cluster. Formatting is only "
              "supported for clusters in KRaft mode."
            : "Missing required configuration \"process.roles\" which has no default value.");
    finding_fix(finding,
                "add KAFKA_NODE_ID: 1, KAFKA_PROCESS_ROLES: broker,controller, "
                "KAFKA_CONTROLLER_QUORUM_VOTERS: 1@%s:9093, "
                "KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER and KAFKA_LISTENERS with "
                "CONTROLLER://:9093: any KAFKA_ variable drops all of the image's "
                "own configuration",
                broker->service->name);
    if (!strpbrk(property_text(broker, "listeners"), "$"))
        complete_kraft(finding, broker);
}

static void apache(struct diagnosis *diagnosis, const struct broker *broker)
{
    if (broker->zookeeper) {
        /* 3.7 is the first that there is, and its script formats KRaft's storage always. */
        zookeeper_gone(diagnosis, broker);
        return;
    }
    require_roles(diagnosis, broker);
    require_security(diagnosis, broker, "%s environment variable not set");
}

/* Up to 3.1 all of bitnami's tags were built from the scripts that wanted to be told. */
static void allow_plaintext(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct compose_pair *pair = compose_variable(broker->service, "ALLOW_PLAINTEXT_LISTENER");
    const char *text = pair ? pair->value.text : "";
    const char *map = property_text(broker, "listener.security.protocol.map");

    if (!broker_before(broker, 3, 2) || (pair && (pair->absent || pair->value.unset)) ||
        !strcasecmp(text, "yes") || !strcasecmp(text, "true") || !strcmp(text, "1") ||
        strstr(property_text(broker, "listeners"), "SASL") || strstr(map, "SASL") ||
        strstr(property_text(broker, "listeners"), "SSL") || strstr(map, "SSL"))
        return;
    require(diagnosis, broker, "ALLOW_PLAINTEXT_LISTENER",
            "The KAFKA_CFG_LISTENERS environment variable does not configure a secure listener. "
            "Set the environment variable ALLOW_PLAINTEXT_LISTENER=yes to allow the container to "
            "be started with a plaintext listener.",
            "yes");
}

static void both_modes(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *zookeeper = broker_property(broker, "zookeeper.connect");
    struct finding *finding = finding_add(
        diagnosis, "IMG-REQUIRED", broker->service, &zookeeper->value->place,
        "`%s` refuses to start: \"Both KRaft mode and Zookeeper modes are configured, but "
        "KAFKA_CFG_ZOOKEEPER_METADATA_MIGRATION_ENABLE is not enabled\"",
        broker->service->name);

    finding_fix(finding, "leave %s out", variable_name(broker, "zookeeper.connect"));
    if (zookeeper->pair)
        edit_remove_variable(finding, zookeeper->pair);
}

/* kafka_validate, check_listener_protocols: who logs in to other nodes has to know how. */
static void sasl_mechanisms(struct diagnosis *diagnosis, const struct broker *broker)
{
    static const struct {
        const char *property, *variable, *message;
    } wants[] = {
        {"sasl.mechanism.inter.broker.protocol", "KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL",
         "When using SASL for inter broker comunication the mechanism should be provided "
         "using KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL"},
        {"sasl.mechanism.controller.protocol", "KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL",
         "When using SASL for controller comunication the mechanism should be provided at "
         "KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL"}};
    const char *name = property_text(broker, "inter.broker.listener.name");

    for (size_t i = 0; broker->map_given && i < broker->map_count; i++) {
        bool own = !strcmp(broker->map[i].name, *name ? name : "INTERNAL");

        if (strncmp(broker->map[i].protocol, "SASL_", 5) != 0 ||
            (!own && !broker_is_controllers(broker, broker->map[i].name)) ||
            has_variable(broker, wants[!own].variable) || set(broker, wants[!own].property))
            continue;
        require(diagnosis, broker, wants[!own].variable, wants[!own].message, "PLAIN");
    }
}

static void bitnami(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool roles = broker->kraft || has_variable(broker, "KAFKA_CFG_PROCESS_ROLES");
    struct finding *finding;

    allow_plaintext(diagnosis, broker);
    if (broker->is_controller)
        wrong_style(diagnosis, broker, "controller.listener.names");
    if (!image_rewritten(broker))
        return;
    if (broker->zookeeper && broker_since(broker, 4, 0)) {
        zookeeper_gone(diagnosis, broker);
        return;
    }
    if (broker->kraft && *property_text(broker, "zookeeper.connect") &&
        !broker_since(broker, 4, 0) &&
        !*property_text(broker, "zookeeper.metadata.migration.enable")) {
        both_modes(diagnosis, broker);
        return;
    }
    sasl_mechanisms(diagnosis, broker);
    if (broker->kraft && !set(broker, "node.id") && set(broker, "broker.id"))
        require(diagnosis, broker, "KAFKA_CFG_NODE_ID",
                "KRaft mode requires an unique node.id, please set the environment variable "
                "KAFKA_CFG_NODE_ID",
                property_text(broker, "broker.id"));
    if (roles || broker->zookeeper || has_variable(broker, "KAFKA_CFG_ZOOKEEPER_CONNECT")) {
        return;
    }
    if (any_wrong_style(diagnosis, broker))
        return;
    finding = required(diagnosis, broker, "KAFKA_CFG_PROCESS_ROLES",
                       broker_since(broker, 4, 0)
                           ? "Kafka requires at least one process role to be set. Set the "
                             "environment variable KAFKA_CFG_PROCESS_ROLES to configure the "
                             "process roles for Kafka."
                           : "Kafka haven't been configured to work in either Raft or Zookeeper "
                             "mode. Please make sure at least one of the modes is configured.");
    finding_fix(finding,
                "add KAFKA_CFG_PROCESS_ROLES: broker,controller, with KAFKA_CFG_NODE_ID, "
                "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS, KAFKA_CFG_CONTROLLER_LISTENER_NAMES and "
                "KAFKA_CFG_LISTENERS");
    if (diagnosis->brokers.count == 1)
        complete_kraft(finding, broker);
}

static void wurstmeister(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool host = has_variable(broker, "KAFKA_ADVERTISED_HOST_NAME") ||
                has_variable(broker, "HOSTNAME_COMMAND");
    const struct property *advertised = broker_property(broker, "advertised.listeners");

    /* Before 1.0 the scripts took what they needed from links, and asked for less. */
    if (broker_before(broker, 1, 0))
        return;
    if (!has_variable(broker, "KAFKA_ZOOKEEPER_CONNECT") && !broker->service->links[0] &&
        !any_wrong_style(diagnosis, broker))
        finding_fix(required(diagnosis, broker, "KAFKA_ZOOKEEPER_CONNECT",
                             "ERROR: missing mandatory config: KAFKA_ZOOKEEPER_CONNECT"),
                    "add KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181, and a ZooKeeper");
    if (host || has_variable(broker, "KAFKA_LISTENERS"))
        return;
    if (advertised && advertised->pair) {
        struct buf listeners = {0};

        for (size_t i = 0; i < broker->advertised.count; i++)
            buf_format(&listeners, "%s%s://:%d", i ? "," : "", broker->advertised.list[i].name,
                       broker->advertised.list[i].port);
        require(diagnosis, broker, "KAFKA_LISTENERS",
                "ERROR: Missing environment variable KAFKA_LISTENERS. Must be specified when using "
                "KAFKA_ADVERTISED_LISTENERS",
                listeners.data ? listeners.data : "PLAINTEXT://:9092");
        buf_free(&listeners);
        return;
    }
    finding_fix(required(diagnosis, broker, "KAFKA_LISTENERS",
                         "ERROR: No listener or advertised hostname configuration provided in "
                         "environment."),
                "add KAFKA_LISTENERS: PLAINTEXT://:9092 and KAFKA_ADVERTISED_LISTENERS: "
                "PLAINTEXT://%s:9092",
                broker->service->name);
}

static void tally(struct diagnosis *diagnosis, const struct broker *broker)
{
    if (broker->zookeeper) { /* it formats KRaft's storage always */
        zookeeper_gone(diagnosis, broker);
        return;
    }
    require_roles(diagnosis, broker);
    if (!has_variable(broker, "KAFKA_ADVERTISED_LISTENERS") &&
        !wrong_style(diagnosis, broker, "advertised.listeners"))
        require_advertised(diagnosis, broker, "KAFKA_ADVERTISED_LISTENERS is not set");
    require_jaas(diagnosis, broker);
}

static void image_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    static void (*const images[])(struct diagnosis *, const struct broker *) = {
        [IMAGE_APACHE] = apache,   [IMAGE_CONFLUENT] = confluent,
        [IMAGE_BITNAMI] = bitnami, [IMAGE_WURSTMEISTER] = wurstmeister,
        [IMAGE_TALLY] = tally,
    };

    if (broker->scripted || broker->image == IMAGE_OTHER || broker->image == IMAGE_REDPANDA)
        return;
    images[broker->image](diagnosis, broker);
}

/* Redpanda reads none of Kafka's variables, and starts with what it has itself. */
static void redpanda(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct compose_pair *pair =
        compose_variable(broker->service, "KAFKA_ADVERTISED_LISTENERS");
    const struct property *given = broker_property(broker, "advertised.listeners");
    struct finding *finding;

    if (!pair || broker->unknown || (given && !given->derived))
        return;
    finding = finding_add(diagnosis, "WRONG-STYLE", broker->service, &pair->value.place,
                          "`%s` is Redpanda, which reads no KAFKA_ variables: it listens on 9092, "
                          "and advertises 127.0.0.1:9092",
                          broker->service->name);
    finding->severity = SEVERITY_WARNING;
    finding_fix(finding, "command: redpanda start --kafka-addr ... --advertise-kafka-addr %s",
                pair->value.text);
}

void check_image(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        if (diagnosis->brokers.list[i].image == IMAGE_REDPANDA)
            redpanda(diagnosis, &diagnosis->brokers.list[i]);
    each_broker(diagnosis, image_of);
}

/* ---- IMG-DEPRECATED-ENV */

static void deprecated_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    static const char *const names[] = {"KAFKA_ADVERTISED_PORT", "KAFKA_ADVERTISED_HOST",
                                        "KAFKA_HOST", "KAFKA_PORT"};
    static const char *const says[] = {"advertised.port", "advertised.host", "host", "port"};

    for (size_t i = 0; i < 4 && broker->image == IMAGE_CONFLUENT && !broker->scripted; i++) {
        const struct compose_pair *pair = compose_variable(broker->service, names[i]);
        struct finding *finding;

        if (!pair || pair->absent || pair->value.unset || !*pair->value.text)
            continue;
        finding = finding_add(diagnosis, "IMG-DEPRECATED-ENV", broker->service, &pair->value.place,
                              "`%s` refuses to start: \"%s is deprecated. Please use "
                              "KAFKA_ADVERTISED_LISTENERS instead.\"",
                              broker->service->name, says[i]);
        finding_fix(finding, "leave %s out", names[i]);
        edit_remove_variable(finding, pair);
    }
}

void check_deprecated(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, deprecated_of);
}

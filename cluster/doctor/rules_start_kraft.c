/* rules_start_kraft.c: why a broker refuses to start: roles, controllers, voters.
 *
 * Conditions and messages: kafka.server.KafkaConfig.validateValues (3.3, 3.9),
 * QuorumConfig.parseVoterConnections; each tried on Kafka 4.1.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"
#include "cluster/doctor/start.h"

#define CONTROLLERS "controller.listener.names"
#define VOTERS      "controller.quorum.voters"
#define ADVERTISED  "advertised.listeners"
#define ROLES       "process.roles"

/* Whether a node starts with what the file gives it. Behind a script of the user's what is
 * missing here may be given all the same, but these are. */
static bool starts_with(const struct broker *broker, const char *const *names)
{
    if (broker->image == IMAGE_OTHER)
        return false;
    for (; broker->scripted && *names; names++) {
        const struct property *property = broker_property(broker, *names);

        if (!property || property->derived || !*property->value->text)
            return false;
    }
    return true;
}

/* ---- ROLES */

/* What capitals, or letters at the end, stand for; NULL: a role is no word of Kafka's. */
static const char *meant_roles(char *const *roles)
{
    bool is_broker = false, is_controller = false;

    for (; *roles; roles++) {
        bool broker = !strncasecmp(*roles, "brok", 4);

        if (!broker && strncasecmp(*roles, "contr", 5) != 0)
            return NULL;
        is_broker |= broker;
        is_controller |= !broker;
    }
    return is_broker && is_controller ? "broker,controller" : is_broker ? "broker" : "controller";
}

/* What Kafka says of the roles; NULL: nothing. Free it. */
static char *refused_roles(const char *text, char *const *roles)
{
    const char *wrong = list_gap(text) ? "" : NULL; /* an item, too, of a list (ConfigDef.java) */

    for (size_t i = 0; roles[i] && !wrong; i++)
        if (strcmp(roles[i], "broker") != 0 && strcmp(roles[i], "controller") != 0)
            wrong = roles[i];
    if (wrong)
        return mem_format("Invalid value %s for configuration process.roles: String must be one "
                          "of: broker, controller",
                          wrong);
    for (size_t i = 0; roles[i]; i++)
        if (in_list(roles + i + 1, roles[i]))
            return mem_text("Duplicate role names found in `process.roles`");
    return NULL;
}

static void roles_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *property = broker_property(broker, ROLES);
    char **roles, *refused;

    if (!property || !certain(property))
        return;
    roles = list_read(property->value->text);
    refused = refused_roles(property->value->text, roles);
    if (refused) {
        struct finding *finding =
            finding_add(diagnosis, "ROLES", broker->service, &property->value->place,
                        "`%s` refuses to start: \"%s\"", broker->service->name, refused);
        const char *meant = roles[0] ? meant_roles(roles) : NULL;
        finding_fix(finding, "%s: %s", variable_name(broker, ROLES),
                    meant ? meant : "broker,controller");
        if (meant && property->pair && !property->pair->shared)
            edit_value(finding, property->value, 0, strlen(property->value->text), meant);
    }
    free(refused);
    list_free(roles);
}

void check_roles(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, roles_of);
}

/* ---- CTRL-ADV */

static void for_no_client(struct diagnosis *diagnosis, const struct broker *broker,
                          const char *message)
{
    const struct property *advertised = broker_property(broker, ADVERTISED);
    struct finding *finding =
        finding_add(diagnosis, "CTRL-ADV", broker->service, &advertised->value->place,
                    "`%s` refuses to start: \"%s\"", broker->service->name, message);

    finding_fix(finding, "leave %s out: clients never come here",
                variable_name(broker, ADVERTISED));
    if (advertised->pair)
        edit_remove_variable(finding, advertised->pair);
}

static bool only_controllers(const struct broker *broker)
{
    for (size_t i = 0; i < broker->advertised.count; i++)
        if (!in_list(broker->controllers, broker->advertised.list[i].name))
            return false;
    return broker->advertised.count > 0;
}

/* Up to 3.8. */
static void for_clients_too(struct diagnosis *diagnosis, const struct broker *broker)
{
    for (size_t i = 0; i < broker->advertised.count; i++) {
        const struct endpoint *endpoint = &broker->advertised.list[i];
        struct finding *finding;

        if (!in_list(broker->controllers, endpoint->name))
            continue;
        finding = finding_add(diagnosis, "CTRL-ADV", broker->service, &endpoint->value->place,
                              "`%s` refuses to start: it advertises its controllers' listener %s "
                              "to clients: \"The advertised.listeners config must not contain "
                              "KRaft controller listeners\"",
                              broker->service->name, endpoint->name);
        finding_fix(finding, "leave %s out of %s", endpoint->name,
                    variable_name(broker, ADVERTISED));
        if (broker->advertised.property->pair && !broker->advertised.property->pair->shared)
            edit_remove_item(finding, endpoint->value, endpoint->offset, endpoint->length);
        return;
    }
}

static void controller_advertised_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *advertised = broker_property(broker, ADVERTISED);
    bool script = (broker->image == IMAGE_APACHE ||
                   (broker->image == IMAGE_CONFLUENT && broker_since(broker, 3, 4))) &&
                  !broker->scripted;

    if (!broker->kraft || !advertised || !readable(broker))
        return;
    if (script && !strcmp(property_text(broker, ROLES), "controller")) {
        if (*advertised->value->text) /* an empty one the scripts take away */
            for_no_client(diagnosis, broker,
                          "KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller.");
        return;
    }
    if (!broker->is_broker) {
        if (broker->is_controller && broker_before(broker, 3, 9) && advertised->pair)
            for_no_client(diagnosis, broker,
                          "The advertised.listeners config must be empty when "
                          "process.roles=controller");
        return;
    }
    if (only_controllers(broker)) {
        struct finding *finding = finding_add(
            diagnosis, "CTRL-ADV", broker->service, &advertised->value->place,
            "`%s` refuses to start: it advertises its controllers' listener only: \"There must be "
            "at least one broker advertised listener. Perhaps all listeners appear in "
            "controller.listener.names?\"",
            broker->service->name);

        char *text = advertise_all(broker);

        finding_fix(finding, "advertise a listener that is for clients%s%s", *text ? ": " : "",
                    text);
        if (*text && advertised->pair && !advertised->pair->shared)
            edit_value(finding, advertised->value, 0, strlen(advertised->value->text), text);
        free(text);
        return;
    }
    if (broker_before(broker, 3, 9))
        for_clients_too(diagnosis, broker);
}

void check_controller_advertised(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, controller_advertised_of);
}

/* ---- CTRL-MISSING */

/* The port that the voters name for this node; else a free one. */
static int controller_port(const struct broker *broker)
{
    for (size_t i = 0; i < broker->voter_count; i++)
        if (broker->voters[i].id == broker->node_id)
            return broker->voters[i].port;
    return free_port(broker, 9093);
}

/* The listener that is the controllers' by all but the name: on the voters' port, for no client. */
static const struct endpoint *nameless(const struct broker *broker)
{
    /* Not the one that has yet to be called as it is advertised. */
    for (size_t i = 0; i < broker->advertised.count; i++)
        if (!endpoint_find(&broker->listeners, broker->advertised.list[i].name))
            return NULL;
    for (size_t i = 0; i < broker->listeners.count; i++)
        if (broker->listeners.list[i].port == controller_port(broker) &&
            !endpoint_find(&broker->advertised, broker->listeners.list[i].name))
            return &broker->listeners.list[i];
    return NULL;
}

/* "LISTENERS,NAME://:PORT" for a node whose list lacks the controllers' listener. */
static void add_controller(struct finding *finding, const struct broker *broker, const char *name)
{
    const int port = controller_port(broker);
    char *item = mem_format("%s://:%d", name, port), *list;
    char *entry = mem_format("%s:PLAINTEXT", name);
    struct buf all = {0};

    for (size_t i = 0; i < broker->listeners.count; i++)
        buf_format(&all, "%s://%s:%d,", broker->listeners.list[i].name,
                   broker->listeners.list[i].host, broker->listeners.list[i].port);
    list = mem_format("%s%s", all.data ? all.data : "", item);
    if (broker->listeners.property->derived)
        finding_fix(finding, "add %s: %s", variable_name(broker, "listeners"), list);
    else
        finding_fix(finding, "add %s to %s", item, variable_name(broker, "listeners"));
    /* Where another listener has that port the voters' would have to change, on all nodes. */
    if (port == free_port(broker, port) && edit_append(finding, broker, "listeners", item, list) &&
        broker->map_given && !*broker_protocol(broker, name))
        edit_append(finding, broker, "listener.security.protocol.map", entry, entry);
    free(item);
    free(list);
    free(entry);
    buf_free(&all);
}

static struct finding *say(struct diagnosis *diagnosis, const struct broker *broker,
                           const char *property, const char *what, const char *message)
{
    return finding_add(diagnosis, "CTRL-MISSING", broker->service, place_of(broker, property),
                       "`%s` refuses to start: %s: \"%s\"", broker->service->name, what, message);
}

static void name_or_add(struct finding *finding, const struct broker *broker, char **names,
                        size_t i)
{
    const struct property *property = broker_property(broker, CONTROLLERS);
    const struct endpoint *listener = endpoint_find(&broker->listeners, broker->controllers[i]);

    if (!listener && !names[1])
        listener = nameless(broker);
    if (!listener) {
        add_controller(finding, broker, names[i]);
        return;
    }
    finding_fix(finding, "%s: %s", variable_name(broker, CONTROLLERS), listener->name);
    if (!names[1] && property->pair && !property->pair->shared)
        edit_value(finding, property->value, 0, strlen(property->value->text), listener->name);
}

/* bitnami's script looks for the names, letter by letter, in the text of the listeners. */
static bool script_finds(const struct broker *broker)
{
    return broker->image != IMAGE_BITNAMI || !broker_since(broker, 3, 6) ||
           strstr(property_text(broker, "listeners"), property_text(broker, CONTROLLERS));
}

/* Which of its words Kafka, or bitnami's script, says first. Free it. */
static char *no_listener_words(const struct broker *broker, char *const *names)
{
    bool any = false;

    for (size_t i = 0; names[i]; i++)
        any |= endpoint_find(&broker->listeners, names[i]) != NULL;
    if (broker->image == IMAGE_BITNAMI && broker_since(broker, 3, 6))
        return mem_format("Role 'controller' enabled but listener %s not found in "
                          "KAFKA_CFG_LISTENERS.",
                          property_text(broker, CONTROLLERS));
    if (!broker->is_broker && !any)
        return mem_text("The listeners config must only contain KRaft controller listeners from "
                        "controller.listener.names when process.roles=controller");
    return mem_format(
        "controller.listener.names must %s appearing in the 'listeners' configuration "
        "when running the KRaft controller role",
        any ? "only contain values" : "contain at least one value");
}

static void has_no_listener(struct diagnosis *diagnosis, const struct broker *broker, char **names)
{
    for (size_t i = 0; names[i]; i++) {
        struct finding *finding;
        char *words;

        if (endpoint_find(&broker->listeners, names[i]) && script_finds(broker))
            continue;
        words = no_listener_words(broker, names);
        finding = say(diagnosis, broker, CONTROLLERS,
                      broker->listeners.property->derived
                          ? "the listeners, which are derived from the advertised ones, lack the "
                            "controllers'"
                          : "no listener has the name that the controllers are to have",
                      words);
        free(words);
        if (endpoint_find(&broker->listeners, names[i])) {
            finding_fix(finding, "write the name alike in %s and in the listeners",
                        variable_name(broker, CONTROLLERS));
            return;
        }
        name_or_add(finding, broker, names, i);
        return;
    }
}

static void no_names(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct endpoint *found = endpoint_find(&broker->listeners, "CONTROLLER");
    struct finding *finding =
        say(diagnosis, broker, CONTROLLERS, "no listener is named as the controllers'",
            "controller.listener.names must contain at least one value");

    for (size_t i = 0; !found && i < broker->listeners.count; i++)
        if (!endpoint_find(&broker->advertised, broker->listeners.list[i].name))
            found = &broker->listeners.list[i];
    finding_fix(finding, "%s: %s", variable_name(broker, CONTROLLERS),
                found ? found->name : "CONTROLLER");
    if (!broker_property(broker, CONTROLLERS))
        edit_add_variable(finding, broker->service, variable_name(broker, CONTROLLERS),
                          found ? found->name : "CONTROLLER");
}

/* A node without the controllers' part has none of their listeners. */
static void broker_only(struct diagnosis *diagnosis, const struct broker *broker, char **names)
{
    for (size_t i = 0; names[i]; i++) {
        const struct endpoint *endpoint = endpoint_find(&broker->listeners, names[i]);
        struct finding *finding;

        if (!endpoint)
            continue;
        finding = say(diagnosis, broker, "listeners",
                      "it is no controller and has a controllers' listener",
                      "controller.listener.names must not contain a value appearing in the "
                      "'listeners' configuration when running KRaft with just the broker role");
        finding_fix(finding, "leave %s out of %s", names[i], variable_name(broker, "listeners"));
        if (broker->listeners.property->pair && !broker->listeners.property->pair->shared)
            edit_remove_item(finding, endpoint->value, endpoint->offset, endpoint->length);
        return;
    }
}

static void controller_only(struct diagnosis *diagnosis, const struct broker *broker)
{
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *endpoint = &broker->listeners.list[i];
        struct finding *finding;

        if (in_list(broker->controllers, endpoint->name))
            continue;
        finding = say(diagnosis, broker, "listeners",
                      "it is a controller only and has a listener for clients",
                      "The listeners config must only contain KRaft controller listeners from "
                      "controller.listener.names when process.roles=controller");
        finding_fix(finding, "leave %s out of %s, or make it a broker, too", endpoint->name,
                    variable_name(broker, "listeners"));
        if (broker->listeners.property->pair && !broker->listeners.property->pair->shared)
            edit_remove_item(finding, endpoint->value, endpoint->offset, endpoint->length);
        return;
    }
}

/* ZooKeeper's brokers took it up to 3.0; a migration needs it (KIP-866). */
static void without_kraft(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *names = broker_property(broker, CONTROLLERS);
    struct finding *finding;

    if (!broker->zookeeper || !broker->controllers[0] || !names->pair ||
        broker_since(broker, 4, 0) || broker_before(broker, 3, 1) || broker->major < 0 ||
        *property_text(broker, "zookeeper.metadata.migration.enable"))
        return;
    finding = say(diagnosis, broker, CONTROLLERS, "it is on ZooKeeper",
                  "controller.listener.names must be empty when not running in KRaft mode");
    finding_fix(finding, "leave %s out", names->pair->name);
    edit_remove_variable(finding, names->pair);
}

static void no_clients(struct diagnosis *diagnosis, const struct broker *broker)
{
    struct finding *finding = say(diagnosis, broker, "listeners", "it has no listener for clients",
                                  "There must be at least one broker advertised listener. Perhaps "
                                  "all listeners appear in controller.listener.names?");
    char *item = mem_format("PLAINTEXT://:%d", free_port(broker, 9092));

    finding_fix(finding, "add %s to %s", item, variable_name(broker, "listeners"));
    edit_append(finding, broker, "listeners", item, item);
    free(item);
}

static void controller_listener_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    static const char *const needed[] = {ROLES, CONTROLLERS, "listeners", ADVERTISED, NULL};
    char **names; /* as they are written: Kafka compares them with names in capitals */

    if (!readable(broker) || !starts_with(broker, needed) ||
        !certain(broker_property(broker, CONTROLLERS)) || !certain(broker_property(broker, ROLES)))
        return;
    if (!broker->kraft) {
        without_kraft(diagnosis, broker);
        return;
    }
    names = list_read(property_text(broker, CONTROLLERS));
    /* bitnami knows the plain name of that one nowhere: WRONG-STYLE says so. */
    if (!names[0] && broker->image == IMAGE_BITNAMI &&
        compose_variable(broker->service, "KAFKA_CONTROLLER_LISTENER_NAMES"))
        ;
    else if (!names[0])
        no_names(diagnosis, broker);
    else if (!broker->is_controller)
        broker_only(diagnosis, broker, names);
    else if (!broker->is_broker && broker->listeners.count > 1)
        controller_only(diagnosis, broker);
    if (names[0] && broker->is_controller)
        has_no_listener(diagnosis, broker, names);
    if (broker->is_broker && !broker->advertised.count && !broker_property(broker, ADVERTISED))
        no_clients(diagnosis, broker);
    list_free(names);
}

void check_controller_listener(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, controller_listener_of);
}

/* ---- VOTERS */

static struct finding *say_voters(struct diagnosis *diagnosis, const struct broker *broker,
                                  const char *property, const char *what)
{
    return finding_add(diagnosis, "VOTERS", broker->service, place_of(broker, property), "`%s` %s",
                       broker->service->name, what);
}

/* Where a voter's id or port stands in the text: offset and length. */
static bool voter_part(const char *text, long id, bool port, size_t *offset, size_t *length)
{
    char *wanted = mem_format("%ld@", id);
    const char *at = strstr(text, wanted), *from = at;

    while (at && at != text && !strchr(", ", at[-1]))
        at = from = strstr(at + 1, wanted);
    if (at && port) {
        from = at + strcspn(at, ",");
        while (from > at && from[-1] != ':')
            from--;
    }
    if (from) {
        *offset = (size_t)(from - text);
        *length = strspn(from, "0123456789");
    }
    free(wanted);
    return from != NULL;
}

static bool edit_voter(struct finding *finding, const struct broker *broker, long id, bool port,
                       long value)
{
    const struct property *property = broker_property(broker, VOTERS);
    size_t offset, length;
    char text[32];

    snprintf(text, sizeof text, "%ld", value);
    return property->pair && !property->pair->shared &&
           voter_part(property->value->text, id, port, &offset, &length) &&
           edit_value(finding, property->value, offset, length, text);
}

static bool edit_voter_host(struct finding *finding, const struct broker *broker,
                            const struct voter *voter)
{
    const struct property *property = broker_property(broker, VOTERS);
    size_t offset, length;

    if (!property->pair || property->pair->shared ||
        !voter_part(property->value->text, voter->id, false, &offset, &length))
        return false;
    return edit_value(finding, property->value, offset + length + 1, strlen(voter->host),
                      broker->service->name);
}

static const struct voter *own_voter(const struct broker *broker)
{
    for (size_t i = 0; i < broker->voter_count; i++)
        if (broker->voters[i].id == broker->node_id)
            return &broker->voters[i];
    return NULL;
}

/* The id is among the voters of a controller, and of no other node. */
static void check_id(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool listed = own_voter(broker) != NULL;
    struct finding *finding;
    char *what;

    if (listed == broker->is_controller)
        return;
    what = mem_format(
        "refuses to start: its id %ld is %s the voters, and it is %s: \"If "
        "process.roles contains %s role, the node id %ld must %sbe included in the "
        "set of voters\"",
        broker->node_id, listed ? "among" : "not among", listed ? "no controller" : "a controller",
        listed ? "just the 'broker'" : "the 'controller'", broker->node_id, listed ? "not " : "");
    finding = say_voters(diagnosis, broker, VOTERS, what);
    free(what);
    if (listed) {
        finding_fix(finding, "give this node an id of its own, or make it a controller, too");
        return;
    }
    finding_fix(finding, "put %ld@%s:PORT among them, or give this node the id that is there",
                broker->node_id, broker->service->name);
    if (broker->voter_count == 1 && diagnosis->brokers.count == 1 &&
        edit_voter(finding, broker, broker->voters[0].id, false, broker->node_id))
        finding_fix(finding, "%ld@%s:%d", broker->node_id, broker->voters[0].host,
                    broker->voters[0].port);
}

/* What it tells the others about itself is where it listens. */
static void check_own_port(struct diagnosis *diagnosis, const struct broker *broker,
                           const struct voter *voter)
{
    const struct endpoint *listener =
        broker->controllers[0] ? endpoint_find(&broker->listeners, broker->controllers[0]) : NULL;
    struct finding *finding;
    char *what;

    if (!listener || listener->port == voter->port)
        return;
    what = mem_format("finds no controller and ends: the voters name port %d for it, and its "
                      "listener %s is on %d",
                      voter->port, listener->name, listener->port);
    finding = say_voters(diagnosis, broker, VOTERS, what);
    free(what);
    finding_fix(finding, "%ld@%s:%d", voter->id, voter->host, listener->port);
    edit_voter(finding, broker, voter->id, true, listener->port);
}

/* Whether a container of these files answers to the name. */
static bool known_name(const struct compose *compose, const char *host)
{
    for (size_t i = 0; i < compose->service_count; i++) {
        const struct compose_service *service = &compose->services[i];

        if (!strcmp(host, service->name) || !strcmp(host, service->container_name.text) ||
            !strcmp(host, service->hostname.text))
            return true;
        for (size_t k = 0; k < service->use_count; k++)
            if (in_list(service->uses[k].aliases, host))
                return true;
        for (size_t k = 0; k < service->host_count; k++)
            if (!strcmp(host, service->hosts[k].name))
                return true;
    }
    return !strcmp(host, "localhost") || strpbrk(host, ".:$/") || !*host;
}

/* A container may be called from outside what it is not called here: where it is in a network
 * that other files share, or in the host's. */
static bool closed(const struct diagnosis *diagnosis, const struct compose_service *service)
{
    for (size_t i = 0; i < diagnosis->compose->network_count; i++)
        if (diagnosis->compose->networks[i].external)
            return false;
    return !*service->network_mode.text;
}

/* A name that Docker gives to another service, to which the voter's id does not belong, or to
 * none. */
static void check_own_host(struct diagnosis *diagnosis, const struct broker *broker,
                           const struct voter *voter)
{
    const struct compose_service *other = compose_service(diagnosis->compose, voter->host);
    struct finding *finding;
    char *what;

    if (!strcmp(voter->host, "0.0.0.0") && broker_since(broker, 3, 8)) {
        finding = say_voters(diagnosis, broker, VOTERS,
                             "refuses to start: \"Host string (0.0.0.0) is not routeable\"");
        finding_fix(finding, "%ld@%s:%d", voter->id, broker->service->name, voter->port);
        edit_voter_host(finding, broker, voter);
        return;
    }
    if (!known_name(diagnosis->compose, voter->host) && closed(diagnosis, broker->service)) {
        what = mem_format("ends with \"java.net.UnknownHostException: %s\": the voters call it by "
                          "a name that nothing has",
                          voter->host);
        finding = say_voters(diagnosis, broker, VOTERS, what);
        free(what);
        finding_fix(finding, "%ld@%s:%d", voter->id, broker->service->name, voter->port);
        edit_voter_host(finding, broker, voter);
        return;
    }
    if (!other || other == broker->service ||
        !strcmp(voter->host, broker->service->hostname.text) ||
        !strcmp(voter->host, broker->service->container_name.text))
        return;
    for (size_t i = 0; i < broker->service->use_count; i++)
        if (in_list(broker->service->uses[i].aliases, voter->host))
            return;
    what = mem_format("finds no controller: the voters name `%s` for its id %ld, and that is "
                      "another service",
                      voter->host, voter->id);
    finding = say_voters(diagnosis, broker, VOTERS, what);
    free(what);
    finding_fix(finding, "%ld@%s:%d", voter->id, broker->service->name, voter->port);
}

/* QuorumConfig.parseVoterConnections, Utils.getHost. NULL: it is "1@broker:9093". Free it. */
static char *refused_voter(const struct broker *broker, const char *item)
{
    const char *form = "Each entry should be in the form `{id}@{host}:{port}`.";
    const char *at = strchr(item, '@'), *colon = at ? strrchr(at, ':') : NULL;
    int64_t id, port;

    if (!at || !at[1] || strchr(at + 1, '@'))
        return mem_format("Invalid configuration value for controller.quorum.voters. %s", form);
    if (!number_int64(item, (size_t)(at - item), &id) || id != (int64_t)(int)id)
        return mem_format("Failed to parse voter ID as an integer from %.*s", (int)(at - item),
                          item);
    if (!colon || !number_int64(colon + 1, strlen(colon + 1), &port) || port < 0 ||
        (strpbrk(at, " \t") && broker_since(broker, 4, 0)))
        return mem_format("Failed to parse host name from entry %s for the configuration "
                          "controller.quorum.voters. %s",
                          item, form);
    return port > 65535 ? mem_format("port out of range:%s", colon + 1) : NULL;
}

/* What Kafka says of the first voter that it cannot read; NULL: of none. Free it. */
static char *refused_voters(const struct broker *broker)
{
    const char *text = property_text(broker, VOTERS);
    char **items = list_read(text), *refused = NULL;

    for (size_t i = 0; items[i] && !refused; i++)
        refused = refused_voter(broker, items[i]);
    if (!refused && list_gap(text)) /* an empty item */
        refused = refused_voter(broker, "");
    list_free(items);
    return refused;
}

static bool check_form(struct diagnosis *diagnosis, const struct broker *broker)
{
    char *refused = refused_voters(broker), *what, *voter;
    const struct property *property = broker_property(broker, VOTERS);
    const struct endpoint *listener =
        broker->controllers[0] ? endpoint_find(&broker->listeners, broker->controllers[0]) : NULL;
    struct finding *finding;

    if (!refused)
        return true;
    what = mem_format("refuses to start: \"%s\"", refused);
    finding = say_voters(diagnosis, broker, VOTERS, what);
    free(what);
    free(refused);
    voter = mem_format("%ld@%s:%d", broker->node_id < 0 ? 1 : broker->node_id,
                       broker->service->name, listener ? listener->port : controller_port(broker));
    finding_fix(finding, "%s: %s", variable_name(broker, VOTERS), voter);
    if (diagnosis->brokers.count == 1 && property->pair && !property->pair->shared)
        edit_value(finding, property->value, 0, strlen(property->value->text), voter);
    free(voter);
    return false;
}

/* What refuses to go on without voters; NULL: nothing. Controllers can be found in another way
 * since 3.9 (KIP-853), but not by what the images' scripts format the storage with. */
static const char *wants_voters(const struct broker *broker)
{
    bool found = *property_text(broker, "controller.quorum.bootstrap.servers");

    if (broker->image == IMAGE_BITNAMI && broker_since(broker, 3, 6) && !broker_since(broker, 4, 0))
        return "KRaft mode requires KAFKA_CFG_CONTROLLER_QUORUM_VOTERS to be set";
    if (broker->image == IMAGE_BITNAMI && broker_since(broker, 4, 0) && broker->is_controller)
        return "Role 'controller' enabled but environment variable "
               "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS was not provided.";
    if (broker_before(broker, 3, 9))
        return "If using process.roles, controller.quorum.voters must contain a parseable set of "
               "voters.";
    if (!found)
        return "If using process.roles, either controller.quorum.bootstrap.servers must contain "
               "the set of bootstrap controllers or controller.quorum.voters must contain a "
               "parseable set of controllers.";
    return broker->is_controller && broker_since(broker, 3, 9)
               ? "Because controller.quorum.voters is not set on this controller, you must specify "
                 "one of the following: --standalone, --initial-controllers, or "
                 "--no-initial-controllers."
               : NULL;
}

static void no_voters(struct diagnosis *diagnosis, const struct broker *broker)
{
    const char *message = wants_voters(broker);
    const struct endpoint *listener =
        broker->controllers[0] ? endpoint_find(&broker->listeners, broker->controllers[0]) : NULL;
    struct finding *finding;
    char *voter, *what;

    if (!message)
        return;
    what = mem_format("refuses to start: \"%s\"", message);
    finding = say_voters(diagnosis, broker, ROLES, what);
    free(what);
    voter = mem_format("%ld@%s:%d", broker->node_id < 0 ? 1 : broker->node_id,
                       broker->service->name, listener ? listener->port : 9093);

    finding_fix(finding, "add %s: %s", variable_name(broker, VOTERS), voter);
    if (!broker_property(broker, VOTERS) && broker->is_controller && diagnosis->brokers.count == 1)
        edit_add_variable(finding, broker->service, variable_name(broker, VOTERS), voter);
    free(voter);
}

static void no_id(struct diagnosis *diagnosis, const struct broker *broker)
{
    struct finding *finding =
        say_voters(diagnosis, broker, ROLES,
                   broker_before(broker, 4, 0)
                       ? "refuses to start: \"Missing configuration `node.id` which is required "
                         "when `process.roles` is defined (i.e. when running in KRaft mode).\""
                       : "refuses to start: \"Missing required configuration \"node.id\" which has "
                         "no default value.\"");
    char text[32];

    snprintf(text, sizeof text, "%ld", broker->voter_count ? broker->voters[0].id : 1);
    finding_fix(finding, "add %s: %s", variable_name(broker, "node.id"), text);
    if (diagnosis->brokers.count == 1)
        edit_add_variable(finding, broker->service, variable_name(broker, "node.id"), text);
}

static bool given(const struct broker *broker, const char *name)
{
    return broker_property(broker, name) != NULL;
}

/* An empty one is none to Kafka, either; wurstmeister's script takes it for none given. */
static bool is_number(struct diagnosis *diagnosis, const struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);
    struct finding *finding;
    char *what;
    int id;

    if (!property || !certain(property) || broker_number(broker, name, &id) ||
        (broker->image == IMAGE_WURSTMEISTER && !*property->value->text))
        return true;
    what = mem_format("refuses to start: its %s is `%s`: \"Not a number of type INT\"", name,
                      property->value->text);
    finding = say_voters(diagnosis, broker, name, what);
    free(what);
    if (*property->value->text) {
        finding_fix(finding, "give it a number");
        return false;
    }
    finding_fix(finding, "leave %s out, or give it a number", variable_name(broker, name));
    if (property->pair && given(broker, strcmp(name, "node.id") ? "node.id" : "broker.id"))
        edit_remove_variable(finding, property->pair);
    return false;
}

/* KafkaConfig.validateValues: without KRaft ids above reserved.broker.max.id are those that
 * ZooKeeper hands out, unless it is told to hand out none. */
static void reserved_id(struct diagnosis *diagnosis, const struct broker *broker)
{
    bool generated = strcasecmp(property_text(broker, "broker.id.generation.enable"), "false") != 0;
    struct finding *finding;
    int id, last = 1000;

    broker_number(broker, "reserved.broker.max.id", &last);
    if (given(broker, "node.id") || !broker_number(broker, "broker.id", &id) ||
        (generated ? id >= -1 && id <= last : id >= 0))
        return;
    finding = say_voters(diagnosis, broker, "broker.id",
                         generated ? "refuses to start: \"broker.id must be greater than or equal "
                                     "to -1 and not greater than reserved.broker.max.id\""
                                   : "refuses to start: \"broker.id must be greater than or equal "
                                     "to 0\"");
    finding_fix(finding, "give it an id from 0 to %d, or set %s", last,
                variable_name(broker, "reserved.broker.max.id"));
}

static void negative_id(struct diagnosis *diagnosis, const struct broker *broker, const char *name)
{
    char *what;

    if (broker_before(broker, 4, 0)) { /* it is the default there */
        no_id(diagnosis, broker);
        return;
    }
    what = mem_format("refuses to start: \"Invalid value %s for configuration %s: Value must be at "
                      "least 0\"",
                      property_text(broker, name), name);
    finding_fix(say_voters(diagnosis, broker, name, what), "give it an id of 0 or more");
    free(what);
}

static void ids_differ(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *old = broker_property(broker, "broker.id");
    struct finding *finding;
    int id, other;

    /* Without KRaft since 3.1: 3.0.2 takes both. */
    if (!broker_number(broker, "node.id", &id) || !broker_number(broker, "broker.id", &other) ||
        !certain(old) || id == other || (!broker->kraft && !broker_since(broker, 3, 1)))
        return;
    finding = say_voters(diagnosis, broker, "broker.id",
                         "refuses to start: \"You must set `node.id` to the same value as "
                         "`broker.id`.\"");
    finding_fix(finding, "leave %s out", old->pair ? old->pair->name : "broker.id");
    if (old->pair)
        edit_remove_variable(finding, old->pair);
}

/* False: Kafka comes no further than the ids, or they are not known. */
static bool check_node_id(struct diagnosis *diagnosis, const struct broker *broker)
{
    const char *name = given(broker, "node.id") ? "node.id" : "broker.id";

    if (!certain(broker_property(broker, "node.id")) || !is_number(diagnosis, broker, "node.id") ||
        !is_number(diagnosis, broker, "broker.id"))
        return false;
    ids_differ(diagnosis, broker);
    if (broker->zookeeper)
        reserved_id(diagnosis, broker);
    if (!broker->kraft || broker->node_id >= 0)
        return broker->kraft;
    if (given(broker, name) && certain(broker_property(broker, name)))
        negative_id(diagnosis, broker, name);
    else if (!given(broker, name))
        no_id(diagnosis, broker);
    return false;
}

static void voters_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct voter *voter = own_voter(broker);
    static const char *const needed[] = {ROLES, "node.id", VOTERS, NULL};

    if (!starts_with(broker, needed) || !check_node_id(diagnosis, broker) ||
        !certain(broker_property(broker, VOTERS)))
        return;
    if (!*property_text(broker, VOTERS)) {
        no_voters(diagnosis, broker);
        return;
    }
    if (!check_form(diagnosis, broker))
        return;
    check_id(diagnosis, broker);
    if (voter && broker->is_controller && readable(broker)) {
        check_own_port(diagnosis, broker, voter);
        check_own_host(diagnosis, broker, voter);
    }
}

void check_voters(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, voters_of);
}

/* rules_start_protocols.c: why a broker refuses to start: what its listeners speak, and
 * which of them the brokers use among themselves.
 *
 * Conditions and messages: kafka.server.KafkaConfig (2.0-3.9), EndPoint,
 * SecurityProtocol; each tried on Kafka 4.1.1. */
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/start.h"

#define LISTENERS    "listeners"
#define ADVERTISED   "advertised.listeners"
#define MAP          "listener.security.protocol.map"
#define INTER_BROKER "inter.broker.listener.name"

/* ---- MAP-MISSING */

static void add_missing(struct buf *names, struct buf *items, const struct broker *broker,
                        const char *name)
{
    char *marked;

    /* Kafka maps it once it is named as the controllers': CTRL-MISSING says that it is not. */
    if (broker->kraft && !broker->controllers[0] && !broker->map_given &&
        !strcmp(name, "CONTROLLER"))
        return;
    marked = mem_format(",%s:", name);
    if (!*broker_protocol(broker, name) && !(items->data && strstr(items->data, marked))) {
        buf_format(names, "%s%s", names->length ? ", " : "", name);
        buf_format(items, ",%s:%s", name,
                   strstr(name, "SASL_SSL") ? "SASL_SSL"
                   : strstr(name, "SASL")   ? "SASL_PLAINTEXT"
                   : strstr(name, "SSL")    ? "SSL"
                                            : "PLAINTEXT");
    }
    free(marked);
}

/* The whole map, for a file that has none. */
static char *new_map(const struct broker *broker, const char *items)
{
    struct buf map = {0};

    buf_text(&map, items + 1);
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const char *name = broker->listeners.list[i].name;

        if (*broker_protocol(broker, name))
            buf_format(&map, ",%s:%s", name, broker_protocol(broker, name));
    }
    return map.data;
}

static void say_map(struct diagnosis *diagnosis, const struct broker *broker, const char *names,
                    const char *items, bool controllers)
{
    bool given = broker->map_given && *property_text(broker, MAP);
    const struct place *place =
        given ? place_of(broker, MAP)
              : place_of(broker, broker->listeners.property->derived ? ADVERTISED : LISTENERS);
    struct finding *finding = finding_add(
        diagnosis, "MAP-MISSING", broker->service, place,
        controllers ? "`%s` refuses to start: \"Controller listener with name %.*s defined in "
                      "controller.listener.names not found in "
                      "listener.security.protocol.map\"%s%s"
                    : "`%s` refuses to start: \"No security protocol defined for listener "
                      "%.*s\"%s%s",
        broker->service->name, (int)strcspn(names, ","), names,
        strchr(names, ',') ? strchr(names, ',') : "", given ? "" : ": no map is given");
    char *whole_map = new_map(broker, items);

    if (given)
        finding_fix(finding, "add %s to %s", items + 1, variable_name(broker, MAP));
    else
        finding_fix(finding, "add %s: %s", variable_name(broker, MAP), whole_map);
    edit_append(finding, broker, MAP, items + 1, whole_map);
    free(whole_map);
}

static void map_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    struct buf names = {0}, items = {0};
    bool controllers;

    if (!readable(broker) || !certain(broker_property(broker, MAP)) ||
        (!whole(broker) && !broker->map_given))
        return;
    for (size_t i = 0; i < broker->listeners.count; i++)
        add_missing(&names, &items, broker, broker->listeners.list[i].name);
    for (size_t i = 0; i < broker->advertised.count; i++)
        add_missing(&names, &items, broker, broker->advertised.list[i].name);
    controllers = !names.length;
    for (size_t i = 0; broker->kraft && !broker->is_controller && broker->controllers[i]; i++)
        add_missing(&names, &items, broker, broker->controllers[i]);
    if (names.length)
        say_map(diagnosis, broker, names.data, items.data, controllers);
    buf_free(&names);
    buf_free(&items);
}

void check_map(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, map_of_broker);
}

/* ---- MAP-BADPROTO */

static const char *nearest(const char *protocol)
{
    if (strstr(protocol, "SASL") && (strstr(protocol, "SSL") || strstr(protocol, "TLS")))
        return "SASL_SSL";
    if (strstr(protocol, "SASL"))
        return "SASL_PLAINTEXT";
    return strstr(protocol, "SSL") || strstr(protocol, "TLS") ? "SSL" : "PLAINTEXT";
}

/* Where the entry stands in the map: its last one of that name. */
static bool map_entry(const char *text, const char *name, const char *protocol, size_t *start,
                      size_t *length)
{
    size_t at = 0, from, size;
    bool found = false;

    while (list_next(text, &at, &from, &size)) {
        char *item = text_upper(text + from, size), *colon = strrchr(item, ':');

        if (colon)
            *colon = 0;
        if (!strcmp(item, name) && !strcmp(colon ? colon + 1 : "", protocol)) {
            *start = from;
            *length = size;
            found = true;
        }
        free(item);
    }
    return found;
}

static void say_protocol(struct diagnosis *diagnosis, const struct broker *broker, const char *name,
                         const char *protocol)
{
    const struct property *property = broker_property(broker, MAP);
    const char *text = property->value->text;
    char *right = mem_format("%s:%s", name, nearest(*protocol ? protocol : name));
    size_t start = 0, length = 0;
    bool found = map_entry(text, name, protocol, &start, &length);
    struct finding *finding = finding_add(
        diagnosis, "MAP-BADPROTO", broker->service, &property->value->place,
        *protocol ? "`%s` refuses to start: \"Invalid security protocol `%s` defined in "
                    "listener.security.protocol.map\""
                  : "`%s` refuses to start: %s in the listener.security.protocol.map has no "
                    "protocol: \"Error parsing configuration property\"",
        broker->service->name, *protocol ? protocol : name);

    finding_fix(finding, "%s", right);
    if (found && own_value(property))
        edit_value(finding, property->value, start, length, right);
    free(right);
}

/* security.inter.broker.protocol: small letters are refused since 3.3, an empty one always. */
static void inter_broker_protocol(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *property = broker_property(broker, "security.inter.broker.protocol");
    struct finding *finding;

    if (!property || !certain(property) || !property->pair || is_protocol(property->value->text) ||
        (*property->value->text && is_protocol(broker->inter_broker) &&
         !broker_since(broker, 3, 3)))
        return;
    finding = finding_add(diagnosis, "MAP-BADPROTO", broker->service, &property->value->place,
                          "`%s` refuses to start: \"Invalid value %s for configuration "
                          "security.inter.broker.protocol: String must be one of: PLAINTEXT, SSL, "
                          "SASL_PLAINTEXT, SASL_SSL\"",
                          broker->service->name, property->value->text);
    finding_fix(finding, "%s: %s", property->pair->name,
                is_protocol(broker->inter_broker) ? broker->inter_broker : "PLAINTEXT");
    if (is_protocol(broker->inter_broker) && own_value(property))
        edit_value(finding, property->value, 0, strlen(property->value->text),
                   broker->inter_broker);
}

/* Csv.parseCsvMap: only what is empty at the end is left out. */
static void empty_entry(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *property = broker_property(broker, MAP);
    size_t length = strlen(property->value->text);
    struct finding *finding;
    char *text;

    while (length && strchr(", ", property->value->text[length - 1]))
        length--;
    text = mem_bytes(property->value->text, length);
    if (list_gap(text)) {
        finding =
            finding_add(diagnosis, "MAP-BADPROTO", broker->service, &property->value->place,
                        "`%s` refuses to start: an entry of its map is empty: \"Error parsing "
                        "configuration property 'listener.security.protocol.map'\"",
                        broker->service->name);
        finding_fix(finding, "leave out the comma that has nothing before it");
    } else if ((*text == ':' || strstr(text, ",:")) && !broker_before(broker, 3, 6)) {
        finding = finding_add(diagnosis, "MAP-BADPROTO", broker->service, &property->value->place,
                              "`%s` refuses to start: an entry of its map has no name: \"The "
                              "provided listener name is null or empty string\"",
                              broker->service->name);
        finding_fix(finding, "NAME:PLAINTEXT");
    }
    free(text);
}

static void protocols_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    if (!broker_property(broker, INTER_BROKER) && whole(broker))
        inter_broker_protocol(diagnosis, broker);
    if (!broker->map_given || !certain(broker_property(broker, MAP)))
        return;
    empty_entry(diagnosis, broker);
    for (size_t i = 0, said = 0; i < broker->map_count && said < 10; i++)
        if (!is_protocol(broker->map[i].protocol) && ++said)
            say_protocol(diagnosis, broker, broker->map[i].name, broker->map[i].protocol);
}

void check_protocols(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, protocols_of_broker);
}

/* ---- IBL-UNKNOWN, IBL-BOTH */

/* The one that brokers can use among themselves: not localhost. */
static const struct endpoint *candidate(const struct broker *broker)
{
    const struct endpoint *first = NULL;

    for (size_t i = 0; i < broker->advertised.count; i++) {
        const struct endpoint *endpoint = &broker->advertised.list[i];

        if (in_list(broker->controllers, endpoint->name) ||
            (whole(broker) && !endpoint_find(&broker->listeners, endpoint->name)))
            continue;
        if (strcmp(endpoint->host, "localhost") != 0 && strncmp(endpoint->host, "127.", 4) != 0)
            return endpoint;
        if (!first)
            first = endpoint;
    }
    return first;
}

static bool any_for_clients(const struct broker *broker)
{
    for (size_t i = 0; i < broker->advertised.count; i++)
        if (!in_list(broker->controllers, broker->advertised.list[i].name))
            return true;
    return false;
}

/* An empty name is one, too; and a controller alone looks only for its protocol. True: said. */
static bool nameless_inter_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *given = broker_property(broker, INTER_BROKER);
    bool empty = given && !*given->value->text;
    struct finding *finding;

    if (!given || !certain(given) || !certain(broker_property(broker, MAP)) ||
        (!empty && (broker->is_broker || *broker_protocol(broker, broker->inter_broker))))
        return false;
    finding = finding_add(
        diagnosis, "IBL-UNKNOWN", broker->service, &given->value->place,
        empty && !broker_before(broker, 3, 6)
            ? "`%s` refuses to start: %s is empty: \"The provided listener name is null or empty "
              "string\""
            : "`%s` refuses to start: \"Listener with name %s defined in "
              "inter.broker.listener.name not found in listener.security.protocol.map.\"",
        broker->service->name,
        !empty                        ? broker->inter_broker
        : broker_before(broker, 3, 6) ? ""
                                      : given->name);
    finding_fix(finding, "leave %s out", variable_name(broker, INTER_BROKER));
    if (given->pair)
        edit_remove_variable(finding, given->pair);
    return true;
}

static void inter_broker_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *given = broker_property(broker, INTER_BROKER);
    const struct property *protocol = broker_property(broker, "security.inter.broker.protocol");
    const struct endpoint *right = candidate(broker);
    bool named = given && *given->value->text;
    struct finding *finding;

    if (nameless_inter_broker(diagnosis, broker))
        return;
    if (!readable(broker) || !broker->is_broker || !certain(given) || !any_for_clients(broker) ||
        (!whole(broker) && !named) || !certain(protocol))
        return;
    if (endpoint_find(&broker->advertised, broker->inter_broker) &&
        (!broker->kraft || !in_list(broker->controllers, broker->inter_broker)))
        return;
    finding = finding_add(
        diagnosis, "IBL-UNKNOWN", broker->service,
        place_of(broker, named ? INTER_BROKER : ADVERTISED),
        *broker_protocol(broker, broker->inter_broker) || !named
            ? "`%s` refuses to start: brokers are to speak to each other through %s%s, which is "
              "not advertised: \"inter.broker.listener.name must be a listener name defined in "
              "advertised.listeners\""
            : "`%s` refuses to start: \"Listener with name %s defined in "
              "inter.broker.listener.name not found in listener.security.protocol.map.\"%s",
        broker->service->name, broker->inter_broker, named ? "" : " (the default)");
    if (!right) {
        finding_fix(finding, "advertise %s, or name another listener in %s", broker->inter_broker,
                    variable_name(broker, INTER_BROKER));
        return;
    }
    finding_fix(finding, "%s: %s", variable_name(broker, INTER_BROKER), right->name);
    if (named && own_value(given))
        edit_value(finding, given->value, 0, strlen(given->value->text), right->name);
    else if (!given && !protocol)
        edit_add_variable(finding, broker->service, variable_name(broker, INTER_BROKER),
                          right->name);
}

void check_inter_broker(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, inter_broker_of);
}

static void both_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *name = broker_property(broker, INTER_BROKER);
    const struct property *protocol = broker_property(broker, "security.inter.broker.protocol");
    struct finding *finding;

    /* Up to 3.4 bitnami's script takes the protocol away itself. */
    if (!name || !protocol || !whole(broker) ||
        (broker->image == IMAGE_BITNAMI && !broker_since(broker, 3, 6)))
        return;
    finding = finding_add(diagnosis, "IBL-BOTH", broker->service, &protocol->value->place,
                          "`%s` refuses to start: \"Only one of inter.broker.listener.name and "
                          "security.inter.broker.protocol should be set.\"",
                          broker->service->name);
    finding_fix(finding, "leave %s out: the listener's protocol is in the map",
                protocol->pair ? protocol->pair->name : protocol->name);
    if (protocol->pair)
        edit_remove_variable(finding, protocol->pair);
}

void check_inter_broker_both(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, both_of);
}

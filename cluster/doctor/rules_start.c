/* rules_start.c: why a broker refuses to start: its listeners, their names, ports and hosts.
 *
 * Conditions and messages: kafka.server.KafkaConfig.validateValues (2.0-3.9),
 * CoreUtils.listenerListToEndPoints; each tried on Kafka 4.1.1. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/address.h"
#include "cluster/doctor/fix.h"
#include "cluster/doctor/start.h"

#define LISTENERS  "listeners"
#define ADVERTISED "advertised.listeners"
#define MAP        "listener.security.protocol.map"

/* ---- Shared */

void each_broker(struct diagnosis *diagnosis,
                 void (*check)(struct diagnosis *diagnosis, const struct broker *broker))
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];

        if (!broker->unknown && broker->image != IMAGE_REDPANDA)
            check(diagnosis, broker);
    }
}

bool whole(const struct broker *broker)
{
    return broker->image != IMAGE_OTHER && !broker->scripted;
}

bool certain(const struct property *property)
{
    return !property || !property->value->unset;
}

const char *property_text(const struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);

    return property ? property->value->text : "";
}

const char *variable_name(const struct broker *broker, const char *property)
{
    static char name[256];
    const struct property *given = broker_property(broker, property);
    size_t length;

    if (given && given->pair)
        return given->pair->name;
    length = (size_t)snprintf(name, sizeof name, "%s%s",
                              broker->image == IMAGE_BITNAMI ? "KAFKA_CFG_" : "KAFKA_", property);
    for (size_t i = 0; i < length && i < sizeof name - 1; i++)
        name[i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
    return name;
}

const struct place *place_of(const struct broker *broker, const char *property)
{
    const struct property *given = broker_property(broker, property);

    return given && given->value->place.source ? &given->value->place : &broker->service->place;
}

bool is_protocol(const char *name)
{
    return !strcmp(name, "PLAINTEXT") || !strcmp(name, "SSL") || !strcmp(name, "SASL_PLAINTEXT") ||
           !strcmp(name, "SASL_SSL");
}

bool in_list(char *const *list, const char *item)
{
    for (; list && *list; list++)
        if (!strcmp(*list, item))
            return true;
    return false;
}

bool edit_append(struct finding *finding, const struct broker *broker, const char *property,
                 const char *item, const char *otherwise)
{
    const struct property *given = broker_property(broker, property);
    char *text;
    bool done;

    if (!given || given->derived)
        return edit_add_variable(finding, broker->service, variable_name(broker, property),
                                 otherwise);
    if (!given->pair || given->pair->shared)
        return false;
    text = mem_format("%s%s", *given->value->text ? "," : "", item);
    done = edit_value(finding, given->value, strlen(given->value->text), 0, text);
    free(text);
    return done;
}

char *advertise_all(const struct broker *broker)
{
    struct buf text = {0};

    buf_text(&text, "");
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];

        if (!in_list(broker->controllers, listener->name))
            buf_format(&text, "%s%s://%s:%d", text.length ? "," : "", listener->name,
                       broker->service->name, listener->port);
    }
    return text.data;
}

int free_port(const struct broker *broker, int from)
{
    for (size_t i = 0; i < broker->listeners.count; i++)
        if (broker->listeners.list[i].port == from) {
            from++;
            i = (size_t)-1;
        }
    return from;
}

bool readable(const struct broker *broker)
{
    return !broker->listeners.bad && !broker->advertised.bad &&
           certain(broker->listeners.property) && certain(broker->advertised.property);
}

bool own_value(const struct property *property)
{
    return property && property->pair && !property->pair->shared && !property->derived;
}

/* ---- PARSE */

/* "host:9092" -> "PLAINTEXT://host:9092", "A://h:1/" -> "A://h:1", "A:/h:1" -> "A://h:1"; NULL:
 * not so simple. Free it. */
static char *repaired(const char *item)
{
    size_t length = strlen(item);
    const char *slash = strstr(item, ":/"), *colon = strchr(item, ':');
    char *text;

    if (strpbrk(item, " <>{}$\"'"))
        return NULL;
    if (length && item[length - 1] == '/' && strstr(item, "://"))
        text = mem_bytes(item, length - 1);
    else if (slash && slash[2] != '/')
        text = mem_format("%.*s://%s", (int)(slash - item), item, slash + 2);
    else if (colon && !strchr(item, '/') && isdigit((unsigned char)colon[1]))
        text = mem_format("PLAINTEXT://%s", item);
    else
        return NULL;
    struct compose_text value = {.text = text};
    struct property property = {.value = &value};
    struct endpoints endpoints;
    endpoints_read(&endpoints, &property);
    if (endpoints.bad || endpoints.count != 1) {
        free(text);
        text = NULL;
    }
    endpoints_free(&endpoints);
    return text;
}

/* Quotes that came along in a list: - NAME="value". */
static bool quoted(const char *text)
{
    size_t length = strlen(text);

    return length > 1 && (*text == '"' || *text == '\'') && text[length - 1] == *text;
}

static void repair(struct finding *finding, const struct property *property, const char *bad)
{
    const char *text = property->value->text, *at = strstr(text, bad);
    char *better;

    finding_fix(finding, "write NAME://HOST:PORT, as in PLAINTEXT://broker:9092; several with "
                         "commas between them");
    if (quoted(text)) {
        finding_fix(finding, "leave the quotes out, or put them around the whole item: they are "
                             "a part of the value here");
        if (own_value(property) && edit_value(finding, property->value, 0, 1, ""))
            edit_value(finding, property->value, strlen(text) - 1, 1, "");
        return;
    }
    better = repaired(bad);
    if (better && at) {
        finding_fix(finding, "%s", better);
        if (own_value(property))
            edit_value(finding, property->value, (size_t)(at - text), strlen(bad), better);
    }
    free(better);
}

static void parse_one(struct diagnosis *diagnosis, const struct broker *broker,
                      const struct endpoints *endpoints, const char *name)
{
    const struct property *property = endpoints->property;
    struct finding *finding;

    if (!endpoints->bad || !property || property->derived || !certain(property) ||
        strcmp(property->name, name) != 0 || strpbrk(endpoints->bad, "<>{}$")) /* PLACEHOLDER's */
        return;
    /* Kafka takes item by item, and a quote for the beginning of a name. */
    if (quoted(property->value->text) && strchr(property->value->text, ','))
        finding = finding_add(
            diagnosis, "PARSE", broker->service, &property->value->place,
            "`%s` refuses to start: \"No security protocol defined for listener %.*s\"",
            broker->service->name, (int)strcspn(property->value->text, ":"), property->value->text);
    else
        finding = finding_add(diagnosis, "PARSE", broker->service, &property->value->place,
                              "`%s` refuses to start: \"Unable to parse %s to a broker endpoint\"",
                              broker->service->name, endpoints->bad);
    repair(finding, property, endpoints->bad);
}

static void port_range(struct diagnosis *diagnosis, const struct broker *broker,
                       const struct endpoint *endpoint, const char *name)
{
    struct finding *finding;

    if (endpoint->port >= 0 && endpoint->port <= 65535)
        return;
    finding = finding_add(diagnosis, "PARSE", broker->service, &endpoint->value->place,
                          "`%s` refuses to start: port %d of %s in %s is out of range",
                          broker->service->name, endpoint->port, endpoint->name, name);
    finding_fix(finding, "give it a port from 1 to 65535");
}

/* "" is a list, too: of nothing. */
static void nothing_advertised(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *property = broker_property(broker, ADVERTISED);
    struct finding *finding;
    char *text;

    if (!property || property->derived || !certain(property) || !whole(broker) ||
        !broker->is_broker || broker->advertised.count || broker->advertised.bad ||
        broker->image == IMAGE_CONFLUENT)
        return;
    finding = finding_add(diagnosis, "PARSE", broker->service, &property->value->place,
                          "`%s` refuses to start: it advertises nothing: \"There must be at least "
                          "one broker advertised listener.\"",
                          broker->service->name);
    text = advertise_all(broker);
    finding_fix(finding, "%s: %s", variable_name(broker, ADVERTISED), text);
    if (property->pair && !property->pair->shared)
        edit_value(finding, property->value, 0, strlen(property->value->text), text);
    free(text);
}

/* "://:9092" */
static void nameless(struct diagnosis *diagnosis, const struct broker *broker,
                     const struct endpoints *endpoints)
{
    const struct endpoint *endpoint = endpoint_find(endpoints, "");
    struct finding *finding;

    if (!endpoint || !certain(endpoints->property) || endpoints->property->derived)
        return;
    finding = finding_add(
        diagnosis, "PARSE", broker->service, &endpoint->value->place,
        "`%s` refuses to start: a listener has no name: \"%s\"", broker->service->name,
        broker_before(broker, 3, 6) ? "No security protocol defined for listener"
                                    : "The provided listener name is null or empty string");
    finding_fix(finding, "write its name before ://, as in PLAINTEXT://broker:9092");
}

static void parse_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    nameless(diagnosis, broker, &broker->listeners);
    if (broker->advertised.property != broker->listeners.property)
        nameless(diagnosis, broker, &broker->advertised);
    nothing_advertised(diagnosis, broker);
    parse_one(diagnosis, broker, &broker->listeners, LISTENERS);
    parse_one(diagnosis, broker, &broker->advertised, ADVERTISED);
    for (size_t i = 0; i < broker->listeners.count; i++)
        port_range(diagnosis, broker, &broker->listeners.list[i], LISTENERS);
    for (size_t i = 0; i < broker->advertised.count; i++)
        if (broker->advertised.property != broker->listeners.property)
            port_range(diagnosis, broker, &broker->advertised.list[i], ADVERTISED);
}

void check_parse(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, parse_broker);
}

/* The rules below speak of lists that could be read and depend on nothing unset. */
/* ---- NAME-DUP */

/* The place of a list's second endpoint of a name, by the port if that is not 0; the count: none.
 */
static size_t second_of(const struct endpoints *endpoints, const char *name, int port)
{
    size_t found = endpoints->count, named = 0;

    for (size_t i = 0; i < endpoints->count; i++)
        if (!strcmp(endpoints->list[i].name, name)) {
            if (port && endpoints->list[i].port == port)
                return i;
            if (named++)
                found = i;
        }
    return found;
}

/* Of two of a name, the one that is for the host, or else the second, is called NAME_HOST in both
 * lists; ADV-NOT-SUBSET and MAP-MISSING see to the rest. */
static void rename_second(struct finding *finding, const struct broker *broker,
                          const struct endpoints *endpoints, const char *name)
{
    const struct endpoints *advertised = &broker->advertised;
    char *other = mem_format("%s_HOST", name);
    size_t told = second_of(advertised, name, 0), index;

    for (size_t i = 0; told < advertised->count && i < advertised->count; i++)
        if (!strcmp(advertised->list[i].name, name) &&
            host_kind(advertised->list[i].host) == HOST_LOCAL)
            told = i;
    index = endpoints == advertised
                ? told
                : second_of(endpoints, name,
                            told < advertised->count ? advertised->list[told].port : 0);
    if (index < endpoints->count && own_value(endpoints->property) &&
        !endpoint_find(advertised, other) && !endpoint_find(&broker->listeners, other)) {
        finding_fix(finding, "call %.*s %s", (int)endpoints->list[index].length,
                    endpoints->list[index].value->text + endpoints->list[index].offset, other);
        edit_value(finding, endpoints->list[index].value, endpoints->list[index].offset,
                   strlen(name), other);
    }
    free(other);
}

static void name_twice(struct diagnosis *diagnosis, const struct broker *broker,
                       const struct endpoints *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct endpoint *a = &endpoints->list[k], *b = &endpoints->list[i];
            struct finding *finding;

            if (strcmp(a->name, b->name) != 0)
                continue;
            finding = finding_add(
                diagnosis, "NAME-DUP", broker->service, &b->value->place,
                "`%s` refuses to start: \"Each listener must have a different name\": %s stands "
                "twice in %s",
                broker->service->name, b->name, endpoints->property->name);
            finding_fix(finding, "give one of them another name, in %s, %s and %s", LISTENERS,
                        ADVERTISED, MAP);
            if (a->port != b->port || strcmp(a->host, b->host) != 0) {
                rename_second(finding, broker, endpoints, b->name);
                return;
            }
            finding_fix(finding, "leave one of them out");
            if (own_value(endpoints->property))
                edit_remove_item(finding, b->value, b->offset, b->length);
            return;
        }
}

static void names_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    if (!readable(broker))
        return;
    /* Derived ones have the names of what they were derived from. */
    if (!broker->listeners.property->derived)
        name_twice(diagnosis, broker, &broker->listeners);
    if (broker->advertised.property != broker->listeners.property)
        name_twice(diagnosis, broker, &broker->advertised);
}

/* "Duplicate key ListenerName(PLAINTEXT)": in the map, small and capital letters make two entries
 * of one name, which Kafka merged up to 4.0. The same entry twice is one to it. */
static void map_twice(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct property *property = broker_property(broker, MAP);
    char **items;

    if (!property || !certain(property) || !broker_since(broker, 4, 1))
        return;
    items = list_read(property->value->text);
    for (size_t i = 0; items[i]; i++)
        for (size_t k = 0; k < i; k++) {
            size_t length = strcspn(items[i], ":");
            struct finding *finding;

            if (strcspn(items[k], ":") != length || strncasecmp(items[i], items[k], length) != 0 ||
                !strncmp(items[i], items[k], length))
                continue;
            finding = finding_add(diagnosis, "NAME-DUP", broker->service, &property->value->place,
                                  "`%s` refuses to start: %s and %s in the map are one name: "
                                  "\"Duplicate key ListenerName\"",
                                  broker->service->name, items[k], items[i]);
            finding_fix(finding, "leave one of them out");
            break;
        }
    list_free(items);
}

void check_names(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, map_twice);
    each_broker(diagnosis, names_of_broker);
}

/* ---- PORT-DUP */

static bool is_ipv4(const char *host)
{
    return *host && strspn(host, "0123456789.") == strlen(host);
}

static bool is_ipv6(const char *host)
{
    return strchr(host, ':') && strspn(host, "0123456789abcdefABCDEF:.%") == strlen(host);
}

/* One IPv4 and one IPv6 address may share a port since 3.6 (KIP-797); but Java's sockets are for
 * both, so that with 0.0.0.0 or [::] the second finds it taken (seen on 4.1.1, Java 17). */
static bool everywhere(const struct endpoint *endpoint)
{
    return !strcmp(endpoint->host, "0.0.0.0") || !strcmp(endpoint->host, "::");
}

static bool taken(const struct broker *broker, const struct endpoint *a, const struct endpoint *b)
{
    return !broker_before(broker, 3, 6) && (everywhere(a) || everywhere(b)) &&
           ((is_ipv4(a->host) && is_ipv6(b->host)) || (is_ipv6(a->host) && is_ipv4(b->host)));
}

static bool clash(const struct broker *broker, const struct endpoint *a, const struct endpoint *b)
{
    bool both = (is_ipv4(a->host) && is_ipv6(b->host)) || (is_ipv6(a->host) && is_ipv4(b->host));

    return a->port && a->port == b->port &&
           (!both || broker_before(broker, 3, 6) || taken(broker, a, b));
}

/* It advertises another port, on which nothing listens: the one that was meant. */
static int meant_port(const struct broker *broker, const struct endpoint *listener)
{
    const struct endpoint *told = endpoint_find(&broker->advertised, listener->name);

    if (!told || !told->port || broker->advertised.property->derived)
        return 0;
    for (size_t i = 0; i < broker->listeners.count; i++)
        if (broker->listeners.list[i].port == told->port)
            return 0;
    return told->port;
}

static void move_listener(struct finding *finding, const struct endpoint *listener, int port)
{
    const char *text = listener->value->text + listener->offset;
    size_t length = listener->length;
    char digits[16];

    while (length && text[length - 1] != ':')
        length--;
    snprintf(digits, sizeof digits, "%d", port);
    edit_value(finding, listener->value, listener->offset + length, listener->length - length,
               digits);
}

/* CoreUtils.listenerListToEndPoints since 3.6; bitnami's script looks before. */
static const char *port_words(const struct broker *broker, const struct endpoint *a,
                              const struct endpoint *b)
{
    size_t addresses = 0;

    for (size_t i = 0; i < broker->listeners.count; i++)
        addresses +=
            broker->listeners.list[i].port == b->port &&
            (is_ipv4(broker->listeners.list[i].host) || is_ipv6(broker->listeners.list[i].host));
    if (broker->image == IMAGE_BITNAMI && broker_since(broker, 3, 6))
        return "There are listeners bound to the same port";
    if (taken(broker, a, b))
        return "Socket server failed to bind: Address already in use";
    if (addresses == 2 && !broker_before(broker, 3, 6))
        return "If you have two listeners on the same port then one needs to be IPv4 and the other "
               "IPv6";
    return "Each listener must have a different port";
}

/* Of two at a port, the one that fewer know: a controller's, one that is not advertised. */
static const struct endpoint *less_known(const struct broker *broker, const struct endpoint *a,
                                         const struct endpoint *b)
{
    if (in_list(broker->controllers, a->name))
        return a;
    if (in_list(broker->controllers, b->name) || endpoint_find(&broker->advertised, a->name))
        return b;
    return a;
}

static void part_listeners(struct finding *finding, const struct broker *broker,
                           const struct endpoint *a, const struct endpoint *b)
{
    const struct endpoint *moved = meant_port(broker, a) ? a : b;
    int port = meant_port(broker, moved);

    if (port) {
        finding_fix(finding, "let %s listen on %d, which it advertises", moved->name, port);
    } else {
        moved = less_known(broker, a, b);
        port = free_port(broker, moved->port);
        finding_fix(finding, "let %s listen on a port of its own: %d", moved->name, port);
    }
    move_listener(finding, moved, port);
}

/* The published port by which the host comes to what is advertised as localhost. */
static const struct compose_port *way_in(const struct broker *broker, const struct endpoint *told)
{
    const struct compose_service *service = broker->service;

    for (size_t i = 0; told && i < service->port_count; i++)
        if (service->ports[i].published == told->port && service->ports[i].target == told->port)
            return &service->ports[i];
    return NULL;
}

/* The listeners that the image derives, but that for the host on a port of its own, to which the
 * published port leads: no address that anybody uses changes. */
static void give_listeners(struct diagnosis *diagnosis, struct finding *finding,
                           const struct broker *broker, const struct endpoint *a,
                           const struct endpoint *b)
{
    const struct endpoint *told = endpoint_find(&broker->advertised, a->name);
    const struct endpoint *moved = told && host_kind(told->host) == HOST_LOCAL ? a : b;
    const int port =
        free_port(broker, moved->port + 20000 > 65000 ? moved->port + 1 : moved->port + 20000);
    const struct compose_port *published;
    struct buf text = {0};

    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];

        buf_format(&text, "%s%s://0.0.0.0:%d", i ? "," : "", listener->name,
                   listener == moved ? port : listener->port);
    }
    finding_fix(finding, "add %s: %s", variable_name(broker, LISTENERS), text.data);
    told = endpoint_find(&broker->advertised, moved->name);
    published = told && host_kind(told->host) == HOST_LOCAL ? way_in(broker, told) : NULL;
    if (edit_append(finding, broker, LISTENERS, "", text.data) && published)
        fix_target(diagnosis, finding, published, port);
    buf_free(&text);
}

static void say_port(struct diagnosis *diagnosis, const struct broker *broker,
                     const struct endpoint *a, const struct endpoint *b)
{
    bool derived = broker->listeners.property->derived;
    struct finding *finding = finding_add(
        diagnosis, "PORT-DUP", broker->service,
        derived ? place_of(broker, ADVERTISED) : &b->value->place,
        "`%s` refuses to start: \"%s\": %s and %s both have %d%s", broker->service->name,
        port_words(broker, a, b), a->name, b->name, b->port,
        derived ? " in the listeners that the image derives from the advertised ones" : "");

    if (!strcmp(a->name, b->name)) /* NAME-DUP says which */
        finding_fix(finding, "leave one of them out");
    else if (derived)
        give_listeners(diagnosis, finding, broker, a, b);
    else
        part_listeners(finding, broker, a, b);
}

static void ports_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct endpoints *listeners = &broker->listeners;

    if (!readable(broker) || (!whole(broker) && listeners->property->derived))
        return;
    for (size_t i = 0; i < listeners->count; i++)
        for (size_t k = 0; k < i; k++)
            if (clash(broker, &listeners->list[k], &listeners->list[i])) {
                say_port(diagnosis, broker, &listeners->list[k], &listeners->list[i]);
                return;
            }
}

void check_ports(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, ports_of_broker);
}

/* ---- ADV-NOT-SUBSET */

/* A listener on this port that nothing advertises: the one that was meant. */
static const struct endpoint *meant(const struct broker *broker, const struct endpoint *endpoint)
{
    const struct endpoint *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];

        if (endpoint_find(&broker->advertised, listener->name) ||
            in_list(broker->controllers, listener->name))
            continue;
        count++;
        if (!found || listener->port == endpoint->port)
            found = listener;
    }
    return count == 1 || (found && found->port == endpoint->port) ? found : NULL;
}

static void fix_subset(struct finding *finding, const struct broker *broker,
                       const struct endpoint *endpoint)
{
    const struct endpoint *other = meant(broker, endpoint);
    size_t name = strlen(endpoint->name);
    char *item;

    /* The name that brokers know each other by stays. */
    if (other && !strcmp(endpoint->name, broker->inter_broker)) {
        finding_fix(finding, "call the listener %s %s, too", other->name, endpoint->name);
        if (own_value(broker->listeners.property))
            edit_value(finding, other->value, other->offset, strlen(other->name), endpoint->name);
        return;
    }
    if (other) {
        finding_fix(finding, "call it %s, as the listener is called", other->name);
        if (own_value(broker->advertised.property))
            edit_value(finding, endpoint->value, endpoint->offset, name, other->name);
        return;
    }
    item = mem_format("%s://0.0.0.0:%d", endpoint->name, free_port(broker, endpoint->port));
    finding_fix(finding, "add %s to %s", item, variable_name(broker, LISTENERS));
    if (!broker->listeners.property->derived) {
        if (edit_append(finding, broker, LISTENERS, item, item) && broker->map_given &&
            !*broker_protocol(broker, endpoint->name)) {
            free(item);
            item = mem_format("%s:PLAINTEXT", endpoint->name);
            edit_append(finding, broker, MAP, item, item);
        }
    }
    free(item);
}

static void subset_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    if (!readable(broker) || !broker->is_broker ||
        (!whole(broker) && broker->listeners.property->derived))
        return;
    for (size_t i = 0; i < broker->advertised.count; i++) {
        const struct endpoint *endpoint = &broker->advertised.list[i];
        struct finding *finding;

        if (in_list(broker->controllers, endpoint->name) ||
            endpoint_find(&broker->listeners, endpoint->name))
            continue;
        finding = finding_add(diagnosis, "ADV-NOT-SUBSET", broker->service, &endpoint->value->place,
                              "`%s` refuses to start: it advertises %s, but has no listener of "
                              "that name: \"advertised.listeners listener names must be equal to "
                              "or a subset of the ones defined in listeners\"",
                              broker->service->name, endpoint->name);
        fix_subset(finding, broker, endpoint);
        return;
    }
}

void check_subset(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, subset_of_broker);
}

/* ---- ADV-WILDCARD */

static bool published(const struct compose_service *service, int port)
{
    for (size_t i = 0; i < service->port_count; i++)
        if (service->ports[i].target == port && service->ports[i].published == port)
            return true;
    return false;
}

static bool advertises(const struct broker *broker, const char *host)
{
    for (size_t i = 0; i < broker->advertised.count; i++)
        if (!strcmp(broker->advertised.list[i].host, host))
            return true;
    return false;
}

/* Who is to be sent there: containers, if there are any besides; else the host. */
static const char *reachable_host(const struct diagnosis *diagnosis, const struct broker *broker,
                                  const struct endpoint *endpoint)
{
    bool host = published(broker->service, endpoint->port);

    if (host && (advertises(broker, broker->service->name) || !diagnosis->client_count))
        return advertises(broker, "localhost") ? broker->service->name : "localhost";
    return broker->service->name;
}

static void fix_wildcard(struct finding *finding, const struct diagnosis *diagnosis,
                         const struct broker *broker, const struct endpoint *endpoint)
{
    const char *host = reachable_host(diagnosis, broker, endpoint);
    const char *at = strstr(endpoint->value->text + endpoint->offset, "0.0.0.0");
    char *item = mem_format("%s://%s:%d", endpoint->name, host, endpoint->port);

    if (broker->advertised.property == broker->listeners.property) {
        finding_fix(finding, "add %s: %s", variable_name(broker, ADVERTISED), item);
        if (broker->advertised.count == 1 && !broker_property(broker, ADVERTISED))
            edit_add_variable(finding, broker->service, variable_name(broker, ADVERTISED), item);
    } else {
        finding_fix(finding, "%s", item);
        if (at && own_value(broker->advertised.property))
            edit_value(finding, endpoint->value, (size_t)(at - endpoint->value->text),
                       strlen("0.0.0.0"), host);
    }
    free(item);
}

/* KAFKA-18281: 3.9.0 alone wants a controller's address to be routable, too,
 * though nothing advertises it. */
static void controller_wildcard(struct diagnosis *diagnosis, const struct broker *broker)
{
    const char *image = broker->service->image.text;
    bool that = image_is(image, "apache/kafka") || image_is(image, "apache/kafka-native") ||
                        broker->image == IMAGE_BITNAMI
                    ? strstr(image, ":3.9.0") != NULL
                    : broker->image == IMAGE_CONFLUENT && strstr(image, ":7.9.0");

    for (size_t i = 0; that && broker->is_controller && i < broker->listeners.count; i++) {
        const struct endpoint *endpoint = &broker->listeners.list[i];
        const char *at = strstr(endpoint->value->text + endpoint->offset, "0.0.0.0");
        struct finding *finding;

        if (strcmp(endpoint->host, "0.0.0.0") != 0 ||
            !in_list(broker->controllers, endpoint->name) ||
            endpoint_find(&broker->advertised, endpoint->name))
            continue;
        finding = finding_add(diagnosis, "ADV-WILDCARD", broker->service, &endpoint->value->place,
                              "`%s` refuses to start: Kafka 3.9.0 takes the controller's address "
                              "for an advertised one: \"advertised.listeners cannot use the "
                              "nonroutable meta-address 0.0.0.0\" (KAFKA-18281)",
                              broker->service->name);
        finding_fix(finding, "%s://:%d, which binds to all addresses, too; or Kafka 3.9.1",
                    endpoint->name, endpoint->port);
        if (at && own_value(broker->listeners.property))
            edit_value(finding, endpoint->value, (size_t)(at - endpoint->value->text),
                       strlen("0.0.0.0"), "");
        return;
    }
}

static void wildcard_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    /* Since 1.0 (KAFKA-4260). */
    if (!readable(broker) || broker_before(broker, 1, 0))
        return;
    controller_wildcard(diagnosis, broker);
    if (!whole(broker) && broker->advertised.property == broker->listeners.property)
        return;
    for (size_t i = 0; i < broker->advertised.count; i++) {
        const struct endpoint *endpoint = &broker->advertised.list[i];
        struct finding *finding;

        if (strcmp(endpoint->host, "0.0.0.0") != 0)
            continue;
        finding = finding_add(diagnosis, "ADV-WILDCARD", broker->service, &endpoint->value->place,
                              "`%s` refuses to start: \"advertised.listeners cannot use the "
                              "nonroutable meta-address 0.0.0.0\"",
                              broker->service->name);
        fix_wildcard(finding, diagnosis, broker, endpoint);
    }
}

/* The address where it stands in the file, which may be without the name that it got here. */
static void edit_redpanda(struct finding *finding, const struct place *place, const char *host)
{
    const char *bytes, *at;
    size_t length;

    if (!place->source || place->style == PLACE_NONE || place->end > place->source->length)
        return;
    bytes = place->source->bytes + place->start;
    length = place->end - place->start;
    at = memmem(bytes, length, "0.0.0.0", 7);
    if (at && !memmem(at + 7, length - (size_t)(at + 7 - bytes), "0.0.0.0", 7))
        finding_edit(finding, place->source, (size_t)(at - place->source->bytes),
                     (size_t)(at - place->source->bytes) + 7, mem_text(host));
}

/* Redpanda's node_config.cc. */
static void redpanda_wildcard(struct diagnosis *diagnosis, const struct broker *broker)
{
    for (size_t i = 0; i < broker->advertised.count; i++) {
        const struct endpoint *endpoint = &broker->advertised.list[i];
        const char *host = reachable_host(diagnosis, broker, endpoint);
        struct finding *finding;

        if (strcmp(endpoint->host, "0.0.0.0") != 0 || broker->unknown)
            continue;
        finding = finding_add(diagnosis, "ADV-WILDCARD", broker->service, &endpoint->value->place,
                              "`%s` refuses to start: it advertises 0.0.0.0: \"listener improperly "
                              "configured with ADDR_ANY\"",
                              broker->service->name);
        finding_fix(finding, "%s:%d", host, endpoint->port);
        edit_redpanda(finding, &endpoint->value->place, host);
    }
}

void check_wildcard(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, wildcard_of_broker);
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        if (diagnosis->brokers.list[i].image == IMAGE_REDPANDA)
            redpanda_wildcard(diagnosis, &diagnosis->brokers.list[i]);
}

/* ---- BIND-FOREIGN */

static bool own_name(const struct compose_service *service, const char *host)
{
    if (!strcmp(host, service->name) || !strcmp(host, service->hostname.text) ||
        !strcmp(host, service->container_name.text) || !strcmp(host, "localhost"))
        return true;
    for (size_t i = 0; i < service->use_count; i++) {
        if (!strcmp(host, service->uses[i].address))
            return true;
        for (char **alias = service->uses[i].aliases; alias && *alias; alias++)
            if (!strcmp(host, *alias))
                return true;
    }
    for (size_t i = 0; i < service->host_count; i++)
        if (!strcmp(host, service->hosts[i].name))
            return true;
    return false;
}

/* An address that the container cannot have, or the name of another service. */
static bool foreign(const struct diagnosis *diagnosis, const struct compose_service *service,
                    const char *host)
{
    const struct compose_service *other;

    if (own_name(service, host) || !strncmp(host, "127.", 4) || !strcmp(host, "0.0.0.0"))
        return false;
    other = compose_service(diagnosis->compose, host);
    if (other && other != service)
        return true;
    /* Docker hands out 172.16/12 first: somebody may have looked there. */
    return is_ipv4(host) && strncmp(host, "172.", 4) != 0;
}

static void bind_of_broker(struct diagnosis *diagnosis, const struct broker *broker)
{
    if (!readable(broker) || *broker->service->network_mode.text ||
        broker->listeners.property->derived)
        return;
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *endpoint = &broker->listeners.list[i];
        const char *at = strstr(endpoint->value->text + endpoint->offset, endpoint->host);
        struct finding *finding;

        if (!*endpoint->host || !foreign(diagnosis, broker->service, endpoint->host))
            continue;
        finding =
            finding_add(diagnosis, "BIND-FOREIGN", broker->service, &endpoint->value->place,
                        "`%s` refuses to start: its container does not have the address %s: "
                        "\"Socket server failed to bind to %s:%d: Cannot assign requested "
                        "address\"",
                        broker->service->name, endpoint->host, endpoint->host, endpoint->port);
        finding_fix(finding, "%s://0.0.0.0:%d; that address belongs in %s", endpoint->name,
                    endpoint->port, variable_name(broker, ADVERTISED));
        if (at && own_value(broker->listeners.property) &&
            broker->advertised.property != broker->listeners.property)
            edit_value(finding, endpoint->value, (size_t)(at - endpoint->value->text),
                       strlen(endpoint->host), "0.0.0.0");
    }
}

void check_bind(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, bind_of_broker);
}

/* broker.c: which services are brokers, and Kafka's own defaults on top of what
 * their images make of their variables. */
#include "cluster/doctor/broker.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"
#include "cluster/doctor/image_parts.h"

/* ---- Properties */

const struct property *broker_property(const struct broker *broker, const char *name)
{
    for (size_t i = 0; i < broker->property_count; i++)
        if (!strcmp(broker->properties[i].name, name))
            return &broker->properties[i];
    return NULL;
}

void property_free(struct property *property)
{
    free(property->name);
    if (property->own) {
        free(property->own->text);
        free(property->own->unset);
        free(property->own);
    }
}

void property_remove(struct broker *broker, const char *name)
{
    for (size_t i = 0; i < broker->property_count; i++)
        if (!strcmp(broker->properties[i].name, name)) {
            property_free(&broker->properties[i]);
            broker->properties[i] = broker->properties[--broker->property_count];
            return;
        }
}

static struct property *property_new(struct broker *broker, const char *name)
{
    struct property *property;
    char *copy = mem_text(name);

    property_remove(broker, name);
    broker->properties =
        mem_grow(broker->properties, broker->property_count + 1, sizeof *broker->properties);
    property = &broker->properties[broker->property_count++];
    *property = (struct property){.name = copy};
    return property;
}

struct property *property_set(struct broker *broker, const char *name,
                              const struct compose_pair *pair, const struct compose_text *value)
{
    struct property *property = property_new(broker, name);

    property->pair = pair;
    property->value = value;
    return property;
}

struct property *property_derive(struct broker *broker, const char *name, const char *text)
{
    struct compose_text *own = mem_alloc(1, sizeof *own);
    struct property *property;

    own->text = mem_text(text); /* before an older one of that name, whose it may be, goes */
    property = property_new(broker, name);
    property->value = property->own = own;
    property->derived = true;
    return property;
}

void property_default(struct broker *broker, const char *name, const char *text)
{
    const struct property *property = broker_property(broker, name);

    if (!property || !*property->value->text)
        property_derive(broker, name, text);
}

static const char *text(const struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);

    return property ? property->value->text : "";
}

/* ---- Kafka's defaults */

/* In any case: of capitals ROLES tells, and the other rules see what is meant. */
static bool listed(char *const *list, const char *item)
{
    for (; *list; list++)
        if (!strcasecmp(*list, item))
            return true;
    return false;
}

static void read_roles(struct broker *broker)
{
    char **roles = list_read(text(broker, "process.roles"));

    broker->kraft = roles[0] != NULL;
    broker->zookeeper = !broker->kraft && *text(broker, "zookeeper.connect");
    broker->is_controller = listed(roles, "controller");
    broker->is_broker = !broker->kraft || listed(roles, "broker");
    list_free(roles);
}

static void read_controllers(struct broker *broker)
{
    broker->controllers = list_read(text(broker, "controller.listener.names"));
    for (size_t i = 0; broker->controllers[i]; i++) {
        char *upper = text_upper(broker->controllers[i], strlen(broker->controllers[i]));

        free(broker->controllers[i]);
        broker->controllers[i] = upper;
    }
}

bool broker_number(const struct broker *broker, const char *name, int *value)
{
    const char *from = text(broker, name), *to = from + strlen(from);
    int64_t number;

    while (isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (*from == '+' && isdigit((unsigned char)from[1]))
        from++;
    if (!number_int64(from, (size_t)(to - from), &number) || number != (int)number)
        return false;
    *value = (int)number;
    return true;
}

static void read_node(struct broker *broker)
{
    int id;

    broker->node_id = -1;
    if (broker_number(broker, *text(broker, "node.id") ? "node.id" : "broker.id", &id) && id >= 0)
        broker->node_id = id;
}

/* "1@host:9093"; a scheme before the host is not Kafka's form, but passes there
 * as a part of it. */
static bool read_voter(const char *item, struct voter *voter)
{
    const char *at = strchr(item, '@'), *colon = strrchr(item, ':');
    int64_t id, port;

    if (!at || !colon || colon < at || strchr(at + 1, '@') ||
        !number_int64(item, (size_t)(at - item), &id) ||
        !number_in_range(colon + 1, 0, 65535, &port))
        return false;
    *voter = (struct voter){
        .id = (long)id, .host = mem_bytes(at + 1, (size_t)(colon - at - 1)), .port = (int)port};
    return true;
}

static void read_voters(struct broker *broker)
{
    char **items = list_read(text(broker, "controller.quorum.voters"));

    for (size_t i = 0; items[i]; i++) {
        struct voter voter;

        if (!read_voter(items[i], &voter))
            continue;
        broker->voters = mem_grow(broker->voters, broker->voter_count + 1, sizeof *broker->voters);
        broker->voters[broker->voter_count++] = voter;
    }
    list_free(items);
}

/* A later entry of the same name holds, as in Csv.parseCsvMap. */
static void map_add(struct broker *broker, char *name, char *protocol)
{
    for (size_t i = 0; i < broker->map_count; i++)
        if (!strcmp(broker->map[i].name, name)) {
            free(broker->map[i].protocol);
            broker->map[i].protocol = protocol;
            free(name);
            return;
        }
    broker->map = mem_grow(broker->map, broker->map_count + 1, sizeof *broker->map);
    broker->map[broker->map_count].name = name;
    broker->map[broker->map_count++].protocol = protocol;
}

static void map_item(struct broker *broker, const char *item)
{
    const char *colon = strrchr(item, ':'), *end = colon ? colon : item + strlen(item);
    const char *protocol = colon ? colon + 1 : end;

    while (end > item && isspace((unsigned char)end[-1]))
        end--;
    protocol += strspn(protocol, " \t");
    map_add(broker, text_upper(item, (size_t)(end - item)), text_upper(protocol, strlen(protocol)));
}

static bool secured(const char *name)
{
    return !strcmp(name, "SSL") || !strcmp(name, "SASL_SSL") || !strcmp(name, "SASL_PLAINTEXT");
}

/* KafkaConfig.effectiveListenerSecurityProtocolMap: with KRaft, controllers'
 * names are mapped to PLAINTEXT while nothing says SSL or SASL. */
static void default_map(struct broker *broker)
{
    static const char *const protocols[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    bool any = false;

    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        map_add(broker, mem_text(protocols[i]), mem_text(protocols[i]));
    for (size_t i = 0; i < broker->listeners.count; i++)
        any |= secured(broker->listeners.list[i].name);
    for (size_t i = 0; broker->controllers[i]; i++)
        any |= secured(broker->controllers[i]);
    for (size_t i = 0; broker->kraft && !any && broker->controllers[i]; i++)
        map_add(broker, mem_text(broker->controllers[i]), mem_text("PLAINTEXT"));
    /* Redpanda has no map: a listener may have any name. */
    for (size_t i = 0; broker->image == IMAGE_REDPANDA && i < broker->listeners.count; i++)
        map_add(broker, mem_text(broker->listeners.list[i].name), mem_text("PLAINTEXT"));
}

static void read_map(struct broker *broker)
{
    const struct property *property = broker_property(broker, "listener.security.protocol.map");
    char **items;

    broker->map_given = property != NULL;
    if (!property) {
        default_map(broker);
        return;
    }
    items = list_read(property->value->text);
    for (size_t i = 0; items[i]; i++)
        map_item(broker, items[i]);
    list_free(items);
}

/* Up to 2.8: listeners from host.name and port, advertised from their
 * advertised. twins (KafkaConfig.scala 2.8, listeners and advertisedListeners). */
static void read_old_names(struct broker *broker)
{
    const char *port = text(broker, "port"), *host = text(broker, "advertised.host.name");
    const char *advertised = text(broker, "advertised.port");
    const struct property *from;
    char *made;

    if (!broker_property(broker, "listeners")) {
        made = mem_format("PLAINTEXT://%s:%s", text(broker, "host.name"), *port ? port : "9092");
        property_derive(broker, "listeners", made);
        free(made);
    }
    if (broker_property(broker, "advertised.listeners") || (!*host && !*advertised))
        return;
    from = broker_property(broker, "advertised.host.name"); /* after the list has grown */
    if (!from)
        from = broker_property(broker, "advertised.port");
    made = mem_format("PLAINTEXT://%s:%s", *host ? host : text(broker, "host.name"),
                      *advertised ? advertised
                      : *port     ? port
                                  : "9092");
    const struct place place = from->value->place;
    const char *unset = from->value->unset;
    struct property *whole = property_derive(broker, "advertised.listeners", made);
    whole->own->place = place;
    whole->own->place.style = PLACE_NONE;
    whole->own->unset = unset ? mem_text(unset) : NULL;
    free(made);
}

static void read_listeners(struct broker *broker)
{
    const struct property *advertised;

    /* An image of which nothing is known is taken to be old where it uses the old names. */
    if (broker_before(broker, 3, 0) || broker->image == IMAGE_WURSTMEISTER ||
        (broker->image == IMAGE_OTHER &&
         (*text(broker, "advertised.host.name") || *text(broker, "advertised.port"))))
        read_old_names(broker);
    if (!broker_property(broker, "listeners"))
        property_derive(broker, "listeners", "PLAINTEXT://:9092");
    advertised = broker_property(broker, "advertised.listeners");
    endpoints_read(&broker->listeners, broker_property(broker, "listeners"));
    if (advertised)
        endpoints_read(&broker->advertised, advertised);
    else
        endpoints_copy(&broker->advertised, &broker->listeners, broker->controllers);
}

static void read_inter_broker(struct broker *broker)
{
    const char *name = text(broker, "inter.broker.listener.name");
    size_t length;

    if (!*name)
        name = text(broker, "security.inter.broker.protocol");
    if (!*name)
        name = "PLAINTEXT";
    length = strlen(name);
    while (length && isspace((unsigned char)name[length - 1]))
        length--;
    while (length && isspace((unsigned char)*name))
        name++, length--;
    broker->inter_broker = text_upper(name, length);
}

bool broker_is_controllers(const struct broker *broker, const char *listener)
{
    for (char **controller = broker->controllers; controller && *controller; controller++)
        if (!strcasecmp(*controller, listener))
            return true;
    return false;
}

const char *broker_protocol(const struct broker *broker, const char *listener)
{
    for (size_t i = 0; i < broker->map_count; i++)
        if (!strcmp(broker->map[i].name, listener))
            return broker->map[i].protocol;
    return "";
}

/* ---- Which services are brokers */

static bool has(const struct compose_service *service, const char *name)
{
    const struct compose_pair *pair = compose_variable(service, name);

    return pair && (pair->absent || pair->value.unset || *pair->value.text);
}

/* Variables that only a broker is given. */
static bool broker_variables(const struct compose_service *service)
{
    static const char *const names[] = {"KAFKA_ADVERTISED_LISTENERS",
                                        "KAFKA_CFG_ADVERTISED_LISTENERS",
                                        "KAFKA_PROCESS_ROLES",
                                        "KAFKA_CFG_PROCESS_ROLES",
                                        "KAFKA_ADVERTISED_HOST_NAME",
                                        "KAFKA_CFG_LISTENERS",
                                        NULL};
    const struct compose_pair *listeners = compose_variable(service, "KAFKA_LISTENERS");

    for (size_t i = 0; names[i]; i++)
        if (has(service, names[i]))
            return true;
    return (listeners && strstr(listeners->value.text, "://")) ||
           (has(service, "KAFKA_ZOOKEEPER_CONNECT") &&
            (has(service, "KAFKA_BROKER_ID") || has(service, "KAFKA_CREATE_TOPICS") ||
             has(service, "HOSTNAME_COMMAND")));
}

/* The reference that says most: of its own build, the base's. */
static const char *reference(const struct compose_service *service)
{
    return *service->image.text ? service->image.text : service->build_base;
}

static bool by_image(const struct compose_service *service, struct broker *broker)
{
    /* With a build the image's name is what that is to be called, and may be anybody's. */
    if (!*service->image.text || (service->build && !image_is(service->image.text, "tally/kafka")))
        return false;
    if (!broker_image_read(service->image.text, &broker->image, &broker->major, &broker->minor,
                           &broker->latest))
        return false;
    /* "kafka:${TAG}" and "kafka${TAG}": whatever somebody sets. */
    if (service->image.unset)
        broker->latest = false;
    return true;
}

/* An image of nobody's that we know, with a broker's variables, in its own
 * hand: those of a shared env_file tell nothing. */
static bool by_variables(const struct compose_service *service, struct broker *broker)
{
    enum broker_image base;
    bool based =
        *service->build_base && broker_image_read(service->build_base, &base, &broker->major,
                                                  &broker->minor, &broker->latest);

    if (image_is_client(reference(service)) ||
        (!based && (!broker_variables(service) || image_is_client(service->name))))
        return false;
    if (!based)
        broker->major = broker->minor = -1, broker->latest = false;
    broker->image = based && base == IMAGE_REDPANDA ? base : IMAGE_OTHER;
    return true;
}

/* An image of nobody's whose words start Kafka's own server. */
static bool by_words(enum start start, struct broker *broker)
{
    broker->image = IMAGE_OTHER;
    broker->major = broker->minor = -1;
    broker->latest = false;
    return start == START_SERVER;
}

static bool mounts_configuration(const struct compose_service *service)
{
    static const char name[] = "/server.properties";

    for (size_t i = 0; i < service->volume_count; i++) {
        const char *target = service->volumes[i].target;
        size_t length = strlen(target);

        if (length >= sizeof name && !strcmp(target + length - strlen(name), name))
            return true;
    }
    return false;
}

static bool is_broker(const struct compose_service *service, struct broker *broker)
{
    enum start start = image_start(service);

    *broker = (struct broker){.service = service, .major = -1, .minor = -1, .node_id = -1};
    if (start == START_CLIENT)
        return false;
    if (!by_image(service, broker) && !by_variables(service, broker) && !by_words(start, broker))
        return false;
    /* A script that nobody can read, in a service that is given nothing of a broker's, nor has
     * ports for clients. */
    if (start == START_SCRIPT && broker->image != IMAGE_REDPANDA && !broker_variables(service) &&
        !mounts_configuration(service) && service->port_count == 0) {
        char *line = image_words(service);
        bool starts = image_own_script(line);

        free(line);
        return starts;
    }
    return true;
}

/* ---- One broker */

/* A script whose words speak of listeners writes them. */
static void look_at_script(struct broker *broker, enum start start)
{
    char *line = image_words(broker->service);
    bool calls = image_own_script(line);

    broker->scripted = start == START_SCRIPT || start == START_SERVER;
    if (start == START_SCRIPT && (!calls || strstr(line, "LISTENERS") ||
                                  strstr(line, "listeners") || strstr(line, ".properties")))
        broker->unknown = broker->image != IMAGE_REDPANDA;
    free(line);
}

/* More variables are in a file that is not there. */
static bool out_of_reach(const struct compose *compose, const struct compose_service *service)
{
    for (size_t i = 0; i < compose->unknown_count; i++)
        if (!strcmp(compose->unknowns[i].service, service->name) &&
            (strstr(compose->unknowns[i].text, "env_file") ||
             strstr(compose->unknowns[i].text, "extends")))
            return true;
    return false;
}

static void read_broker(const struct compose *compose, struct broker *broker)
{
    enum start start = image_start(broker->service);

    bool partial = out_of_reach(compose, broker->service);

    look_at_script(broker, start);
    /* What the file says itself goes before what an env_file says. */
    if (partial)
        broker->scripted = true, broker->unknown |= !broker_variables(broker->service);
    if (start == START_SERVER && broker->image != IMAGE_REDPANDA &&
        (broker->image != IMAGE_OTHER || !broker_variables(broker->service)))
        image_server(broker);
    else if (image_files(broker))
        image_properties(broker);
    read_roles(broker);
    read_controllers(broker);
    read_node(broker);
    read_voters(broker);
    read_listeners(broker);
    read_map(broker);
    read_inter_broker(broker);
}

void brokers_find(const struct compose *compose, struct brokers *brokers)
{
    *brokers = (struct brokers){0};
    for (size_t i = 0; i < compose->service_count; i++) {
        struct broker broker;

        if (!is_broker(&compose->services[i], &broker))
            continue;
        read_broker(compose, &broker);
        brokers->list = mem_grow(brokers->list, brokers->count + 1, sizeof *brokers->list);
        brokers->list[brokers->count++] = broker;
    }
}

static void broker_free(struct broker *broker)
{
    for (size_t i = 0; i < broker->property_count; i++)
        property_free(&broker->properties[i]);
    free(broker->properties);
    endpoints_free(&broker->listeners);
    endpoints_free(&broker->advertised);
    for (size_t i = 0; i < broker->map_count; i++) {
        free(broker->map[i].name);
        free(broker->map[i].protocol);
    }
    free(broker->map);
    free(broker->inter_broker);
    list_free(broker->controllers);
    for (size_t i = 0; i < broker->voter_count; i++)
        free(broker->voters[i].host);
    free(broker->voters);
}

void brokers_free(struct brokers *brokers)
{
    for (size_t i = 0; i < brokers->count; i++)
        broker_free(&brokers->list[i]);
    free(brokers->list);
    *brokers = (struct brokers){0};
}

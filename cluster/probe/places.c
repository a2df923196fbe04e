#include "cluster/probe/places.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/probe/probe.h"

#define DEFAULT_PORT 9092

void places_list_add(struct places_list *list, const char *address, const char *owner)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->list[i], address) == 0)
            return;
    if (list->count == LIMIT_PROBE_ENDPOINTS)
        return;
    list->list = mem_grow(list->list, list->count + 2, sizeof *list->list);
    list->owners = mem_grow(list->owners, list->count + 1, sizeof *list->owners);
    list->owners[list->count] = mem_text(owner);
    list->list[list->count++] = mem_text(address);
    list->list[list->count] = NULL;
}

const char *places_owner(const struct places_list *list, const char *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->list[i], address) == 0)
            return list->owners[i];
    return "";
}

void places_list_split(struct places_list *list, const char *addresses)
{
    while (*addresses) {
        size_t length = strcspn(addresses, ",");
        char *address;
        while (length && *addresses == ' ') {
            addresses++;
            length--;
        }
        address = mem_bytes(addresses, length);
        if (length)
            places_list_add(list, address, "");
        free(address);
        addresses += length;
        addresses += *addresses == ',';
    }
}

void places_list_free(struct places_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->list[i]);
        free(list->owners[i]);
    }
    free(list->list);
    free(list->owners);
}

/* ---- What a broker's own words tell */

struct listeners {
    struct places_list advertised;
    int ports[LIMIT_PROBE_ENDPOINTS];
    size_t port_count;
    const char *owner;
};

static void add_port(struct listeners *listeners, int port)
{
    for (size_t i = 0; i < listeners->port_count; i++)
        if (listeners->ports[i] == port)
            return;
    if (listeners->port_count < LIMIT_PROBE_ENDPOINTS)
        listeners->ports[listeners->port_count++] = port;
}

/* The value of a variable; NULL: `word` is none of that name. */
static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);

    return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool is_controller(const char *name, size_t length, const char *controllers)
{
    for (const char *at = controllers; *at; at += strspn(at, ", ")) {
        size_t own = strcspn(at, ", ");
        if (own == length && strncasecmp(at, name, length) == 0)
            return true;
        at += own;
    }
    return false;
}

/* "NAME://host:port", or "host:port" as Redpanda takes it, too. */
static void read_item(struct listeners *listeners, const char *item, const char *controllers,
                      bool advertised)
{
    const char *colon = strstr(item, "://"), *address = colon ? colon + 3 : item;
    char *host = NULL, *filled = NULL;
    int port;

    if (colon && is_controller(item, (size_t)(colon - item), controllers))
        return;
    if (*address == ':') /* all addresses */
        address = filled = mem_format("0.0.0.0%s", address);
    if (probe_split(address, &host, &port)) {
        bool wild = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
        if (advertised && !wild)
            places_list_add(&listeners->advertised, address, "");
        if (!advertised)
            add_port(listeners, port);
    }
    free(host);
    free(filled);
}

static void read_list(struct listeners *listeners, const char *value, const char *controllers,
                      bool advertised)
{
    while (*value) {
        size_t length = strcspn(value, ", \n\t");
        char *item = mem_bytes(value, length);
        read_item(listeners, item, controllers, advertised);
        free(item);
        value += length;
        value += strspn(value, ", \n\t");
    }
}

static const char *controllers_in(char *const *words)
{
    for (; *words; words++) {
        const char *names = value_of(*words, "KAFKA_CONTROLLER_LISTENER_NAMES");
        if (!names)
            names = value_of(*words, "KAFKA_CFG_CONTROLLER_LISTENER_NAMES");
        if (names)
            return names;
    }
    return "CONTROLLER";
}

/* Variables as apache/kafka, cp-kafka and bitnami take them, Redpanda's flags. */
static void read_words(struct listeners *listeners, char *const *words)
{
    static const struct {
        const char *name;
        bool advertised;
    } names[] = {{"KAFKA_LISTENERS", false},
                 {"KAFKA_CFG_LISTENERS", false},
                 {"--kafka-addr", false},
                 {"KAFKA_ADVERTISED_LISTENERS", true},
                 {"KAFKA_CFG_ADVERTISED_LISTENERS", true},
                 {"--advertise-kafka-addr", true}};
    const char *controllers = controllers_in(words);

    for (; *words; words++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            const char *value = value_of(*words, names[i].name);
            if (!value && *names[i].name == '-' && strcmp(*words, names[i].name) == 0)
                value = words[1];
            if (value)
                read_list(listeners, value, controllers, names[i].advertised);
        }
    }
}

/* The repository's last part, without the tag. */
static bool is_broker_image(const char *image)
{
    static const char *const names[] = {"kafka",     "kafka-native",    "cp-kafka",
                                        "cp-server", "confluent-local", "redpanda"};
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
    size_t length = strcspn(name, ":@");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == length && strncmp(name, names[i], length) == 0)
            return true;
    return false;
}

/* ---- Where that leads */

static struct places_network *network_of(struct places *places, const char *name)
{
    for (size_t i = 0; i < places->network_count; i++)
        if (strcmp(places->networks[i].name, name) == 0)
            return &places->networks[i];
    places->cut |= places->network_count == LIMIT_PROBE_NETWORKS;
    if (places->cut)
        return NULL;
    places->networks =
        mem_grow(places->networks, places->network_count + 1, sizeof *places->networks);
    places->networks[places->network_count] = (struct places_network){.name = mem_text(name)};
    return &places->networks[places->network_count++];
}

/* Docker's own bridge resolves no names. */
static const char *name_in(const struct docker_container *container, const char *network)
{
    if (strcmp(network, "bridge") == 0)
        return container->address;
    return *container->service ? container->service : container->name;
}

static void add_to_network(struct places *places, const struct docker_container *container,
                           const char *name, const struct listeners *listeners)
{
    const char *host = name_in(container, name);
    struct places_network *network = network_of(places, name);

    for (size_t i = 0; network && i < listeners->advertised.count; i++) {
        char *own;
        int port;
        if (!probe_split(listeners->advertised.list[i], &own, &port))
            continue;
        if (!probe_is_loopback(own))
            places_list_add(&network->addresses, listeners->advertised.list[i], listeners->owner);
        free(own);
    }
    for (size_t i = 0; network && i < listeners->port_count && *host; i++) {
        char *address = probe_address(host, listeners->ports[i]);
        places_list_add(&network->addresses, address, listeners->owner);
        free(address);
    }
}

static void add_published(struct places *places, const struct docker_container *container,
                          const struct listeners *listeners)
{
    for (size_t i = 0; container->own[i]; i++) {
        for (size_t j = 0; j < listeners->port_count; j++) {
            char *address = mem_format("localhost:%d", container->ports[i]);
            if (container->ports[i] && container->own[i] == listeners->ports[j])
                places_list_add(&places->host, address, listeners->owner);
            free(address);
        }
    }
}

static bool has_network(const struct docker_container *container, const char *wanted)
{
    for (char *const *name = container->networks; *name; name++)
        if (strcmp(*name, wanted) == 0)
            return true;
    return false;
}

/* What its settings do not say is the image's: the ports that it shows. */
static void add_default_ports(struct listeners *listeners, const struct docker_container *container)
{
    for (size_t i = 0; container->own[i]; i++)
        add_port(listeners, container->own[i]);
    if (listeners->port_count == 0)
        add_port(listeners, DEFAULT_PORT);
}

/* With published ports that lead where no listener is, if there are no others: a
 * mistake worth to be seen. */
static void add_host_addresses(struct places *places, const struct docker_container *container,
                               const struct listeners *listeners)
{
    size_t before = places->host.count;

    for (size_t i = 0; has_network(container, "host") && i < listeners->port_count; i++) {
        char *address = mem_format("localhost:%d", listeners->ports[i]);
        places_list_add(&places->host, address, listeners->owner);
        free(address);
    }
    add_published(places, container, listeners);
    for (size_t i = 0; places->host.count == before && container->own[i]; i++) {
        char *address = mem_format("localhost:%d", container->ports[i]);
        if (container->ports[i])
            places_list_add(&places->host, address, listeners->owner);
        free(address);
    }
}

/* The image alone may be a client's, too, with another command. */
static bool read_listeners(struct listeners *listeners, const struct docker_container *container,
                           char *const *words)
{
    *listeners = (struct listeners){.owner = container->name};
    if (words)
        read_words(listeners, words);
    if (listeners->port_count || listeners->advertised.count)
        return true;
    listeners->owner = "";
    if (!is_broker_image(container->image) || !container->own[0])
        return false;
    add_default_ports(listeners, container);
    return true;
}

bool places_add(struct places *places, const struct docker_container *container, char *const *words)
{
    struct listeners listeners;
    bool found = read_listeners(&listeners, container, words);

    if (found && listeners.port_count == 0)
        add_default_ports(&listeners, container);
    if (found) {
        add_host_addresses(places, container, &listeners);
        places_list_split(&places->files, container->files);
        for (char *const *name = container->networks; *name; name++)
            if (strcmp(*name, "host") != 0 && strcmp(*name, "none") != 0)
                add_to_network(places, container, *name, &listeners);
        for (size_t i = 0; i < listeners.advertised.count; i++)
            places_list_add(&places->advertised, listeners.advertised.list[i], "");
    }
    places_list_free(&listeners.advertised);
    return found;
}

static bool is_own(const struct docker_container *container, const char *host, int port)
{
    if (strcmp(host, container->name) == 0 || strcmp(host, container->service) == 0 ||
        strcmp(host, container->address) == 0)
        return true;
    for (size_t i = 0; container->own[i]; i++)
        if (container->ports[i] == port)
            return true;
    return false;
}

bool places_match(const struct places_list *addresses, const struct docker_container *container,
                  char *const *words)
{
    struct listeners listeners;
    bool found = false;

    if (!read_listeners(&listeners, container, words))
        return false;
    for (size_t i = 0; i < addresses->count && !found; i++) {
        char *host = NULL;
        int port;
        found = probe_split(addresses->list[i], &host, &port) && is_own(container, host, port);
        for (size_t j = 0; j < listeners.advertised.count && !found; j++)
            found = strcmp(listeners.advertised.list[j], addresses->list[i]) == 0;
        free(host);
    }
    places_list_free(&listeners.advertised);
    return found;
}

void places_count(struct places *places, const struct docker_containers *containers)
{
    for (size_t i = 0; i < places->network_count; i++)
        for (size_t j = 0; j < containers->count; j++)
            places->networks[i].containers +=
                has_network(&containers->list[j], places->networks[i].name);
}

void places_free(struct places *places)
{
    places_list_free(&places->host);
    places_list_free(&places->advertised);
    places_list_free(&places->files);
    for (size_t i = 0; i < places->network_count; i++) {
        free(places->networks[i].name);
        places_list_free(&places->networks[i].addresses);
    }
    free(places->networks);
    *places = (struct places){0};
}

#include "cluster/doctor/reach.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"

/* Of a cluster's brokers, so many are looked at. */
#define CLUSTER_MOST 16

/* A name that Docker's DNS has for a service, or an address of it. */
struct name {
    const char *name;
    const char *network; /* NULL: on all of its networks */
    const struct compose_service *service;
};

struct publication {
    const struct compose_port *port;
    const struct compose_service *service;
};

/* A listener, by the namespace that it is in. */
struct socket {
    const struct compose_service *owner;
    int port;
    const struct broker *broker;
    const struct endpoint *listener;
};

struct reach {
    const struct compose *compose;
    const struct brokers *brokers;
    struct name *names; /* by name */
    size_t name_count;
    struct publication *ports; /* by the host's port */
    size_t port_count;
    struct socket *sockets; /* by owner and port */
    size_t socket_count;
    char **keys;      /* of the brokers' clusters */
    size_t *clusters; /* of each broker, the first with its key */
    size_t *next;
};

/* ---- Networks */

static const struct compose_network *network_find(const struct compose *compose, const char *key)
{
    for (size_t i = 0; i < compose->network_count; i++)
        if (!strcmp(compose->networks[i].key, key))
            return &compose->networks[i];
    return NULL;
}

const char *reach_network(const struct reach *reach, const char *key)
{
    const struct compose_network *network = network_find(reach->compose, key);

    return network && network->name && *network->name ? network->name : key;
}

static const struct compose_service *by_container(const struct compose *compose, const char *name)
{
    for (size_t i = 0; i < compose->service_count; i++)
        if (!strcmp(compose->services[i].container_name.text, name))
            return &compose->services[i];
    return compose_service(compose, name);
}

const struct compose_service *reach_owner(const struct reach *reach,
                                          const struct compose_service *service)
{
    for (int steps = 0; steps < 8; steps++) {
        const char *mode = service->network_mode.text;
        const struct compose_service *other = NULL;

        if (!strncmp(mode, "service:", 8))
            other = compose_service(reach->compose, mode + 8);
        else if (!strncmp(mode, "container:", 10))
            other = by_container(reach->compose, mode + 10);
        if (!other)
            break;
        service = other;
    }
    return service;
}

bool reach_on_host(const struct reach *reach, const struct compose_service *service)
{
    return !strcmp(reach_owner(reach, service)->network_mode.text, "host");
}

bool reach_external(const struct reach *reach, const struct compose_service *service)
{
    const struct compose_service *owner = reach_owner(reach, service);

    if (!strncmp(owner->network_mode.text, "container:", 10))
        return true;
    for (size_t i = 0; i < owner->use_count; i++) {
        const struct compose_network *network =
            network_find(reach->compose, owner->uses[i].network);
        if (network ? network->external : strcmp(owner->uses[i].network, "default") != 0)
            return true;
    }
    return false;
}

/* The services are on Docker's own bridge, which knows no names but those of links. */
static bool on_bridge(const struct compose_service *owner)
{
    return !strcmp(owner->network_mode.text, "bridge") ||
           !strcmp(owner->network_mode.text, "default");
}

static bool is_on(const struct reach *reach, const struct compose_service *owner,
                  const char *network)
{
    for (size_t i = 0; i < owner->use_count; i++)
        if (!strcmp(reach_network(reach, owner->uses[i].network), network))
            return true;
    return false;
}

bool reach_share(const struct reach *reach, const struct compose_service *a,
                 const struct compose_service *b)
{
    a = reach_owner(reach, a);
    b = reach_owner(reach, b);
    if (a == b || (on_bridge(a) && on_bridge(b)))
        return true;
    for (size_t i = 0; i < a->use_count; i++)
        if (is_on(reach, b, reach_network(reach, a->uses[i].network)))
            return true;
    return false;
}

/* ---- Names */

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

static void name_add(struct reach *reach, const char *name, const char *network,
                     const struct compose_service *service)
{
    if (!name || !*name)
        return;
    reach->names = mem_grow(reach->names, reach->name_count + 1, sizeof *reach->names);
    reach->names[reach->name_count++] =
        (struct name){.name = name, .network = network, .service = service};
}

static void names_of(struct reach *reach, const struct compose_service *service)
{
    name_add(reach, service->name, NULL, service);
    name_add(reach, service->container_name.text, NULL, service);
    /* A number is never looked up, whatever /etc/hosts calls by it. */
    if (host_kind(service->hostname.text) != HOST_PRIVATE &&
        host_kind(service->hostname.text) != HOST_PUBLIC)
        name_add(reach, service->hostname.text, NULL, service);
    for (size_t i = 0; i < service->use_count; i++) {
        const struct compose_use *use = &service->uses[i];
        const char *network = reach_network(reach, use->network);
        for (char **alias = use->aliases; alias && *alias; alias++)
            name_add(reach, *alias, network, service);
        name_add(reach, use->address, network, service);
    }
}

/* The first of the names that are `host`, without regard to case. */
static size_t name_first(const struct reach *reach, const char *host)
{
    size_t low = 0, high = reach->name_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcasecmp(reach->names[middle].name, host) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* project_service_1, project-service-1: the names that Compose gives containers. */
static const struct compose_service *by_default_name(const struct reach *reach, const char *host)
{
    size_t length = strlen(host);
    const struct compose_service *found = NULL;
    char *middle;

    while (length && isdigit((unsigned char)host[length - 1]))
        length--;
    if (length < 2 || !host[length] || !strchr("_-", host[length - 1]))
        return NULL;
    middle = mem_bytes(host, length - 1);
    for (char *p = middle; *p && !found; p++)
        if (strchr("_-", *p))
            found = compose_service(reach->compose, p + 1);
    free(middle);
    return found;
}

const struct compose_service *reach_named(const struct reach *reach, const char *host)
{
    size_t i = name_first(reach, host);

    if (host_kind(host) == HOST_LOCAL)
        return NULL; /* /etc/hosts comes first, whoever has `hostname: localhost` */
    if (i < reach->name_count && !strcasecmp(reach->names[i].name, host))
        return reach->names[i].service;
    return by_default_name(reach, host);
}

/* ---- Building it */

static int compare_ports(const void *a, const void *b)
{
    int left = ((const struct publication *)a)->port->published;
    int right = ((const struct publication *)b)->port->published;

    return (left > right) - (left < right);
}

static int compare_sockets(const void *left, const void *right)
{
    const struct socket *a = left, *b = right;

    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return (a->listener > b->listener) - (a->listener < b->listener);
}

static void ports_of(struct reach *reach, const struct compose_service *service)
{
    for (size_t i = 0; i < service->port_count; i++) {
        reach->ports = mem_grow(reach->ports, reach->port_count + 1, sizeof *reach->ports);
        reach->ports[reach->port_count++] =
            (struct publication){.port = &service->ports[i], .service = service};
    }
}

static void sockets_of(struct reach *reach, const struct broker *broker)
{
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];
        if (!broker->is_broker || broker_is_controllers(broker, listener->name))
            continue;
        reach->sockets = mem_grow(reach->sockets, reach->socket_count + 1, sizeof *reach->sockets);
        reach->sockets[reach->socket_count++] =
            (struct socket){.owner = reach_owner(reach, broker->service),
                            .port = listener->port,
                            .broker = broker,
                            .listener = listener};
    }
}

/* ---- Clusters */

/* The smallest host:port of a list, with the path behind the last. */
static char *least_address(const char *list)
{
    char *least = NULL, *key;
    struct address address;
    const char *path = strchr(list, '/');

    for (size_t at = 0; address_find(list, at, &address); at = address.start + address.length) {
        char *one = mem_bytes(list + address.start, address.length);
        if (!least || strcasecmp(one, least) < 0) {
            free(least);
            least = one;
        } else {
            free(one);
        }
    }
    if (!least)
        return NULL;
    key = mem_format("%s%s", least, path && path[1] ? path : "");
    free(least);
    return key;
}

static const char *property_text(const struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);

    return property ? property->value->text : "";
}

static bool is_alone(const char *key)
{
    return !strncmp(key, "localhost", 9) || !strncmp(key, "127.", 4) || !strncmp(key, "0.0.0.0", 7);
}

/* What a broker has in common with the others of its cluster: the first
 * ZooKeeper or voter; of Redpanda, the first seed, which names itself, or nobody. */
static char *cluster_key(const struct broker *broker)
{
    static const char *const names[] = {"controller.quorum.voters",
                                        "controller.quorum.bootstrap.servers",
                                        "zookeeper.connect",
                                        "seeds",
                                        "seed_servers",
                                        NULL};
    char *key = NULL;

    for (const char *const *name = names; *name && !key; name++)
        key = least_address(property_text(broker, *name));
    if (key && is_alone(key)) {
        free(key);
        key = NULL;
    }
    if (!key && broker->image == IMAGE_REDPANDA)
        return mem_format("%s:33145", broker->service->name);
    return key ? key : mem_format(" %s", broker->service->name);
}

struct keyed {
    const char *key;
    size_t index;
};

static int compare_keys(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = strcasecmp(a->key, b->key);

    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void clusters_find(struct reach *reach)
{
    size_t count = reach->brokers->count, first = 0;
    struct keyed *sorted = mem_alloc(count + 1, sizeof *sorted);

    reach->keys = mem_alloc(count + 1, sizeof *reach->keys);
    reach->clusters = mem_alloc(count + 1, sizeof *reach->clusters);
    reach->next = mem_alloc(count + 1, sizeof *reach->next);
    for (size_t i = 0; i < count; i++) {
        reach->keys[i] = cluster_key(&reach->brokers->list[i]);
        sorted[i] = (struct keyed){.key = reach->keys[i], .index = i};
    }
    qsort(sorted, count, sizeof *sorted, compare_keys);
    for (size_t i = 0; i < count; i++) {
        bool more = i + 1 < count && !strcasecmp(sorted[i].key, sorted[i + 1].key);
        reach->clusters[sorted[i].index] = sorted[first].index;
        reach->next[sorted[i].index] = sorted[more ? i + 1 : first].index;
        if (!more)
            first = i + 1;
    }
    free(sorted);
}

static size_t index_of(const struct reach *reach, const struct broker *broker)
{
    return (size_t)(broker - reach->brokers->list);
}

size_t reach_cluster(const struct reach *reach, const struct broker *broker)
{
    return reach->clusters[index_of(reach, broker)];
}

const struct broker *reach_next(const struct reach *reach, const struct broker *broker)
{
    const struct broker *next = broker;

    do
        next = &reach->brokers->list[reach->next[index_of(reach, next)]];
    while (!next->is_broker && next != broker);
    return next;
}

size_t reach_cluster_size(const struct reach *reach, const struct broker *broker)
{
    size_t count = 1;

    for (const struct broker *b = reach_next(reach, broker); b != broker && count < CLUSTER_MOST;
         b = reach_next(reach, b))
        count++;
    return count;
}

struct reach *reach_new(const struct diagnosis *diagnosis)
{
    struct reach *reach = mem_alloc(1, sizeof *reach);
    const struct compose *compose = diagnosis->compose;

    reach->compose = compose;
    reach->brokers = &diagnosis->brokers;
    for (size_t i = 0; i < compose->service_count; i++) {
        names_of(reach, &compose->services[i]);
        ports_of(reach, &compose->services[i]);
    }
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        sockets_of(reach, &diagnosis->brokers.list[i]);
    if (reach->name_count)
        qsort(reach->names, reach->name_count, sizeof *reach->names, compare_names);
    if (reach->port_count)
        qsort(reach->ports, reach->port_count, sizeof *reach->ports, compare_ports);
    if (reach->socket_count)
        qsort(reach->sockets, reach->socket_count, sizeof *reach->sockets, compare_sockets);
    clusters_find(reach);
    return reach;
}

void reach_free(struct reach *reach)
{
    if (!reach)
        return;
    for (size_t i = 0; i < reach->brokers->count; i++)
        free(reach->keys[i]);
    free(reach->keys);
    free(reach->clusters);
    free(reach->next);
    free(reach->names);
    free(reach->ports);
    free(reach->sockets);
    free(reach);
}

/* ---- Ports */

bool reach_is_loopback(const struct endpoint *listener)
{
    return host_kind(listener->host) == HOST_LOCAL;
}

const struct compose_port *reach_published(const struct reach *reach,
                                           const struct compose_service *service, int target,
                                           size_t *index)
{
    const struct compose_service *owner = reach_owner(reach, service);

    while (*index < owner->port_count) {
        const struct compose_port *port = &owner->ports[(*index)++];
        if (port->target == target)
            return port;
    }
    return NULL;
}

static size_t port_first(const struct reach *reach, int published)
{
    size_t low = 0, high = reach->port_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reach->ports[middle].port->published < published)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct compose_port *reach_port(const struct reach *reach, int published,
                                      const struct compose_service **service)
{
    size_t i = port_first(reach, published);

    if (i == reach->port_count || reach->ports[i].port->published != published)
        return NULL;
    *service = reach->ports[i].service;
    return reach->ports[i].port;
}

/* Bound to all addresses, "" or a loopback that `local` reaches. */
static bool is_open(const char *host_ip, bool local)
{
    enum host_kind kind = host_kind(host_ip);

    return kind != HOST_LOCAL || local;
}

/* ---- Arriving */

static struct arrival at_service(enum arrival_kind kind, const struct compose_service *service)
{
    return (struct arrival){.kind = kind, .service = service};
}

static size_t socket_first(const struct reach *reach, const struct compose_service *owner, int port)
{
    size_t low = 0, high = reach->socket_count;
    struct socket wanted = {.owner = owner, .port = port};

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_sockets(&reach->sockets[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is known of a namespace's brokers. */
static void brokers_within(const struct reach *reach, const struct compose_service *owner,
                           bool *any, bool *unknown)
{
    *any = *unknown = false;
    for (size_t i = 0; i < reach->brokers->count; i++) {
        const struct broker *broker = &reach->brokers->list[i];
        if (reach_owner(reach, broker->service) != owner)
            continue;
        *any = true;
        *unknown |= broker->unknown || !broker->listeners.count || broker->listeners.bad;
    }
}

static bool publishes(const struct compose_service *owner, int port)
{
    for (size_t i = 0; i < owner->port_count; i++)
        if (owner->ports[i].target == port)
            return true;
    return false;
}

/* Within a namespace; `inside`: by its own localhost, else by an address of its own. */
static struct arrival at_port(const struct reach *reach, const struct compose_service *service,
                              int port, bool inside)
{
    const struct compose_service *owner = reach_owner(reach, service);
    size_t i = socket_first(reach, owner, port);
    bool any, unknown;

    if (i < reach->socket_count && reach->sockets[i].owner == owner &&
        reach->sockets[i].port == port) {
        const struct socket *found = &reach->sockets[i];
        enum host_kind bound = host_kind(found->listener->host);
        struct arrival arrival = {.kind = ARRIVE_LISTENER,
                                  .service = service,
                                  .broker = found->broker,
                                  .listener = found->listener};
        if (!inside && bound == HOST_LOCAL)
            arrival.kind = ARRIVE_LOOPBACK;
        else if (inside && (bound == HOST_LABEL || bound == HOST_PRIVATE))
            arrival.kind = ARRIVE_CLOSED;
        return arrival;
    }
    brokers_within(reach, owner, &any, &unknown);
    if (unknown)
        return at_service(ARRIVE_MAYBE, service);
    if (any)
        return at_service(ARRIVE_CLOSED, service);
    if (inside)
        return at_service(publishes(owner, port) ? ARRIVE_MAYBE : ARRIVE_ALONE, service);
    return at_service(ARRIVE_OTHER, service);
}

/* A broker that shares the host's network. */
static bool on_host_port(const struct reach *reach, int port, bool local, struct arrival *arrival)
{
    for (size_t i = 0; i < reach->socket_count; i++) {
        const struct socket *s = &reach->sockets[i];
        if (s->port != port || strcmp(s->owner->network_mode.text, "host") != 0)
            continue;
        *arrival = at_port(reach, s->broker->service, port, local);
        if (local && arrival->kind == ARRIVE_CLOSED)
            continue; /* bound to one of the host's addresses */
        return true;
    }
    return false;
}

/* At a port of the machine that Docker runs on; `local`: by its localhost. */
static struct arrival at_host(const struct reach *reach, int port, bool local)
{
    struct arrival arrival;

    for (size_t i = port_first(reach, port);
         i < reach->port_count && reach->ports[i].port->published == port; i++)
        if (is_open(reach->ports[i].port->host_ip, local))
            return at_port(reach, reach->ports[i].service, reach->ports[i].port->target, false);
    if (on_host_port(reach, port, local, &arrival))
        return arrival;
    return at_service(ARRIVE_CLOSED, NULL);
}

/* An address outside the files, which may be this machine's: where its port
 * is published, it is known what is behind it. */
static struct arrival maybe(void)
{
    return at_service(ARRIVE_MAYBE, NULL);
}

/* ---- Resolving */

/* Localhost, by whatever name; the first letter tells most others apart. */
static bool is_self(const char *host)
{
    enum host_kind kind;

    if (!*host || !strchr("lLiI01:", *host))
        return false;
    kind = host_kind(host);
    return kind == HOST_LOCAL || kind == HOST_ANY;
}

static const char *extra_host(const struct compose_service *service, const char *host)
{
    for (size_t i = 0; i < service->host_count; i++)
        if (!strcasecmp(service->hosts[i].name, host))
            return service->hosts[i].value.text;
    return NULL;
}

/* "service:alias" or "service" of `links`. */
static const struct compose_service *linked(const struct reach *reach,
                                            const struct compose_service *service, const char *host)
{
    for (char **link = service->links; link && *link; link++) {
        const char *colon = strchr(*link, ':');
        size_t length = colon ? (size_t)(colon - *link) : strlen(*link);
        const struct compose_service *target;
        char *name;
        if (strcasecmp(colon ? colon + 1 : *link, host) != 0)
            continue;
        name = mem_bytes(*link, length);
        target = compose_service(reach->compose, name);
        free(name);
        return target;
    }
    return NULL;
}

static bool sees(const struct reach *reach, const struct standpoint *from, const struct name *name)
{
    const struct compose_service *owner = reach_owner(reach, name->service), *own;

    if (!strcmp(owner->network_mode.text, "host"))
        return false;
    if (from->at == AT_NETWORK)
        return name->network ? !strcmp(name->network, from->network)
                             : is_on(reach, owner, from->network);
    own = reach_owner(reach, from->service);
    if (name->network)
        return is_on(reach, own, name->network);
    return own == owner || (!on_bridge(own) && reach_share(reach, own, name->service));
}

/* host.network: Docker's DNS takes a network's name as the domain. */
static struct arrival with_domain(const struct reach *reach, const struct standpoint *from,
                                  const char *host, int port)
{
    const char *dot = strrchr(host, '.');
    struct arrival arrival = maybe();

    for (size_t i = 0; dot && i < reach->compose->network_count; i++)
        if (!strcasecmp(reach->compose->networks[i].name, dot + 1)) {
            char *name = mem_bytes(host, (size_t)(dot - host));
            arrival = reach_arrive(reach, from, name, port);
            free(name);
            break;
        }
    return arrival;
}

static bool outside_names(const struct reach *reach, const struct standpoint *from)
{
    if (from->at == AT_SERVICE)
        return reach_external(reach, from->service);
    for (size_t i = 0; i < reach->compose->network_count; i++)
        if (reach->compose->networks[i].external &&
            !strcmp(reach->compose->networks[i].name, from->network))
            return true;
    return false;
}

/* By Docker's DNS, from a network. */
static struct arrival by_name(const struct reach *reach, const struct standpoint *from,
                              const char *host, int port)
{
    size_t first = name_first(reach, host);
    const struct compose_service *service = NULL;

    for (size_t i = first; i < reach->name_count && !strcasecmp(reach->names[i].name, host); i++) {
        service = reach->names[i].service;
        if (sees(reach, from, &reach->names[i]))
            return at_port(reach, service, port, false);
    }
    if (!service && (service = by_default_name(reach, host))) {
        struct name name = {.name = host, .service = service};
        if (sees(reach, from, &name))
            return at_port(reach, service, port, false);
    }
    switch (host_kind(host)) {
    case HOST_LABEL:
        if (outside_names(reach, from))
            return maybe();
        return at_service(service ? ARRIVE_SPLIT : ARRIVE_NOBODY, service);
    case HOST_DOMAIN:
        return service ? at_service(ARRIVE_SPLIT, service) : with_domain(reach, from, host, port);
    case HOST_GATEWAY: { /* what the host publishes; if it does not, it may be another's */
        struct arrival arrival = at_host(reach, port, true);
        return arrival.kind == ARRIVE_CLOSED ? maybe() : arrival;
    }
    default:
        return maybe();
    }
}

/* By the names of the machine itself. Linux reaches the containers' addresses, too. */
static struct arrival from_host(const struct reach *reach, const char *host, int port, bool local)
{
    enum host_kind kind = host_kind(host);
    const struct compose_service *service;

    if (kind == HOST_LOCAL || kind == HOST_ANY)
        return local ? at_host(reach, port, true) : at_service(ARRIVE_ALONE, NULL);
    service = reach_named(reach, host);
    if (kind == HOST_PRIVATE && service)
        return local ? at_port(reach, service, port, false) : at_service(ARRIVE_NOBODY, NULL);
    if (kind == HOST_LABEL || kind == HOST_NONE)
        return at_service(ARRIVE_NOBODY, service);
    if (service && kind == HOST_DOMAIN)
        return at_service(ARRIVE_NOBODY, service);
    return maybe();
}

static struct arrival from_service(const struct reach *reach, const struct standpoint *from,
                                   const char *host, int port)
{
    const struct compose_service *owner = reach_owner(reach, from->service), *other;
    const char *address = extra_host(from->service, host);

    if (!address && owner != from->service)
        address = extra_host(owner, host);
    if (address && !strcmp(address, "host-gateway")) {
        struct arrival arrival = at_host(reach, port, true);
        return arrival.kind == ARRIVE_CLOSED ? maybe() : arrival;
    }
    if (address)
        host = address;
    if ((other = linked(reach, from->service, host)))
        return at_port(reach, other, port, false);
    if (is_self(host))
        return at_port(reach, from->service, port, true);
    if (address)
        return reach_named(reach, host) ? by_name(reach, from, host, port) : maybe();
    return by_name(reach, from, host, port);
}

struct arrival reach_arrive(const struct reach *reach, const struct standpoint *from,
                            const char *host, int port)
{
    switch (from->at) {
    case AT_ELSEWHERE:
        return from_host(reach, host, port, false);
    case AT_NETWORK:
        if (is_self(host))
            return at_service(ARRIVE_ALONE, NULL);
        return by_name(reach, from, host, port);
    case AT_SERVICE:
        if (!reach_on_host(reach, from->service))
            return from_service(reach, from, host, port);
        if (!strcasecmp(host, from->service->hostname.text) || extra_host(from->service, host))
            return maybe();
        return from_host(reach, host, port, true);
    default:
        return from_host(reach, host, port, true);
    }
}

struct arrival reach_endpoint(const struct reach *reach, const struct standpoint *from,
                              const struct broker *broker, const struct endpoint *endpoint)
{
    const struct compose_service *service = broker->service;
    bool blank = !*endpoint->host;

    if (endpoint->value && endpoint->value->unset &&
        (blank || host_kind(endpoint->host) == HOST_PLACEHOLDER))
        return maybe();
    if (!blank)
        return reach_arrive(reach, from, endpoint->host, endpoint->port);
    if (reach_on_host(reach, service)) /* the machine's own name */
        return maybe();
    return reach_arrive(reach, from, service->name, endpoint->port);
}

/* ---- Trying */

bool reach_is_at(const struct arrival *arrival, const struct broker *broker, const char *listener)
{
    const struct endpoint *own = endpoint_find(&broker->listeners, listener);

    return arrival->kind == ARRIVE_LISTENER && arrival->broker == broker &&
           (strcmp(arrival->listener->name, listener) == 0 ||
            (own && own->port == arrival->listener->port));
}

static enum outcome outcome_of(const struct arrival *arrival, const struct broker *broker,
                               const struct endpoint *endpoint)
{
    switch (arrival->kind) {
    case ARRIVE_LISTENER: /* at another listener, or another broker, the ports are crossed */
        return reach_is_at(arrival, broker, endpoint->name) ? TRIAL_WORKS : TRIAL_FAILS;
    case ARRIVE_OTHER:
    case ARRIVE_MAYBE:
        return TRIAL_MAYBE;
    default:
        return TRIAL_FAILS;
    }
}

static void tell(const struct reach *reach, const struct standpoint *from,
                 const struct broker *broker, struct trial *trial)
{
    const struct endpoint *told = endpoint_find(&broker->advertised, trial->first.listener->name);
    struct arrival then = {.kind = ARRIVE_NOBODY};
    enum outcome outcome = TRIAL_FAILS;

    if (!told && broker != trial->first.broker)
        return;
    if (told) {
        then = reach_endpoint(reach, from, broker, told);
        outcome = outcome_of(&then, broker, told);
    }
    if (broker->unknown || broker->advertised.bad)
        outcome = TRIAL_MAYBE;
    if (trial->teller && outcome <= trial->outcome)
        return;
    *trial = (struct trial){
        .outcome = outcome, .first = trial->first, .teller = broker, .told = told, .then = then};
}

struct trial reach_try(const struct reach *reach, const struct standpoint *from, const char *host,
                       int port)
{
    struct trial trial = {.first = reach_arrive(reach, from, host, port)};
    const struct broker *first = trial.first.broker, *broker = first;

    if (trial.first.kind != ARRIVE_LISTENER) {
        bool open = trial.first.kind == ARRIVE_OTHER || trial.first.kind == ARRIVE_MAYBE;
        trial.outcome = open ? TRIAL_MAYBE : TRIAL_FAILS;
        return trial;
    }
    for (int i = 0; i < CLUSTER_MOST; i++) {
        tell(reach, from, broker, &trial);
        broker = reach_next(reach, broker);
        if (broker == first || trial.outcome == TRIAL_FAILS)
            break;
    }
    return trial;
}

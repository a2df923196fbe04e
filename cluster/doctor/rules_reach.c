/* rules_reach.c: brokers that start, and addresses that lead nowhere: what
 * they advertise against what is published, bound and named in the files. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/fix.h"
#include "cluster/doctor/rules.h"

struct look {
    struct diagnosis *diagnosis;
    const struct reach *reach;
    const struct broker *broker;
    const struct endpoint *told, *listener;
    struct place place; /* of `told` */
};

static const struct standpoint the_host = {.at = AT_HOST};

static const char *name_of(const struct look *look)
{
    return look->broker->service->name;
}

/* What the broker tells and what it does is known. */
static bool is_known(const struct broker *broker)
{
    return broker->is_broker && !broker->unknown && !broker->listeners.bad &&
           !broker->advertised.bad;
}

static bool is_unset(const struct endpoint *endpoint)
{
    return endpoint->value && endpoint->value->unset;
}

/* The host that is not there would have been a variable's. */
static bool lost_host(const struct broker *broker)
{
    const struct property *property = broker_property(broker, "advertised.host.name");

    return property && property->value->unset;
}

/* An error has been found at the same place, or in the listeners' ports: what else is wrong with
 * it can wait. */
static bool is_blamed(const struct look *look)
{
    for (size_t i = 0; i < look->diagnosis->finding_count; i++) {
        const struct finding *finding = &look->diagnosis->findings[i];
        if (!strcmp(finding->rule->id, "PORT-DUP") && !strcmp(finding->service, name_of(look)))
            return true;
        if (finding->severity == SEVERITY_ERROR && finding->place.source == look->place.source &&
            look->place.source && finding->place.start == look->place.start &&
            strcmp(finding->rule->id, "BIND-LOCALHOST") != 0)
            return true;
    }
    return false;
}

/* Some listener of the broker serves the host. */
static bool serves_host(const struct look *look)
{
    const struct broker *broker = look->broker;

    for (size_t i = 0; i < broker->listeners.count; i++) {
        size_t index = 0;
        const struct compose_port *port;
        while ((port = reach_published(look->reach, broker->service, broker->listeners.list[i].port,
                                       &index)))
            if (port->published &&
                reach_try(look->reach, &the_host, "localhost", port->published).outcome !=
                    TRIAL_FAILS)
                return true;
    }
    return false;
}

/* Some listener of the broker serves other containers of its networks. */
static bool serves_networks(const struct look *look)
{
    struct standpoint from = {.at = AT_NETWORK};
    const struct compose_service *owner = reach_owner(look->reach, look->broker->service);

    for (size_t u = 0; u < owner->use_count; u++) {
        from.network = reach_network(look->reach, owner->uses[u].network);
        for (size_t i = 0; i < look->broker->listeners.count; i++)
            if (reach_try(look->reach, &from, look->broker->service->name,
                          look->broker->listeners.list[i].port)
                    .outcome != TRIAL_FAILS)
                return true;
    }
    return false;
}

static bool is_inter_broker(const struct look *look)
{
    return look->broker->inter_broker && !strcmp(look->broker->inter_broker, look->told->name);
}

/* Broken is what nobody can use; where another listener serves the networks, or
 * the host, the file works for some. */
static void soften(const struct look *look, struct finding *finding)
{
    if (serves_networks(look) || serves_host(look))
        finding->severity = SEVERITY_WARNING;
}

/* ---- Advertised as localhost */

static const struct compose_port *fixed_port(const struct look *look, bool *any)
{
    size_t index = 0;
    const struct compose_port *port, *fixed = NULL;

    *any = false;
    while ((
        port = reach_published(look->reach, look->broker->service, look->listener->port, &index))) {
        *any = true;
        if (port->published && !fixed)
            fixed = port;
    }
    return fixed;
}

/* Puts another port into the advertised address. */
static bool advertise_port(const struct look *look, struct finding *finding, int port)
{
    const struct property *property = look->broker->advertised.property;
    const char *text = look->told->value ? look->told->value->text + look->told->offset : "";
    size_t length = look->told->length;

    while (length && text[length - 1] != ':')
        length--;
    if ((property && property->pair && property->pair->shared) || !look->place.source ||
        look->place.end - look->place.start != look->told->length)
        return false;
    return fix_replace(look->diagnosis, finding, &look->place,
                       mem_format("%.*s%d", (int)length, text, port));
}

static bool derives_listeners(const struct look *look)
{
    return !fix_is_given(&look->broker->listeners, "listeners");
}

/* 9093:9092 and localhost:9092. Where nothing else depends on the advertised
 * port (the image does not derive the listeners from it, and the broker, as
 * the controller under ZooKeeper, does not come back to itself by it), it is
 * what changes; else the host's port. */
static void correct_port(const struct look *look, struct finding *finding,
                         const struct compose_port *port)
{
    const struct property *property = look->broker->advertised.property;
    const struct compose_service *other;

    if (!derives_listeners(look) && !(look->broker->zookeeper && is_inter_broker(look)) &&
        !(property && property->pair && property->pair->shared)) {
        finding_fix(finding, "advertise %s://%s:%d", look->told->name, look->told->host,
                    port->published);
        advertise_port(look, finding, port->published);
        return;
    }
    finding_fix(finding, "publish \"%d:%d\"", look->told->port, port->target);
    if (!reach_port(look->reach, look->told->port, &other))
        fix_published(look->diagnosis, finding, port, look->told->port);
}

/* Behind the advertised port, the next one of the host that no service has and no broker
 * advertises; 0: none. */
static int next_host_port(const struct look *look)
{
    const struct brokers *brokers = &look->diagnosis->brokers;
    const struct compose_service *service;

    for (int port = look->told->port + 1; port <= 65535; port++) {
        bool used = reach_port(look->reach, port, &service) != NULL;

        for (size_t i = 0; i < brokers->count && !used; i++)
            for (size_t k = 0; k < brokers->list[i].advertised.count; k++)
                used |= brokers->list[i].advertised.list[k].port == port;
        if (!used)
            return port;
    }
    return 0;
}

/* An address of this machine that another broker has, too: the broker's own is that port of the
 * host which leads to it; where there is none, a free one, which PORT-NOT-PUBLISHED publishes. */
static void correct_claim(const struct look *look, struct finding *finding)
{
    bool any, local = host_kind(look->told->host) == HOST_LOCAL;
    const struct compose_port *port = fixed_port(look, &any);
    int published = port ? port->published : local && !any ? next_host_port(look) : 0, target;

    finding_fix(finding, "give %s an address of its own", name_of(look));
    if (!published || published == look->told->port || reach_named(look->reach, look->told->host) ||
        fix_taken(look->diagnosis, &look->place))
        return;
    target = derives_listeners(look) ? published : look->listener->port;
    finding_fix(finding, "advertise %s://%s:%d", look->told->name, look->told->host, published);
    if (!port || target != port->target)
        finding_fix(finding, "advertise %s://%s:%d, and publish \"%d:%d\"", look->told->name,
                    look->told->host, published, published, target);
    if (advertise_port(look, finding, published) && port && target != port->target)
        fix_target(look->diagnosis, finding, port, target);
}

static void blame_crossed(const struct look *look, const struct arrival *arrival)
{
    const struct compose_service *service = NULL;
    const struct compose_port *port = reach_port(look->reach, look->told->port, &service);
    bool other = arrival->broker != look->broker;
    struct finding *finding =
        finding_add(look->diagnosis, "CROSSED", look->broker->service,
                    port && !other ? &port->place : &look->place,
                    "`%s` advertises %s://%s:%d, but port %d of the host leads to the listener %s "
                    "of %s",
                    name_of(look), look->told->name, look->told->host, look->told->port,
                    look->told->port, arrival->listener->name, arrival->broker->service->name);

    soften(look, finding);
    if (other) {
        correct_claim(look, finding);
        return;
    }
    if (!port)
        return;
    finding_fix(finding, "publish \"%d:%d\"", look->told->port, look->listener->port);
    fix_target(look->diagnosis, finding, port, look->listener->port);
}

static void blame_ephemeral(const struct look *look)
{
    size_t index = 0;
    const struct compose_port *port =
        reach_published(look->reach, look->broker->service, look->listener->port, &index);
    struct finding *finding = finding_add(
        look->diagnosis, "EPHEMERAL", look->broker->service, &look->place,
        "`%s` advertises %s:%d, but Docker publishes container port %d at whatever port is free",
        name_of(look), look->told->host, look->told->port, look->listener->port);

    finding_fix(finding, "publish \"%d:%d\"", look->told->port, look->listener->port);
    fix_ephemeral(look->diagnosis, finding, port, look->told->port);
}

static void blame_unpublished(const struct look *look)
{
    const struct compose_service *service = look->broker->service;
    struct finding *finding;

    finding = finding_add(look->diagnosis, "PORT-NOT-PUBLISHED", service, &look->place,
                          "`%s` advertises %s://%s:%d, and does not publish its container port %d: "
                          "nothing outside its container gets there",
                          name_of(look), look->told->name, look->told->host, look->told->port,
                          look->listener->port);
    finding_fix(finding, "publish \"%d:%d\"", look->told->port, look->listener->port);
    if (service->ports_gap.source && service->ports_gap.list)
        fix_lines(finding, &service->ports_gap,
                  mem_format("%*s- \"%d:%d\"", (int)service->ports_gap.indent, "", look->told->port,
                             look->listener->port));
    else if (!service->ports_gap.given)
        fix_lines(finding, &service->service_gap,
                  mem_format("%*sports:\n%*s- \"%d:%d\"", (int)service->service_gap.indent, "",
                             (int)service->service_gap.indent + 2, "", look->told->port,
                             look->listener->port));
}

/* Nothing on the host's localhost leads where the broker says that it listens. */
static void blame_local(const struct look *look, const struct arrival *arrival)
{
    bool any;
    const struct compose_port *port = fixed_port(look, &any), *there;
    const struct compose_service *service = NULL;
    struct finding *finding;

    if (port) {
        finding =
            finding_add(look->diagnosis, "PORT-MISMATCH", look->broker->service, &look->place,
                        "`%s` advertises %s:%d, but its container port %d is published at %d: a "
                        "client that asks at localhost:%d is sent to localhost:%d, where "
                        "nothing is (Connect to ipv4#127.0.0.1:%d failed: Connection refused)",
                        name_of(look), look->told->host, look->told->port, look->listener->port,
                        port->published, port->published, look->told->port, look->told->port);
        soften(look, finding);
        correct_port(look, finding, port);
        return;
    }
    there = reach_port(look->reach, look->told->port, &service);
    if (there && arrival->service && service == look->broker->service) {
        finding =
            finding_add(look->diagnosis, "PORT-MISMATCH", service, &there->place,
                        "`%s` advertises %s:%d, and publishes that port to container port %d, "
                        "where no listener is: %s listens on %d",
                        name_of(look), look->told->host, look->told->port, there->target,
                        look->told->name, look->listener->port);
        soften(look, finding);
        finding_fix(finding, "publish \"%d:%d\"", look->told->port, look->listener->port);
        fix_target(look->diagnosis, finding, there, look->listener->port);
        return;
    }
    if (any)
        blame_ephemeral(look);
    else
        blame_unpublished(look);
}

/* A listener for the broker alone: its own side, where others serve everybody else. */
static bool is_private(const struct look *look)
{
    return (is_inter_broker(look) || reach_is_loopback(look->listener)) &&
           reach_cluster_size(look->reach, look->broker) == 1 &&
           (serves_host(look) || serves_networks(look));
}

static void check_local(const struct look *look)
{
    struct arrival arrival = reach_endpoint(look->reach, &the_host, look->broker, look->told);

    if (arrival.kind == ARRIVE_LOOPBACK ||
        (arrival.kind == ARRIVE_CLOSED && reach_is_loopback(look->listener)))
        return; /* check_bound's */
    if (arrival.kind == ARRIVE_LISTENER) {
        if (!reach_is_at(&arrival, look->broker, look->told->name))
            blame_crossed(look, &arrival);
        return;
    }
    if (arrival.kind == ARRIVE_CLOSED && !is_private(look))
        blame_local(look, &arrival);
}

/* ---- Advertised as a name */

/* Under ZooKeeper the controller, a broker, calls each broker by it, itself
 * too (KafkaController's channels, up to 3.9); others fetch by it. */
static bool is_needed(const struct look *look)
{
    return is_inter_broker(look) &&
           (look->broker->zookeeper || reach_cluster_size(look->reach, look->broker) > 1);
}

static void blame_name(const struct look *look, const struct arrival *arrival)
{
    bool serves = serves_networks(look) || serves_host(look);
    bool other = arrival->kind == ARRIVE_LISTENER;
    struct finding *finding;

    if (other)
        finding = finding_add(look->diagnosis, "CROSSED", look->broker->service, &look->place,
                              "`%s` advertises %s://%s:%d, where the listener %s of %s is",
                              name_of(look), look->told->name, look->told->host, look->told->port,
                              arrival->listener->name, arrival->broker->service->name);
    else
        finding =
            finding_add(look->diagnosis, "PORT-MISMATCH", look->broker->service, &look->place,
                        "`%s` advertises %s://%s:%d, but in the container that listener is on "
                        "port %d: other containers, which no published port concerns, are "
                        "refused (Connection refused)",
                        name_of(look), look->told->name, look->told->host, look->told->port,
                        look->listener->port);
    if (serves && !is_needed(look))
        finding->severity = SEVERITY_WARNING;
    fix_listener(look->diagnosis, look->reach, finding, look->broker, look->told->name);
}

/* The published port is meant for another listener, and CROSSED. */
static bool crossed(const struct look *look)
{
    for (size_t i = 0; i < look->diagnosis->finding_count; i++) {
        const struct finding *finding = &look->diagnosis->findings[i];
        if (!strcmp(finding->rule->id, "CROSSED") &&
            !strcmp(finding->service, look->broker->service->name))
            return true;
    }
    return false;
}

static bool publishes(const struct look *look)
{
    bool any;

    fixed_port(look, &any);
    return any;
}

static void warn(const struct look *look, const char *rule, const char *text)
{
    finding_fix(finding_add(look->diagnosis, rule, look->broker->service, &look->place,
                            "`%s` advertises %s:%d, %s", name_of(look), look->told->host,
                            look->told->port, text),
                "keep it if its clients reach that; for the host alone advertise localhost:%d; for "
                "containers %s:%d, by a listener of its own",
                look->told->port, name_of(look), look->listener->port);
}

/* The host has another listener; this one's port is not for it. */
static void unpublish(const struct look *look, struct finding *finding)
{
    bool any;
    const struct compose_port *port = fixed_port(look, &any);

    finding_fix(finding, "do not publish container port %d: the host has another listener",
                look->listener->port);
    if (port)
        fix_remove_item(look->diagnosis, finding, &port->place);
}

static void warn_host(const struct look *look)
{
    const char *host = *look->told->host ? look->told->host : name_of(look);
    struct finding *finding;

    if (*look->told->host)
        finding = finding_add(
            look->diagnosis, "HOST-NAME-ONLY", look->broker->service, &look->place,
            "`%s` publishes container port %d, but advertises %s:%d there, a name "
            "that only containers know: on the host, Failed to resolve '%s:%d'",
            name_of(look), look->listener->port, host, look->told->port, host, look->told->port);
    else
        finding =
            finding_add(look->diagnosis, "NO-ADV", look->broker->service, &look->place,
                        "`%s` publishes container port %d and advertises no host there: clients "
                        "are told the container's own name, which only containers know",
                        name_of(look), look->listener->port);
    if (!serves_host(look))
        fix_listener(look->diagnosis, look->reach, finding, look->broker, look->told->name);
    else
        unpublish(look, finding);
}

static void check_name(const struct look *look)
{
    struct standpoint own = {.at = AT_SERVICE, .service = look->broker->service};
    struct arrival arrival = reach_endpoint(look->reach, &own, look->broker, look->told);
    bool here = reach_is_at(&arrival, look->broker, look->told->name);

    if ((arrival.kind == ARRIVE_LISTENER && !here) || arrival.kind == ARRIVE_CLOSED)
        blame_name(look, &arrival);
    else if (here && publishes(look) && host_kind(look->told->host) == HOST_PRIVATE)
        warn(look, "LAN-IP", "its container's address, which on the host only Linux reaches");
    else if (arrival.kind == ARRIVE_MAYBE && publishes(look))
        warn(look, "CUSTOM-DNS",
             "a name that extra_hosts gives to it for an address elsewhere: its "
             "clients must know that name, too");
    else if (here && publishes(look) && !crossed(look) &&
             !reach_on_host(look->reach, look->broker->service))
        warn_host(look);
}

/* Another container's clients know the name by extra_hosts. */
static bool known_elsewhere(const struct look *look)
{
    const struct compose *compose = look->diagnosis->compose;

    for (size_t i = 0; i < compose->service_count; i++)
        for (size_t k = 0; k < compose->services[i].host_count; k++)
            if (!strcasecmp(compose->services[i].hosts[k].name, look->told->host))
                return true;
    return false;
}

static void blame_nobody(const struct look *look)
{
    struct finding *finding = finding_add(
        look->diagnosis, "UNRESOLVABLE", look->broker->service, &look->place,
        "`%s` advertises %s://%s:%d, and nothing in the file has the name %s (Failed to "
        "resolve '%s:%d')",
        name_of(look), look->told->name, look->told->host, look->told->port, look->told->host,
        look->told->host, look->told->port);

    if (reach_external(look->reach, look->broker->service) ||
        reach_on_host(look->reach, look->broker->service) || known_elsewhere(look) ||
        look->diagnosis->compose->unknown_count ||
        (!is_needed(look) && (serves_networks(look) || serves_host(look))))
        finding->severity = SEVERITY_WARNING;
    fix_listener(look->diagnosis, look->reach, finding, look->broker, look->told->name);
}

/* ---- Advertised as what the files do not know */

/* The host in NAME://HOST:PORT, an item of a value. */
static void put_localhost(const struct diagnosis *diagnosis, struct finding *finding,
                          const struct property *property, const struct compose_text *value,
                          size_t offset, size_t length)
{
    const char *item = value->text + offset, *host = memmem(item, length, "://", 3);
    const char *end = host ? memrchr(host + 3, ':', length - (size_t)(host + 3 - item)) : NULL;
    struct place place;

    finding_fix(finding, "put localhost in its place, or an address of this machine");
    if (end && !(property && property->pair && property->pair->shared) &&
        fix_place(value, (size_t)(host + 3 - value->text), (size_t)(end - host - 3), &place))
        fix_replace(diagnosis, finding, &place, mem_text("localhost"));
}

static void warn_placeholder(const struct look *look)
{
    struct finding *finding =
        finding_add(look->diagnosis, "PLACEHOLDER", look->broker->service, &look->place,
                    "`%s` advertises %s:%d, which is to be replaced by an address of yours",
                    name_of(look), look->told->host, look->told->port);

    finding_fix(finding, "put localhost in its place, or an address of this machine");
    if (look->told->value)
        put_localhost(look->diagnosis, finding, look->broker->advertised.property,
                      look->told->value, look->told->offset, look->told->length);
}

static void check_unknown(const struct look *look)
{
    switch (host_kind(look->told->host)) {
    case HOST_PLACEHOLDER:
        warn_placeholder(look);
        break;
    case HOST_PRIVATE:
        warn(look, "LAN-IP", "an address that one machine has in one network");
        break;
    case HOST_PUBLIC:
        warn(look, "PUBLIC-IP", "an address that one machine has");
        break;
    case HOST_GATEWAY:
        warn(look, "HOST-DOCKER-INTERNAL",
             "which Docker Desktop knows, and Linux only with an extra_hosts entry");
        break;
    case HOST_DOMAIN:
        warn(look, "CUSTOM-DNS", "a name that must be known to a DNS server outside the file");
        break;
    default:
        break;
    }
}

static void check_endpoint(const struct look *look)
{
    const char *host = look->told->host;
    bool named = reach_named(look->reach, host) != NULL;

    if (is_unset(look->told) || (!*host && lost_host(look->broker)))
        return; /* check_unset's */
    if (!*host || named)
        check_name(look);
    else if (host_kind(host) == HOST_LOCAL)
        check_local(look);
    else if (host_kind(host) == HOST_LABEL)
        blame_nobody(look);
    else
        check_unknown(look);
}

/* Kafka takes no such address at all; whoever copies the file puts his own in. */
static void check_placeholder(struct diagnosis *diagnosis, const struct broker *broker,
                              const struct endpoints *endpoints, const char *does)
{
    const struct property *property = endpoints->property;
    struct finding *finding;
    const char *item;

    if (!endpoints->bad || !property || property->derived || !strpbrk(endpoints->bad, "<>{}$"))
        return;
    finding = finding_add(diagnosis, "PLACEHOLDER", broker->service, &property->value->place,
                          "`%s` %s %s, which is to be replaced by an address of yours",
                          broker->service->name, does, endpoints->bad);
    finding_fix(finding, "put localhost in its place, or an address of this machine");
    item = strstr(property->value->text, endpoints->bad);
    if (item && endpoints == &broker->advertised)
        put_localhost(diagnosis, finding, property, property->value,
                      (size_t)(item - property->value->text), strlen(endpoints->bad));
}

/* Those that name the broker last: crossed ports explain what is wrong with them. */
static void check_list(struct diagnosis *diagnosis, const struct reach *reach,
                       const struct broker *broker, bool named)
{
    for (size_t i = 0; is_known(broker) && i < broker->advertised.count; i++) {
        struct look look = {.diagnosis = diagnosis, .reach = reach, .broker = broker};
        look.told = &broker->advertised.list[i];
        look.listener = endpoint_find(&broker->listeners, look.told->name);
        look.place = fix_endpoint_place(look.told);
        if (look.listener && !is_blamed(&look) && !broker_is_controllers(broker, look.told->name) &&
            named == (!*look.told->host || reach_named(reach, look.told->host)))
            check_endpoint(&look);
    }
}

/* Each advertised address of each broker. */
void check_advertised(struct diagnosis *diagnosis)
{
    struct reach *reach = reach_new(diagnosis);

    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        check_placeholder(diagnosis, broker, &broker->advertised, "advertises");
        if (broker->listeners.property != broker->advertised.property)
            check_placeholder(diagnosis, broker, &broker->listeners, "listens on");
        check_list(diagnosis, reach, broker, false);
        check_list(diagnosis, reach, broker, true);
    }
    reach_free(reach);
}

/* ---- Bound to localhost */

static void correct_bound(struct diagnosis *diagnosis, struct finding *finding,
                          const struct broker *broker, const struct endpoint *listener)
{
    struct place place;
    const struct property *property = broker->listeners.property;

    finding_fix(finding, "listen on %s://0.0.0.0:%d", listener->name, listener->port);
    if (!listener->value || (property && property->pair && property->pair->shared) ||
        !fix_is_given(&broker->advertised, "advertised.listeners"))
        return;
    for (size_t i = 0; i + strlen(listener->host) <= listener->length; i++)
        if (!strncasecmp(listener->value->text + listener->offset + i, listener->host,
                         strlen(listener->host))) {
            if (fix_place(listener->value, listener->offset + i, strlen(listener->host), &place))
                fix_replace(diagnosis, finding, &place, mem_text("0.0.0.0"));
            return;
        }
}

static void check_bound(struct diagnosis *diagnosis, const struct reach *reach,
                        const struct broker *broker, const struct endpoint *listener)
{
    struct look look = {.diagnosis = diagnosis, .reach = reach, .broker = broker};
    size_t index = 0;
    const struct compose_port *port =
        reach_published(reach, broker->service, listener->port, &index);
    struct place place = fix_endpoint_place(listener);
    struct finding *finding;

    if (!reach_is_loopback(listener) || !port || reach_on_host(reach, broker->service))
        return;
    finding =
        finding_add(diagnosis, "BIND-LOCALHOST", broker->service, &place,
                    "`%s` binds %s to the container's localhost, so that a client at the published "
                    "port %d is cut off: \"Disconnected while requesting ApiVersion\"",
                    broker->service->name, listener->name, port->published);
    soften(&look, finding);
    correct_bound(diagnosis, finding, broker, listener);
}

void check_binding(struct diagnosis *diagnosis)
{
    struct reach *reach = reach_new(diagnosis);

    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        for (size_t k = 0; is_known(broker) && k < broker->listeners.count; k++)
            if (endpoint_find(&broker->advertised, broker->listeners.list[k].name))
                check_bound(diagnosis, reach, broker, &broker->listeners.list[k]);
    }
    reach_free(reach);
}

/* ---- Among brokers */

static void blame_peer(const struct look *look, const struct arrival *arrival)
{
    const struct broker *next = reach_next(look->reach, look->broker);
    bool local = host_kind(look->told->host) == HOST_LOCAL;
    const char *rule = local ? "IBL-LOCALHOST"
                       : arrival->kind == ARRIVE_SPLIT || arrival->kind == ARRIVE_NOBODY
                           ? "NET-SPLIT"
                           : "PORT-MISMATCH";
    struct finding *finding;

    if (!local && !reach_named(look->reach, look->told->host))
        return; /* UNRESOLVABLE already */
    if (!strcmp(rule, "PORT-MISMATCH"))
        return; /* said of the broker's own address */
    finding = finding_add(
        look->diagnosis, rule, look->broker->service, &look->place,
        local
            ? "`%s` tells the other brokers to reach it at %s:%d (listener %s); for %s that is its "
              "own container: \"Connection to node -1 (localhost/127.0.0.1) could not be "
              "established\""
            : "`%s` tells the other brokers to reach it at %s:%d (listener %s), and it shares no "
              "network with %s",
        name_of(look), look->told->host, look->told->port, look->told->name, next->service->name);
    if (local)
        fix_listener(look->diagnosis, look->reach, finding, look->broker, look->told->name);
}

/* Under ZooKeeper a broker that is alone is the controller, and calls itself. */
static void check_self(const struct look *look)
{
    struct standpoint own = {.at = AT_SERVICE, .service = look->broker->service};
    struct arrival arrival = reach_endpoint(look->reach, &own, look->broker, look->told);
    bool same = look->listener->port == look->told->port; /* bound to another address */
    struct finding *finding;

    if (!look->broker->zookeeper || arrival.kind != ARRIVE_CLOSED ||
        host_kind(look->told->host) != HOST_LOCAL || is_unset(look->told) ||
        reach_on_host(look->reach, look->broker->service))
        return;
    finding = finding_add(look->diagnosis, "PORT-MISMATCH", look->broker->service, &look->place,
                          "`%s`, which is its own controller, calls itself at %s:%d, where nothing "
                          "listens in its container (%s is on %s%s%d): Connection to node "
                          "(localhost/127.0.0.1:%d) could not be established",
                          name_of(look), look->told->host, look->told->port, look->told->name,
                          same ? look->listener->host : "", same ? ":" : "", look->listener->port,
                          look->told->port);
    finding_fix(finding,
                "listen on port %d in the container, or give the brokers a listener of their own",
                look->told->port);
    if (same)
        correct_bound(look->diagnosis, finding, look->broker, look->listener);
}

void check_brokers(struct diagnosis *diagnosis)
{
    struct reach *reach = reach_new(diagnosis);

    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i], *next;
        struct look look = {.diagnosis = diagnosis, .reach = reach, .broker = broker};
        struct standpoint from = {.at = AT_SERVICE};
        struct arrival arrival;

        if (!is_known(broker) || !broker->inter_broker)
            continue;
        look.told = endpoint_find(&broker->advertised, broker->inter_broker);
        look.listener = endpoint_find(&broker->listeners, broker->inter_broker);
        next = reach_next(reach, broker);
        if (!look.told || !look.listener || is_unset(look.told))
            continue;
        look.place = fix_endpoint_place(look.told);
        if (next == broker) {
            check_self(&look);
            continue;
        }
        from.service = next->service;
        arrival = reach_endpoint(reach, &from, broker, look.told);
        if (arrival.kind != ARRIVE_MAYBE && arrival.kind != ARRIVE_OTHER &&
            (arrival.kind != ARRIVE_LISTENER || arrival.broker != broker))
            blame_peer(&look, &arrival);
    }
    reach_free(reach);
}

/* ---- One address, two brokers */

struct claim {
    size_t cluster;
    const struct broker *broker;
    const struct endpoint *told;
};

static int compare_claims(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    int order;

    if (a->cluster != b->cluster)
        return a->cluster < b->cluster ? -1 : 1;
    order = strcasecmp(a->told->host, b->told->host);
    if (order)
        return order;
    if (a->told->port != b->told->port)
        return a->told->port < b->told->port ? -1 : 1;
    return (a->broker > b->broker) - (a->broker < b->broker);
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
    return a->cluster == b->cluster && a->broker != b->broker &&
           !strcasecmp(a->told->host, b->told->host) && a->told->port == b->told->port;
}

static void blame_claim(struct diagnosis *diagnosis, const struct reach *reach,
                        const struct claim *first, const struct claim *second)
{
    const struct endpoint *told = second->told;
    struct look look = {.diagnosis = diagnosis,
                        .reach = reach,
                        .broker = second->broker,
                        .told = told,
                        .listener = endpoint_find(&second->broker->listeners, told->name),
                        .place = fix_endpoint_place(told)};
    char *refusal = second->broker->zookeeper
                        ? mem_format(" (Configured end points %s:%d in advertised listeners are "
                                     "already registered by broker)",
                                     told->host, told->port)
                        : mem_text("");
    struct finding *finding =
        finding_add(diagnosis, "ADV-DUP", second->broker->service, &look.place,
                    "`%s` and `%s` both advertise %s:%d: one of them is never reached%s",
                    first->broker->service->name, second->broker->service->name, told->host,
                    told->port, refusal);

    free(refusal);
    finding_fix(finding, "give %s an address of its own", second->broker->service->name);
    if (look.listener)
        correct_claim(&look, finding);
    for (size_t i = 0; i + 1 < diagnosis->finding_count; i++) {
        const struct finding *crossed = &diagnosis->findings[i];
        if (!strcmp(crossed->rule->id, "CROSSED") && look.place.source &&
            crossed->place.source == look.place.source && crossed->place.start == look.place.start)
            finding_fix(finding, "%s", crossed->fix);
    }
}

void check_claims(struct diagnosis *diagnosis)
{
    struct reach *reach = reach_new(diagnosis);
    struct claim *claims = NULL;
    size_t count = 0;

    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        for (size_t k = 0; is_known(broker) && k < broker->advertised.count; k++) {
            const struct endpoint *told = &broker->advertised.list[k];
            if (!*told->host || !told->port)
                continue;
            claims = mem_grow(claims, count + 1, sizeof *claims);
            claims[count++] = (struct claim){reach_cluster(reach, broker), broker, told};
        }
    }
    if (count)
        qsort(claims, count, sizeof *claims, compare_claims);
    for (size_t i = 1; i < count; i++)
        if (same_claim(&claims[i - 1], &claims[i]))
            blame_claim(diagnosis, reach, &claims[i - 1], &claims[i]);
    free(claims);
    reach_free(reach);
}

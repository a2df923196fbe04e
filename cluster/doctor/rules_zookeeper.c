/* rules_zookeeper.c: a broker whose ZooKeeper is not where it looks for it
 * ends after seconds: "Timed out waiting for connection while in state:
 * CONNECTING", or, of a name, "Unable to resolve address: zoo1:2181"
 * (conduktor/kafka-stack-docker-compose#150). Said only where all of its
 * addresses fail, and only of what the files tell. */
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/fix.h"
#include "cluster/doctor/reach.h"
#include "cluster/doctor/start.h"

#define CONNECT "zookeeper.connect"
#define PORT    2181

struct server {
    size_t offset, length; /* of host:port in the property */
    char *host;
    int port;
    struct arrival arrival;
};

static bool is_zookeeper(const struct compose_service *service)
{
    return service->replicas != 0 && strcasestr(service->image.text, "zookeeper");
}

static int number_of(const struct compose_service *service, const char *name)
{
    const struct compose_pair *pair = compose_variable(service, name);

    return pair && !pair->absent && !pair->value.unset ? atoi(pair->value.text) : 0;
}

/* Confluent's image alone is told its port by a variable; 0: not known. */
static int port_of(const struct compose_service *service)
{
    return image_is(service->image.text, "cp-zookeeper")
               ? number_of(service, "ZOOKEEPER_CLIENT_PORT")
               : 0;
}

static bool listens(const struct compose_service *service, int port)
{
    return port_of(service) == 0 || port_of(service) == port ||
           number_of(service, "ZOOKEEPER_SECURE_CLIENT_PORT") == port;
}

/* Another container may have it in the network of this one. */
static bool beside(const struct reach *reach, const struct broker *broker)
{
    const struct compose_service *owner = reach_owner(reach, broker->service);

    return owner != broker->service ||
           (broker->image != IMAGE_CONFLUENT && broker->image != IMAGE_BITNAMI &&
            broker->image != IMAGE_WURSTMEISTER);
}

static bool fails(const struct reach *reach, const struct broker *broker,
                  const struct server *server)
{
    switch (server->arrival.kind) {
    case ARRIVE_NOBODY:
    case ARRIVE_SPLIT:
        return true;
    case ARRIVE_CLOSED:
        return host_kind(server->host) == HOST_LOCAL && !reach_on_host(reach, broker->service) &&
               !beside(reach, broker);
    case ARRIVE_OTHER:
        return !listens(server->arrival.service, server->port);
    default:
        return false;
    }
}

/* The file's own ZooKeeper, which the broker reaches. */
static char *working(const struct diagnosis *diagnosis, const struct reach *reach,
                     const struct broker *broker)
{
    const struct compose *compose = diagnosis->compose;

    for (size_t i = 0; i < compose->service_count; i++) {
        const struct compose_service *service = &compose->services[i];
        if (is_zookeeper(service) && reach_share(reach, broker->service, service))
            return mem_format("%s:%d", service->name, port_of(service) ? port_of(service) : PORT);
    }
    return NULL;
}

static struct finding *say(struct diagnosis *diagnosis, const struct broker *broker,
                           const struct server *server)
{
    const struct property *property = broker_property(broker, CONNECT);
    const char *variable = variable_name(broker, CONNECT), *name = broker->service->name;
    const struct compose_service *at = server->arrival.service;
    struct place place = property->value->place;

    fix_place(property->value, server->offset, server->length, &place);
    switch (server->arrival.kind) {
    case ARRIVE_NOBODY:
        return finding_add(diagnosis, "UNRESOLVABLE", broker->service, &place,
                           "`%s` refuses to start: %s names %s, and nothing in the file is called "
                           "so: \"Unable to resolve address: %s:%d\"",
                           name, variable, server->host, server->host, server->port);
    case ARRIVE_SPLIT:
        return finding_add(diagnosis, "NET-SPLIT", broker->service, &place,
                           "`%s` refuses to start: it is on no network of %s, its ZooKeeper: "
                           "\"Unable to resolve address: %s:%d\"",
                           name, at->name, server->host, server->port);
    case ARRIVE_OTHER:
        return finding_add(diagnosis, "CLIENT-PORT", broker->service, &place,
                           "`%s` refuses to start: %s is %s:%d, and %s listens on %d: \"Timed out "
                           "waiting for connection while in state: CONNECTING\"",
                           name, variable, server->host, server->port, at->name, port_of(at));
    default:
        return finding_add(diagnosis, "CLIENT-LOCALHOST", broker->service, &place,
                           "`%s` refuses to start: %s is %s:%d: within a container that is the "
                           "container itself, where no ZooKeeper is",
                           name, variable, server->host, server->port);
    }
}

static void judge(struct diagnosis *diagnosis, const struct reach *reach,
                  const struct broker *broker, const struct server *server)
{
    const struct property *property = broker_property(broker, CONNECT);
    char *right = working(diagnosis, reach, broker);
    struct finding *finding;

    /* Without one in the files it is where they do not tell. */
    if (!right && server->arrival.kind != ARRIVE_SPLIT)
        return;
    finding = say(diagnosis, broker, server);
    if (!right)
        finding_fix(finding, "let %s and %s have a network in common", broker->service->name,
                    server->arrival.service->name);
    else
        finding_fix(finding, "use %s in %s", right, variable_name(broker, CONNECT));
    if (right && property->pair && !property->pair->shared)
        edit_value(finding, property->value, server->offset, server->length, right);
    free(right);
}

static struct server server_at(const struct reach *reach, const struct broker *broker,
                               const char *text, size_t offset, size_t length)
{
    struct standpoint from = {.at = AT_SERVICE, .service = broker->service};
    struct server server = {.offset = offset, .length = length, .port = PORT};
    char *colon;

    for (size_t i = 0; i < length; i++) /* the folder behind the last one */
        if (text[offset + i] == '/')
            server.length = i;
    server.host = mem_bytes(text + offset, server.length);
    colon = strrchr(server.host, ':');
    if (colon) {
        server.port = atoi(colon + 1);
        *colon = '\0';
    }
    server.arrival = reach_arrive(reach, &from, server.host, server.port);
    return server;
}

static void connect_of(struct diagnosis *diagnosis, const struct reach *reach,
                       const struct broker *broker)
{
    const struct property *property = broker_property(broker, CONNECT);
    size_t at = 0, start, length, failed = 0;
    struct server first = {0};
    bool all = true;

    if (!broker->zookeeper || broker->kraft || broker->unknown || broker->scripted ||
        broker_since(broker, 4, 0) || !property || property->derived || !certain(property))
        return;
    while (all && list_next(property->value->text, &at, &start, &length)) {
        struct server server = server_at(reach, broker, property->value->text, start, length);
        all = fails(reach, broker, &server);
        if (failed++)
            free(server.host);
        else
            first = server;
    }
    if (all && failed)
        judge(diagnosis, reach, broker, &first);
    free(first.host);
}

void check_zookeeper(struct diagnosis *diagnosis)
{
    const struct compose *compose = diagnosis->compose;
    struct reach *reach;

    for (size_t i = 0; i < compose->unknown_count; i++)
        if (!*compose->unknowns[i].service)
            return;
    reach = reach_new(diagnosis);
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        connect_of(diagnosis, reach, &diagnosis->brokers.list[i]);
    reach_free(reach);
}

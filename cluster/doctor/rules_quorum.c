/* rules_quorum.c: a node that reaches too few of its controllers. A broker needs one that
 * answers, and ends without ("Received a fatal error while waiting for the controller to
 * acknowledge that we are caught up", BrokerServer.scala); of the controllers a majority has to
 * meet (KafkaRaftClient.java). Said only of voters whose nodes the files have: their own voter
 * VOTERS looks at. */
#include <string.h>

#include "cluster/doctor/reach.h"
#include "cluster/doctor/start.h"

#define VOTERS "controller.quorum.voters"

static const struct broker *node_of(const struct diagnosis *diagnosis, const struct voter *voter)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *node = &diagnosis->brokers.list[i];
        if (node->node_id == voter->id && node->is_controller && !node->unknown && whole(node) &&
            readable(node))
            return node;
    }
    return NULL;
}

/* Of the controllers' listeners, which are no client's. */
static enum arrival_kind at_node(const struct broker *node, int port)
{
    for (size_t i = 0; i < node->listeners.count; i++) {
        const struct endpoint *listener = &node->listeners.list[i];
        if (listener->port == port && broker_is_controllers(node, listener->name))
            return reach_is_loopback(listener) ? ARRIVE_LOOPBACK : ARRIVE_LISTENER;
    }
    return ARRIVE_CLOSED;
}

static struct arrival arrive(const struct reach *reach, const struct broker *broker,
                             const struct voter *voter, const struct broker *node)
{
    const struct standpoint from = {.at = AT_SERVICE, .service = broker->service};
    struct arrival arrival = reach_arrive(reach, &from, voter->host, voter->port);

    if (arrival.kind == ARRIVE_NOBODY || arrival.kind == ARRIVE_SPLIT)
        return arrival;
    arrival.kind = arrival.service == node->service ? at_node(node, voter->port) : ARRIVE_MAYBE;
    return arrival;
}

static bool is_missed(const struct arrival *arrival)
{
    return arrival->kind == ARRIVE_NOBODY || arrival->kind == ARRIVE_SPLIT ||
           arrival->kind == ARRIVE_CLOSED || arrival->kind == ARRIVE_LOOPBACK;
}

/* How many it misses; `first` and `where`: one of them. */
static size_t missed(const struct diagnosis *diagnosis, const struct reach *reach,
                     const struct broker *broker, const struct voter **first, struct arrival *where)
{
    size_t count = 0;

    for (size_t i = 0; i < broker->voter_count; i++) {
        const struct voter *voter = &broker->voters[i];
        const struct broker *node = node_of(diagnosis, voter);
        struct arrival arrival;

        if (voter->id == broker->node_id || !node)
            continue;
        arrival = arrive(reach, broker, voter, node);
        if (!is_missed(&arrival))
            continue;
        if (count++ == 0)
            *first = voter, *where = arrival;
    }
    return count;
}

static const char *rule_of(const struct arrival *where)
{
    return where->kind == ARRIVE_SPLIT      ? "NET-SPLIT"
           : where->kind == ARRIVE_LOOPBACK ? "BIND-LOCALHOST"
                                            : "VOTERS";
}

static const char *reason_of(const struct arrival *where)
{
    return where->kind == ARRIVE_SPLIT      ? "it is on no network of that node"
           : where->kind == ARRIVE_LOOPBACK ? "its listener is bound to its container's localhost"
           : where->kind == ARRIVE_NOBODY   ? "nothing in the file has that name"
                                            : "it does not listen there";
}

static const char *advice_of(const struct arrival *where)
{
    return where->kind == ARRIVE_SPLIT ? "let the nodes of the cluster have a network in common"
           : where->kind == ARRIVE_LOOPBACK
               ? "let the controllers' listener have no host: CONTROLLER://:PORT"
               : "name each controller as ID@SERVICE:PORT, by the port of its controllers' "
                 "listener";
}

static void quorum_of(struct diagnosis *diagnosis, const struct reach *reach,
                      const struct broker *broker)
{
    const struct voter *voter = NULL;
    struct arrival where = {0};
    struct finding *finding;
    size_t count;

    if (!broker->kraft || broker->unknown || !whole(broker) || broker->voter_count == 0 ||
        !readable(broker) || !certain(broker_property(broker, VOTERS)))
        return;
    count = missed(diagnosis, reach, broker, &voter, &where);
    if (count == 0 ||
        (broker->is_controller ? (broker->voter_count - count) * 2 > broker->voter_count
                               : count < broker->voter_count))
        return;
    finding = finding_add(diagnosis, rule_of(&where), broker->service, place_of(broker, VOTERS),
                          "`%s` refuses to start: it reaches %s of its controllers: of %ld@%s:%d, "
                          "%s: \"Received a fatal error while waiting for the controller to "
                          "acknowledge that we are caught up\"",
                          broker->service->name, broker->is_controller ? "no majority" : "none",
                          voter->id, voter->host, voter->port, reason_of(&where));
    finding_fix(finding, "%s", advice_of(&where));
}

void check_quorum(struct diagnosis *diagnosis)
{
    struct reach *reach;

    if (diagnosis->compose->unknown_count > 0)
        return;
    reach = reach_new(diagnosis);
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        quorum_of(diagnosis, reach, &diagnosis->brokers.list[i]);
    reach_free(reach);
}

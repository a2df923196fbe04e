/* rules_start_ids.c: why a broker refuses to start: the ids of its cluster and of itself.
 *
 * CLUSTER-ID: kafka.tools.StorageTool.buildMetadataProperties and
 * org.apache.kafka.common.Uuid.fromString (up to 3.6; since 3.7 nothing asks: each
 * tried, 3.3 to 3.9; nodes with two ids: 4.1.1). Confluent's and bitnami's scripts give that tool
 * the variable as it stands, and end when it fails. ID-DUP: KafkaZkClient.registerBroker;
 * ClusterControlManager.registerBroker. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/start.h"

#define EXAMPLE_ID "MkU3OEVBNTcwNTJENDM2Qk"

/* ---- CLUSTER-ID */

/* 16 bytes in base64 for addresses: 22 signs, filled up to 24 with '=' or not. */
static bool is_uuid(const char *text)
{
    size_t length = 0;

    while (isalnum((unsigned char)text[length]) || text[length] == '-' || text[length] == '_')
        length++;
    return length == 22 && (!text[length] || !strcmp(text + length, "=="));
}

static void cluster_id_of(struct diagnosis *diagnosis, const struct broker *broker)
{
    const struct compose_pair *pair = compose_variable(
        broker->service, broker->image == IMAGE_BITNAMI ? "KAFKA_KRAFT_CLUSTER_ID" : "CLUSTER_ID");
    struct finding *finding;

    if (!broker->kraft || !whole(broker) || !broker_before(broker, 3, 7) || !pair || pair->absent ||
        pair->value.unset || !*pair->value.text || is_uuid(pair->value.text))
        return;
    finding = finding_add(diagnosis, "CLUSTER-ID", broker->service, &pair->value.place,
                          "`%s` refuses to start: \"Cluster ID string %s does not appear to be a "
                          "valid UUID\": Kafka before 3.7 wants 16 bytes in base64, 22 signs",
                          broker->service->name, pair->value.text);
    finding_fix(finding, "%s: %s, or what kafka-storage random-uuid says; the same for all nodes",
                pair->name, EXAMPLE_ID);
    if (!pair->shared)
        edit_value(finding, &pair->value, 0, strlen(pair->value.text), EXAMPLE_ID);
}

/* bitnami's script makes one where none is given, on each node another (libkafka.sh,
 * kafka_kraft_storage_initialize); nodes of different clusters do not vote for each other. */
static void cluster_id_made(struct diagnosis *diagnosis, const struct broker *broker)
{
    static const char name[] = "KAFKA_KRAFT_CLUSTER_ID";
    struct finding *finding;

    if (broker->image != IMAGE_BITNAMI || !broker->kraft || !whole(broker) ||
        broker->voter_count < 2 || compose_variable(broker->service, name) ||
        compose_variable(broker->service, "KAFKA_CLUSTER_ID"))
        return;
    finding = finding_add(diagnosis, "CLUSTER-ID", broker->service,
                          place_of(broker, "controller.quorum.voters"),
                          "`%s` finds no controller: without %s its image makes each node an id of "
                          "its own: \"Unexpected error INCONSISTENT_CLUSTER_ID in VOTE response\"",
                          broker->service->name, name);
    finding_fix(finding, "add %s: %s, the same for all nodes", name, EXAMPLE_ID);
    edit_add_variable(finding, broker->service, name, EXAMPLE_ID);
}

void check_cluster_id(struct diagnosis *diagnosis)
{
    each_broker(diagnosis, cluster_id_of);
    each_broker(diagnosis, cluster_id_made);
}

/* ---- ID-DUP */

static const struct property *id_of(const struct broker *broker)
{
    const struct property *id = broker_property(broker, "node.id");

    return id && *id->value->text ? id : broker_property(broker, "broker.id");
}

/* Profiles that are never taken together, as far as the file says. */
static bool apart(const struct compose_service *a, const struct compose_service *b)
{
    if (!a->profiles || !*a->profiles || !b->profiles || !*b->profiles)
        return false;
    for (char **profile = a->profiles; *profile; profile++)
        if (in_list(b->profiles, *profile))
            return false;
    return true;
}

static bool same_text(const struct broker *a, const struct broker *b, const char *name)
{
    const char *text = property_text(a, name);

    return *text && certain(broker_property(a, name)) && certain(broker_property(b, name)) &&
           !strcmp(text, property_text(b, name));
}

/* Registered in one place: with one ZooKeeper, or with controllers that are other nodes (what a
 * controller's own id is to be VOTERS says). */
static bool one_cluster(const struct broker *a, const struct broker *b)
{
    if (a->kraft != b->kraft || a->is_controller || b->is_controller)
        return false;
    if (!a->kraft)
        return same_text(a, b, "zookeeper.connect");
    return same_text(a, b, "controller.quorum.voters") ||
           same_text(a, b, "controller.quorum.bootstrap.servers");
}

static const struct broker *namesake(const struct diagnosis *diagnosis, const struct broker *broker)
{
    for (const struct broker *other = diagnosis->brokers.list; other < broker; other++)
        if (!other->unknown && other->node_id == broker->node_id && certain(id_of(other)) &&
            one_cluster(other, broker) && !apart(other->service, broker->service))
            return other;
    return NULL;
}

/* The first that no broker of the files has. */
static long next_id(const struct diagnosis *diagnosis)
{
    long most = 0;

    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        if (diagnosis->brokers.list[i].node_id > most)
            most = diagnosis->brokers.list[i].node_id;
    return most + 1;
}

static void id_taken(struct diagnosis *diagnosis, const struct broker *broker,
                     const struct broker *other, long id)
{
    const struct property *given = id_of(broker);
    struct finding *finding = finding_add(
        diagnosis, "ID-DUP", broker->service, &given->value->place,
        "`%s` refuses to start once `%s` runs: both are broker %ld of one cluster: \"%s\"",
        broker->service->name, other->service->name, broker->node_id,
        broker->kraft ? "DUPLICATE_BROKER_REGISTRATION"
                      : "KeeperErrorCode = NodeExists for /brokers/ids");
    char text[32];

    snprintf(text, sizeof text, "%ld", id);
    finding_fix(finding, "%s: %s", given->pair ? given->pair->name : given->name, text);
    if (given->pair && !given->pair->shared)
        edit_value(finding, given->value, 0, strlen(given->value->text), text);
}

void check_ids(struct diagnosis *diagnosis)
{
    long id = next_id(diagnosis);

    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i], *other;

        if (broker->unknown || broker->image == IMAGE_REDPANDA || broker->node_id < 0 ||
            !certain(id_of(broker)))
            continue;
        other = namesake(diagnosis, broker);
        if (other)
            id_taken(diagnosis, broker, other, id++);
    }
}

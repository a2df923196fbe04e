#include "cluster/statistics.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A broker that owes an answer and said nothing for so long is paused, or the
 * network drops packets: a fetch is answered within half a second
 * (fetch.wait.max.ms), so this leaves it most of a second to be slow in. */
#define SILENT_US 1400000

static bool answers(json_t *broker)
{
    const char *state = json_string_value(json_object_get(broker, "state"));
    bool owes = json_integer_value(json_object_get(broker, "waitresp_cnt")) > 0;
    json_int_t silent = json_integer_value(json_object_get(broker, "rxidle"));

    return state && strcmp(state, "UP") == 0 && !(owes && silent > SILENT_US);
}

static bool node_answers(json_t *brokers, json_int_t node)
{
    const char *name;
    json_t *broker;

    json_object_foreach(brokers, name, broker)
    {
        if (json_integer_value(json_object_get(broker, "nodeid")) == node && answers(broker))
            return true;
    }
    return false;
}

static bool any_answers(json_t *brokers)
{
    const char *name;
    json_t *broker;

    json_object_foreach(brokers, name, broker)
    {
        if (answers(broker))
            return true;
    }
    return false;
}

static int64_t count_asked(json_t *brokers)
{
    const char *name;
    json_t *broker;
    int64_t count = 0;

    json_object_foreach(brokers, name, broker)
    {
        json_t *requests = json_object_get(broker, "req");
        count += json_integer_value(json_object_get(requests, "Metadata"));
    }
    return count;
}

static void read_partitions(json_t *partitions, json_t *brokers, bool *live, int32_t count,
                            struct statistics *statistics)
{
    const char *name;
    json_t *partition;

    json_object_foreach(partitions, name, partition)
    {
        json_int_t number = json_integer_value(json_object_get(partition, "partition"));
        json_int_t leader = json_integer_value(json_object_get(partition, "leader"));
        if (number < 0) /* librdkafka's own, for what has no partition yet */
            continue;
        if (!json_is_true(json_object_get(partition, "unknown")))
            statistics->known_count++;
        else if (number < count)
            statistics->topic_missing = true;
        if (number < count)
            live[number] = node_answers(brokers, leader);
        if (number >= statistics->partition_count)
            statistics->partition_count = (int32_t)number + 1;
    }
}

struct statistics statistics_read(const char *json, size_t length, const char *topic, bool *live,
                                  int32_t count)
{
    struct statistics statistics = {0};
    json_t *root = json_loadb(json, length, 0, NULL);
    json_t *brokers = json_object_get(root, "brokers");
    json_t *named = json_object_get(json_object_get(root, "topics"), topic);

    for (int32_t i = 0; i < count; i++)
        live[i] = false;
    statistics.connected = any_answers(brokers);
    statistics.metadata_asked = count_asked(brokers);
    read_partitions(json_object_get(named, "partitions"), brokers, live, count, &statistics);
    json_decref(root);
    return statistics;
}

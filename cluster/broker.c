#include "cluster/broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "cluster/base/buf.h"

struct broker {
    rd_kafka_t *host; /* a mock cluster lives in a client */
    rd_kafka_mock_cluster_t *cluster;
};

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text; /* it speaks of its clients' ends, from its own thread: nothing to tell anyone */
}

struct broker *broker_start(struct error *error)
{
    struct broker *broker = mem_alloc(1, sizeof *broker);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];

    rd_kafka_conf_set_log_cb(conf, on_log);
    broker->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!broker->host) {
        error_set(error, EXIT_FAILED, "cannot start the in-process broker: %s", reason);
        rd_kafka_conf_destroy(conf);
        free(broker);
        return NULL;
    }
    broker->cluster = rd_kafka_mock_cluster_new(broker->host, 1);
    if (!broker->cluster) {
        error_set(error, EXIT_FAILED, "cannot start the in-process broker on 127.0.0.1");
        broker_stop(broker);
        return NULL;
    }
    return broker;
}

int broker_make_topic(struct broker *broker, const char *topic, struct error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(broker->cluster, topic, 1, 1);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return error_set(error, EXIT_FAILED, "in-process broker: topic '%s': %s", topic,
                     rd_kafka_err2str(code));
}

const char *broker_address(const struct broker *broker)
{
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

void broker_stop(struct broker *broker)
{
    if (!broker)
        return;
    if (broker->cluster)
        rd_kafka_mock_cluster_destroy(broker->cluster);
    rd_kafka_destroy(broker->host);
    free(broker);
}

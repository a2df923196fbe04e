#include "cluster/broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct broker {
    rd_kafka_t *host; /* a mock cluster lives in a client */
    rd_kafka_mock_cluster_t *cluster;
};

static struct broker the_broker;

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text; /* it speaks of its clients' ends, from its own thread: nothing to tell anyone */
}

struct broker *broker_start(struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];

    rd_kafka_conf_set_log_cb(conf, on_log);
    the_broker.host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!the_broker.host) {
        rd_kafka_conf_destroy(conf);
        error_set(error, EXIT_FAILED, "cannot start the in-process broker: %s", reason);
        return NULL;
    }
    the_broker.cluster = rd_kafka_mock_cluster_new(the_broker.host, 1);
    if (!the_broker.cluster) {
        error_set(error, EXIT_FAILED, "cannot start the in-process broker on 127.0.0.1");
        return NULL;
    }
    return &the_broker;
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

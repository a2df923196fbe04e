#include "cluster/broker.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* A connection to the broker, which it has to accept; -1: none. */
static int knock(const struct broker *broker)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)atoi(strrchr(broker_address(broker), ':') + 1));
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

/* The mock's thread serves what it is asked, and only then reads the bytes that wake it: a
 * question in between is left until something else wakes it, or a second has passed
 * (rdkafka_mock.c, rd_kafka_mock_cluster_io_poll). So it has a caller to accept afterwards. */
int broker_make_topic(struct broker *broker, const char *topic, struct error *error)
{
    int caller = knock(broker);
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(broker->cluster, topic, 1, 1);

    if (caller >= 0)
        close(caller);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return error_set(error, EXIT_FAILED, "in-process broker: topic '%s': %s", topic,
                     rd_kafka_err2str(code));
}

const char *broker_address(const struct broker *broker)
{
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

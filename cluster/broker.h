/* broker.h: the in-process broker: librdkafka's mock cluster, on a real TCP
 * port of 127.0.0.1. It keeps 5 MiB a partition, forgets all at exit, does not
 * wake a waiting fetch, and knows no offsets by time. */
#ifndef TALLY_BROKER_H
#define TALLY_BROKER_H

#include "cluster/base/error.h"

struct broker;

/* Starts one broker; end it with broker_stop, after its clients. */
struct broker *broker_start(struct error *error);
/* Makes a topic of one partition. */
int broker_make_topic(struct broker *broker, const char *topic, struct error *error);
/* "127.0.0.1:PORT"; lives as long as the broker. */
const char *broker_address(const struct broker *broker);
void broker_stop(struct broker *broker);

#endif

/* broker.h: the in-process broker: librdkafka's mock cluster, on a real TCP
 * port of 127.0.0.1. It keeps 5 MiB a partition, forgets all at exit, does not
 * wake a waiting fetch, and knows no offsets by time. */
#ifndef TALLY_BROKER_H
#define TALLY_BROKER_H

#include "cluster/base/error.h"

struct broker;

/* Starts the one broker of this process, which lives as long as the process:
 * ending it takes librdkafka up to a second (its mock's thread wakes once a
 * second, rdkafka_broker.c), and there is nothing in it to save. */
struct broker *broker_start(struct error *error);
/* Makes a topic of one partition. */
int broker_make_topic(struct broker *broker, const char *topic, struct error *error);
/* "127.0.0.1:PORT" */
const char *broker_address(const struct broker *broker);

#endif

/* reach.h: who reaches what, as Docker and Kafka have it, worked out from the
 * files alone: which names resolve on which networks, which ports are
 * published, which listener is behind an address, and where its brokers send
 * the client that asked there.
 *
 * Sources: Docker's documentation of its networks (container names, aliases
 * and the embedded DNS server) and of published ports; Kafka answers a
 * metadata request with the advertised addresses of the listener that it came
 * in by (KafkaApis.scala, handleTopicMetadataRequest). */
#ifndef TALLY_DOCTOR_REACH_H
#define TALLY_DOCTOR_REACH_H

#include "cluster/doctor/address.h"
#include "cluster/doctor/finding.h"
#include "cluster/doctor/reach_services.h"

/* Where a client stands. */
struct standpoint {
    enum { AT_HOST, AT_NETWORK, AT_SERVICE, AT_ELSEWHERE } at;
    const char *network;                   /* AT_NETWORK: as reach_network gives it */
    const struct compose_service *service; /* AT_SERVICE */
};

enum arrival_kind {
    ARRIVE_LISTENER, /* at a broker's listener */
    ARRIVE_OTHER,    /* at a service that is no broker: it may pass it on */
    ARRIVE_MAYBE,    /* outside the files, or at what they do not tell */
    ARRIVE_NOBODY,   /* nobody has this name */
    ARRIVE_SPLIT,    /* a service has it, and shares no network with who asks */
    ARRIVE_ALONE,    /* at its own localhost, where no broker is */
    ARRIVE_CLOSED,   /* nothing listens there, or it is not published */
    ARRIVE_LOOPBACK, /* the listener is bound to its container's localhost */
};

struct arrival {
    enum arrival_kind kind;
    const struct compose_service *service; /* reached, or (ARRIVE_SPLIT) not; NULL */
    const struct broker *broker;           /* the listener's */
    const struct endpoint *listener;
};

enum outcome { TRIAL_WORKS, TRIAL_MAYBE, TRIAL_FAILS };

/* What becomes of a client that bootstraps at an address. */
struct trial {
    enum outcome outcome;
    struct arrival first;        /* where the bootstrap address leads */
    const struct broker *teller; /* whose advertised address decides */
    const struct endpoint *told; /* that address; NULL: its listener is not advertised */
    struct arrival then;         /* where that leads */
};

struct reach;

/* The diagnosis's brokers must have been found, and outlive it. */
struct reach *reach_new(const struct diagnosis *diagnosis);
void reach_free(struct reach *reach);

struct arrival reach_arrive(const struct reach *reach, const struct standpoint *from,
                            const char *host, int port);
/* The same for an address that a broker advertises: without a host it is the broker itself. */
struct arrival reach_endpoint(const struct reach *reach, const struct standpoint *from,
                              const struct broker *broker, const struct endpoint *endpoint);
/* It is at the broker's listener of that name, or at one that claims the same
 * port (PORT-DUP tells of that). */
bool reach_is_at(const struct arrival *arrival, const struct broker *broker, const char *listener);
struct trial reach_try(const struct reach *reach, const struct standpoint *from, const char *host,
                       int port);

/* Brokers of one cluster have the same number. */
size_t reach_cluster(const struct reach *reach, const struct broker *broker);
size_t reach_cluster_size(const struct reach *reach, const struct broker *broker);
/* The next broker of the same cluster, round and round; itself if it is alone. */
const struct broker *reach_next(const struct reach *reach, const struct broker *broker);

bool reach_is_loopback(const struct endpoint *listener);

#endif

/* probe.h: whether Kafka can be reached at addresses, as seen from where this
 * runs: resolve, connect, ApiVersions, metadata, who answers; then the same at
 * every address that the metadata sends clients to. All at once, and no longer
 * than a few seconds, whatever does not answer. */
#ifndef TALLY_PROBE_H
#define TALLY_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "cluster/kafka.h"
#include "cluster/probe/wire.h"

/* The steps, in order. */
enum probe_step {
    STEP_RESOLVE,
    STEP_CONNECT,
    STEP_VERSIONS,
    STEP_METADATA,
    STEP_IDENTITY,
    PROBE_STEPS
};

enum probe_failure {
    PROBE_OK,
    PROBE_UNRESOLVED, /* no such name, or no name server that knows */
    PROBE_REFUSED,    /* nobody listens there */
    PROBE_NO_ROUTE,
    PROBE_TIMEOUT,    /* no connection in time */
    PROBE_CLOSED,     /* connected, and closed before an answer */
    PROBE_SILENT,     /* connected, and no answer */
    PROBE_TLS,        /* answers TLS */
    PROBE_HTTP,       /* answers HTTP */
    PROBE_OTHER,      /* answers something else that is not Kafka's */
    PROBE_SASL,       /* Kafka; wants SASL */
    PROBE_CONTROLLER, /* Kafka; a controller's listener, which clients cannot use */
    PROBE_PLAIN,      /* Kafka; speaks plaintext, and the settings want TLS */
    PROBE_CLIENT, /* Kafka's client, with the user's TLS or SASL settings, gives another reason */
};

/* An address, and what came of it. Texts are never NULL. */
struct probe_endpoint {
    char *host;
    int port;
    char *address;          /* "host:port" */
    bool asked;             /* for itself; else metadata told of it */
    double ms[PROBE_STEPS]; /* -1: it did not come to that, or there is no such step */
    enum probe_failure failure;
    char *reason;              /* one phrase, "connection refused (127.0.0.1)"; "" when PROBE_OK */
    struct wire_metadata told; /* where it sends clients */
    int32_t answered_by;       /* the node's id; -1: unknown */
};

struct probe_result {
    struct probe_endpoint *list; /* those asked first, in their order */
    size_t count;
};

struct probe_request {
    const char *const *addresses; /* "host:port"; ends at NULL; a second of the same is left out */
    /* With TLS or SASL in them librdkafka asks for the metadata. NULL: none. */
    const struct kafka_settings *settings;
    int wait_ms; /* for each address; 0: PROBE_WAIT_MS. All together: three times as long at most */
};

#define PROBE_WAIT_MS 3000

/* EXIT_USAGE for what is no address; interrupt_error after a signal. Free with
 * probe_result_free, also after -1. */
int probe(const struct probe_request *request, struct probe_result *result, struct error *error);
void probe_result_free(struct probe_result *result);
void probe_endpoint_free(struct probe_endpoint *endpoint);

/* Whether the settings ask for neither TLS nor SASL. NULL: there are none. */
bool probe_is_plain(const struct kafka_settings *settings);
const struct probe_endpoint *probe_find(const struct probe_result *result, const char *address);
/* "host:port", "[::1]:9092": the host without brackets; free() it. False: no such form. */
bool probe_split(const char *address, char **host, int *port);
/* "host:port", an IPv6 address in brackets; free() it. */
char *probe_address(const char *host, int port);
/* "localhost", "127.0.0.1", "::1": another place's is another machine's. */
bool probe_is_loopback(const char *host);
const char *probe_step_name(enum probe_step step);          /* "resolve" */
const char *probe_failure_name(enum probe_failure failure); /* "refused"; "" for PROBE_OK */

/* For one address, in the caller's thread (probe.c and its tests): the steps in
 * turn until the time (clock_monotonic_ms) is over; resolving alone may take
 * longer. `plain`: all steps; else the first two. */
void probe_one(struct probe_endpoint *endpoint, int64_t deadline, bool plain);

#endif

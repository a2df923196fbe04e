/* wire.h: the few words of Kafka's protocol that tell who answers at an
 * address. Bytes only, no socket; every length and count is checked.
 *
 * librdkafka speaks all of it, but not step by step with one given address: it
 * follows the metadata by itself, and what failed at which address is in its
 * log. Hence these four requests. Versions: those that Kafka 0.10 to 4.x take
 * (KIP-896 says what 4.0 removed; DescribeConfigs 0 is of it). Layouts: Kafka's
 * clients/src/main/resources/common/message/NAME.json. */
#ifndef TALLY_PROBE_WIRE_H
#define TALLY_PROBE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/buf.h"

/* What a listener takes, of ApiVersions. */
struct wire_versions {
    int metadata; /* the version to ask in; -1: it answers no such question: a controller's */
    int configs;  /* of DescribeConfigs; -1 */
};

struct wire_node {
    int32_t id;
    char *host;
    int port;
};

struct wire_metadata {
    struct wire_node *nodes;
    size_t count;
    char *cluster; /* its id; "" before Kafka 0.10.1 */
};

/* The requests, each whole, with its length before it. */
void wire_ask_versions(struct buf *request);
void wire_ask_metadata(struct buf *request, int version);
/* Asks for settings of each node: only the one that is asked about itself
 * answers without an error (kafka.server.ConfigHelper: "Unexpected broker id"). */
void wire_ask_identity(struct buf *request, int version, const struct wire_metadata *metadata);
/* Asks for a SASL mechanism that does not exist: the answer lists those that do. */
void wire_ask_mechanisms(struct buf *request);

/* What the first bytes of an answer are. */
enum wire_kind {
    WIRE_MORE,  /* too few to tell, or not yet whole */
    WIRE_WHOLE, /* an answer, of 4 + `*length` bytes */
    WIRE_TLS,   /* a TLS record */
    WIRE_HTTP,
    WIRE_OTHER,
};
enum wire_kind wire_look(const char *bytes, size_t count, size_t *length);

/* The answers, without their first 4 bytes (the length): 0, or -1 when they are
 * not what was asked for. */
int wire_read_versions(const char *bytes, size_t length, struct wire_versions *versions);
/* Free with wire_metadata_free, also after -1. */
int wire_read_metadata(const char *bytes, size_t length, int version,
                       struct wire_metadata *metadata);
void wire_metadata_free(struct wire_metadata *metadata);
/* `*id`: who answers; -1: the answer does not tell. */
int wire_read_identity(const char *bytes, size_t length, int version, int32_t *id);
/* "PLAIN, SCRAM-SHA-256"; "" when SASL is not spoken there. free() it. */
int wire_read_mechanisms(const char *bytes, size_t length, char **names);

#endif

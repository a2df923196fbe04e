/* broker.h: the Kafka brokers of compose files: which services are brokers,
 * and what each image makes of the variables, flags and files that it is
 * given. The result is Kafka's own properties, whatever the image's style. */
#ifndef TALLY_DOCTOR_BROKER_H
#define TALLY_DOCTOR_BROKER_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/compose/compose.h"

enum broker_image {
    IMAGE_APACHE,       /* apache/kafka, apache/kafka-native */
    IMAGE_CONFLUENT,    /* cp-kafka, cp-server, confluent-local */
    IMAGE_BITNAMI,      /* bitnami/kafka, bitnamilegacy/kafka, and those who copy it */
    IMAGE_WURSTMEISTER, /* wurstmeister/kafka, and those that share its start-kafka.sh */
    IMAGE_REDPANDA,
    IMAGE_TALLY, /* this project's: KAFKA_ variables as apache/kafka, nothing by default */
    IMAGE_OTHER, /* Kafka by its variables or its name; its style is guessed */
};

/* A property of Kafka's (`advertised.listeners`), from whatever form it was given in. */
struct property {
    char *name;
    const struct compose_pair
        *pair; /* the variable; NULL: from a word of the command, or the image */
    const struct compose_text *value; /* never NULL; a derived one has PLACE_NONE */
    bool derived;                     /* the image made it; nobody wrote it */
    struct compose_text *own;         /* what `value` is then, or NULL: it is the service's */
};

/* name://host:port. Texts are never NULL. */
struct endpoint {
    char *name; /* in capitals, as Kafka compares it */
    char *host; /* "" : none given. Without the brackets of an IPv6 address */
    int port;
    const struct compose_text *value; /* what it was read from; its place is where to point */
    size_t offset, length;            /* of this item within value->text */
};

struct endpoints {
    struct endpoint *list;
    size_t count;
    const struct property *property; /* NULL: there is none, nor a default */
    char *bad;                       /* the first item that is no name://host:port; NULL */
};

struct voter {
    long id;
    char *host;
    int port;
};

struct broker {
    const struct compose_service *service;
    enum broker_image image;
    int major, minor; /* of Kafka itself (cp-kafka 7.6 is Kafka 3.6); -1: unknown; see `latest` */
    bool latest;      /* no tag, or one that moves: as new as the image is today */
    struct property *properties;
    size_t property_count;
    struct endpoints listeners;  /* as bound: after what the image derives */
    struct endpoints advertised; /* as told to clients: after the defaults */
    struct {
        char *name, *protocol;
    } * map; /* listener.security.protocol.map, or its default; both in capitals */
    size_t map_count;
    bool map_given, kraft, zookeeper, is_broker /* has the role */, is_controller;
    char *inter_broker; /* the listener's name, after the defaults */
    char **controllers; /* controller.listener.names, in capitals; NULL-terminated */
    long node_id;       /* -1: none given */
    struct voter *voters;
    size_t voter_count;
    bool unknown;  /* its configuration is somewhere that cannot be read: a mounted file out of
                      reach, a script */
    bool scripted; /* a script of the user's runs before the image's, or an env_file is missing:
                      what is not in these files may be given all the same */
};

struct brokers {
    struct broker *list;
    size_t count;
};

/* Finds them; `compose` must outlive them. Free with brokers_free. */
void brokers_find(const struct compose *compose, struct brokers *brokers);
void brokers_free(struct brokers *brokers);

const struct property *broker_property(const struct broker *broker, const char *name);
/* The property as Kafka reads an int (ConfigDef.parseType): blanks around it and a plus do no harm.
 * False: there is none, or it is no int. */
bool broker_number(const struct broker *broker, const char *name, int *value);
/* The protocol of a listener: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL; "" if the map has none. */
const char *broker_protocol(const struct broker *broker, const char *listener);
/* A listener that only controllers ask; since 3.9 it may be advertised, too (KIP-853). */
bool broker_is_controllers(const struct broker *broker, const char *listener);
const struct endpoint *endpoint_find(const struct endpoints *endpoints, const char *name);
/* The image's style and Kafka's version, as its reference says. False: it is no broker's image. */
bool broker_image_read(const char *reference, enum broker_image *image, int *major, int *minor,
                       bool *latest);

#endif

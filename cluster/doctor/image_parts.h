/* image_parts.h: what images make of what they are given: within this folder only. */
#ifndef TALLY_DOCTOR_IMAGE_PARTS_H
#define TALLY_DOCTOR_IMAGE_PARTS_H

#include "cluster/doctor/broker.h"

/* A UI, Connect, a registry, an exporter, ...: speaks to Kafka, and is none. */
bool image_is_client(const char *reference);
/* Known brokers beside those with a style of their own: spotify/kafka, debezium/kafka, ... */
bool image_is_other_broker(const char *reference);
/* Whether the last part of the reference's path (or, with a '/', its last two)
 * is this: "cp-kafka" of "registry.example/x/cp-kafka:7.6.0". */
bool image_is(const char *reference, const char *name);

/* Of bitnami's: whether its start-up scripts are those that set no mode by themselves. */
bool image_rewritten(const struct broker *broker);

/* What the words that start the container do. */
enum start {
    START_IMAGE,  /* the image's own entry point */
    START_SERVER, /* the server without the image's own script: what it makes of variables is void
                   */
    START_SCRIPT, /* something of the user's, and then, as it seems, the broker */
    START_CLIENT, /* another program of the image: kafka-topics, sleep, ... */
};
enum start image_start(const struct compose_service *service);
/* Whether the words (image_words) call the image's own entry script. */
bool image_own_script(const char *line);

/* Puts a property into the broker; a later one of the same name replaces it.
 * `value` is copied where its own text differs from what is in the file. */
struct property *property_set(struct broker *broker, const char *name,
                              const struct compose_pair *pair, const struct compose_text *value);
/* Of the image, or of a file: `text` is copied. */
struct property *property_derive(struct broker *broker, const char *name, const char *text);
/* property_derive, unless there is one already. */
void property_default(struct broker *broker, const char *name, const char *text);
void property_remove(struct broker *broker, const char *name);
void property_free(struct property *property);

/* Fill in the properties from the service, in the image's style. */
void image_properties(struct broker *broker);
void image_redpanda(struct broker *broker);
/* Mounted configuration files. False: they are all that counts, and variables are void. */
bool image_files(struct broker *broker);
/* Reads redpanda.yaml; false if it cannot be. */
bool image_redpanda_file(struct broker *broker, const char *path);
/* What is mounted at `path`, by itself or within a folder; "" if that cannot be
 * opened; NULL if nothing is mounted there. Free it. */
char *image_mounted(const struct compose_service *service, const char *path);
/* START_SERVER: the file and the --override options of kafka-server-start's words. */
void image_server(struct broker *broker);
/* Kafka's own example of a combined node, where nothing else was given. */
void kraft_defaults(struct broker *broker);
/* All words of entrypoint and command, with a blank between them; free it. */
char *image_words(const struct compose_service *service);

/* name://host:port items of a property's value; NULL is none. */
void endpoints_read(struct endpoints *endpoints, const struct property *property);
void endpoints_copy(struct endpoints *to, const struct endpoints *from, char *const *without);
void endpoints_free(struct endpoints *endpoints);
/* "a, b" -> items without blanks; ends at NULL. */
char **list_read(const char *text);
/* The next item from `at`, which is moved on: where it is, without the blanks; false at the end. */
bool list_next(const char *text, size_t *at, size_t *start, size_t *length);
void list_free(char **list);
/* Whether nothing stands between two commas, before the first or behind the last. */
bool list_gap(const char *text);
char *text_upper(const char *text, size_t length);
/* Whether the version is known to be this or newer, or known to be older. */
bool broker_since(const struct broker *broker, int major, int minor);
bool broker_before(const struct broker *broker, int major, int minor);

#endif

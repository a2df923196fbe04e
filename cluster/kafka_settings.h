/* kafka_settings.h: the settings of Kafka's clients that the user gave. */
#ifndef TALLY_KAFKA_SETTINGS_H
#define TALLY_KAFKA_SETTINGS_H

#include "cluster/base/error.h"

/* Kafka's own settings, in the order given; later ones win. */
struct kafka_settings;

struct kafka_settings *kafka_settings_new(void);
void kafka_settings_free(struct kafka_settings *settings);
/* "key=value", as kcat's -X; a name librdkafka does not know is an error (EXIT_USAGE). */
int kafka_settings_add(struct kafka_settings *settings, const char *pair, struct error *error);
/* A file of such lines, `#` for comments. */
int kafka_settings_read(struct kafka_settings *settings, const char *path, struct error *error);
/* Free it with kafka_settings_free. */
struct kafka_settings *kafka_settings_copy(const struct kafka_settings *settings);
/* The value that holds; NULL: none was given. */
const char *kafka_settings_value(const struct kafka_settings *settings, const char *name);
/* The bootstrap servers, for messages; never NULL. */
const char *kafka_settings_servers(const struct kafka_settings *settings);

#endif

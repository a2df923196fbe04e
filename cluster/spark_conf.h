/* spark_conf.h: Spark's settings from several places, one over the other: a
 * spark-defaults.conf, a job's own, the command line's. */
#ifndef TALLY_SPARK_CONF_H
#define TALLY_SPARK_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "cluster/spark_message.h"

struct spark_conf;

struct spark_conf *spark_conf_new(void);
void spark_conf_free(struct spark_conf *conf);
/* Copies both; a later value takes the place of an earlier one. */
void spark_conf_set(struct spark_conf *conf, const char *name, const char *value);
/* "name=value", from the command line: EXIT_USAGE. */
int spark_conf_set_pair(struct spark_conf *conf, const char *pair, struct error *error);
void spark_conf_remove(struct spark_conf *conf, const char *name);
/* NULL if it is not set; valid until the next change. */
const char *spark_conf_get(const struct spark_conf *conf, const char *name);
/* All of them, in the order first set; valid until the next change. */
const struct spark_property *spark_conf_list(const struct spark_conf *conf, size_t *count);

/* A properties file as Spark reads it: as Java does, in UTF-8, less the blanks
 * around a value (Utils.getPropertiesFromFile). Names that can be no part of a
 * command line are left out. Bytes in, no I/O; EXIT_INPUT. */
int spark_conf_parse(struct spark_conf *conf, const char *text, size_t length, struct error *error);
/* The spark-defaults.conf under SPARK_CONF_DIR, else SPARK_HOME/conf; none is
 * fine. What does not begin with "spark." is left out with a warning, as by
 * spark-submit. */
int spark_conf_read_defaults(struct spark_conf *conf, struct error *error);
/* The same from a file that must be there. */
int spark_conf_read(struct spark_conf *conf, const char *path, struct error *error);

/* A memory size as the master and drivers read it (JavaUtils.byteStringAs, then
 * Utils.memoryStringToMb): a whole number and b, k, kb, m, mb, g, gb, t, tb, p
 * or pb (from 4.0 on kib and so on, too); no unit means bytes. `*mib`: in MiB,
 * rounded down, 1 or more; else false. */
bool spark_memory(const char *text, int64_t *mib);

#endif

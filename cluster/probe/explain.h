/* explain.h: why Kafka cannot be reached, in a sentence or two, for commands that
 * have got no answer. */
#ifndef TALLY_PROBE_EXPLAIN_H
#define TALLY_PROBE_EXPLAIN_H

#include "cluster/kafka_settings.h"

/* Of the bootstrap servers in the settings, as seen from here: what was seen, the
 * cause and what to do, on one line; free() it. NULL: all seems well, or there
 * are none. Takes 3 seconds at most, and asks no Docker. */
char *probe_explain(const struct kafka_settings *settings);

#endif

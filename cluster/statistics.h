/* statistics.h: what librdkafka's statistics tell of a client's health: which
 * partitions' leaders answer now. That a connection stands says little: a
 * broker that hangs keeps it, so the last answer's age counts too. */
#ifndef TALLY_STATISTICS_H
#define TALLY_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statistics {
    bool connected;          /* some broker answers */
    int32_t partition_count; /* of the topic, as the cluster now has it; 0: not known */
};

/* Reads a statistics text (librdkafka, STATISTICS.md) for one topic.
 * `live[p]` is set for every p < count: its leader answers. */
struct statistics statistics_read(const char *json, size_t length, const char *topic, bool *live,
                                  int32_t count);

#endif

/* statistics.h: what librdkafka's statistics tell of a client's health, and
 * nothing else does: that a broker is back while it has nothing new to say,
 * that one hangs though its connection stands, that a topic was deleted. */
#ifndef TALLY_STATISTICS_H
#define TALLY_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statistics {
    bool connected;          /* some broker answers */
    bool topic_missing;      /* the cluster does not know a partition that we read */
    int32_t partition_count; /* of the topic, as the cluster has it, or had it last; 0: not known */
    int32_t known_count;     /* of them, those that it has now */
    int64_t metadata_asked;  /* how often this client asked for metadata: at its start, every five
                                minutes, and when a broker or a topic was not where it had been */
};

/* Reads a statistics text (librdkafka, STATISTICS.md) for one topic.
 * `live[p]` is set for every p < count: its leader answers. What is no
 * statistics text tells that nothing answers. */
struct statistics statistics_read(const char *json, size_t length, const char *topic, bool *live,
                                  int32_t count);

#endif

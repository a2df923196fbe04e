/* metrics.h: /metrics for Prometheus: the text format, version 0.0.4. */
#ifndef TALLY_METRICS_H
#define TALLY_METRICS_H

#include <stdint.h>

/* From a window's end to the sending of an update of it. */
#define METRICS_BUCKETS 14

struct metrics_latency {
    uint64_t buckets[METRICS_BUCKETS + 1]; /* each its own, not yet summed up; the last: beyond */
    int64_t sum_ms;
};

/* One that is not over yet (ms < 0) is left out. */
void metrics_observe(struct metrics_latency *latency, int64_t ms);

#endif

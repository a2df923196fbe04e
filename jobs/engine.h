/* engine.h: the local engine: a job from Kafka to Kafka, in the caller's loop.
 *
 * It keeps nothing on disk. Counts can be counted again, so it commits to the
 * group tally-JOB, a partition, the lowest offset from which every window not
 * yet closed and acknowledged can be recounted, with the watermark as the
 * commit's metadata; after a crash it recounts from there. It owns all
 * partitions of the topic: a window's count is over all of them. */
#ifndef TALLY_ENGINE_H
#define TALLY_ENGINE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/kafka.h"
#include "jobs/rejects.h"
#include "jobs/spec.h"

struct engine;

struct engine_options {
    int64_t max_future; /* ms ahead of the clock that a record may be */
    bool in_process;    /* the broker is: it does not wake a waiting fetch */
    /* Called from the loop when the engine has ended by itself: after
     * engine_finish with NULL, or with what went wrong. It must not stop the
     * engine itself, only have it stopped. */
    void (*on_end)(void *context, const struct error *error);
    void *context;
};

struct engine_stats {
    uint64_t records; /* read, rejects included */
    uint64_t bytes;   /* of their values */
    uint64_t late;    /* (record, window) pairs dropped */
    uint64_t skipped; /* pairs of windows that were closed before this start: not counted again */
    uint64_t closed;  /* windows */
    struct rejects rejects;
    int64_t lag; /* records of the topic not yet read */
    bool connected;
};

/* Checks both topics (the result topic is created when missing), takes up the
 * committed position and begins. The spec and the settings must outlive it. */
struct engine *engine_start(struct ev_loop *loop, const struct kafka_settings *settings,
                            const struct spec *spec, const struct engine_options *options,
                            struct error *error);
/* What is in the topic now is all there will be: count it, close every window, end. */
int engine_finish(struct engine *engine, struct error *error);
struct engine_stats engine_stats(const struct engine *engine);
/* Sends what is counted, commits, and ends, within half a second; what could
 * not be sent or committed in that time is counted again at the next start. */
void engine_stop(struct engine *engine);

#endif

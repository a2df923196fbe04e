/* relay.h: from a result topic into a job's history, from start-up on, in the
 * loop's thread. Of a window's records the one with the largest total stays.
 *
 * A topic that was made anew, or lost its records, is read anew into an empty
 * history. No client tells that (the id of a topic came with librdkafka 2.3):
 * so the newest record that was read is looked at again when Kafka was lost or
 * the topic was not where it had been. */
#ifndef TALLY_RELAY_H
#define TALLY_RELAY_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/kafka.h"
#include "dashboard/history.h"
#include "jobs/spec.h"

struct relay;

/* How much of the topic's past is wanted. */
struct relay_history {
    bool whole; /* from the beginning of the topic: the in-process broker */
    int64_t
        time_ms; /* the records of this long, where the broker knows their times; 0: see windows */
    size_t windows; /* so many at most; 0: LIMIT_HISTORY */
};

struct relay_stats {
    uint64_t records;    /* result records read */
    uint64_t rejected;   /* of them, no record of this job */
    int64_t last_record; /* wall ms at which the newest came; 0: none yet */
    int64_t lag;         /* records of the topic not yet read */
    bool filled;         /* the topic was read to its end once */
    bool gone;           /* Kafka has no such topic any more */
    bool connected;      /* the brokers that have the topic answer; known within 0.6 s, that one is
                            silent within 1.9 s */
};

/* Reads `spec->sink` into a history of its own, which it owns, from where that
 * can be filled. Records are ours, or the tutorials' (points.h); the newest one
 * says which the topic holds. No such topic: EXIT_REFUSED. `spec` must outlive it.
 * One function may be called after each turn in which the history or the
 * connection changed; the server takes that place with server_start. */
struct relay *relay_start(struct ev_loop *loop, const struct kafka_settings *settings,
                          const struct spec *spec, const struct relay_history *wanted,
                          struct error *error);
void relay_on_change(struct relay *relay, void (*on_change)(void *context), void *context);
const struct spec *relay_spec(const struct relay *relay);
struct history *relay_history(const struct relay *relay);
struct relay_stats relay_stats(const struct relay *relay);
void relay_stop(struct relay *relay);

#endif

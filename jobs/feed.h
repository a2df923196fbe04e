/* feed.h: a CSV into a job's source topic, in the job's format: at a rate or as
 * fast as it goes, with the present time, times from a start, or the times of
 * a column. It never blocks: the caller gives it turns. */
#ifndef TALLY_FEED_H
#define TALLY_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/kafka.h"
#include "jobs/rejects.h"
#include "jobs/rows.h"

struct feed;

struct feed_options {
    int64_t rate;       /* thousandths of a record a second; 0: as fast as it goes */
    int64_t start_time; /* ms, of row 0; -1: none */
    bool timed;         /* the rows were opened with a time column */
    bool loop;
    int64_t skip;       /* rows to leave out, the first time through */
    int32_t partitions; /* for a topic that has to be created */
    /* Whether this many records and bytes sent so far may become more; NULL: always. */
    bool (*may_send)(void *context, uint64_t sent, uint64_t bytes);
    void *context;
};

struct feed_stats {
    uint64_t rows, sent, failed;
    struct rejects rejects;
    uint64_t waiting; /* sent and not acknowledged */
};

enum feed_state {
    FEED_AGAIN, /* more can go now */
    FEED_LATER, /* after `*wait_ms` */
    FEED_DONE,
    FEED_FAILED
};

/* Takes over the rows, also on failure. The topic is created when missing. */
struct feed *feed_open(const struct kafka_settings *settings, const struct spec *spec,
                       struct rows *rows, const struct feed_options *options, struct error *error);
enum feed_state feed_turn(struct feed *feed, int64_t *wait_ms, struct error *error);
/* Waits for acknowledgements at most this long; true when none are missing. */
bool feed_flush(struct feed *feed, int wait_ms);
struct feed_stats feed_stats(const struct feed *feed);
/* What is not acknowledged by now is given up. NULL is fine. */
void feed_close(struct feed *feed);

#endif

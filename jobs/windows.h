/* windows.h: the open windows of a job, in event time.
 *
 * A record counts in every window [start, end) that holds its time, unless the
 * window's end <= the watermark: then the pair is late. The watermark only
 * moves forward; windows it has passed are taken out in order with
 * windows_take_closed. */
#ifndef TALLY_WINDOWS_H
#define TALLY_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/record.h"
#include "jobs/spec.h"

#define NO_WATERMARK INT64_MIN
#define NO_OFFSET    INT64_MAX

struct window {
    struct record record; /* its total is not kept up */
    int64_t *offsets;     /* one a partition: the lowest offset counted here, or NO_OFFSET */
    bool changed;         /* since the caller last cleared it */
    /* For whoever has taken it out: */
    struct window *next;
    bool acknowledged;
};

/* Where a record stands; 0, 0 where there is no Kafka. */
struct place {
    size_t partition;
    int64_t offset;
};

struct windows;

/* `partitions`: the most `place.partition` may be, plus one; 0: places are not kept. */
struct windows *windows_new(const struct spec *spec, size_t partitions);
void windows_free(struct windows *windows);

int64_t windows_watermark(const struct windows *windows);
void windows_set_watermark(struct windows *windows, int64_t watermark);

/* Counts a record of this time (ms) in this series. False, changing nothing,
 * when that would open more windows than the limit: close some first.
 * `reserve`: the record may use the room kept for the partition that holds the
 * others back. Adds its late pairs to `*late`. */
bool windows_count(struct windows *windows, int64_t time, uint32_t series, struct place place,
                   bool reserve, uint64_t *late);
/* The newest window, if it is open for the watermark and no other one holds its
 * times (size = slide), or NULL. Until windows are taken out, what lies in its
 * time may be counted in it by the caller. */
struct window *windows_newest_alone(const struct windows *windows);
/* How many of the windows that hold this time a watermark has closed. */
uint64_t windows_closed_by(const struct windows *windows, int64_t time, int64_t watermark);

/* The open windows in order, 0 <= index < windows_open. */
size_t windows_open(const struct windows *windows);
struct window *windows_at(const struct windows *windows, size_t index);

/* The first window, out of the open ones, if the watermark has passed its end
 * (`all`: in any case), or NULL. Give it back with windows_release. */
struct window *windows_take_closed(struct windows *windows, bool all);
void windows_release(struct windows *windows, struct window *window);
/* Undoes the last windows_take_closed. */
void windows_put_back(struct windows *windows, struct window *window);

#endif

/* points.h: the tutorials' results, which name no window, as records:
 * [{"0":"5"}] holds the count of one value, [{"0":1},{"2":3},{"1":6}] those of
 * several. Counts that follow each other make one point until a value comes
 * again; its time is that of its first record, made unique, and start == end. */
#ifndef TALLY_POINTS_H
#define TALLY_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "jobs/record.h"

struct points_calls {
    /* A point that is new or has grown; the record is the caller's for this call only. */
    void (*put)(void *context, const struct record *record);
    /* Whether there is something at this time, in ms, already. */
    bool (*taken)(void *context, int64_t time);
    void *context;
};

/* The points of one partition. */
struct points;

/* The spec must outlive it; free it with points_free (NULL is fine). */
struct points *points_new(const struct spec *spec, const struct points_calls *calls);
void points_free(struct points *points);

/* Whether the bytes of a result record begin as such a list does. */
bool points_is_list(const char *bytes, size_t length);
/* Takes a record's value; `time`: its timestamp, in ms. EXIT_INPUT, and nothing
 * of it is taken, when it is no such list: counts are whole numbers up to
 * LIMIT_POINT_COUNT, or texts of such. */
int points_read(struct points *points, int64_t time, const char *bytes, size_t length,
                struct error *error);

#endif

/* pace.h: when updates may go out: every EMIT_EVERY_MS. Times are monotonic ms. */
#ifndef TALLY_PACE_H
#define TALLY_PACE_H

#include <stdint.h>

#include "cluster/base/limits.h"

#define EMIT_SLACK_MS 20

/* The time that the last updates count for; zero: none went out yet. */
struct pace {
    int64_t sent;
};

/* How long the next updates have to wait; 0 or less: they may go out. */
static inline int64_t pace_wait(const struct pace *pace, int64_t now)
{
    return pace->sent + EMIT_EVERY_MS - now;
}

/* Updates went out. Those that were a little late do not put off the next ones: or those of a
 * stream of ten records a second would fall behind it, further each time. Those that did not wait
 * for their turn do not count. */
static inline void pace_note(struct pace *pace, int64_t now)
{
    int64_t due = pace->sent + EMIT_EVERY_MS;

    if (now >= due)
        pace->sent = now - due < EMIT_SLACK_MS ? due : now;
}

#endif

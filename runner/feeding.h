/* feeding.h: a feed in the event loop: it gets its turns until it is through. */
#ifndef TALLY_FEEDING_H
#define TALLY_FEEDING_H

#include <ev.h>

#include "jobs/feed.h"

/* Must not move in memory until feeding_stop. */
struct feeding {
    struct ev_loop *loop;
    struct feed *feed;
    ev_timer timer;
    /* Once: with NULL when all rows are sent and acknowledged, or with what went wrong. */
    void (*done)(void *context, const struct error *error);
    void *context;
};

/* The feed stays the caller's. */
void feeding_start(struct feeding *feeding, struct ev_loop *loop, struct feed *feed,
                   void (*done)(void *context, const struct error *error), void *context);
/* Also when it was never started. */
void feeding_stop(struct feeding *feeding);

#endif

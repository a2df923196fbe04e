#include "runner/feeding.h"

#define FLUSH_EVERY_S 0.01

static void again(struct feeding *feeding, double after)
{
    ev_timer_set(&feeding->timer, after, 0.);
    ev_timer_start(feeding->loop, &feeding->timer);
}

static void on_turn(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct feeding *feeding = watcher->data;
    struct error error;
    int64_t wait_ms = 0;
    enum feed_state state = feed_turn(feeding->feed, &wait_ms, &error);

    (void)loop;
    (void)events;
    if (state == FEED_FAILED)
        feeding->done(feeding->context, &error);
    else if (state != FEED_DONE)
        again(feeding, state == FEED_LATER ? (double)wait_ms / 1000 : 0.);
    else if (!feed_flush(feeding->feed, 0))
        again(feeding, FLUSH_EVERY_S);
    else
        feeding->done(feeding->context, NULL);
}

void feeding_start(struct feeding *feeding, struct ev_loop *loop, struct feed *feed,
                   void (*done)(void *context, const struct error *error), void *context)
{
    *feeding = (struct feeding){.loop = loop, .feed = feed, .done = done, .context = context};
    ev_timer_init(&feeding->timer, on_turn, 0., 0.);
    feeding->timer.data = feeding;
    ev_timer_start(loop, &feeding->timer);
}

void feeding_stop(struct feeding *feeding)
{
    if (feeding->loop)
        ev_timer_stop(feeding->loop, &feeding->timer);
}

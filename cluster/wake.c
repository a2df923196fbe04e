#include "cluster/wake.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void run_work(struct wake *wake)
{
    if (wake->work(wake->context))
        wake_poke(wake);
}

static void on_descriptor(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct wake *wake = watcher->data;
    uint64_t count;

    (void)loop;
    (void)events;
    if (read(watcher->fd, &count, sizeof count) == (ssize_t)sizeof count)
        run_work(wake);
}

static void on_again(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    run_work(watcher->data);
}

void wake_start(struct wake *wake, struct ev_loop *loop, bool (*work)(void *), void *context)
{
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    wake->loop = loop;
    wake->work = work;
    wake->context = context;
    ev_io_init(&wake->descriptor, on_descriptor, descriptor, EV_READ);
    ev_timer_init(&wake->again, on_again, 0., 0.);
    wake->descriptor.data = wake;
    wake->again.data = wake;
    ev_io_start(loop, &wake->descriptor);
}

void wake_watch(struct wake *wake, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1; /* what an eventfd takes */

    rd_kafka_queue_io_event_enable(queue, wake->descriptor.fd, &one, sizeof one);
    wake_poke(wake); /* it may already hold something */
}

void wake_unwatch(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
}

void wake_poke(struct wake *wake)
{
    if (!ev_is_active(&wake->again)) {
        ev_timer_set(&wake->again, 0., 0.);
        ev_timer_start(wake->loop, &wake->again);
    }
}

void wake_stop(struct wake *wake)
{
    ev_io_stop(wake->loop, &wake->descriptor);
    ev_timer_stop(wake->loop, &wake->again);
    close(wake->descriptor.fd);
}

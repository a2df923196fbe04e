/* wake.h: Kafka into the event loop. librdkafka writes to a descriptor when a
 * queue becomes non-empty (rd_kafka_queue_io_event_enable); the loop watches
 * that descriptor and calls the work function, in the loop's one thread.
 *
 * The work function takes a bounded amount and says whether there is more: it
 * is then called again in the next turn, after other sources had theirs. It
 * must drain its queues before it says no, or nothing wakes it again. */
#ifndef TALLY_WAKE_H
#define TALLY_WAKE_H

#include <ev.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct wake {
    struct ev_loop *loop;
    ev_io descriptor;
    ev_timer again;
    bool (*work)(void *context);
    void *context;
};

/* The wake must not move in memory until wake_stop. */
void wake_start(struct wake *wake, struct ev_loop *loop, bool (*work)(void *), void *context);
/* From now on this queue wakes the work function; call wake_unwatch before it is destroyed. */
void wake_watch(struct wake *wake, rd_kafka_queue_t *queue);
void wake_unwatch(rd_kafka_queue_t *queue);
/* Calls the work function in the next turn, whether or not a queue has something. */
void wake_poke(struct wake *wake);
void wake_stop(struct wake *wake);

#endif

/* driver_watch.h: looking at one driver again and again, through what may
 * happen meanwhile: for driver.c and driver_kill.c. */
#ifndef TALLY_DRIVER_WATCH_H
#define TALLY_DRIVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/spark.h"
#include "runner/driver_log.h"
#include "runner/driver_view.h"
#include "runner/room.h"

#define WATCH_POLL_MS 500

struct watch {
    struct spark *spark;
    char *id;
    const char *name;
    const struct demand *demand; /* of driver_wait_running's */
    int64_t started, deadline;   /* monotonic ms; deadline -1: none */
    int64_t silent_since;        /* the master does not answer; -1: it does */
    int64_t page_silent_since;   /* its page does not; likewise */
    int64_t lost_since;          /* the driver's worker is; likewise */
    int64_t waiting_since;       /* for cores and memory; -1: it does not */
    bool seen;
    struct driver_log *log;     /* NULL: not read */
    struct driver_view *view;   /* the caller's; NULL: there is the status line alone */
    struct spark_answer answer; /* the newest */
};

/* `timeout_ms`: -1 for ever. */
void watch_start(struct watch *watch, struct spark *spark, const char *id, int64_t timeout_ms);
void watch_end(struct watch *watch);
/* ms since its start. */
int64_t watch_waited(const struct watch *watch);
/* A master that restarts is given some time. 1: it does not answer just now. */
int watch_tolerate(struct watch *watch, int64_t *silent_since, struct error *error);
/* Asks for the driver's state. 0, 1 when the master does not answer just now, or -1. */
int watch_look(struct watch *watch, struct error *error);
/* In its view, or else as a status line. */
int watch_show(struct watch *watch, struct error *error);
/* Until the next look: 0, or what ends the waiting: a signal, the deadline. */
int watch_pause(struct watch *watch, struct error *error);

#endif

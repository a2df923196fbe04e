/* spark_state.h: what a Spark master tells of its cluster at /json/ of its
 * page (JsonProtocol.scala). Bytes in, records out; no I/O. */
#ifndef TALLY_SPARK_STATE_H
#define TALLY_SPARK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts are never NULL; memory is in MiB, times in ms since the epoch, 0 where
 * the master does not say. */
struct spark_worker {
    char *id, *host, *web; /* web: "http://HOST:PORT", as the worker names itself */
    char *state;           /* ALIVE, DEAD, DECOMMISSIONED, UNKNOWN */
    int64_t cores, cores_free, memory, memory_free, heartbeat;
};

struct spark_driver_row {
    char *id, *state, *submitted, *worker, *main_class; /* worker: its id, or "" */
    int64_t cores, memory, started;
    bool active;
};

struct spark_app {
    char *id, *name, *state, *user; /* WAITING: it has no executor yet */
    int64_t cores, memory, started, duration;
    bool active;
};

struct spark_state {
    char *url;    /* "spark://HOST:PORT" */
    char *status; /* ALIVE, STANDBY, RECOVERING, COMPLETING_RECOVERY */
    int64_t cores, cores_used, memory, memory_used;
    struct spark_worker *workers;
    struct spark_driver_row *drivers; /* the active ones, then the others, newest first */
    struct spark_app *apps;           /* likewise */
    size_t worker_count, driver_count, app_count;
};

/* NULL when the bytes are no such page; else free with spark_state_free. */
struct spark_state *spark_state_read(const char *bytes, size_t length);
void spark_state_free(struct spark_state *state);

/* The port of its REST API, by a master's page for people (MasterPage.scala,
 * "REST URL: spark://HOST:PORT", the same from 1.4 to 4.2); 0 when REST is off, or
 * it is no such page. */
int spark_page_rest_port(const char *bytes, size_t length);

/* NULL if there is none. */
const struct spark_worker *spark_find_worker(const struct spark_state *state, const char *id);
const struct spark_driver_row *spark_find_driver(const struct spark_state *state, const char *id);
/* The newest application of that name that began at `since` or later; NULL if there is none. */
const struct spark_app *spark_find_app(const struct spark_state *state, const char *name,
                                       int64_t since);
/* NULL if there is none, or `id` is NULL. */
const struct spark_app *spark_find_app_by_id(const struct spark_state *state, const char *id);
/* The master leads: it is neither on standby nor in recovery. */
bool spark_leads(const struct spark_state *state);
/* Whether it is alive and has that much free. */
bool spark_worker_has_room(const struct spark_worker *worker, int64_t cores, int64_t memory);
/* Whether some living worker has that much free. */
bool spark_has_room(const struct spark_state *state, int64_t cores, int64_t memory);

#endif

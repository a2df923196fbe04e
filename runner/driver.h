/* driver.h: what becomes of a driver: waiting for it, the reason when it
 * failed, its end as an exit code. */
#ifndef TALLY_DRIVER_H
#define TALLY_DRIVER_H

#include <stdint.h>

#include "cluster/spark.h"
#include "runner/driver_view.h"
#include "runner/room.h"

/* How long a killed driver may take: Spark gives it 10 s, then SIGKILL. */
#define DRIVER_KILL_MS 20000

/* A submission id as it came from the command line: EXIT_USAGE when it can be none. */
int need_id(const char *id, struct error *error);
/* EXIT_REFUSED, with what that means. */
int no_such_driver(const char *id, struct error *error);

/* 0 for FINISHED and for what goes on, else the error for the state. The
 * driver's log is asked for the reason when it FAILED. */
int driver_outcome(struct spark *spark, const struct spark_answer *answer, struct error *error);

/* Waits until the driver runs and its application `name` has registered and has
 * executors, or until the driver has FINISHED. A driver that cannot get there
 * (it fails, says "tally-job: error: ...", restarts again and again, finds no
 * free cores where it is not to wait for them) is killed. `demand`: what it was submitted with.
 * `timeout_ms`: EXIT_TIMEOUT; a signal: its exit code; after both the driver goes on. `view` shows
 * it as it goes; NULL: a status line on a terminal, and the application once it runs. */
int driver_wait_running(struct spark *spark, const char *id, const char *name,
                        const struct demand *demand, struct driver_view *view, int64_t timeout_ms,
                        struct error *error);
/* Waits for its end, also when its worker is lost and it goes on under another
 * id; then as driver_outcome. `view` shows it as it goes. `timeout_ms`: -1 for
 * ever. */
int driver_wait_end(struct spark *spark, const char *id, struct driver_view *view,
                    int64_t timeout_ms, struct error *error);
/* The worker of a RELAUNCHING driver is lost, or it did not report the driver
 * in time to a master that recovered; the master starts it anew
 * under another id, but links the two nowhere: the other id, where there is
 * only one it can be, or the one whose log tells the application's `name` (may
 * be NULL); free() it. Else NULL with EXIT_LOST. */
char *driver_successor(struct spark *spark, const char *id, const char *name, struct error *error);
/* Whether its log tells that it was started for an application of that name. */
bool driver_is_named(struct spark *spark, const struct spark_state *state,
                     const struct spark_driver_row *row, const char *name);
/* Has the master pass a kill on; already ended: EXIT_REFUSED. `*state`: what it
 * was found in then; SPARK_NO_STATE where that is not known. */
int driver_ask_kill(struct spark *spark, const char *id, enum spark_driver_state *state,
                    struct error *error);
/* Waits so long for the end that was asked for: `*state`; EXIT_TIMEOUT. */
int driver_wait_killed(struct spark *spark, const char *id, int64_t timeout_ms,
                       enum spark_driver_state *state, struct error *error);
/* Both, with DRIVER_KILL_MS. */
int driver_kill(struct spark *spark, const char *id, enum spark_driver_state *state,
                struct error *error);

#endif

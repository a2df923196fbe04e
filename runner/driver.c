#include "runner/driver.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "runner/driver_watch.h"

#define SUCCESSOR_MS  60000 /* until a driver that was started anew has a log */
#define NO_CORES_MS   10000
#define RESTARTS_MOST 2
#define ID_MOST       256

int need_id(const char *id, struct error *error)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(id);

    if (length > 0 && length <= ID_MOST && strspn(id, legal) == length && *id != '.')
        return 0;
    return error_set(error, EXIT_USAGE,
                     "'%s' is no submission id: they look like driver-20261121093000-0000", id);
}

int no_such_driver(const char *id, struct error *error)
{
    static const char app[] = "app-";

    if (strncmp(id, app, strlen(app)) == 0)
        return error_set(error, EXIT_REFUSED,
                         "the master knows no driver %s: that is an application's id, which only "
                         "logs --executor takes; its driver's is in tally list",
                         id);
    return error_set(error, EXIT_REFUSED,
                     "the master knows no driver %s: it forgets them when it restarts, and keeps "
                     "the last 200 that ended",
                     id);
}

/* FAILED comes without a word: the driver's log has them. */
static int failed(struct spark *spark, const struct spark_answer *answer, struct error *error)
{
    bool in_stdout;
    char *reason = driver_log_reason(spark, answer, &in_stdout);

    error_set(error, EXIT_FAILED, "driver %s FAILED: %s (tally logs %s%s)", answer->id,
              reason ? reason : "it does not say why", in_stdout ? "--stdout " : "", answer->id);
    free(reason);
    return -1;
}

static int could_not_start(const struct spark_answer *answer, struct error *error)
{
    char *reason = spark_reason(answer->message);

    error_set(error, EXIT_DRIVER_ERROR, "driver %s: ERROR: %s", answer->id,
              *reason
                  ? reason
                  : "the master does not say why (a lost worker, or the master was restarted?)");
    free(reason);
    return -1;
}

int driver_outcome(struct spark *spark, const struct spark_answer *answer, struct error *error)
{
    switch (answer->state) {
    case SPARK_NO_STATE:
        return no_such_driver(answer->id, error);
    case SPARK_FAILED:
        return failed(spark, answer, error);
    case SPARK_KILLED:
        return error_set(error, EXIT_KILLED, "driver %s was KILLED", answer->id);
    case SPARK_ERROR:
        return could_not_start(answer, error);
    case SPARK_UNKNOWN:
        return error_set(error, EXIT_LOST, "driver %s: its state is UNKNOWN to the master",
                         answer->id);
    default:
        return 0;
    }
}

/* ---- Waiting */

static bool may_succeed(const struct spark_driver_row *row, const struct spark_driver_row *old)
{
    return row != old && row->started > old->started &&
           strcmp(row->main_class, old->main_class) == 0;
}

bool driver_is_named(struct spark *spark, const struct spark_state *state,
                     const struct spark_driver_row *row, const char *name)
{
    char *found =
        *row->worker ? driver_log_app_name(spark, state, row->id, row->worker, NULL) : NULL;
    bool same = found && strcmp(found, name) == 0;

    free(found);
    return same;
}

/* It is the one of the same class, begun later, when that is the only one; of
 * several the newest whose application has the name. */
static const struct spark_driver_row *find_successor(struct spark *spark,
                                                     const struct spark_state *state,
                                                     const char *id, const char *name)
{
    const struct spark_driver_row *old = spark_find_driver(state, id), *found = NULL;
    int count = 0;

    for (size_t i = 0; old && i < state->driver_count; i++)
        if (may_succeed(&state->drivers[i], old)) {
            found = &state->drivers[i];
            count++;
        }
    if (count <= 1)
        return found;
    for (size_t i = 0; name && i < state->driver_count && state->drivers[i].active; i++)
        if (may_succeed(&state->drivers[i], old) &&
            driver_is_named(spark, state, &state->drivers[i], name))
            return &state->drivers[i];
    return NULL;
}

char *driver_successor(struct spark *spark, const char *id, const char *name, struct error *error)
{
    const struct spark_driver_row *found;
    struct spark_state *state;
    char *successor = NULL;

    if (spark_ask_state(spark, &state, error) < 0)
        return NULL;
    found = find_successor(spark, state, id, name);
    if (found) {
        successor = mem_text(found->id);
        log_warning("driver %s was started anew (a lost worker, or a master that recovered); it "
                    "goes on as %s",
                    id, successor);
    } else {
        error_set(error, EXIT_LOST,
                  "driver %s: its worker was lost; it is started anew under another id, which the "
                  "master does not tell: see tally list",
                  id);
    }
    spark_state_free(state);
    return successor;
}

static int follow_successor(struct watch *watch, struct error *error)
{
    const char *name = watch->view ? driver_view_name(watch->view) : watch->name;
    char *successor = driver_successor(watch->spark, watch->id, name, error);
    int64_t now = clock_monotonic_ms();

    if (watch->lost_since < 0)
        watch->lost_since = now;
    if (!successor && error->code == EXIT_LOST) /* the name is in its log, once it has one */
        return name && now - watch->lost_since < SUCCESSOR_MS ? 0 : -1;
    if (!successor)
        return watch_tolerate(watch, &watch->page_silent_since, error) == 1 ? 0 : -1;
    watch->lost_since = watch->page_silent_since = -1;
    free(watch->id);
    watch->id = successor;
    if (watch->log) {
        driver_log_free(watch->log);
        watch->log = driver_log_new(watch->spark, watch->id, -1);
    }
    return 0;
}

/* A driver that cannot get there must not stay. */
static int give_up(struct watch *watch, const struct error *why, struct error *error)
{
    enum spark_driver_state state;
    struct error trouble;

    if (driver_kill(watch->spark, watch->id, &state, &trouble) < 0 && trouble.code != EXIT_REFUSED)
        log_warning("driver %s could not be killed: %s", watch->id, trouble.text);
    *error = *why;
    return -1;
}

/* What the driver's log says: 0, or -1 when it is hopeless. */
static int judge_log(struct watch *watch, struct error *error)
{
    const struct spark_failure *found = driver_log_found(watch->log);
    struct error why;
    char *reason;

    driver_log_read(watch->log, watch->answer.worker_id);
    if (!spark_failure_error(found) && spark_failure_restarts(found) < RESTARTS_MOST)
        return 0;
    reason = driver_log_death(watch->log, &watch->answer);
    if (spark_failure_error(found))
        error_set(&why, EXIT_FAILED, "%s", spark_failure_error(found));
    else
        error_set(&why, EXIT_FAILED, "driver %s failed %d times: %s", watch->id,
                  spark_failure_restarts(found), reason ? reason : "it does not say why");
    free(reason);
    return give_up(watch, &why, error);
}

/* Nothing can start: what is asked for, and what is free. 0 where that is waited for. */
static int no_room(struct watch *watch, const struct spark_state *state, const char *who,
                   int64_t cores, int64_t memory, struct error *error)
{
    struct buf room = {0};
    struct error why;

    if (watch->demand->waits)
        return 0;
    describe_room(state, &room);
    error_set(&why, EXIT_REFUSED,
              "no free cores or memory: %s asks for %lld core%s and %lld MiB on one worker; free: "
              "%s: see tally list for what holds them",
              who, (long long)cores, cores == 1 ? "" : "s", (long long)memory, room.data);
    buf_free(&room);
    return give_up(watch, &why, error);
}

/* An application that has registered and has no executor: 1 when it can have one
 * (it asks for none at present, maybe), -1 when not. Its memory the master tells, its
 * cores not: they are what was asked for. */
static int judge_waiting(struct watch *watch, const struct spark_state *state,
                         const struct spark_app *app, struct error *error)
{
    int64_t cores = watch->demand->executor_cores;
    struct error why;

    if (check_executor(watch->demand, &why) < 0)
        return give_up(watch, &why, error);
    if (spark_has_room(state, cores, app->memory))
        return 1;
    return no_room(watch, state, "an executor of the application", cores, app->memory, error);
}

/* Something may be about to end, and leave its cores. */
static bool waits_long(struct watch *watch, bool waits)
{
    int64_t now = clock_monotonic_ms();

    if (!waits || watch->waiting_since < 0)
        watch->waiting_since = waits ? now : -1;
    return waits && now - watch->waiting_since >= NO_CORES_MS;
}

/* The one that the driver's log says has registered: the program may have given it a
 * name of its own, and another driver's may have the same. By its name where the log
 * does not tell. */
static const struct spark_app *find_app(const struct watch *watch, const struct spark_state *state,
                                        const struct spark_driver_row *driver)
{
    const char *id = spark_failure_app_id(driver_log_found(watch->log));

    if (id)
        return spark_find_app_by_id(state, id);
    return driver ? spark_find_app(state, watch->name, driver->started) : NULL;
}

/* Whether the application is there: 1, 0, -1. */
static int judge_state(struct watch *watch, const struct spark_state *state, struct error *error)
{
    const struct spark_driver_row *driver = spark_find_driver(state, watch->id);
    const struct spark_app *app = find_app(watch, state, driver);

    if (app && strcmp(app->state, "WAITING") != 0) {
        log_status_clear();
        if (watch->view)
            return 1;
        log_info("application %s (%s) is %s on %lld cores", app->id, app->name, app->state,
                 (long long)app->cores);
        return 1;
    }
    if (!waits_long(watch, app || watch->answer.state == SPARK_SUBMITTED))
        return 0;
    if (app)
        return judge_waiting(watch, state, app, error);
    if (driver && !spark_has_room(state, driver->cores, driver->memory))
        return no_room(watch, state, "the driver", driver->cores, driver->memory, error);
    return 0;
}

static int ask_registered(struct watch *watch, struct error *error)
{
    struct spark_state *state;
    int result;

    if (spark_ask_state(watch->spark, &state, error) < 0)
        return watch_tolerate(watch, &watch->page_silent_since, error) == 1 ? 0 : -1;
    watch->page_silent_since = -1;
    result = judge_state(watch, state, error);
    spark_state_free(state);
    return result;
}

/* One look at all there is: 1 when it is there, 0 to go on, -1. */
static int running_yet(struct watch *watch, struct error *error)
{
    const struct spark_failure *found = driver_log_found(watch->log);
    int result = watch_look(watch, error);

    if (result != 0)
        return result < 0 ? -1 : 0;
    if (watch_show(watch, error) < 0)
        return -1;
    if (watch->answer.state == SPARK_RELAUNCHING)
        return follow_successor(watch, error);
    if (watch->answer.state == SPARK_FINISHED)
        return 1;
    if (spark_state_is_end(watch->answer.state) || watch->answer.state == SPARK_UNKNOWN) {
        if (*watch->answer.worker_id)
            driver_log_read(watch->log, watch->answer.worker_id);
        if (watch->answer.state == SPARK_FAILED && spark_failure_error(found))
            return error_set(error, EXIT_FAILED, "%s", spark_failure_error(found));
        return driver_outcome(watch->spark, &watch->answer, error);
    }
    if (watch->answer.state == SPARK_RUNNING && judge_log(watch, error) < 0)
        return -1;
    return ask_registered(watch, error);
}

int driver_wait_running(struct spark *spark, const char *id, const char *name,
                        const struct demand *demand, struct driver_view *view, int64_t timeout_ms,
                        struct error *error)
{
    struct watch watch;
    int result;

    watch_start(&watch, spark, id, timeout_ms);
    watch.name = name;
    watch.demand = demand;
    watch.view = view;
    watch.log = driver_log_new(spark, id, -1);
    do
        result = running_yet(&watch, error);
    while (result == 0 && (result = watch_pause(&watch, error)) == 0);
    watch_end(&watch);
    return result < 0 ? -1 : 0;
}

/* 1 when it has ended well, 0 to go on, -1. */
static int ended_yet(struct watch *watch, struct error *error)
{
    int result = watch_look(watch, error);

    if (result != 0)
        return result < 0 ? -1 : 0;
    if (watch_show(watch, error) < 0)
        return -1;
    if (watch->answer.state == SPARK_RELAUNCHING)
        return follow_successor(watch, error);
    if (driver_outcome(watch->spark, &watch->answer, error) < 0)
        return -1;
    return spark_state_is_end(watch->answer.state);
}

int driver_wait_end(struct spark *spark, const char *id, struct driver_view *view,
                    int64_t timeout_ms, struct error *error)
{
    struct watch watch;
    int result;

    watch_start(&watch, spark, id, timeout_ms);
    watch.view = view;
    watch.seen = driver_view_has_begun(view);
    do
        result = ended_yet(&watch, error);
    while (result == 0 && (result = watch_pause(&watch, error)) == 0);
    watch_end(&watch);
    return result < 0 ? -1 : 0;
}

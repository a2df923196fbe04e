#include "runner/driver.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "runner/driver_log.h"
#include "runner/driver_view.h"
#include "runner/parts.h"
#include "runner/room.h"

#define POLL_MS 500
/* With a master that does not answer, while waiting: Spark's documentation
 * gives a standby one 1 to 2 minutes to take over (spark-standalone.md). */
#define PATIENCE_MS   180000
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
    return error_set(error, EXIT_REFUSED,
                     "the master knows no driver %s: it forgets them when it restarts, and keeps "
                     "the last 200 that ended",
                     id);
}

/* FAILED comes without a word: the driver's log has them. */
static int failed(struct spark *spark, const struct spark_answer *answer, struct error *error)
{
    char *reason = driver_log_reason(spark, answer);

    error_set(error, EXIT_FAILED, "driver %s FAILED: %s (tally logs %s)", answer->id,
              reason ? reason : "it does not say why", answer->id);
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

struct watch {
    struct spark *spark;
    char *id;
    const char *name;
    int64_t started, deadline; /* monotonic ms; deadline -1: none */
    int64_t silent_since;      /* the master does not answer; -1: it does */
    int64_t page_silent_since; /* its page does not; likewise */
    int64_t lost_since;        /* the driver's worker is; likewise */
    bool seen;
    struct driver_log *log;     /* NULL: not read */
    struct driver_view *view;   /* the caller's; NULL: there is the status line alone */
    struct spark_answer answer; /* the newest */
};

static void start_watch(struct watch *watch, struct spark *spark, const char *id,
                        int64_t timeout_ms)
{
    *watch = (struct watch){.spark = spark,
                            .id = mem_text(id),
                            .silent_since = -1,
                            .page_silent_since = -1,
                            .lost_since = -1};
    watch->started = clock_monotonic_ms();
    watch->deadline = timeout_ms < 0 ? -1 : watch->started + timeout_ms;
}

static void end_watch(struct watch *watch)
{
    log_status_clear();
    driver_log_free(watch->log);
    spark_answer_free(&watch->answer);
    free(watch->id);
}

static int64_t waited(const struct watch *watch)
{
    return clock_monotonic_ms() - watch->started;
}

/* A master that restarts is given some time. 1: it does not answer just now. */
static int tolerate(struct watch *watch, int64_t *silent_since, struct error *error)
{
    int64_t now = clock_monotonic_ms();

    if (error->code != EXIT_UNREACHABLE && error->code != EXIT_REFUSED)
        return -1;
    if (!watch->seen)
        return -1;
    if (*silent_since < 0)
        *silent_since = now;
    if (now - *silent_since >= PATIENCE_MS)
        return error_add(error, "since %d s; driver %s may go on", PATIENCE_MS / 1000, watch->id);
    if (watch->view)
        driver_view_silent(watch->view, error);
    else
        log_status("waiting for the Spark master: %s", error->text);
    return 1;
}

/* Asks for the driver's state. 0, 1 when the master does not answer just now, or -1. */
static int look(struct watch *watch, struct error *error)
{
    struct spark_answer answer;

    if (spark_status(watch->spark, watch->id, &answer, error) < 0)
        return tolerate(watch, &watch->silent_since, error);
    spark_answer_free(&watch->answer);
    watch->answer = answer;
    watch->silent_since = -1;
    if (watch->view)
        driver_view_silent(watch->view, NULL);
    if (answer.state != SPARK_NO_STATE) {
        watch->seen = true;
        return 0;
    }
    if (!watch->seen)
        return no_such_driver(watch->id, error);
    return error_set(error, EXIT_LOST,
                     "the master does not know driver %s any more: was it restarted?", watch->id);
}

static int show(struct watch *watch, struct error *error)
{
    if (watch->view)
        return driver_view_show(watch->view, &watch->answer, waited(watch), error);
    log_status("driver %s is %s, %lld s", watch->id, spark_state_name(watch->answer.state),
               (long long)(waited(watch) / 1000));
    return 0;
}

/* 0, or what ends the waiting: a signal, the deadline. */
static int pause_watch(struct watch *watch, struct error *error)
{
    wait_for_interrupt(POLL_MS);
    if (interrupt_signal()) {
        interrupt_error(error);
        return error_add(error, "driver %s goes on (tally kill %s)", watch->id, watch->id);
    }
    if (watch->deadline >= 0 && clock_monotonic_ms() >= watch->deadline)
        return error_set(error, EXIT_TIMEOUT, "driver %s is %s after %lld s, and goes on",
                         watch->id, spark_state_name(watch->answer.state),
                         (long long)(waited(watch) / 1000));
    return 0;
}

static bool may_succeed(const struct spark_driver_row *row, const struct spark_driver_row *old)
{
    return row != old && row->started > old->started &&
           strcmp(row->main_class, old->main_class) == 0;
}

/* Whether its log tells that name. */
static bool is_named(struct spark *spark, const struct spark_state *state,
                     const struct spark_driver_row *row, const char *name)
{
    char *found = *row->worker ? driver_log_app_name(spark, state, row->id, row->worker) : NULL;
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
            is_named(spark, state, &state->drivers[i], name))
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
        return tolerate(watch, &watch->page_silent_since, error) == 1 ? 0 : -1;
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
    reason = spark_failure_reason(found, watch->answer.version);
    if (spark_failure_error(found))
        error_set(&why, EXIT_FAILED, "%s", spark_failure_error(found));
    else
        error_set(&why, EXIT_FAILED, "driver %s failed %d times: %s", watch->id,
                  spark_failure_restarts(found), reason ? reason : "it does not say why");
    free(reason);
    return give_up(watch, &why, error);
}

/* Nothing can start: what is asked for, and what is free. */
static int no_room(struct watch *watch, const struct spark_state *state, const char *who,
                   int64_t cores, int64_t memory, struct error *error)
{
    struct buf room = {0};
    struct error why;

    describe_room(state, &room);
    error_set(&why, EXIT_REFUSED,
              "no free cores or memory: %s asks for %lld cores and %lld MiB on one worker; free: "
              "%s: see tally list for what holds them",
              who, (long long)cores, (long long)memory, room.data);
    buf_free(&room);
    return give_up(watch, &why, error);
}

/* Whether the application is there: 1, 0, -1. */
static int judge_state(struct watch *watch, const struct spark_state *state, struct error *error)
{
    const struct spark_driver_row *driver = spark_find_driver(state, watch->id);
    const struct spark_app *app =
        driver ? spark_find_app(state, watch->name, driver->started) : NULL;

    if (app && strcmp(app->state, "WAITING") != 0) {
        log_status_clear();
        if (watch->view)
            return 1;
        log_info("application %s (%s) is %s on %lld cores", app->id, app->name, app->state,
                 (long long)app->cores);
        return 1;
    }
    if (waited(watch) < NO_CORES_MS)
        return 0;
    if (app)
        return spark_has_room(state, 1, app->memory)
                   ? 1
                   : no_room(watch, state, "an executor of the application", 1, app->memory, error);
    if (driver && watch->answer.state == SPARK_SUBMITTED &&
        !spark_has_room(state, driver->cores, driver->memory))
        return no_room(watch, state, "the driver", driver->cores, driver->memory, error);
    return 0;
}

static int ask_registered(struct watch *watch, struct error *error)
{
    struct spark_state *state;
    int result;

    if (spark_ask_state(watch->spark, &state, error) < 0)
        return tolerate(watch, &watch->page_silent_since, error) == 1 ? 0 : -1;
    watch->page_silent_since = -1;
    result = judge_state(watch, state, error);
    spark_state_free(state);
    return result;
}

/* One look at all there is: 1 when it is there, 0 to go on, -1. */
static int running_yet(struct watch *watch, struct error *error)
{
    const struct spark_failure *found = driver_log_found(watch->log);
    int result = look(watch, error);

    if (result != 0)
        return result < 0 ? -1 : 0;
    if (show(watch, error) < 0)
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
                        struct driver_view *view, int64_t timeout_ms, struct error *error)
{
    struct watch watch;
    int result;

    start_watch(&watch, spark, id, timeout_ms);
    watch.name = name;
    watch.view = view;
    watch.log = driver_log_new(spark, id, -1);
    do
        result = running_yet(&watch, error);
    while (result == 0 && (result = pause_watch(&watch, error)) == 0);
    end_watch(&watch);
    return result < 0 ? -1 : 0;
}

/* 1 when it has ended well, 0 to go on, -1. */
static int ended_yet(struct watch *watch, struct error *error)
{
    int result = look(watch, error);

    if (result != 0)
        return result < 0 ? -1 : 0;
    if (show(watch, error) < 0)
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

    start_watch(&watch, spark, id, timeout_ms);
    watch.view = view;
    watch.seen = driver_view_has_begun(view);
    do
        result = ended_yet(&watch, error);
    while (result == 0 && (result = pause_watch(&watch, error)) == 0);
    end_watch(&watch);
    return result < 0 ? -1 : 0;
}

static int wait_killed(struct watch *watch, int64_t timeout_ms, struct error *error)
{
    while (!spark_state_is_end(watch->answer.state)) {
        if (look(watch, error) < 0)
            return -1;
        if (watch->answer.state == SPARK_RELAUNCHING)
            return error_set(error, EXIT_LOST,
                             "driver %s: its worker was lost: if it goes on under another id, that "
                             "is to be killed: see tally list",
                             watch->id);
        if (spark_state_is_end(watch->answer.state))
            break;
        if (waited(watch) >= timeout_ms)
            return error_set(error, EXIT_TIMEOUT, "driver %s is still %s %lld s after the kill",
                             watch->id, spark_state_name(watch->answer.state),
                             (long long)(timeout_ms / 1000));
        log_status("driver %s is %s, %lld s after the kill", watch->id,
                   spark_state_name(watch->answer.state), (long long)(waited(watch) / 1000));
        poll(NULL, 0, POLL_MS / 2); /* also after a signal: a kill is often due to one */
    }
    return 0;
}

/* The master has nothing to kill: why? */
static int not_killed(struct spark *spark, const char *id, struct error *error)
{
    struct spark_answer answer;

    if (spark_status(spark, id, &answer, error) < 0)
        return -1;
    if (answer.state == SPARK_NO_STATE)
        no_such_driver(id, error);
    else
        error_set(error, EXIT_REFUSED, "driver %s has ended already: %s", id,
                  spark_state_name(answer.state));
    spark_answer_free(&answer);
    return -1;
}

int driver_ask_kill(struct spark *spark, const char *id, struct error *error)
{
    struct spark_answer answer;
    bool passed_on;

    if (spark_kill(spark, id, &answer, error) < 0)
        return -1;
    passed_on = answer.success;
    spark_answer_free(&answer);
    return passed_on ? 0 : not_killed(spark, id, error);
}

int driver_wait_killed(struct spark *spark, const char *id, int64_t timeout_ms,
                       enum spark_driver_state *state, struct error *error)
{
    struct watch watch;
    int result;

    start_watch(&watch, spark, id, -1);
    result = wait_killed(&watch, timeout_ms, error);
    *state = watch.answer.state;
    end_watch(&watch);
    return result;
}

int driver_kill(struct spark *spark, const char *id, enum spark_driver_state *state,
                struct error *error)
{
    if (driver_ask_kill(spark, id, error) < 0)
        return -1;
    return driver_wait_killed(spark, id, DRIVER_KILL_MS, state, error);
}

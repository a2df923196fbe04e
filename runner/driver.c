#include "runner/driver.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "runner/driver_log.h"
#include "runner/parts.h"
#include "runner/room.h"

#define POLL_MS       500
#define PATIENCE_MS   30000 /* with a master that does not answer, while waiting */
#define NO_CORES_MS   10000
#define LAUNCHES_MOST 3
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
    struct driver_log *log = driver_log_new(spark, answer->id);
    const char *reason;

    if (*answer->worker_id)
        driver_log_read(log, answer->worker_id);
    reason = driver_log_reason(log);
    error_set(error, EXIT_FAILED, "driver %s FAILED: %s (tally logs %s)", answer->id,
              reason ? reason : "it does not say why", answer->id);
    driver_log_free(log);
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
    bool seen;
    struct driver_log *log;
    struct spark_answer answer; /* the newest */
};

static void start_watch(struct watch *watch, struct spark *spark, const char *id,
                        int64_t timeout_ms)
{
    *watch = (struct watch){
        .spark = spark, .id = mem_text(id), .silent_since = -1, .page_silent_since = -1};
    watch->started = clock_monotonic_ms();
    watch->deadline = timeout_ms < 0 ? -1 : watch->started + timeout_ms;
    watch->log = driver_log_new(spark, id);
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
        return -1;
    log_status("%s", error->text);
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
    if (answer.state != SPARK_NO_STATE) {
        watch->seen = true;
        return 0;
    }
    if (!watch->seen)
        return no_such_driver(watch->id, error);
    return error_set(error, EXIT_LOST,
                     "the master does not know driver %s any more: was it restarted?", watch->id);
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

/* It is the one of the same class, begun later, when that is the only one. */
char *driver_successor(struct spark *spark, const char *id, struct error *error)
{
    struct spark_state *state;
    const struct spark_driver_row *old, *found = NULL;
    char *successor = NULL;
    int count = 0;

    if (spark_ask_state(spark, &state, error) < 0)
        return NULL;
    old = spark_find_driver(state, id);
    for (size_t i = 0; old && i < state->driver_count; i++) {
        const struct spark_driver_row *row = &state->drivers[i];
        if (row == old || row->started <= old->started ||
            strcmp(row->main_class, old->main_class) != 0)
            continue;
        found = row;
        count++;
    }
    if (count == 1) {
        successor = mem_text(found->id);
        log_warning("driver %s: its worker was lost; it goes on as %s", id, successor);
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
    char *successor = driver_successor(watch->spark, watch->id, error);

    if (!successor)
        return -1;
    free(watch->id);
    watch->id = successor;
    driver_log_free(watch->log);
    watch->log = driver_log_new(watch->spark, watch->id);
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
    struct error why;

    driver_log_read(watch->log, watch->answer.worker_id);
    if (driver_log_error(watch->log))
        error_set(&why, EXIT_FAILED, "%s", driver_log_error(watch->log));
    else if (driver_log_launches(watch->log) >= LAUNCHES_MOST)
        error_set(&why, EXIT_FAILED, "driver %s failed %d times: %s", watch->id,
                  driver_log_launches(watch->log) - 1,
                  driver_log_reason(watch->log) ? driver_log_reason(watch->log)
                                                : "it does not say why");
    else
        return 0;
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
    int result = look(watch, error);

    if (result != 0)
        return result < 0 ? -1 : 0;
    log_status("driver %s is %s, %lld s", watch->id, spark_state_name(watch->answer.state),
               (long long)(waited(watch) / 1000));
    if (watch->answer.state == SPARK_RELAUNCHING)
        return follow_successor(watch, error);
    if (watch->answer.state == SPARK_FINISHED)
        return 1;
    if (spark_state_is_end(watch->answer.state) || watch->answer.state == SPARK_UNKNOWN) {
        if (*watch->answer.worker_id)
            driver_log_read(watch->log, watch->answer.worker_id);
        if (watch->answer.state == SPARK_FAILED && driver_log_error(watch->log))
            return error_set(error, EXIT_FAILED, "%s", driver_log_error(watch->log));
        return driver_outcome(watch->spark, &watch->answer, error);
    }
    if (watch->answer.state == SPARK_RUNNING && judge_log(watch, error) < 0)
        return -1;
    return ask_registered(watch, error);
}

int driver_wait_running(struct spark *spark, const char *id, const char *name, int64_t timeout_ms,
                        struct error *error)
{
    struct watch watch;
    int result;

    start_watch(&watch, spark, id, timeout_ms);
    watch.name = name;
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
    log_status("driver %s is %s, %lld s", watch->id, spark_state_name(watch->answer.state),
               (long long)(waited(watch) / 1000));
    if (watch->answer.state == SPARK_RELAUNCHING)
        return follow_successor(watch, error);
    if (driver_outcome(watch->spark, &watch->answer, error) < 0)
        return -1;
    return spark_state_is_end(watch->answer.state);
}

int driver_wait_end(struct spark *spark, const char *id, int64_t timeout_ms, struct error *error)
{
    struct watch watch;
    int result;

    start_watch(&watch, spark, id, timeout_ms);
    do
        result = ended_yet(&watch, error);
    while (result == 0 && (result = pause_watch(&watch, error)) == 0);
    end_watch(&watch);
    return result < 0 ? -1 : 0;
}

static int wait_killed(struct watch *watch, struct error *error)
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
        if (waited(watch) >= DRIVER_KILL_MS)
            return error_set(error, EXIT_TIMEOUT, "driver %s is still %s %d s after the kill",
                             watch->id, spark_state_name(watch->answer.state),
                             DRIVER_KILL_MS / 1000);
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

int driver_kill(struct spark *spark, const char *id, enum spark_driver_state *state,
                struct error *error)
{
    struct spark_answer answer;
    struct watch watch;
    bool passed_on;
    int result;

    if (spark_kill(spark, id, &answer, error) < 0)
        return -1;
    passed_on = answer.success;
    spark_answer_free(&answer);
    if (!passed_on)
        return not_killed(spark, id, error);
    start_watch(&watch, spark, id, -1);
    result = wait_killed(&watch, error);
    *state = watch.answer.state;
    end_watch(&watch);
    return result;
}

#include <poll.h>

#include "cluster/base/log.h"
#include "runner/driver.h"
#include "runner/driver_watch.h"

static int wait_killed(struct watch *watch, int64_t timeout_ms, struct error *error)
{
    while (!spark_state_is_end(watch->answer.state)) {
        if (watch_look(watch, error) < 0)
            return -1;
        if (watch->answer.state == SPARK_RELAUNCHING)
            return error_set(error, EXIT_LOST,
                             "driver %s: its worker was lost: if it goes on under another id, that "
                             "is to be killed: see tally list",
                             watch->id);
        if (spark_state_is_end(watch->answer.state))
            break;
        if (watch_waited(watch) >= timeout_ms)
            return error_set(error, EXIT_TIMEOUT, "driver %s is still %s %lld s after the kill",
                             watch->id, spark_state_name(watch->answer.state),
                             (long long)(timeout_ms / 1000));
        log_status("driver %s is %s, %lld s after the kill", watch->id,
                   spark_state_name(watch->answer.state), (long long)(watch_waited(watch) / 1000));
        poll(NULL, 0, WATCH_POLL_MS / 2); /* also after a signal: a kill is often due to one */
    }
    return 0;
}

/* The master has nothing to kill: why? */
static int not_killed(struct spark *spark, const char *id, enum spark_driver_state *state,
                      struct error *error)
{
    struct spark_answer answer;

    if (spark_status(spark, id, &answer, error) < 0)
        return -1;
    if (answer.state == SPARK_NO_STATE)
        no_such_driver(id, error);
    else
        error_set(error, EXIT_REFUSED, "driver %s has ended already: %s", id,
                  spark_state_name(answer.state));
    *state = answer.state;
    spark_answer_free(&answer);
    return -1;
}

int driver_ask_kill(struct spark *spark, const char *id, enum spark_driver_state *state,
                    struct error *error)
{
    struct spark_answer answer;
    bool passed_on;

    *state = SPARK_NO_STATE;
    if (spark_kill(spark, id, &answer, error) < 0)
        return -1;
    passed_on = answer.success;
    spark_answer_free(&answer);
    return passed_on ? 0 : not_killed(spark, id, state, error);
}

int driver_wait_killed(struct spark *spark, const char *id, int64_t timeout_ms,
                       enum spark_driver_state *state, struct error *error)
{
    struct watch watch;
    int result;

    watch_start(&watch, spark, id, -1);
    result = wait_killed(&watch, timeout_ms, error);
    *state = watch.answer.state;
    watch_end(&watch);
    return result;
}

int driver_kill(struct spark *spark, const char *id, enum spark_driver_state *state,
                struct error *error)
{
    if (driver_ask_kill(spark, id, state, error) < 0)
        return -1;
    return driver_wait_killed(spark, id, DRIVER_KILL_MS, state, error);
}

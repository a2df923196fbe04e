#include "runner/driver_watch.h"

#include <stdlib.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "runner/driver.h"
#include "runner/parts.h"

/* With a master that does not answer, while waiting: Spark's documentation
 * gives a standby one 1 to 2 minutes to take over (spark-standalone.md). */
#define PATIENCE_MS 180000

void watch_start(struct watch *watch, struct spark *spark, const char *id, int64_t timeout_ms)
{
    *watch = (struct watch){.spark = spark,
                            .id = mem_text(id),
                            .silent_since = -1,
                            .page_silent_since = -1,
                            .lost_since = -1,
                            .waiting_since = -1};
    watch->started = clock_monotonic_ms();
    watch->deadline = timeout_ms < 0 ? -1 : watch->started + timeout_ms;
}

void watch_end(struct watch *watch)
{
    log_status_clear();
    driver_log_free(watch->log);
    spark_answer_free(&watch->answer);
    free(watch->id);
}

int64_t watch_waited(const struct watch *watch)
{
    return clock_monotonic_ms() - watch->started;
}

int watch_tolerate(struct watch *watch, int64_t *silent_since, struct error *error)
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

int watch_look(struct watch *watch, struct error *error)
{
    struct spark_answer answer;

    if (spark_status(watch->spark, watch->id, &answer, error) < 0)
        return watch_tolerate(watch, &watch->silent_since, error);
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

int watch_show(struct watch *watch, struct error *error)
{
    if (watch->view)
        return driver_view_show(watch->view, &watch->answer, watch_waited(watch), error);
    log_status("driver %s is %s, %lld s", watch->id, spark_state_name(watch->answer.state),
               (long long)(watch_waited(watch) / 1000));
    return 0;
}

int watch_pause(struct watch *watch, struct error *error)
{
    wait_for_interrupt(WATCH_POLL_MS);
    if (interrupt_signal()) {
        interrupt_error(error);
        return error_add(error, "driver %s goes on (tally kill %s)", watch->id, watch->id);
    }
    if (watch->deadline >= 0 && clock_monotonic_ms() >= watch->deadline)
        return error_set(error, EXIT_TIMEOUT, "driver %s is %s after %lld s, and goes on",
                         watch->id, spark_state_name(watch->answer.state),
                         (long long)(watch_waited(watch) / 1000));
    return 0;
}

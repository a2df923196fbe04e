#include "runner/executor_logs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/spark_reader.h"
#include "runner/driver.h"
#include "runner/driver_log.h"
#include "runner/log_lines.h"
#include "runner/parts.h"

#define POLL_MS     1000
#define PATIENCE_MS 180000

struct executor {
    char *id, *worker_id;
    struct spark_reader *reader; /* NULL: its worker cannot be asked */
    struct buf rest;             /* of a line that has not ended */
};

struct reading {
    const struct options *options;
    struct spark *spark;
    char *app;
    bool all;
    struct executor *executors;
    size_t count;
    size_t shown; /* whose name was printed last; SIZE_MAX: none */
    bool begun;
    int64_t silent_since; /* -1: all answer */
};

/* ---- Which application */

static char *app_of_driver(struct spark *spark, const struct spark_state *state, const char *id,
                           struct error *error)
{
    const struct spark_driver_row *driver = spark_find_driver(state, id);
    const struct spark_app *app;
    char *name;

    if (!driver) {
        error_set(error, EXIT_REFUSED,
                  "the master knows no driver or application %s: it forgets them when it "
                  "restarts, and keeps the last 200 that ended",
                  id);
        return NULL;
    }
    name = driver_log_app_name(spark, state, id, driver->worker);
    app = name ? spark_find_app(state, name, driver->started) : NULL;
    free(name);
    if (app)
        return mem_text(app->id);
    error_set(error, EXIT_REFUSED,
              "the application of driver %s is not known (or has not registered): give the "
              "application's id, see tally list",
              id);
    return NULL;
}

static char *find_app(struct spark *spark, const char *id, struct error *error)
{
    struct spark_state *state;
    char *app;

    if (spark_ask_state(spark, &state, error) < 0)
        return NULL;
    app = spark_find_app_by_id(state, id) ? mem_text(id) : app_of_driver(spark, state, id, error);
    spark_state_free(state);
    return app;
}

/* ---- Which executors */

static const char *stream_of(const struct options *options)
{
    return options->to_stdout ? "stdout" : "stderr";
}

static int add_executor(struct reading *reading, const struct spark_executor *found,
                        struct error *error)
{
    const struct spark_log_name name = {
        .app = reading->app, .executor = found->id, .type = stream_of(reading->options)};
    struct executor *executor;

    reading->executors =
        mem_grow(reading->executors, reading->count + 1, sizeof *reading->executors);
    executor = &reading->executors[reading->count++];
    *executor =
        (struct executor){.id = mem_text(found->id), .worker_id = mem_text(found->worker_id)};
    executor->reader = spark_reader_open(reading->spark, &name, found->worker_id, error);
    if (!executor->reader)
        return -1;
    if (reading->options->tail >= 0)
        spark_reader_set_tail(executor->reader, reading->options->tail);
    if (!reading->options->follow)
        spark_reader_set_snapshot(executor->reader);
    return 0;
}

static bool is_known(const struct reading *reading, const char *id)
{
    for (size_t i = 0; i < reading->count; i++)
        if (strcmp(reading->executors[i].id, id) == 0)
            return true;
    return false;
}

/* Those that have not been seen before. */
static int find_executors(struct reading *reading, struct error *error)
{
    const char *wanted = reading->options->executor;
    struct spark_app_page *page;
    int result = 0;

    if (spark_ask_app(reading->spark, reading->app, &page, error) < 0)
        return -1;
    for (size_t i = 0; i < page->count && result == 0; i++) {
        const struct spark_executor *found = &page->executors[i];
        if (is_known(reading, found->id) || !(reading->all || strcmp(found->id, wanted) == 0))
            continue;
        result = add_executor(reading, found, error);
        if (result < 0 && reading->all) {
            log_warning("executor %s: %s", found->id, error->text);
            result = 0;
        }
    }
    if (result == 0 && !reading->all && reading->count == 0)
        result = error_set(error, EXIT_REFUSED,
                           "application %s has no executor %s: it has had %zu (--executor all)",
                           reading->app, wanted, page->count);
    spark_app_page_free(page);
    return result;
}

/* ---- Printing */

static struct log_source source_of(const struct reading *reading, size_t at)
{
    return (struct log_source){.id = reading->app,
                               .executor = reading->executors[at].id,
                               .stream = stream_of(reading->options)};
}

static int print(struct reading *reading, size_t at, const char *text, size_t length,
                 struct error *error)
{
    const struct executor *executor = &reading->executors[at];
    char *title;
    int result = 0;

    if (reading->all && reading->shown != at) {
        title = mem_format("%s==> executor %s on %s <==\n", reading->shown == SIZE_MAX ? "" : "\n",
                           executor->id, executor->worker_id);
        result = output_write(STDOUT_FILENO, title, strlen(title), error);
        reading->shown = at;
        free(title);
    }
    return result < 0 ? -1 : output_write(STDOUT_FILENO, text, length, error);
}

/* A line that has not ended waits, or another executor's would stand within it. */
static int print_lines(struct reading *reading, size_t at, const char *text, size_t length,
                       struct error *error)
{
    const struct log_source source = source_of(reading, at);
    struct buf *rest = &reading->executors[at].rest;
    const char *line;
    int result = 0;

    if (reading->options->json)
        return log_lines_print(&source, text, length, rest, error);
    if (!reading->all)
        return print(reading, at, text, length, error);
    buf_add(rest, text, length);
    line = memrchr(rest->data, '\n', rest->length);
    length = line                            ? (size_t)(line + 1 - rest->data)
             : rest->length > LIMIT_LOG_LINE ? rest->length
                                             : 0;
    if (length == 0)
        return 0;
    result = print(reading, at, rest->data, length, error);
    rest->length -= length;
    memmove(rest->data, rest->data + length, rest->length + 1);
    return result;
}

static int drain(struct reading *reading, size_t at, struct error *error)
{
    struct spark_reader *reader = reading->executors[at].reader;
    const char *text;
    size_t length;
    int result = 0;

    while (reader && (result = spark_reader_next(reader, &text, &length, error)) > 0)
        if (length > 0 && print_lines(reading, at, text, length, error) < 0)
            return -1;
    return result;
}

/* What has no end by now will get none. */
static int print_rest(struct reading *reading, size_t at, struct error *error)
{
    const struct log_source source = source_of(reading, at);
    struct buf *rest = &reading->executors[at].rest;
    int result = 0;

    if (reading->options->json)
        return log_lines_end(&source, rest, error);
    if (rest->length > 0) {
        buf_char(rest, '\n');
        result = print(reading, at, rest->data, rest->length, error);
        rest->length = 0;
    }
    return result;
}

static int drain_all(struct reading *reading, bool last, struct error *error)
{
    for (size_t i = 0; i < reading->count; i++) {
        int result = drain(reading, i, error);
        if (result < 0 && (!reading->all || error->code != EXIT_UNREACHABLE))
            return -1;
        if (result < 0 && last)
            log_warning("executor %s: %s", reading->executors[i].id, error->text);
        if (last && print_rest(reading, i, error) < 0)
            return -1;
        if (last) { /* with all that it holds */
            spark_reader_close(reading->executors[i].reader);
            reading->executors[i].reader = NULL;
        }
    }
    return 0;
}

/* Whether it goes on: 1, 0, -1. */
static int is_active(struct reading *reading, struct error *error)
{
    struct spark_state *state;
    const struct spark_app *app;
    int result;

    if (spark_ask_state(reading->spark, &state, error) < 0)
        return -1;
    app = spark_find_app_by_id(state, reading->app);
    result = app && app->active;
    spark_state_free(state);
    return result;
}

/* One turn: 1 to go on, 0, -1. The state is asked first: what was written
 * before the end is then there to be read. */
static int turn(struct reading *reading, struct error *error)
{
    int active = reading->options->follow ? is_active(reading, error) : 0;

    if (active < 0 || find_executors(reading, error) < 0 ||
        drain_all(reading, active == 0, error) < 0)
        return -1;
    reading->begun = true;
    reading->silent_since = -1;
    return active;
}

/* A master or a worker may restart while it is followed. */
static bool may_pass(struct reading *reading, const struct error *error)
{
    int64_t now = clock_monotonic_ms();

    if (!reading->options->follow || !reading->begun ||
        (error->code != EXIT_UNREACHABLE && error->code != EXIT_REFUSED))
        return false;
    if (reading->silent_since < 0)
        reading->silent_since = now;
    log_verbose("waiting: %s", error->text);
    return now - reading->silent_since < PATIENCE_MS;
}

static int read_all(struct reading *reading, struct error *error)
{
    int result;

    do {
        result = turn(reading, error);
        if (result < 0 && may_pass(reading, error))
            result = 1;
        if (result > 0)
            wait_for_interrupt(POLL_MS);
        if (reading->options->follow && interrupt_signal())
            return 0; /* that is how following ends */
    } while (result > 0);
    return result;
}

int executor_logs(const struct options *options, struct spark *spark, struct error *error)
{
    struct reading reading = {.options = options,
                              .spark = spark,
                              .all = strcmp(options->executor, "all") == 0,
                              .shown = SIZE_MAX,
                              .silent_since = -1};
    struct error trouble;
    int result = -1;

    reading.app = find_app(spark, options->arguments[0], error);
    if (reading.app)
        result = read_all(&reading, error);
    for (size_t i = 0; i < reading.count; i++) {
        if (print_rest(&reading, i, result < 0 ? &trouble : error) < 0)
            result = -1;
        spark_reader_close(reading.executors[i].reader);
        buf_free(&reading.executors[i].rest);
        free(reading.executors[i].id);
        free(reading.executors[i].worker_id);
    }
    free(reading.executors);
    free(reading.app);
    return result;
}

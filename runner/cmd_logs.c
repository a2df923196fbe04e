#include <stdlib.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/spark_reader.h"
#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/executor_logs.h"
#include "runner/log_lines.h"
#include "runner/parts.h"

#define POLL_MS     500
#define PATIENCE_MS 180000 /* with a worker or a master that restarts, while following */

struct follower {
    const struct options *options;
    struct spark *spark;
    char *id;
    struct spark_reader *reader;
    struct buf rest;      /* with --json: of a line that has not ended */
    bool begun;           /* something was read: silence may pass */
    bool moved;           /* to another id, whose log is shown from its beginning */
    int64_t silent_since; /* -1: they answer */
};

static const char *stream_of(const struct options *options)
{
    return options->to_stdout ? "stdout" : "stderr";
}

static struct log_source source_of(const struct follower *follower)
{
    return (struct log_source){.id = follower->id, .stream = stream_of(follower->options)};
}

static int print(struct follower *follower, const char *text, size_t length, struct error *error)
{
    const struct log_source source = source_of(follower);

    log_status_clear();
    return follower->options->json ? log_lines_print(&source, text, length, &follower->rest, error)
                                   : output_write(STDOUT_FILENO, text, length, error);
}

/* What has no end by now will get none. */
static int print_rest(struct follower *follower, struct error *error)
{
    const struct log_source source = source_of(follower);

    return log_lines_end(&source, &follower->rest, error);
}

/* Prints what is there. */
static int drain(struct follower *follower, struct error *error)
{
    const char *text;
    size_t length;
    int result;

    while ((result = spark_reader_next(follower->reader, &text, &length, error)) > 0)
        if (length > 0 && print(follower, text, length, error) < 0)
            return -1;
    return result;
}

/* A driver that waits for a worker has no log yet. */
static int open_reader(struct follower *follower, const struct spark_answer *answer,
                       struct error *error)
{
    const struct spark_log_name name = {.driver = follower->id,
                                        .type = stream_of(follower->options)};

    if (follower->reader || !*answer->worker_id)
        return 0;
    follower->reader = spark_reader_open(follower->spark, &name, answer->worker_id, error);
    if (!follower->reader)
        return -1;
    if (follower->options->tail >= 0 && !follower->moved)
        spark_reader_set_tail(follower->reader, follower->options->tail);
    if (!follower->options->follow)
        spark_reader_set_snapshot(follower->reader);
    return 0;
}

/* Its worker is lost, and with that the end of this log, likely. */
static int go_on_elsewhere(struct follower *follower, struct error *error)
{
    char *successor;

    if (follower->reader && drain(follower, error) < 0)
        log_warning("the end of the log may be missing: %s", error->text);
    successor = driver_successor(follower->spark, follower->id, NULL, error);
    if (!successor)
        return -1;
    if (print_rest(follower, error) < 0) {
        free(successor);
        return -1;
    }
    spark_reader_close(follower->reader);
    follower->reader = NULL;
    follower->moved = true;
    free(follower->id);
    follower->id = successor;
    return 0;
}

/* 1 when there is no more to come. */
static int read_on(struct follower *follower, const struct spark_answer *answer,
                   struct error *error)
{
    bool over = !follower->options->follow || spark_state_is_end(answer->state);

    if (answer->state == SPARK_NO_STATE)
        return no_such_driver(follower->id, error);
    if (follower->options->follow && answer->state == SPARK_RELAUNCHING)
        return go_on_elsewhere(follower, error);
    if (open_reader(follower, answer, error) < 0)
        return -1;
    if (!follower->reader && over)
        return error_set(error, EXIT_REFUSED, "driver %s is %s and has no log", follower->id,
                         spark_state_name(answer->state));
    if (follower->reader && drain(follower, error) < 0)
        return -1;
    follower->begun = true;
    return over;
}

/* The state is asked first: what the driver wrote before its end is then there to be read. */
static int turn(struct follower *follower, struct error *error)
{
    struct spark_answer answer;
    int result;

    if (spark_status(follower->spark, follower->id, &answer, error) < 0)
        return -1;
    result = read_on(follower, &answer, error);
    spark_answer_free(&answer);
    return result;
}

/* 0 when a failure may pass. */
static int tolerate(struct follower *follower, const struct error *error)
{
    int64_t now = clock_monotonic_ms();
    bool may_pass = error->code == EXIT_UNREACHABLE || error->code == EXIT_REFUSED;

    if (!follower->options->follow || !follower->begun || !may_pass)
        return -1;
    if (follower->silent_since < 0) {
        follower->silent_since = now;
        log_verbose("waiting: %s", error->text);
    }
    log_status("waiting: %s", error->text);
    return now - follower->silent_since < PATIENCE_MS ? 0 : -1;
}

static int follow(struct follower *follower, struct error *error)
{
    int result;

    do {
        result = turn(follower, error);
        if (result >= 0)
            follower->silent_since = -1;
        else
            result = tolerate(follower, error);
        if (result == 0)
            wait_for_interrupt(POLL_MS);
        if (follower->options->follow && interrupt_signal())
            return 0; /* that is how following ends */
    } while (result == 0);
    return result < 0 ? -1 : 0;
}

static int logs(const struct options *options, struct spark *spark, struct error *error)
{
    struct follower follower = {.options = options, .spark = spark, .silent_since = -1};
    struct error trouble;
    int result;

    if (options->executor)
        return executor_logs(options, spark, error);
    follower.id = mem_text(options->arguments[0]);
    result = follow(&follower, error);
    log_status_clear();
    if (print_rest(&follower, result < 0 ? &trouble : error) < 0)
        result = -1;
    buf_free(&follower.rest);
    spark_reader_close(follower.reader);
    free(follower.id);
    return result;
}

static int run_logs(const struct options *options, struct error *error)
{
    if (options->to_stdout && options->to_stderr)
        return error_set(error, EXIT_USAGE, "--stdout and --stderr: one at a time");
    return with_spark(options, logs, error);
}

const struct command command_logs = {
    .name = "logs",
    .usage = "ID",
    .summary = "what a driver or its executors write",
    .text =
        "Prints a driver's standard error (or --stdout), read from the page of the worker that\n"
        "runs it or ran it. With -f it goes on until the driver has ended, or Ctrl-C, and where\n"
        "its worker is lost and it is started elsewhere, there. With --executor: the log of one "
        "of\n"
        "its application's executors, or of all; ID may then be the application's, too. With "
        "--json\n"
        "each line is an object.\n\n"
        "  tally logs driver-20261121093000-0000 -m spark://localhost:7077\n"
        "  tally logs -f --tail 20 driver-20261121093000-0000 -m spark://localhost:7077\n"
        "  tally logs --executor all app-20261121093005-0000 -m spark://localhost:7077",
    .options = " master rest-port ui-port follow stdout stderr tail executor json ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_logs,
};

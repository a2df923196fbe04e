#include <unistd.h>

#include "cluster/base/interrupt.h"
#include "cluster/base/output.h"
#include "cluster/spark_reader.h"
#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/parts.h"
#include "runner/submission.h"

#define POLL_MS 500

struct follower {
    const struct options *options;
    struct spark *spark;
    const char *id;
    struct spark_reader *reader;
};

/* Prints what is there. */
static int drain(struct follower *follower, struct error *error)
{
    const char *text;
    size_t length;
    int result;

    while ((result = spark_reader_next(follower->reader, &text, &length, error)) > 0)
        if (output_write(STDOUT_FILENO, text, length, error) < 0)
            return -1;
    return result;
}

/* A driver that waits for a worker has no log yet. */
static int open_reader(struct follower *follower, const struct spark_answer *answer,
                       struct error *error)
{
    if (follower->reader || !*answer->worker_id)
        return 0;
    follower->reader = spark_reader_open(follower->spark, follower->id, answer->worker_id,
                                         follower->options->to_stdout ? "stdout" : "stderr", error);
    if (!follower->reader)
        return -1;
    if (follower->options->tail >= 0)
        spark_reader_set_tail(follower->reader, follower->options->tail);
    return 0;
}

/* 1 when there is no more to come. The state is asked first: what the driver
 * wrote before its end is then there to be read. */
static int turn(struct follower *follower, struct error *error)
{
    struct spark_answer answer;
    int result;
    bool over;

    if (spark_status(follower->spark, follower->id, &answer, error) < 0)
        return -1;
    over = !follower->options->follow || spark_state_is_end(answer.state) ||
           answer.state == SPARK_RELAUNCHING;
    result = answer.state == SPARK_NO_STATE ? no_such_driver(follower->id, error)
                                            : open_reader(follower, &answer, error);
    if (result == 0 && !follower->reader && over)
        result = error_set(error, EXIT_REFUSED, "driver %s is %s and has no log", follower->id,
                           spark_state_name(answer.state));
    if (result == 0 && follower->reader)
        result = drain(follower, error);
    spark_answer_free(&answer);
    return result < 0 ? -1 : over;
}

static int follow(struct follower *follower, struct error *error)
{
    int result;

    do {
        result = turn(follower, error);
        if (result == 0)
            wait_for_interrupt(POLL_MS);
        if (follower->options->follow && interrupt_signal())
            return 0; /* that is how following ends */
    } while (result == 0);
    return result < 0 ? -1 : 0;
}

static int run_logs(const struct options *options, struct error *error)
{
    struct follower follower = {.options = options, .id = options->arguments[0]};
    int result;

    if (need_id(follower.id, error) < 0)
        return -1;
    follower.spark = open_spark(options, error);
    if (!follower.spark)
        return -1;
    interrupt_install();
    result = follow(&follower, error);
    spark_reader_close(follower.reader);
    spark_close(follower.spark);
    return result;
}

const struct command command_logs = {
    .name = "logs",
    .usage = "ID",
    .summary = "what a driver writes",
    .text =
        "Prints a driver's standard error (or --stdout), read from the page of the worker that\n"
        "runs it or ran it. With -f it goes on until the driver has ended, or Ctrl-C.\n\n"
        "  tally logs driver-20261121093000-0000 -m spark://localhost:7077\n"
        "  tally logs -f --tail 10000 driver-20261121093000-0000 -m spark://localhost:7077",
    .options = " master rest-port ui-port follow stdout tail ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_logs,
};

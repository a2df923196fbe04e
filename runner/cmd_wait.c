#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/parts.h"

static int wait_end(const struct options *options, struct spark *spark, struct error *error)
{
    struct driver_view *view = driver_view_new(spark, NULL, options->json);
    int result = driver_wait_end(spark, options->arguments[0], view, options->timeout, error);

    driver_view_free(view);
    return result;
}

static int run_wait(const struct options *options, struct error *error)
{
    return with_spark(options, wait_end, error);
}

const struct command command_wait = {
    .name = "wait",
    .usage = "ID",
    .summary = "wait for a driver's end",
    .text =
        "Waits until a driver has ended, also across a restart of the master that recovers, or\n"
        "the loss of its worker, and shows what it does meanwhile on standard error: its state,\n"
        "its application and executors, the rates of a streaming query. With --json each change "
        "is\n"
        "an object on a line of standard output. Exit codes: 0 FINISHED, 1 FAILED, 5 unknown to\n"
        "the master, 6 KILLED, 7 ERROR, 8 lost, 9 timed out.\n\n"
        "  tally wait driver-20261121093000-0000 -m spark://localhost:7077 --timeout 10m",
    .options = " master rest-port ui-port timeout json ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_wait,
};

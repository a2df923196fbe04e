#include "cluster/base/interrupt.h"
#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/submission.h"

static int run_wait(const struct options *options, struct error *error)
{
    const char *id = options->arguments[0];
    struct spark *spark;
    int result;

    if (need_id(id, error) < 0)
        return -1;
    spark = open_spark(options, error);
    if (!spark)
        return -1;
    interrupt_install();
    result = driver_wait_end(spark, id, options->timeout, error);
    spark_close(spark);
    return result;
}

const struct command command_wait = {
    .name = "wait",
    .usage = "ID",
    .summary = "wait for a driver's end",
    .text =
        "Waits until a driver has ended, also across a restart of the master that recovers, or\n"
        "the loss of its worker. Exit codes: 0 FINISHED, 1 FAILED, 5 unknown to the master,\n"
        "6 KILLED, 7 ERROR, 8 lost, 9 timed out.\n\n"
        "  tally wait driver-20261121093000-0000 -m spark://localhost:7077 --timeout 10m",
    .options = " master rest-port ui-port timeout ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_wait,
};

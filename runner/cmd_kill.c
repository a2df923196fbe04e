#include <stdio.h>

#include "cluster/base/interrupt.h"
#include "cluster/base/output.h"
#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/submission.h"

static int run_kill(const struct options *options, struct error *error)
{
    const char *id = options->arguments[0];
    enum spark_driver_state state;
    struct spark *spark;
    int result;

    if (need_id(id, error) < 0)
        return -1;
    spark = open_spark(options, error);
    if (!spark)
        return -1;
    interrupt_install();
    result = driver_kill(spark, id, &state, error);
    if (result == 0) {
        printf("%s %s\n", id, spark_state_name(state));
        result = output_flush(error);
    }
    spark_close(spark);
    return result;
}

const struct command command_kill = {
    .name = "kill",
    .usage = "ID",
    .summary = "end a driver",
    .text = "Has the master kill a driver, waits until it has ended (20 s at most) and prints its\n"
            "state. One that had ended before, or is unknown: exit code 5.\n\n"
            "  tally kill driver-20261121093000-0000 -m spark://localhost:7077",
    .options = " master rest-port ui-port ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_kill,
};

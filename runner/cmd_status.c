#include <stdio.h>

#include "cluster/base/output.h"
#include "runner/commands.h"
#include "runner/driver.h"
#include "runner/parts.h"

static void print_json(const struct spark_answer *answer)
{
    json_t *object = driver_json(answer);

    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

static int show(const struct options *options, struct spark *spark, const char *id,
                struct error *error)
{
    struct spark_answer answer;
    int result;

    if (spark_status(spark, id, &answer, error) < 0)
        return -1;
    if (options->json)
        print_json(&answer);
    else if (answer.state != SPARK_NO_STATE)
        printf("%s %s %s\n", answer.id, spark_state_name(answer.state),
               *answer.worker_id ? answer.worker_id : "-");
    result = output_flush(error);
    if (result == 0)
        result = driver_outcome(spark, &answer, error);
    spark_answer_free(&answer);
    return result;
}

/* The line tells how it ended; the exit code is that of whatever it became,
 * under another id too. */
static int follow(const struct options *options, struct spark *spark, const char *id,
                  struct error *error)
{
    struct driver_view *view = driver_view_new(spark, NULL, options->json);
    struct error unused;
    int result = driver_wait_end(spark, id, view, -1, error);

    driver_view_free(view);
    if (!options->json && (result == 0 || error->code == EXIT_FAILED ||
                           error->code == EXIT_KILLED || error->code == EXIT_DRIVER_ERROR))
        show(options, spark, id, &unused);
    return result;
}

static int tell(const struct options *options, struct spark *spark, struct error *error)
{
    const char *id = options->arguments[0];

    return options->follow ? follow(options, spark, id, error) : show(options, spark, id, error);
}

static int run_status(const struct options *options, struct error *error)
{
    return with_spark(options, tell, error);
}

const struct command command_status = {
    .name = "status",
    .usage = "ID",
    .summary = "what a driver is doing",
    .text =
        "Prints a driver's submission id, its state and its worker. Exit codes: 0 while it goes\n"
        "on or when it has FINISHED, 1 FAILED, 5 unknown to the master, 6 KILLED, 7 ERROR,\n"
        "8 UNKNOWN. With --follow it goes on as tally wait does, until the driver's end.\n\n"
        "  tally status driver-20261121093000-0000 -m spark://localhost:7077\n"
        "  tally status driver-20261121093000-0000 -m spark://localhost:7077 --json",
    .options = " master rest-port ui-port follow json ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_status,
};

#include "runner/commands.h"
#include "runner/parts.h"
#include "runner/run.h"

static int run_job(const struct options *options, struct error *error)
{
    return options->master ? run_spark(options, error) : run_local(options, error);
}

const struct command command_run = {
    .name = "run",
    .usage = "JOB",
    .summary = "the whole thing: the job, its results, the live page",
    .text =
        "Runs a job on the local engine and shows its counts on a live page, until Ctrl-C.\n\n"
        "By itself it brings a Kafka broker in this process and feeds it with the sample, in a\n"
        "loop, at 10 records a second. With --bootstrap-servers it uses that Kafka, and feeds\n"
        "nothing unless --feed says so; after a crash it goes on where it was.\n\n"
        "With --master spark://... the job runs on a Spark cluster and the rest here: it submits\n"
        "the job, follows its driver, shows the results, and kills the driver at Ctrl-C (--keep\n"
        "leaves it). Kafka may then have two addresses: ours, and the one the workers use.\n\n"
        "  tally run gender\n"
        "  tally run gender --feed my.csv --rate 100\n"
        "  tally run gender --bootstrap-servers localhost:9092\n"
        "  tally run gender -m spark://localhost:7077 -b localhost:9092 \\\n"
        "      --job-bootstrap-servers broker:19092",
    .options =
        " bootstrap-servers set kafka-config feed rate once time-column start-time header "
        "max-future no-page " PAGE_OPTIONS "master rest-port ui-port "
        "class name conf supervise jar checkpoint job-bootstrap-servers topic group timeout keep "
        "serve-address no-serve no-preflight ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_job,
};

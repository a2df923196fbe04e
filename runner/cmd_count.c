#include <inttypes.h>
#include <unistd.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "jobs/count.h"
#include "runner/commands.h"

#define PROGRESS_AFTER_US 2000000
#define PROGRESS_EVERY_US 250000

static int64_t started, shown;

static void show_progress(uint64_t rows)
{
    int64_t now = clock_monotonic_us();

    if (now - started < PROGRESS_AFTER_US || now - shown < PROGRESS_EVERY_US)
        return;
    shown = now;
    log_status("%" PRIu64 " rows, %.1f million a second", rows,
               (double)rows / (double)(now - started));
}

static void print_summary(const struct count_summary *summary)
{
    int64_t took = clock_monotonic_us() - started;
    struct buf rejects = {0};

    rejects_describe(&summary->rejects, &rejects);
    log_info("%" PRIu64 " rows, %s, %" PRIu64 " late, %" PRIu64 " windows, %.0f rows/s",
             summary->rows, rejects.data, summary->late, summary->windows,
             (double)summary->rows * 1e6 / (double)(took > 0 ? took : 1));
    buf_free(&rejects);
}

static int run_count(const struct options *options, struct error *error)
{
    struct spec *spec = spec_load(options->arguments[0], error);
    struct count_options count = {
        .rows = {.file = options->arguments[1],
                 .time_column = options->time_column,
                 .header = options->header},
        .rate = options->rate,
        .strict = options->strict,
        .output = STDOUT_FILENO,
        .progress = log_is_terminal() ? show_progress : NULL,
    };
    struct count_summary summary = {0};
    int result;

    if (!spec)
        return -1;
    if (count.rate == RATE_MAX) {
        spec_free(spec);
        return error_set(error, EXIT_USAGE, "--rate max: count needs a rate to give rows a time");
    }
    interrupt_install();
    started = clock_monotonic_us();
    result = count_csv(spec, &count, &summary, error);
    if (result == 0 || summary.rows > 0)
        print_summary(&summary);
    spec_free(spec);
    return result;
}

const struct command command_count = {
    .name = "count",
    .usage = "JOB [FILE]",
    .summary = "count a CSV, without Kafka: one result record a line",
    .text = "Counts the rows of a CSV (or of standard input) per window and prints each window's\n"
            "record once, in order, as a line of JSON. Rows that cannot be read are counted by\n"
            "reason, on standard error.\n\n"
            "Without --time-column, row n (from 0) has the time n / rate seconds.\n\n"
            "  tally count gender data/user_log.csv\n"
            "  tally count ./my-job.yaml --time-column ts < log.csv",
    .options = " time-column rate header strict ",
    .least_arguments = 1,
    .most_arguments = 2,
    .run = run_count,
};

#include <inttypes.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "jobs/feed.h"
#include "runner/commands.h"
#include "runner/parts.h"

#define FLUSH_SLICE_MS       200
#define PROGRESS_EVERY_MS    500
#define INTERRUPTED_FLUSH_MS 500

static void show_progress(const struct feed *feed, int64_t started)
{
    static int64_t shown;
    int64_t now = clock_monotonic_ms();
    struct feed_stats stats;

    if (!log_is_terminal() || now - shown < PROGRESS_EVERY_MS)
        return;
    shown = now;
    stats = feed_stats(feed);
    log_status("%" PRIu64 " sent, %" PRIu64 " not yet acknowledged, %.0f/s", stats.sent,
               stats.waiting, (double)stats.sent * 1000 / (double)(now - started + 1));
}

/* Where to go on: behind the rows that are surely in the topic. */
static int interrupted(struct feed *feed, struct error *error)
{
    struct feed_stats stats;
    uint64_t open;

    feed_flush(feed, INTERRUPTED_FLUSH_MS);
    stats = feed_stats(feed);
    open = stats.waiting ? stats.waiting + rejects_total(&stats.rejects) : 0;
    interrupt_error(error);
    if (open == 0)
        return error_add(error, "go on with --skip %" PRIu64, stats.rows);
    return error_add(error,
                     "go on with --skip %" PRIu64 " (up to %" PRIu64
                     " records behind that may be in the topic already)",
                     stats.rows > open ? stats.rows - open : 0, open);
}

static int flush_all(struct feed *feed, struct error *error)
{
    int64_t started = clock_monotonic_ms(), wait_ms;

    while (!feed_flush(feed, FLUSH_SLICE_MS)) {
        if (interrupt_signal())
            return interrupted(feed, error);
        show_progress(feed, started);
    }
    return feed_turn(feed, &wait_ms, error) == FEED_FAILED ? -1 : 0;
}

static int send_all(struct feed *feed, struct error *error)
{
    int64_t started = clock_monotonic_ms(), wait_ms = 0;
    enum feed_state state;

    while ((state = feed_turn(feed, &wait_ms, error)) != FEED_DONE) {
        if (state == FEED_FAILED)
            return -1;
        if (interrupt_signal())
            return interrupted(feed, error);
        if (state == FEED_LATER)
            wait_for_interrupt(wait_ms);
        show_progress(feed, started);
    }
    return flush_all(feed, error);
}

static void print_summary(const struct feed *feed, int64_t took_ms)
{
    struct feed_stats stats = feed_stats(feed);
    struct buf rejects = {0};

    rejects_describe(&stats.rejects, &rejects);
    log_info("%" PRIu64 " rows, %" PRIu64 " sent, %s, %.0f records/s", stats.rows, stats.sent,
             rejects.data, (double)stats.sent * 1000 / (double)(took_ms + 1));
    buf_free(&rejects);
}

static int run_produce(const struct options *options, struct error *error)
{
    struct spec *spec = spec_load(options->arguments[0], error);
    int64_t started = clock_monotonic_ms();
    struct feed *feed;
    int result = -1;

    if (!spec)
        return -1;
    interrupt_install();
    if (need_servers(options, error) == 0) {
        feed = open_feed(options, options->kafka, spec, options->arguments[1], NULL, NULL, error);
        if (feed) {
            result = send_all(feed, error);
            print_summary(feed, clock_monotonic_ms() - started);
            feed_close(feed);
        }
    }
    spec_free(spec);
    return result;
}

const struct command command_produce = {
    .name = "produce",
    .usage = "JOB [FILE]",
    .summary = "feed a job's source topic from a CSV",
    .text = "Sends the job's column of each row of a CSV (of the sample, if no FILE is given; of\n"
            "standard input, if it is -) to the job's source topic, in the job's format.\n\n"
            "Records carry the present time, or those of --time-column, or row n that of\n"
            "--start-time + n / rate. The topic is created when it is missing.\n\n"
            "  tally produce gender -b localhost:9092\n"
            "  tally produce gender -b localhost:9092 --rate max data/user_log.csv",
    .options = " bootstrap-servers set kafka-config rate time-column start-time header skip loop "
               "partitions ",
    .least_arguments = 1,
    .most_arguments = 2,
    .run = run_produce,
};

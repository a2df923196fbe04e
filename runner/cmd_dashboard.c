#include <stdlib.h>
#include <string.h>

#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "runner/commands.h"
#include "runner/connection.h"
#include "runner/parts.h"
#include "runner/spark_panel.h"

#define LOOK_AGAIN_MS 500

struct board {
    struct ev_loop *loop;
    int count;
    struct spec *specs[LIMIT_JOBS];
    struct relay *relays[LIMIT_JOBS + 1]; /* ends at NULL */
    struct server *server;
    struct spark *spark; /* NULL: no master is known */
    struct spark_panel *panel;
};

/* With --wait-topic what is not there yet is waited for: the job that makes it
 * may start later. NULL: an error, or a signal came. */
static struct relay *start_relay(const struct board *board, const struct options *options,
                                 const struct spec *spec, struct error *error)
{
    struct relay_history wanted = {0};
    struct relay *relay;

    if (find_history(options, spec, &wanted, error) < 0)
        return NULL;
    relay = relay_start(board->loop, options->kafka, spec, &wanted, error);

    if (!relay && options->wait_topic && error->code == EXIT_REFUSED)
        log_info("waiting for topic '%s', which does not exist yet", spec->sink);
    while (!relay && options->wait_topic && error->code == EXIT_REFUSED && !interrupt_signal()) {
        wait_for_interrupt(LOOK_AGAIN_MS);
        relay = relay_start(board->loop, options->kafka, spec, &wanted, error);
    }
    return relay;
}

static int add_job(struct board *board, const struct options *options, const char *job,
                   struct error *error)
{
    struct spec *spec = spec_load(job, error);

    if (!spec)
        return -1;
    for (int i = 0; i < board->count; i++) {
        if (strcmp(board->specs[i]->name, spec->name) == 0) {
            spec_free(spec);
            return error_set(error, EXIT_USAGE, "two jobs are called %s: one page shows each once",
                             board->specs[i]->name);
        }
    }
    board->specs[board->count] = spec;
    board->relays[board->count] = start_relay(board, options, spec, error);
    return board->relays[board->count++] ? 0 : -1;
}

/* Only when a master is named: a spark-defaults.conf may be there for other reasons. */
static int open_panel(struct board *board, const struct options *options, struct error *error)
{
    if (!options->master && !options->rest_url)
        return 0;
    if (options->name && board->count > 1)
        return error_set(error, EXIT_USAGE,
                         "--name is one application's: give one job, or leave it to tally-JOB");
    board->spark = open_spark(options, error);
    if (!board->spark)
        return -1;
    if (!*spark_page(board->spark))
        return error_set(error, EXIT_USAGE,
                         "what the page shows of Spark is read from the master's page: give its "
                         "URL by --ui-url");
    board->panel = spark_panel_start(board->loop, board->spark);
    for (int i = 0; i < board->count; i++) {
        char *name = mem_format("tally-%s", board->specs[i]->name);
        spark_panel_add(board->panel, board->specs[i], options->name ? options->name : name);
        free(name);
    }
    return 0;
}

static struct server_job_state job_state(void *context, const struct spec *spec)
{
    const struct board *board = context;
    const struct server_spark *spark = spark_panel_state(board->panel, spec);

    return (struct server_job_state){.engine = spark && spark->application ? "spark" : NULL,
                                     .driver = spark ? spark->driver : NULL,
                                     .source_lag = -1,
                                     .spark = spark};
}

static int serve(struct board *board, const struct options *options, struct error *error)
{
    for (int i = 0; i < options->argument_count; i++)
        if (add_job(board, options, options->arguments[i], error) < 0)
            return interrupt_signal() ? 0 : -1;
    if (open_panel(board, options, error) < 0)
        return -1;
    board->server = open_page(board->loop, options, board->relays, job_state, board, error);
    if (!board->server)
        return -1;
    run_loop(board->loop);
    return 0;
}

static int run_dashboard(const struct options *options, struct error *error)
{
    struct board board = {0};
    int result;

    if (need_servers(options, error) < 0)
        return -1;
    interrupt_install();
    board.loop = ev_loop_new(EVFLAG_AUTO);
    result = serve(&board, options, error);
    server_stop(board.server);
    spark_panel_stop(board.panel);
    spark_close(board.spark);
    for (int i = 0; i < board.count; i++) {
        if (board.relays[i])
            relay_stop(board.relays[i]);
        spec_free(board.specs[i]);
    }
    ev_loop_destroy(board.loop);
    return result;
}

const struct command command_dashboard = {
    .name = "dashboard",
    .usage = "JOB...",
    .summary = "the page alone, from the jobs' result topics",
    .text =
        "Serves the live page of one or more jobs, whoever computes them. With --master it shows\n"
        "how they go on a Spark cluster, too; --name when an application is not called "
        "tally-JOB.\n\n"
        "  tally dashboard gender -b localhost:9092\n"
        "  tally dashboard gender action --port 8000 -b localhost:9092\n"
        "  tally dashboard gender -b localhost:9092 --master spark://localhost:7077",
    .options = " bootstrap-servers set kafka-config wait-topic " PAGE_OPTIONS
               "master rest-port ui-port name ",
    .least_arguments = 1,
    .most_arguments = LIMIT_JOBS,
    .run = run_dashboard,
};

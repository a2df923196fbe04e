#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "runner/commands.h"
#include "runner/parts.h"

#define LOOK_AGAIN_MS 500

struct board {
    struct ev_loop *loop;
    int count;
    struct spec *specs[LIMIT_JOBS];
    struct relay *relays[LIMIT_JOBS + 1]; /* ends at NULL */
    struct server *server;
};

/* With --wait-topic what is not there yet is waited for: the job that makes it
 * may start later. NULL: an error, or a signal came. */
static struct relay *start_relay(const struct board *board, const struct options *options,
                                 const struct spec *spec, struct error *error)
{
    struct relay *relay = relay_start(board->loop, options->kafka, spec, false, error);

    if (!relay && options->wait_topic && error->code == EXIT_REFUSED)
        log_info("waiting for topic '%s', which does not exist yet", spec->sink);
    while (!relay && options->wait_topic && error->code == EXIT_REFUSED && !interrupt_signal()) {
        wait_for_interrupt(LOOK_AGAIN_MS);
        relay = relay_start(board->loop, options->kafka, spec, false, error);
    }
    return relay;
}

static int add_job(struct board *board, const struct options *options, const char *job,
                   struct error *error)
{
    struct spec *spec = spec_load(job, error);

    if (!spec)
        return -1;
    board->specs[board->count] = spec;
    board->relays[board->count] = start_relay(board, options, spec, error);
    return board->relays[board->count++] ? 0 : -1;
}

static int serve(struct board *board, const struct options *options, struct error *error)
{
    for (int i = 0; i < options->argument_count; i++)
        if (add_job(board, options, options->arguments[i], error) < 0)
            return interrupt_signal() ? 0 : -1;
    board->server = open_page(board->loop, options, board->relays, NULL, NULL, error);
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
    .text = "Serves the live page of one or more jobs, whoever computes them.\n\n"
            "  tally dashboard gender -b localhost:9092\n"
            "  tally dashboard gender action --port 8000 -b localhost:9092",
    .options = " bootstrap-servers set kafka-config wait-topic host port allow-host allow-origin "
               "token-file ",
    .least_arguments = 1,
    .most_arguments = LIMIT_JOBS,
    .run = run_dashboard,
};

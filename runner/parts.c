#include "runner/parts.h"

#include <poll.h>
#include <stdio.h>

#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "runner/connection.h"
#include "runner/driver.h"

int need_servers(const struct options *options, struct error *error)
{
    if (*kafka_settings_servers(options->kafka))
        return 0;
    return error_set(error, EXIT_USAGE,
                     "where is Kafka? give --bootstrap-servers HOST:PORT, or set "
                     "TALLY_BOOTSTRAP_SERVERS");
}

static struct rows *open_rows(const struct options *options, const struct spec *spec,
                              const char *file, struct error *error)
{
    const struct rows_options rows = {
        .file = file, .time_column = options->time_column, .header = options->header};
    struct rows *opened;

    if (!file && options->time_column) {
        error_set(error, EXIT_USAGE, "--time-column: the sample has no times: give a CSV");
        return NULL;
    }
    if (!file)
        return rows_open_sample(spec, error);
    opened = rows_open(spec, &rows, error);
    if (opened)
        rows_set_nonblocking(opened);
    return opened;
}

struct feed *open_feed(const struct options *options, const struct kafka_settings *settings,
                       const struct spec *spec, const char *file,
                       bool (*may_send)(void *, uint64_t, uint64_t), void *context,
                       struct error *error)
{
    const struct feed_options feed = {
        .rate = options->rate,
        .start_time = options->start_time,
        .timed = options->time_column != NULL,
        .loop = options->loop,
        .skip = options->skip,
        .partitions = options->partitions > 0 ? (int32_t)options->partitions : 1,
        .may_send = may_send,
        .context = context,
    };
    struct rows *rows = open_rows(options, spec, file, error);

    return rows ? feed_open(settings, spec, rows, &feed, error) : NULL;
}

int with_spark(const struct options *options, spark_action *action, struct error *error)
{
    struct spark *spark;
    int result;

    for (int i = 0; i < options->argument_count; i++)
        if (need_id(options->arguments[i], error) < 0)
            return -1;
    spark = open_spark(options, error);
    if (!spark)
        return -1;
    interrupt_install();
    result = action(options, spark, error);
    spark_close(spark);
    return result;
}

void wait_for_interrupt(int64_t wait_ms)
{
    struct pollfd wait = {.fd = interrupt_descriptor(), .events = POLLIN};

    poll(&wait, 1, (int)(wait_ms < 1000 ? wait_ms : 1000));
}

int find_history(const struct options *options, const struct spec *spec,
                 struct relay_history *wanted, struct error *error)
{
    int64_t windows = options->history_windows, time_ms = options->history_ms;
    size_t most = history_most(spec);

    if (time_ms)
        windows = (time_ms + spec->slide - 1) / spec->slide;
    else
        time_ms = windows * spec->slide;
    if ((size_t)windows > most)
        return error_set(error, EXIT_USAGE,
                         "--history: %lld windows of %zu series are too many: at most %zu for job "
                         "%s",
                         (long long)windows, spec->series_count, most, spec->name);
    wanted->windows = (size_t)windows;
    wanted->time_ms = time_ms;
    return 0;
}

struct server *open_page(struct ev_loop *loop, const struct options *options,
                         struct relay *const *relays,
                         struct server_job_state (*job_state)(void *, const struct spec *),
                         void *context, struct error *error)
{
    const struct server_config config = {
        .host = options->host,
        .port = (int)options->port,
        .port_asked = options->port_given,
        .allow_hosts = options->allow_hosts,
        .allow_origins = options->allow_origins,
        .token_file = options->token_file,
        .base_path = options->base_path,
        .tls_cert = options->tls_cert,
        .tls_key = options->tls_key,
        .access_log = options->access_log,
        .max_clients = (int)options->max_clients,
        .job_state = job_state,
        .context = context,
    };
    struct server *server = server_start(loop, &config, relays, error);

    if (server)
        log_info("the page: %s", server_url(server));
    return server;
}

static void on_signal(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    ev_io_stop(loop, watcher);
    ev_break(loop, EVBREAK_ALL);
}

void run_loop(struct ev_loop *loop)
{
    ev_io signals;

    ev_io_init(&signals, on_signal, interrupt_descriptor(), EV_READ);
    ev_io_start(loop, &signals);
    if (!interrupt_signal())
        ev_run(loop, 0);
    ev_io_stop(loop, &signals);
}

int print_version(bool json, struct error *error)
{
    printf(json ? "{\"version\":\"%s\"}\n" : "tally %s\n", TALLY_VERSION);
    return output_flush(error);
}

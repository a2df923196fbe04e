#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/broker.h"
#include "jobs/engine.h"
#include "runner/feeding.h"
#include "runner/parts.h"
#include "runner/run.h"

#define STATUS_EVERY_S 1.

/* All that runs: the broker (unless Kafka is elsewhere), feed, engine, relay, page. */
struct run {
    struct options options; /* the caller's, and what is true of a run only */
    struct ev_loop *loop;
    struct spec *spec;
    struct broker *broker;
    struct kafka_settings *settings;
    struct feed *feed;
    struct engine *engine;
    struct relay *relay;
    struct server *server;
    struct feeding feeding;
    ev_timer status;
    int64_t started;
    int result;
    struct error *error;
};

static void end_run(struct run *run, const struct error *error)
{
    if (error && run->result == 0) {
        run->result = -1;
        *run->error = *error;
    }
    ev_break(run->loop, EVBREAK_ALL);
}

static void on_engine_end(void *context, const struct error *error)
{
    end_run(context, error);
}

/* The in-process broker forgets: feeding waits for the engine, and for the relay. */
static bool may_send(void *context, uint64_t sent, uint64_t bytes)
{
    const struct run *run = context;
    struct engine_stats stats;

    if (!run->broker)
        return true;
    stats = engine_stats(run->engine);
    return (int64_t)(sent - stats.records) < LIMIT_AHEAD_RECORDS &&
           (int64_t)(bytes - stats.bytes) < LIMIT_AHEAD_BYTES && stats.lag < LIMIT_AHEAD_RECORDS &&
           (!run->relay || relay_stats(run->relay).lag < LIMIT_AHEAD_RECORDS);
}

/* The feed is through: with --once, what is in the topic now is all there is. */
static void on_fed(void *context, const struct error *failure)
{
    struct run *run = context;
    struct error error;

    if (failure)
        end_run(run, failure);
    else if (run->options.once && engine_finish(run->engine, &error) < 0)
        end_run(run, &error);
}

static struct server_job_state job_state(void *context, const struct spec *spec)
{
    const struct run *run = context;

    (void)spec;
    return (struct server_job_state){.engine = "local",
                                     .source_lag = engine_stats(run->engine).lag};
}

static void describe_counts(const struct engine_stats *stats, struct buf *text)
{
    buf_format(text, "%" PRIu64 " records, %" PRIu64 " windows closed, %" PRIu64 " late, ",
               stats->records, stats->closed, stats->late);
    rejects_describe(&stats->rejects, text);
    if (stats->skipped)
        buf_format(text, ", %" PRIu64 " of windows closed before this start", stats->skipped);
}

static void on_status(struct ev_loop *loop, ev_timer *watcher, int events)
{
    const struct run *run = watcher->data;
    struct engine_stats stats = engine_stats(run->engine);
    struct buf text = {0};

    (void)loop;
    (void)events;
    describe_counts(&stats, &text);
    buf_format(&text, ", lag %" PRId64, stats.lag);
    if (run->server)
        buf_format(&text, ", %d on the page", server_clients(run->server));
    log_status("%s%s", stats.connected ? "" : "Kafka does not answer: ", text.data);
    buf_free(&text);
}

static int open_kafka(struct run *run, struct error *error)
{
    char *pair;
    int result;

    if (*kafka_settings_servers(run->options.kafka)) {
        run->settings = run->options.kafka;
        return 0;
    }
    run->broker = broker_start(error);
    if (!run->broker || broker_make_topic(run->broker, run->spec->topic, error) < 0 ||
        broker_make_topic(run->broker, run->spec->sink, error) < 0)
        return -1;
    log_info("Kafka broker, in this process: %s (topics %s and %s)", broker_address(run->broker),
             run->spec->topic, run->spec->sink);
    run->settings = run->options.kafka;
    pair = mem_format("bootstrap.servers=%s", broker_address(run->broker));
    result = kafka_settings_add(run->settings, pair, error);
    free(pair);
    return result;
}

static int start_feed(struct run *run, struct error *error)
{
    if (!run->broker && !run->options.feed)
        return run->options.once ? engine_finish(run->engine, error) : 0;
    feeding_start(&run->feeding, run->loop, run->feed, on_fed, run);
    return 0;
}

static int open_all(struct run *run, struct error *error)
{
    const struct engine_options engine = {.max_future = run->options.max_future,
                                          .in_process = run->broker != NULL,
                                          .on_end = on_engine_end,
                                          .context = run};
    struct relay_history history = {.whole = run->broker != NULL};
    struct relay *relays[] = {NULL, NULL};

    if (run->broker || run->options.feed) {
        run->feed = open_feed(&run->options, run->settings, run->spec, run->options.feed, may_send,
                              run, error);
        if (!run->feed)
            return -1;
    }
    run->engine = engine_start(run->loop, run->settings, run->spec, &engine, error);
    if (!run->engine)
        return -1;
    if (run->options.no_page)
        return start_feed(run, error);
    if (find_history(&run->options, run->spec, &history, error) < 0)
        return -1;
    run->relay = relay_start(run->loop, run->settings, run->spec, &history, error);
    if (!run->relay)
        return -1;
    relays[0] = run->relay;
    run->server = open_page(run->loop, &run->options, relays, job_state, run, error);
    return run->server ? start_feed(run, error) : -1;
}

static void print_summary(const struct run *run)
{
    struct engine_stats stats = engine_stats(run->engine);
    struct buf text = {0};

    describe_counts(&stats, &text);
    log_info("%s, in %.1f s", text.data, (double)(clock_monotonic_ms() - run->started) / 1000);
    buf_free(&text);
}

static void close_all(struct run *run)
{
    feeding_stop(&run->feeding);
    ev_timer_stop(run->loop, &run->status);
    server_stop(run->server);
    if (run->relay)
        relay_stop(run->relay);
    if (run->engine) {
        print_summary(run);
        engine_stop(run->engine);
    }
    feed_close(run->feed);
    ev_loop_destroy(run->loop);
    spec_free(run->spec);
}

int run_local(const struct options *options, struct error *error)
{
    struct run run = {.options = *options, .error = error, .started = clock_monotonic_ms()};

    /* The sample goes round and round; a file of one's own is fed once. */
    run.options.loop = !options->once && !options->feed;
    run.spec = spec_load(options->arguments[0], error);
    if (!run.spec)
        return -1;
    interrupt_install();
    run.loop = ev_loop_new(EVFLAG_AUTO);
    ev_timer_init(&run.status, on_status, STATUS_EVERY_S, STATUS_EVERY_S);
    run.status.data = &run;
    if (open_kafka(&run, error) < 0 || open_all(&run, error) < 0) {
        run.result = -1;
    } else {
        ev_timer_start(run.loop, &run.status);
        run_loop(run.loop);
    }
    log_status_clear();
    close_all(&run);
    return run.result;
}

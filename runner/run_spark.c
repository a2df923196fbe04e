#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/kafka.h"
#include "runner/connection.h"
#include "runner/creation.h"
#include "runner/driver.h"
#include "runner/feeding.h"
#include "runner/parts.h"
#include "runner/run.h"
#include "runner/spark_panel.h"
#include "runner/submission.h"

#define POLL_S          1.
#define PATIENCE_MS     30000 /* with a master that does not answer */
#define WAIT_RUNNING_MS 120000
#define LAST_RESULTS_MS 10000 /* for the relay to read what a driver wrote before its end */
#define LAST_RESULTS_S  0.1

struct run {
    struct options options; /* the caller's, and what is true of a run only */
    struct ev_loop *loop;
    struct spec *spec;
    struct submission submission;
    struct spark *spark;
    char *id; /* NULL: there is no driver (any more) */
    enum spark_driver_state state;
    struct feed *feed;
    struct feeding feeding;
    struct relay_history history;
    struct relay *relay;
    struct server *server;
    ev_timer polling;
    struct spark_call *call;
    struct spark_panel *panel;
    int64_t silent_since; /* the master does not answer; -1: it does */
    int64_t ended;        /* when the driver FINISHED; -1: not yet */
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

static void poll_again(struct run *run, double after)
{
    ev_timer_set(&run->polling, after, 0.);
    ev_timer_start(run->loop, &run->polling);
}

static void show_status(const struct run *run)
{
    struct relay_stats stats = {0};

    if (run->relay)
        stats = relay_stats(run->relay);
    log_status("driver %s is %s, %" PRIu64 " results%s", run->id, spark_state_name(run->state),
               stats.records, !run->relay || stats.connected ? "" : ": Kafka does not answer");
}

/* A master that restarts is given some time. */
static void on_silence(struct run *run, const struct error *error)
{
    int64_t now = clock_monotonic_ms();

    if (run->silent_since < 0)
        run->silent_since = now;
    if (now - run->silent_since >= PATIENCE_MS) {
        end_run(run, error);
        return;
    }
    log_status("%s", error->text);
    poll_again(run, POLL_S);
}

static void on_relaunch(struct run *run)
{
    struct error error;
    char *successor = driver_successor(run->spark, run->id, run->submission.name, &error);

    if (!successor) {
        end_run(run, &error);
        return;
    }
    free(run->id);
    run->id = successor;
    spark_panel_set_driver(run->panel, run->spec, run->id);
    poll_again(run, POLL_S);
}

/* The driver has ended by itself: then nothing is to be killed. */
static void on_driver_end(struct run *run, const struct spark_answer *answer)
{
    struct error error;
    bool well = driver_outcome(run->spark, answer, &error) == 0;

    log_status_clear();
    log_info("driver %s: %s", run->id, spark_state_name(answer->state));
    free(run->id);
    run->id = NULL;
    run->ended = clock_monotonic_ms();
    if (well && run->relay)
        poll_again(run, 0.);
    else
        end_run(run, well ? NULL : &error);
}

static void on_answer(void *context, const struct spark_answer *answer, const struct error *error)
{
    struct run *run = context;

    run->call = NULL;
    if (error) {
        on_silence(run, error);
        return;
    }
    run->silent_since = -1;
    run->state = answer->state;
    show_status(run);
    if (answer->state == SPARK_RELAUNCHING)
        on_relaunch(run);
    else if (spark_state_is_end(answer->state) || answer->state == SPARK_NO_STATE)
        on_driver_end(run, answer);
    else
        poll_again(run, POLL_S);
}

/* What a driver that has FINISHED wrote must reach the page, too. */
static void wait_for_results(struct run *run)
{
    struct relay_stats stats = relay_stats(run->relay);

    if ((stats.filled && stats.lag == 0) || clock_monotonic_ms() - run->ended >= LAST_RESULTS_MS)
        end_run(run, NULL);
    else
        poll_again(run, LAST_RESULTS_S);
}

static void on_poll(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct run *run = watcher->data;

    (void)events;
    if (run->id)
        run->call = spark_start_status(run->spark, loop, run->id, on_answer, run);
    else
        wait_for_results(run);
}

static void on_fed(void *context, const struct error *failure)
{
    if (failure)
        end_run(context, failure);
}

static struct server_job_state job_state(void *context, const struct spec *spec)
{
    const struct run *run = context;

    return (struct server_job_state){.engine = "spark",
                                     .driver = spark_state_name(run->state),
                                     .source_lag = -1,
                                     .spark = spark_panel_state(run->panel, spec)};
}

/* Before the job starts: the result topic, made as its records need it, and a source. */
static int prepare_topics(struct run *run, struct error *error)
{
    static const struct kafka_pair none[] = {{NULL, NULL}};
    const struct kafka_settings *settings = run->options.kafka;
    rd_kafka_t *client = kafka_producer(settings, none, NULL, error);
    int32_t partitions;
    int result;

    if (!client)
        return -1;
    result = kafka_make_topic(client, settings, run->spec->sink, 1, &partitions, error);
    if (result == 0 && !run->options.feed)
        result = kafka_need_topic(client, settings, run->spec->topic,
                                  "feed it with tally produce, or with --feed", &partitions, error);
    kafka_close(client);
    return result;
}

/* With --once the job counts what is there when it starts: the feed comes first. */
static int feed_first(struct run *run, struct error *error)
{
    int64_t wait_ms = 0;
    enum feed_state state;

    while ((state = feed_turn(run->feed, &wait_ms, error)) != FEED_DONE) {
        if (state == FEED_FAILED)
            return -1;
        if (state == FEED_LATER)
            wait_for_interrupt(wait_ms);
        if (interrupt_signal())
            return interrupt_error(error);
    }
    while (!feed_flush(run->feed, (int)(LAST_RESULTS_S * 1000)))
        if (interrupt_signal())
            return interrupt_error(error);
    return feed_turn(run->feed, &wait_ms, error) == FEED_FAILED ? -1 : 0;
}

static int open_source(struct run *run, struct error *error)
{
    if (!run->options.feed)
        return 0;
    run->feed = open_feed(&run->options, run->options.kafka, run->spec, run->options.feed, NULL,
                          NULL, error);
    if (!run->feed)
        return -1;
    return run->options.once ? feed_first(run, error) : 0;
}

static int start_driver(struct run *run, struct error *error)
{
    int64_t patience = run->options.timeout < 0 ? WAIT_RUNNING_MS : run->options.timeout;
    struct demand demand = demand_of(run->submission.conf);

    demand.waits = run->options.no_preflight;
    run->spark = connect_spark(&run->options, &run->submission.masters, error);
    if (!run->spark)
        return -1;
    if (create_driver(&run->options, &run->submission, run->spark, &run->id, error) < 0)
        return -1;
    log_info("driver %s, application %s", run->id, run->submission.name);
    run->state = SPARK_SUBMITTED;
    return driver_wait_running(run->spark, run->id, run->submission.name, &demand, NULL, patience,
                               error);
}

static int open_results(struct run *run, struct error *error)
{
    struct relay *relays[] = {NULL, NULL};

    if (run->options.no_page)
        return 0;
    run->relay = relay_start(run->loop, run->options.kafka, run->spec, &run->history, error);
    if (!run->relay)
        return -1;
    relays[0] = run->relay;
    if (*spark_page(run->spark)) {
        run->panel = spark_panel_start(run->loop, run->spark);
        spark_panel_add(run->panel, run->spec, run->submission.name);
        spark_panel_set_driver(run->panel, run->spec, run->id);
    }
    run->server = open_page(run->loop, &run->options, relays, job_state, run, error);
    return run->server ? 0 : -1;
}

static int start_all(struct run *run, struct error *error)
{
    if (prepare_topics(run, error) < 0 || open_source(run, error) < 0 ||
        start_driver(run, error) < 0 || open_results(run, error) < 0)
        return -1;
    if (run->feed && !run->options.once)
        feeding_start(&run->feeding, run->loop, run->feed, on_fed, run);
    poll_again(run, 0.);
    return 0;
}

static void not_ended(struct run *run, struct error *why)
{
    error_wrap(why, "driver %s may go on (tally kill %s)", run->id, run->id);
    if (run->result < 0) {
        log_warning("%s", why->text);
        return;
    }
    *run->error = *why;
    run->result = -1;
}

/* Nothing of it stays, unless that is wanted. */
static void end_driver(struct run *run)
{
    enum spark_driver_state state;
    struct error error;

    if (!run->id)
        return;
    if (run->options.keep && run->result == 0) {
        log_info("driver %s goes on (tally kill %s)", run->id, run->id);
        return;
    }
    log_status("killing driver %s", run->id);
    if (driver_kill(run->spark, run->id, &state, &error) == 0)
        log_info("driver %s: %s", run->id, spark_state_name(state));
    else if (error.code != EXIT_REFUSED) /* else it had ended already */
        not_ended(run, &error);
}

static void close_all(struct run *run)
{
    spark_cancel(run->call);
    spark_panel_stop(run->panel);
    run->panel = NULL;
    ev_timer_stop(run->loop, &run->polling);
    feeding_stop(&run->feeding);
    end_driver(run);
    server_stop(run->server);
    if (run->relay)
        relay_stop(run->relay);
    feed_close(run->feed);
    spark_close(run->spark);
    ev_loop_destroy(run->loop);
}

static int run_all(struct run *run, struct error *error)
{
    run->loop = ev_loop_new(EVFLAG_AUTO);
    ev_timer_init(&run->polling, on_poll, 0., 0.);
    run->polling.data = run;
    if (start_all(run, error) < 0)
        run->result = -1;
    else
        run_loop(run->loop);
    log_status_clear();
    /* Ctrl-C is the way to end, also while the driver starts. */
    if (run->result < 0 && interrupt_signal() &&
        (error->code == EXIT_INTERRUPTED || error->code == EXIT_TERMINATED))
        run->result = 0;
    close_all(run);
    return run->result;
}

/* An address that for every machine is itself. */
static bool is_own(const char *server)
{
    static const char name[] = "localhost";

    return strncmp(server, "127.", 4) == 0 || strncmp(server, "[::1]", 5) == 0 ||
           (strcspn(server, ":, ") == sizeof name - 1 &&
            strncmp(server, name, sizeof name - 1) == 0);
}

static bool has_own(const char *servers)
{
    for (const char *server = servers; server; server = strchr(server, ',')) {
        server += strspn(server, ", ");
        if (is_own(server))
            return true;
    }
    return false;
}

/* The job sees Kafka where we do, unless that cannot be so. */
static int need_addresses(const struct options *options, struct error *error)
{
    if (need_servers(options, error) < 0)
        return -1;
    if (options->job_servers || !has_own(options->bootstrap_servers))
        return 0;
    return error_set(error, EXIT_USAGE,
                     "where is Kafka, as the job in the cluster sees it? %s means this machine: "
                     "give --job-bootstrap-servers HOST:PORT",
                     options->bootstrap_servers);
}

int run_spark(const struct options *options, struct error *error)
{
    struct run run = {.options = *options, .silent_since = -1, .ended = -1, .error = error};
    int result;

    if (need_addresses(options, error) < 0)
        return -1;
    run.spec = spec_load(options->arguments[0], error);
    if (!run.spec)
        return -1;
    interrupt_install();
    result = find_history(options, run.spec, &run.history, error);
    if (result == 0)
        result = submission_make(options, run.spec, &run.submission, error);
    if (result == 0)
        result = run_all(&run, error);
    free(run.id);
    submission_free(&run.submission);
    spec_free(run.spec);
    return result;
}

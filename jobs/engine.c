#include "jobs/engine.h"

#include <stdlib.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "jobs/engine_parts.h"

#define TICK_S         0.25
#define STOP_SEND_MS   300
#define STOP_COMMIT_MS 200

static void end(struct engine *engine, const struct error *error)
{
    if (engine->ended)
        return;
    engine->ended = true;
    engine->options.on_end(engine->options.context, error);
}

void engine_fail(struct engine *engine)
{
    if (!engine->stopping)
        end(engine, &engine->error);
}

/* After engine_finish: all is counted; close, wait for the acknowledgements, end. */
static void go_on_finishing(struct engine *engine)
{
    if (!source_is_done(engine))
        return;
    sink_send_closed(engine, true);
    if (windows_open(engine->windows) == 0 && engine->unacknowledged == 0)
        end(engine, NULL);
}

/* Updates that were held back go out when their time has come. */
static void plan_updates(struct engine *engine)
{
    int64_t wait = pace_wait(&engine->pace, clock_monotonic_ms());

    if (!engine->changed || engine->ended || ev_is_active(&engine->updates))
        return;
    ev_timer_set(&engine->updates, wait > 0 ? (double)wait / 1000 : 0.001, 0.);
    ev_timer_start(engine->loop, &engine->updates);
}

static void on_updates(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct engine *engine = watcher->data;

    (void)loop;
    (void)events;
    wake_poke(&engine->wake);
}

static bool work(void *context)
{
    struct engine *engine = context;
    bool more;

    rd_kafka_poll(engine->consumer, 0);
    rd_kafka_poll(engine->producer, 0);
    sink_take_outcomes(engine);
    if (engine->ended)
        return false;
    more = source_turn(engine);
    sink_send_closed(engine, false);
    sink_send_changed(engine, false);
    sink_commit(engine, false);
    plan_updates(engine);
    if (engine->finishing)
        go_on_finishing(engine);
    return more && !engine->ended;
}

/* What else the clock decides: idle partitions, commits. */
static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct engine *engine = watcher->data;

    (void)loop;
    (void)events;
    if (engine->ended)
        return;
    source_look_for_idle(engine);
    wake_poke(&engine->wake);
}

struct engine *engine_start(struct ev_loop *loop, const struct kafka_settings *settings,
                            const struct spec *spec, const struct engine_options *options,
                            struct error *error)
{
    struct engine *engine = mem_alloc(1, sizeof *engine);

    engine->loop = loop;
    engine->settings = settings;
    engine->spec = spec;
    engine->options = *options;
    engine->extract = extract_new(spec);
    engine->writer = record_writer_new(spec);
    labels_start(&engine->labels, spec);
    wake_start(&engine->wake, loop, work, engine);
    ev_timer_init(&engine->tick, on_tick, TICK_S, TICK_S);
    ev_timer_init(&engine->updates, on_updates, 0., 0.);
    engine->tick.data = engine->updates.data = engine;
    if (source_open(engine, error) < 0 || sink_open(engine, error) < 0) {
        engine->ended = true;
        engine_stop(engine);
        return NULL;
    }
    sink_commit(engine, true); /* where `start: latest` begins must outlast a crash */
    ev_timer_start(loop, &engine->tick);
    return engine;
}

struct engine_stats engine_stats(const struct engine *engine)
{
    struct engine_stats stats = engine->stats;
    int64_t low, high;

    stats.connected = engine->connected;
    for (int32_t i = 0; i < engine->source_count; i++)
        if (rd_kafka_get_watermark_offsets(engine->consumer, engine->spec->topic, i, &low, &high) ==
                RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > engine->sources[i].position)
            stats.lag += high - engine->sources[i].position;
    return stats;
}

static void flush(struct engine *engine)
{
    int64_t until = clock_monotonic_ms() + STOP_SEND_MS;

    sink_send_closed(engine, false);
    sink_send_changed(engine, true);
    while (engine->unacknowledged > 0 && clock_monotonic_ms() < until)
        rd_kafka_poll(engine->producer, 10);
}

static void commit_last(struct engine *engine)
{
    int64_t until = clock_monotonic_ms() + STOP_COMMIT_MS;

    sink_take_outcomes(engine);
    sink_commit(engine, true);
    while (engine->committing && clock_monotonic_ms() < until) {
        rd_kafka_poll(engine->consumer, 10);
        sink_take_outcomes(engine);
    }
}

void engine_stop(struct engine *engine)
{
    bool opened = engine->sink_topic != NULL;

    engine->stopping = true;
    ev_timer_stop(engine->loop, &engine->tick);
    ev_timer_stop(engine->loop, &engine->updates);
    if (opened) {
        flush(engine);
        commit_last(engine);
    }
    sink_close(engine);
    source_close(engine);
    wake_stop(&engine->wake);
    windows_free(engine->windows);
    extract_free(engine->extract);
    record_writer_free(engine->writer);
    labels_end(&engine->labels);
    buf_free(&engine->key);
    buf_free(&engine->value);
    free(engine);
}

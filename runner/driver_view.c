#include "runner/driver_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/spark_pages.h"
#include "cluster/spark_streaming.h"
#include "runner/driver_log.h"

#define LOOK_EVERY_MS  2000
#define RATES_EVERY_MS 10000 /* they change with each batch */
#define RETRY_MS       30000 /* a page that did not answer: it may cost seconds to ask */
#define NAME_TRIES     5

struct driver_view {
    struct spark *spark;
    bool json;
    char *id; /* of the driver shown last */
    char *name;
    int name_tries;
    char *app_id, *app_state; /* NULL: it has not registered */
    int64_t cores;
    size_t executors;
    struct spark_pages pages; /* of its driver */
    bool has_pages;
    struct spark_streaming streaming;
    struct driver_log *log; /* from now on: for what supervised drivers die of */
    int restarts;
    int64_t look_at, ask_log_at, ask_rates_at, say_rates_at; /* monotonic ms */
    int64_t silent_since;                                    /* -1: the master answers */
    char *said;                                              /* but for the rates */
};

struct driver_view *driver_view_new(struct spark *spark, const char *name, bool json)
{
    struct driver_view *view = mem_alloc(1, sizeof *view);

    view->spark = spark;
    view->json = json;
    view->name = name ? mem_text(name) : NULL;
    view->silent_since = -1;
    return view;
}

static void clear_text(char **place)
{
    free(*place);
    *place = NULL;
}

static void set_text(char **place, const char *text)
{
    char *copy = mem_text(text);

    free(*place);
    *place = copy;
}

/* ---- Looking */

/* A new id, or the first. */
static void begin_driver(struct driver_view *view, const char *id)
{
    if (view->id && strcmp(view->id, id) == 0)
        return;
    set_text(&view->id, id);
    driver_log_free(view->log);
    view->log = driver_log_new(view->spark, id, 0);
    view->restarts = 0;
    view->name_tries = 0;
    view->look_at = view->ask_log_at = 0;
}

static void find_name(struct driver_view *view, const struct spark_state *state,
                      const char *worker_id)
{
    char *name;

    if (!*worker_id || view->name_tries >= NAME_TRIES || clock_monotonic_ms() < view->ask_log_at)
        return;
    view->name_tries++;
    name = driver_log_app_name(view->spark, state, view->id, worker_id);
    if (!name)
        return;
    free(view->name);
    view->name = name;
}

static const struct spark_app *find_app(struct driver_view *view, const struct spark_state *state,
                                        const char *worker_id)
{
    const struct spark_driver_row *driver = spark_find_driver(state, view->id);
    int64_t since = driver ? driver->started : 0;
    const struct spark_app *app = view->name ? spark_find_app(state, view->name, since) : NULL;
    const char *app_id = spark_failure_app_id(driver_log_found(view->log));

    if (app)
        return app;
    /* Another name than was thought: the application has told its id since, or before. */
    app = spark_find_app_by_id(state, app_id);
    if (app)
        set_text(&view->name, app->name);
    else
        find_name(view, state, worker_id);
    return view->name ? spark_find_app(state, view->name, since) : NULL;
}

/* Where its driver's page may be; none for one that has ended. */
static void find_pages(struct driver_view *view)
{
    struct spark_app_page *page;
    struct error error;

    if (spark_ask_app(view->spark, view->app_id, &page, &error) < 0) {
        log_verbose("the application's page: %s", error.text);
        return;
    }
    view->executors = page->running;
    if (!view->has_pages && strcmp(view->app_state, "RUNNING") == 0) {
        spark_pages_find(view->spark, page->ui, NULL, view->app_id, &view->pages);
        view->has_pages = true;
    }
    spark_app_page_free(page);
}

static void forget_app(struct driver_view *view)
{
    clear_text(&view->app_id);
    clear_text(&view->app_state);
    spark_pages_free(&view->pages);
    view->has_pages = false;
    view->streaming = (struct spark_streaming){0};
    view->cores = 0;
    view->executors = 0;
    view->ask_rates_at = 0;
}

static void look_at_app(struct driver_view *view, const char *worker_id)
{
    const struct spark_app *app;
    struct spark_state *state;
    struct error error;

    if (spark_ask_state(view->spark, &state, &error) < 0) {
        log_verbose("the master's page: %s", error.text);
        return;
    }
    app = find_app(view, state, worker_id);
    if (!app || !view->app_id || strcmp(app->id, view->app_id) != 0)
        forget_app(view);
    if (app) {
        set_text(&view->app_id, app->id);
        set_text(&view->app_state, app->state);
        view->cores = app->cores;
    }
    spark_state_free(state);
    if (view->app_id)
        find_pages(view);
}

static bool is_metrics(void *context, const struct http_answer *answer)
{
    struct driver_view *view = context;

    return answer->status == 200 && spark_streaming_read(answer->body.data, answer->body.length,
                                                         view->app_id, &view->streaming);
}

static void look_at_rates(struct driver_view *view)
{
    int64_t now = clock_monotonic_ms();
    struct http_answer answer = {0};
    struct error error;

    if (!view->has_pages || now < view->ask_rates_at)
        return;
    if (spark_pages_ask(view->spark, &view->pages, "/metrics/json/", is_metrics, view, &answer,
                        &error) < 0) {
        log_verbose("the driver's page cannot be asked for rates: %s", error.text);
        view->streaming = (struct spark_streaming){0};
        view->ask_rates_at = now + RETRY_MS;
    }
    http_answer_free(&answer);
}

/* A supervised driver that is started again keeps its id and its state. */
static void look_at_log(struct driver_view *view, const struct spark_answer *answer)
{
    const struct spark_failure *found = driver_log_found(view->log);
    int64_t now = clock_monotonic_ms();
    char *reason;

    if (now < view->ask_log_at)
        return;
    if (!driver_log_read(view->log, answer->worker_id))
        view->ask_log_at = now + RETRY_MS;
    if (spark_failure_restarts(found) > view->restarts) {
        reason = driver_log_death(view->log, answer);
        log_warning("driver %s ended and was started again%s%s", view->id, reason ? ": " : "",
                    reason ? reason : "");
        free(reason);
    }
    view->restarts = spark_failure_restarts(found);
}

/* ---- Showing */

static void describe_app(const struct driver_view *view, struct buf *text)
{
    if (view->app_id)
        buf_format(text, "; application %s (%s) is %s, %zu executor%s on %lld core%s", view->app_id,
                   view->name, view->app_state, view->executors, view->executors == 1 ? "" : "s",
                   (long long)view->cores, view->cores == 1 ? "" : "s");
}

static void describe_rates(const struct driver_view *view, struct buf *text)
{
    const struct spark_streaming *rates = &view->streaming;
    time_t seconds = (time_t)(rates->watermark / 1000);
    struct tm parts;
    char clock[32];

    if (rates->queries == 0)
        return;
    buf_format(text, "%.4g rows/s in, %.4g rows/s processed, batch %lld ms", rates->input_rate,
               rates->processing_rate, (long long)rates->batch_ms);
    if (rates->watermark > 0 && gmtime_r(&seconds, &parts) &&
        strftime(clock, sizeof clock, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        buf_format(text, ", watermark %s", clock);
    buf_format(text, ", %lld state rows", (long long)rates->state_rows);
}

/* What matters stands first: a narrow terminal shows no more. */
static void show_status(const struct driver_view *view, const struct spark_answer *answer,
                        int64_t waited_ms)
{
    struct buf rates = {0};

    describe_rates(view, &rates);
    if (view->app_id)
        log_status("%s, %zu executor%s, %lld s%s%s; %s, %s", spark_state_name(answer->state),
                   view->executors, view->executors == 1 ? "" : "s", (long long)(waited_ms / 1000),
                   rates.length ? "; " : "", rates.length ? rates.data : "", view->id,
                   view->app_id);
    else
        log_status("%s, %lld s; %s", spark_state_name(answer->state), (long long)(waited_ms / 1000),
                   view->id);
    buf_free(&rates);
}

static json_t *number(int64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

bool driver_view_has_begun(const struct driver_view *view)
{
    return view->id != NULL;
}

const char *driver_view_name(const struct driver_view *view)
{
    return view->name;
}

json_t *driver_json(const struct spark_answer *answer)
{
    char *reason = spark_reason(answer->message);
    json_t *object = json_pack(
        "{ss, ss, so, so, so, so}", "id", answer->id, "state", spark_state_name(answer->state),
        "worker", text_or_null(answer->worker_id), "workerHostPort", text_or_null(answer->worker),
        "message", text_or_null(reason), "sparkVersion", text_or_null(answer->version));

    free(reason);
    return object;
}

static json_t *app_json(const struct driver_view *view)
{
    if (!view->app_id)
        return json_null();
    return json_pack("{ss, ss, ss, so, so}", "id", view->app_id, "name", view->name, "state",
                     view->app_state, "executors", number((int64_t)view->executors), "cores",
                     number(view->cores));
}

static json_t *rates_json(const struct spark_streaming *rates)
{
    if (rates->queries == 0)
        return json_null();
    return json_pack("{sf, sf, so, so, so}", "inputRate", rates->input_rate, "processingRate",
                     rates->processing_rate, "batchMs", number(rates->batch_ms), "watermark",
                     rates->watermark ? number(rates->watermark) : json_null(), "stateRows",
                     number(rates->state_rows));
}

static int print_json(const struct driver_view *view, const struct spark_answer *answer,
                      struct error *error)
{
    json_t *object = driver_json(answer);

    json_object_set_new(object, "time", number(clock_wall_ms()));
    json_object_set_new(object, "application", app_json(view));
    json_object_set_new(object, "streaming", rates_json(&view->streaming));
    log_status_clear();
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
    return output_flush(error);
}

/* True when there is something to be said: then `text` holds it. */
static bool has_changed(struct driver_view *view, const struct spark_answer *answer,
                        struct buf *text)
{
    int64_t now = clock_monotonic_ms();
    bool changed, rates = view->streaming.queries > 0 && now >= view->say_rates_at;

    buf_format(text, "driver %s is %s", view->id, spark_state_name(answer->state));
    if (*answer->worker_id)
        buf_format(text, " on %s", answer->worker_id);
    describe_app(view, text);
    changed = !view->said || strcmp(view->said, text->data) != 0;
    if (changed)
        set_text(&view->said, text->data);
    if (view->streaming.queries > 0 && (changed || rates)) {
        buf_text(text, "; ");
        describe_rates(view, text);
        view->say_rates_at = now + RATES_EVERY_MS;
    }
    return changed || rates;
}

int driver_view_show(struct driver_view *view, const struct spark_answer *answer, int64_t waited_ms,
                     struct error *error)
{
    int64_t now = clock_monotonic_ms();
    struct buf text = {0};
    int result = 0;

    begin_driver(view, answer->id);
    if (answer->state == SPARK_RUNNING && now >= view->look_at) {
        look_at_log(view, answer);
        look_at_app(view, answer->worker_id);
        look_at_rates(view);
        view->look_at = clock_monotonic_ms() + LOOK_EVERY_MS;
    } else if (answer->state != SPARK_RUNNING) {
        forget_app(view);
    }
    show_status(view, answer, waited_ms);
    if (has_changed(view, answer, &text)) {
        if (!log_is_terminal())
            log_info("%s", text.data);
        if (view->json)
            result = print_json(view, answer, error);
    }
    buf_free(&text);
    return result;
}

void driver_view_silent(struct driver_view *view, const struct error *reason)
{
    int64_t now = clock_monotonic_ms();

    if (reason) {
        log_status("waiting for the Spark master: %s", reason->text);
        if (view->silent_since < 0 && !log_is_terminal())
            log_info("waiting for the Spark master: %s", reason->text);
        if (view->silent_since < 0)
            view->silent_since = now;
        return;
    }
    if (view->silent_since >= 0)
        log_info("the Spark master answers again, after %lld s",
                 (long long)((now - view->silent_since) / 1000));
    view->silent_since = -1;
}

void driver_view_free(struct driver_view *view)
{
    if (!view)
        return;
    log_status_clear();
    driver_log_free(view->log);
    spark_pages_free(&view->pages);
    free(view->id);
    free(view->name);
    free(view->app_id);
    free(view->app_state);
    free(view->said);
    free(view);
}

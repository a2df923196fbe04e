#include "runner/spark_panel.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/spark_leader.h"
#include "cluster/spark_pages.h"
#include "cluster/spark_streaming.h"

#define WAIT_MS      3000
#define RETRY_MS     30000 /* a driver's page that did not answer at any address */
#define RUNNING      "RUNNING"
#define NOT_FOUND    "NOT_FOUND"
#define CLOCK_ROOM_S 1

struct job {
    const struct spec *spec;
    char *name;                 /* the application's */
    char *id, *driver, *app_id; /* what `shown` points to */
    bool told;                  /* `id` is the runner's word */
    struct spark_pages pages;   /* of the application's driver */
    int page;                   /* which of them is asked */
    int64_t ask_rates_at;       /* monotonic ms */
    struct server_spark shown;
};

struct spark_panel {
    struct ev_loop *loop;
    struct spark *spark;
    ev_timer timer;
    struct http_call *call;
    struct job jobs[LIMIT_JOBS];
    size_t count, at; /* the job that is looked at */
    int tried;        /* masters, in this round */
    bool asked;
};

static void next_job(struct spark_panel *panel);

static void set_text(char **place, const char *text)
{
    char *copy = text ? mem_text(text) : NULL;

    free(*place);
    *place = copy;
}

static void show(struct job *job)
{
    job->shown.id = job->id;
    job->shown.driver = job->driver;
    job->shown.application = job->app_id;
}

static void rest(struct spark_panel *panel)
{
    panel->asked = true;
    ev_timer_set(&panel->timer, SPARK_PANEL_MS / 1000., 0.);
    ev_timer_start(panel->loop, &panel->timer);
}

static void forget_app(struct job *job)
{
    set_text(&job->app_id, NULL);
    spark_pages_free(&job->pages);
    job->page = 0;
    job->ask_rates_at = 0;
    job->shown.executors = job->shown.cores = 0;
    job->shown.has_rates = false;
}

/* ---- the driver's page: the rates */

static void on_rates(void *context, const struct http_answer *answer, const struct error *error);

static void ask_rates(struct spark_panel *panel)
{
    struct job *job = &panel->jobs[panel->at];
    const char *address = job->page < SPARK_ADDRESSES ? job->pages.addresses[job->page] : NULL;
    char *url;

    if (!address || clock_monotonic_ms() < job->ask_rates_at) {
        next_job(panel);
        return;
    }
    url = mem_format("%s/metrics/json/", address);
    panel->call = http_start(panel->loop, &(struct http_request){.url = url, .wait_ms = WAIT_MS},
                             on_rates, panel);
    free(url);
}

static void show_rates(struct job *job, const struct spark_streaming *rates)
{
    job->shown.has_rates = rates->queries > 0;
    job->shown.input_rate = rates->input_rate;
    job->shown.processing_rate = rates->processing_rate;
    job->shown.batch_ms = rates->batch_ms;
    job->shown.watermark = rates->watermark;
    job->shown.state_rows = rates->state_rows;
}

/* The next address is tried at once; after the last one all of them, but later. */
static void try_other_page(struct spark_panel *panel, struct job *job)
{
    job->shown.has_rates = false;
    if (++job->page >= SPARK_ADDRESSES || !job->pages.addresses[job->page]) {
        job->page = 0;
        job->ask_rates_at = clock_monotonic_ms() + RETRY_MS;
    }
    ask_rates(panel);
}

static void on_rates(void *context, const struct http_answer *answer, const struct error *error)
{
    struct spark_panel *panel = context;
    struct job *job = &panel->jobs[panel->at];
    struct spark_streaming rates = {0};

    panel->call = NULL;
    if (error || answer->status != 200 ||
        !spark_streaming_read(answer->body.data, answer->body.length, job->app_id, &rates)) {
        try_other_page(panel, job);
        return;
    }
    show_rates(job, &rates);
    next_job(panel);
}

/* ---- the application's page: executors, and where its driver's page is */

static void on_app(void *context, const struct http_answer *answer, const struct error *error)
{
    struct spark_panel *panel = context;
    struct job *job = &panel->jobs[panel->at];
    struct spark_app_page *page = NULL;

    panel->call = NULL;
    if (!error && answer->body.data)
        page = spark_app_page_read(answer->body.data, answer->body.length);
    if (page) {
        job->shown.executors = (int64_t)page->running;
        if (!job->pages.addresses[0])
            spark_pages_find(panel->spark, page->ui, NULL, job->app_id, &job->pages);
    }
    spark_app_page_free(page);
    ask_rates(panel);
}

static void ask_app(struct spark_panel *panel)
{
    /* An id of Spark's has no character that needs an escape; others are not asked about. */
    const char *id = panel->jobs[panel->at].app_id;
    char *path = mem_format("/app/?appId=%s", id);

    panel->call = spark_start_page(panel->spark, panel->loop, path, WAIT_MS, on_app, panel);
    free(path);
}

static void next_job(struct spark_panel *panel)
{
    while (++panel->at < panel->count)
        if (panel->jobs[panel->at].app_id)
            break;
    if (panel->at < panel->count)
        ask_app(panel);
    else
        rest(panel);
}

/* ---- the master's page: drivers and applications */

static bool is_plain(const char *id)
{
    return *id && strspn(id, "-_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
                      strlen(id);
}

static const struct spark_driver_row *
find_driver(const struct job *job, const struct spark_state *state, const struct spark_app *app)
{
    const struct spark_driver_row *found = NULL;

    if (job->told || !app)
        return job->id ? spark_find_driver(state, job->id) : NULL;
    for (size_t i = 0; i < state->driver_count; i++) {
        const struct spark_driver_row *row = &state->drivers[i];
        if (row->started <= app->started + CLOCK_ROOM_S * 1000LL &&
            (!found || row->started > found->started))
            found = row;
    }
    return found;
}

/* One that has no application yet may be the job's. */
static bool any_active(const struct spark_state *state)
{
    for (size_t i = 0; i < state->driver_count; i++)
        if (state->drivers[i].active)
            return true;
    return false;
}

static void look_at(struct job *job, const struct spark_state *state)
{
    const struct spark_app *app = spark_find_app(state, job->name, 0);
    const struct spark_driver_row *driver = find_driver(job, state, app);

    if (driver && !job->told)
        set_text(&job->id, driver->id);
    set_text(&job->driver, driver                          ? driver->state
                           : job->id || !any_active(state) ? NOT_FOUND
                                                           : NULL);
    if (app && (!app->active || !is_plain(app->id)))
        app = NULL;
    if (!app || !job->app_id || strcmp(app->id, job->app_id) != 0)
        forget_app(job);
    if (app && !job->app_id)
        set_text(&job->app_id, app->id);
    if (app)
        job->shown.cores = app->cores;
    job->shown.master_lost = false;
    show(job);
}

static void set_lost(struct spark_panel *panel, const char *reason)
{
    if (panel->count && !panel->jobs[0].shown.master_lost)
        log_verbose("the Spark master's page cannot be read: %s", reason);
    for (size_t i = 0; i < panel->count; i++)
        panel->jobs[i].shown.master_lost = true;
}

static void ask_master(struct spark_panel *panel);

static void on_state(void *context, const struct http_answer *answer, const struct error *error)
{
    struct spark_panel *panel = context;
    const struct spark_masters *masters = spark_masters(panel->spark);
    struct spark_state *state = NULL;

    panel->call = NULL;
    if (!error && answer->body.data)
        state = spark_state_read(answer->body.data, answer->body.length);
    if (!state || !spark_leads(state)) {
        spark_state_free(state);
        spark_prefer(panel->spark, (spark_current(panel->spark) + 1) % masters->count);
        if (++panel->tried < masters->count) {
            ask_master(panel);
            return;
        }
        set_lost(panel, error ? error->text : "it does not lead, or is something else");
        rest(panel);
        return;
    }
    for (size_t i = 0; i < panel->count; i++)
        look_at(&panel->jobs[i], state);
    spark_state_free(state);
    panel->at = (size_t)-1;
    next_job(panel);
}

static void ask_master(struct spark_panel *panel)
{
    panel->call = spark_start_page(panel->spark, panel->loop, "/json/", WAIT_MS, on_state, panel);
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct spark_panel *panel = watcher->data;

    (void)loop;
    (void)events;
    panel->tried = 0;
    ask_master(panel);
}

/* ---- from outside */

struct spark_panel *spark_panel_start(struct ev_loop *loop, struct spark *spark)
{
    struct spark_panel *panel = mem_alloc(1, sizeof *panel);

    panel->loop = loop;
    panel->spark = spark;
    ev_timer_init(&panel->timer, on_timer, 0., 0.);
    panel->timer.data = panel;
    ev_timer_start(loop, &panel->timer);
    return panel;
}

void spark_panel_stop(struct spark_panel *panel)
{
    if (!panel)
        return;
    ev_timer_stop(panel->loop, &panel->timer);
    http_cancel(panel->call);
    for (size_t i = 0; i < panel->count; i++) {
        struct job *job = &panel->jobs[i];
        spark_pages_free(&job->pages);
        free(job->name);
        free(job->id);
        free(job->driver);
        free(job->app_id);
    }
    free(panel);
}

void spark_panel_add(struct spark_panel *panel, const struct spec *spec, const char *name)
{
    struct job *job;

    if (!panel || panel->count == LIMIT_JOBS)
        return;
    job = &panel->jobs[panel->count++];
    job->spec = spec;
    job->name = mem_text(name);
}

static struct job *find_job(const struct spark_panel *panel, const struct spec *spec)
{
    for (size_t i = 0; panel && i < panel->count; i++)
        if (panel->jobs[i].spec == spec)
            return (struct job *)&panel->jobs[i];
    return NULL;
}

void spark_panel_set_driver(struct spark_panel *panel, const struct spec *spec, const char *id)
{
    struct job *job = find_job(panel, spec);

    if (!job || !id || (job->id && strcmp(job->id, id) == 0))
        return;
    job->told = true;
    set_text(&job->id, id);
    show(job);
}

const struct server_spark *spark_panel_state(const struct spark_panel *panel,
                                             const struct spec *spec)
{
    const struct job *job = find_job(panel, spec);

    return job && panel->asked ? &job->shown : NULL;
}

#include "cluster/spark_state.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"

static char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return mem_text(text ? text : "");
}

/* Times are numbers or, in the drivers' rows, numbers as text. */
static int64_t number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    int64_t number = 0;

    if (text && !number_int64(text, strlen(text), &number))
        return 0;
    return text ? number : json_integer_value(value);
}

static void read_worker(const json_t *row, bool active, void *to)
{
    (void)active;
    *(struct spark_worker *)to = (struct spark_worker){
        .id = text_at(row, "id"),
        .host = text_at(row, "host"),
        .web = text_at(row, "webuiaddress"),
        .state = text_at(row, "state"),
        .cores = number_at(row, "cores"),
        .cores_free = number_at(row, "coresfree"),
        .memory = number_at(row, "memory"),
        .memory_free = number_at(row, "memoryfree"),
        .heartbeat = number_at(row, "lastheartbeat"),
    };
}

static void read_driver(const json_t *row, bool active, void *to)
{
    *(struct spark_driver_row *)to = (struct spark_driver_row){
        .id = text_at(row, "id"),
        .state = text_at(row, "state"),
        .submitted = text_at(row, "submitdate"),
        .worker = text_at(row, "worker"),
        .main_class = text_at(row, "mainclass"),
        .cores = number_at(row, "cores"),
        .memory = number_at(row, "memory"),
        .started = number_at(row, "starttime"),
        .active = active,
    };
}

static void read_app(const json_t *row, bool active, void *to)
{
    /* "memoryperslave" before 3.1 */
    const char *memory =
        json_object_get(row, "memoryperexecutor") ? "memoryperexecutor" : "memoryperslave";

    *(struct spark_app *)to = (struct spark_app){
        .id = text_at(row, "id"),
        .name = text_at(row, "name"),
        .state = text_at(row, "state"),
        .user = text_at(row, "user"),
        .cores = number_at(row, "cores"),
        .memory = number_at(row, memory),
        .started = number_at(row, "starttime"),
        .duration = number_at(row, "duration"),
        .active = active,
    };
}

/* Newest first, among those of a kind. */
static int newer(bool one_active, bool other_active, int64_t one, int64_t other)
{
    if (one_active != other_active)
        return one_active ? -1 : 1;
    return one > other ? -1 : one < other;
}

static int order_drivers(const void *one, const void *other)
{
    const struct spark_driver_row *a = one, *b = other;

    return newer(a->active, b->active, a->started, b->started);
}

static int order_apps(const void *one, const void *other)
{
    const struct spark_app *a = one, *b = other;

    return newer(a->active, b->active, a->started, b->started);
}

/* A kind of rows, and how the page names them; `ended` NULL: it has one list of them. */
struct kind {
    const char *active, *ended;
    size_t size;
    void (*read)(const json_t *row, bool active, void *to);
    int (*order)(const void *one, const void *other); /* NULL: as they come */
};

static void *read_rows(const json_t *root, const struct kind *kind, size_t *count)
{
    const json_t *active = json_object_get(root, kind->active);
    const json_t *ended = kind->ended ? json_object_get(root, kind->ended) : NULL;
    size_t first = json_array_size(active);
    char *rows;

    *count = first + json_array_size(ended);
    rows = mem_alloc(*count + 1, kind->size);
    for (size_t i = 0; i < *count; i++)
        kind->read(i < first ? json_array_get(active, i) : json_array_get(ended, i - first),
                   i < first, rows + i * kind->size);
    if (kind->order)
        qsort(rows, *count, kind->size, kind->order);
    return rows;
}

static const struct kind workers = {"workers", NULL, sizeof(struct spark_worker), read_worker,
                                    NULL};
static const struct kind drivers = {"activedrivers", "completeddrivers",
                                    sizeof(struct spark_driver_row), read_driver, order_drivers};
static const struct kind apps = {"activeapps", "completedapps", sizeof(struct spark_app), read_app,
                                 order_apps};

struct spark_state *spark_state_read(const char *bytes, size_t length)
{
    json_t *root = bytes ? json_loadb(bytes, length, 0, NULL) : NULL;
    struct spark_state *state;

    if (!json_is_string(json_object_get(root, "status")) ||
        !json_is_array(json_object_get(root, "workers"))) {
        json_decref(root);
        return NULL;
    }
    state = mem_alloc(1, sizeof *state);
    state->url = text_at(root, "url");
    state->status = text_at(root, "status");
    state->cores = number_at(root, "cores");
    state->cores_used = number_at(root, "coresused");
    state->memory = number_at(root, "memory");
    state->memory_used = number_at(root, "memoryused");
    state->workers = read_rows(root, &workers, &state->worker_count);
    state->drivers = read_rows(root, &drivers, &state->driver_count);
    state->apps = read_rows(root, &apps, &state->app_count);
    json_decref(root);
    return state;
}

static void free_texts(char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
}

#define FREE_TEXTS(...)                                                                            \
    free_texts((char *const[]){__VA_ARGS__}, sizeof(char *[]){__VA_ARGS__} / sizeof(char *))

void spark_state_free(struct spark_state *state)
{
    if (!state)
        return;
    for (size_t i = 0; i < state->worker_count; i++) {
        const struct spark_worker *worker = &state->workers[i];
        FREE_TEXTS(worker->id, worker->host, worker->web, worker->state);
    }
    for (size_t i = 0; i < state->driver_count; i++) {
        const struct spark_driver_row *driver = &state->drivers[i];
        FREE_TEXTS(driver->id, driver->state, driver->submitted, driver->worker,
                   driver->main_class);
    }
    for (size_t i = 0; i < state->app_count; i++) {
        const struct spark_app *app = &state->apps[i];
        FREE_TEXTS(app->id, app->name, app->state, app->user);
    }
    FREE_TEXTS(state->url, state->status);
    free(state->workers);
    free(state->drivers);
    free(state->apps);
    free(state);
}

const struct spark_worker *spark_find_worker(const struct spark_state *state, const char *id)
{
    for (size_t i = 0; i < state->worker_count; i++)
        if (strcmp(state->workers[i].id, id) == 0)
            return &state->workers[i];
    return NULL;
}

const struct spark_driver_row *spark_find_driver(const struct spark_state *state, const char *id)
{
    for (size_t i = 0; i < state->driver_count; i++)
        if (strcmp(state->drivers[i].id, id) == 0)
            return &state->drivers[i];
    return NULL;
}

const struct spark_app *spark_find_app(const struct spark_state *state, const char *name,
                                       int64_t since)
{
    for (size_t i = 0; i < state->app_count; i++)
        if (strcmp(state->apps[i].name, name) == 0 && state->apps[i].started >= since)
            return &state->apps[i];
    return NULL;
}

const struct spark_app *spark_find_app_by_id(const struct spark_state *state, const char *id)
{
    for (size_t i = 0; id && i < state->app_count; i++)
        if (strcmp(state->apps[i].id, id) == 0)
            return &state->apps[i];
    return NULL;
}

bool spark_leads(const struct spark_state *state)
{
    return strcmp(state->status, "ALIVE") == 0;
}

bool spark_worker_has_room(const struct spark_worker *worker, int64_t cores, int64_t memory)
{
    return strcmp(worker->state, "ALIVE") == 0 && worker->cores_free >= cores &&
           worker->memory_free >= memory;
}

bool spark_has_room(const struct spark_state *state, int64_t cores, int64_t memory)
{
    for (size_t i = 0; i < state->worker_count; i++)
        if (spark_worker_has_room(&state->workers[i], cores, memory))
            return true;
    return false;
}

int spark_page_rest_port(const char *bytes, size_t length)
{
    static const char mark[] = "REST URL:", scheme[] = "spark://";
    char *text = mem_bytes(bytes ? bytes : "", bytes ? length : 0);
    const char *line = strstr(text, mark), *url = line ? strstr(line, scheme) : NULL;
    size_t end = url ? strcspn(url, " \t\r\n<") : 0;
    int64_t port = 0;

    while (end > 0 && url[end - 1] >= '0' && url[end - 1] <= '9')
        end--;
    if (end > strlen(scheme) && url[end - 1] == ':')
        port = strtol(url + end, NULL, 10);
    free(text);
    return port > 0 && port <= 65535 ? (int)port : 0;
}

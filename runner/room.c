#include "runner/room.h"

#include <string.h>

#include "cluster/base/number.h"

/* Spark's defaults (StandaloneRestServer.DEFAULT_CORES, Utils.DEFAULT_DRIVER_MEM_MB,
 * SparkContext.executorMemory). */
#define USUAL_CORES  1
#define USUAL_MEMORY 1024
/* A line names only so many, of as many as there are. */
#define NAMED_MOST 3

static int64_t cores_of(const struct spark_conf *conf, const char *name, int64_t usual)
{
    const char *value = spark_conf_get(conf, name);
    int64_t cores;

    return value && number_in_range(value, 1, INT32_MAX, &cores) ? cores : usual;
}

static int64_t memory_of(const struct spark_conf *conf, const char *name)
{
    const char *value = spark_conf_get(conf, name);
    int64_t mib;

    return value && spark_memory(value, &mib) ? mib : USUAL_MEMORY;
}

struct demand demand_of(const struct spark_conf *conf)
{
    return (struct demand){
        .driver_cores = cores_of(conf, "spark.driver.cores", USUAL_CORES),
        .driver_memory = memory_of(conf, "spark.driver.memory"),
        .executor_cores = cores_of(conf, "spark.executor.cores", USUAL_CORES),
        .executor_memory = memory_of(conf, "spark.executor.memory"),
        .most_cores = cores_of(conf, "spark.cores.max", INT64_MAX),
    };
}

static bool is_alive(const struct spark_worker *worker)
{
    return strcmp(worker->state, "ALIVE") == 0;
}

void describe_room(const struct spark_state *state, struct buf *text)
{
    size_t alive = 0;

    for (size_t i = 0; i < state->worker_count; i++) {
        const struct spark_worker *worker = &state->workers[i];
        if (!is_alive(worker) || alive++ >= NAMED_MOST)
            continue;
        buf_format(text, "%s%lld of %lld cores and %lld of %lld MiB on %.100s",
                   alive > 1 ? ", " : "", (long long)worker->cores_free, (long long)worker->cores,
                   (long long)worker->memory_free, (long long)worker->memory, worker->host);
    }
    if (alive > NAMED_MOST)
        buf_format(text, " and %zu more workers", alive - NAMED_MOST);
    if (alive == 0)
        buf_text(text, "there is no living worker");
}

static void describe_holders(const struct spark_state *state, struct buf *text)
{
    size_t count = 0;

    for (size_t i = 0; i < state->app_count; i++)
        if (state->apps[i].active && state->apps[i].cores > 0 && count++ < NAMED_MOST)
            buf_format(text, "%s%.100s (%lld core%s)", count > 1 ? ", " : "", state->apps[i].name,
                       (long long)state->apps[i].cores, state->apps[i].cores == 1 ? "" : "s");
    for (size_t i = 0; i < state->driver_count; i++)
        if (state->drivers[i].active && *state->drivers[i].worker && count++ < NAMED_MOST)
            buf_format(text, "%s%.100s (%lld core%s, %lld MiB)", count > 1 ? ", " : "",
                       state->drivers[i].id, (long long)state->drivers[i].cores,
                       state->drivers[i].cores == 1 ? "" : "s",
                       (long long)state->drivers[i].memory);
    if (count > NAMED_MOST)
        buf_format(text, " and %zu more", count - NAMED_MOST);
    if (count == 0)
        buf_text(text, "nobody");
}

static int no_room(const struct spark_state *state, const char *who, int64_t cores, int64_t memory,
                   struct error *error)
{
    struct buf room = {0}, holders = {0};

    describe_room(state, &room);
    describe_holders(state, &holders);
    error_set(error, EXIT_REFUSED,
              "no room for the %s: it asks for %lld %s and %lld MiB on one worker; free: %s; held "
              "by: %s (--no-preflight submits all the same, to wait for it)",
              who, (long long)cores, cores == 1 ? "core" : "cores", (long long)memory, room.data,
              holders.data);
    buf_free(&room);
    buf_free(&holders);
    return -1;
}

/* Whether driver and executor fit beside each other: on one worker, or on two. */
static bool has_both(const struct spark_state *state, const struct demand *demand)
{
    size_t drivers = 0, executors = 0, either = 0;

    for (size_t i = 0; i < state->worker_count; i++) {
        const struct spark_worker *worker = &state->workers[i];
        bool driver = spark_worker_has_room(worker, demand->driver_cores, demand->driver_memory);
        bool executor =
            spark_worker_has_room(worker, demand->executor_cores, demand->executor_memory);
        if (spark_worker_has_room(worker, demand->driver_cores + demand->executor_cores,
                                  demand->driver_memory + demand->executor_memory))
            return true;
        drivers += driver;
        executors += executor;
        either += driver || executor;
    }
    return drivers > 0 && executors > 0 && either > 1;
}

int check_executor(const struct demand *demand, struct error *error)
{
    if (demand->executor_cores <= demand->most_cores)
        return 0;
    return error_set(error, EXIT_REFUSED,
                     "no executor could ever start: one takes %lld cores "
                     "(spark.executor.cores) and all may take %lld (spark.cores.max)",
                     (long long)demand->executor_cores, (long long)demand->most_cores);
}

int check_room(const struct spark_state *state, const struct demand *demand, struct error *error)
{
    if (check_executor(demand, error) < 0)
        return -1;
    if (!spark_has_room(state, demand->driver_cores, demand->driver_memory))
        return no_room(state, "driver", demand->driver_cores, demand->driver_memory, error);
    if (!has_both(state, demand))
        return no_room(state, "application's first executor beside the driver",
                       demand->executor_cores, demand->executor_memory, error);
    return 0;
}

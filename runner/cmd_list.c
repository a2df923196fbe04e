#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cluster/base/output.h"
#include "cluster/base/utf8.h"
#include "runner/commands.h"
#include "runner/parts.h"

static json_t *number(int64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *workers_json(const struct spark_state *state)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < state->worker_count; i++) {
        const struct spark_worker *worker = &state->workers[i];
        json_array_append_new(rows, json_pack("{ss, ss, ss, ss, so, so, so, so}", "id", worker->id,
                                              "host", worker->host, "url", worker->web, "state",
                                              worker->state, "cores", number(worker->cores),
                                              "coresFree", number(worker->cores_free), "memory",
                                              number(worker->memory), "memoryFree",
                                              number(worker->memory_free)));
    }
    return rows;
}

static json_t *drivers_json(const struct spark_state *state)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < state->driver_count; i++) {
        const struct spark_driver_row *driver = &state->drivers[i];
        json_array_append_new(
            rows, json_pack("{ss, ss, sb, ss, ss, so, so, so}", "id", driver->id, "state",
                            driver->state, "active", driver->active, "worker", driver->worker,
                            "class", driver->main_class, "cores", number(driver->cores), "memory",
                            number(driver->memory), "submitted", number(driver->started)));
    }
    return rows;
}

static json_t *apps_json(const struct spark_state *state)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < state->app_count; i++) {
        const struct spark_app *app = &state->apps[i];
        json_array_append_new(rows,
                              json_pack("{ss, ss, ss, sb, ss, so, so, so, so}", "id", app->id,
                                        "name", app->name, "state", app->state, "active",
                                        app->active, "user", app->user, "cores", number(app->cores),
                                        "memoryPerExecutor", number(app->memory), "started",
                                        number(app->started), "duration", number(app->duration)));
    }
    return rows;
}

static void print_json(const struct spark_state *state)
{
    json_t *root = json_pack(
        "{s{ss, ss, so, so, so, so}, so, so, so}", "master", "url", state->url, "status",
        state->status, "cores", number(state->cores), "coresUsed", number(state->cores_used),
        "memory", number(state->memory), "memoryUsed", number(state->memory_used), "workers",
        workers_json(state), "drivers", drivers_json(state), "applications", apps_json(state));

    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

static void print_workers(const struct spark_state *state)
{
    if (state->worker_count)
        printf("\n%-44s %-8s %14s %20s\n", "WORKER", "STATE", "CORES FREE", "MIB FREE");
    for (size_t i = 0; i < state->worker_count; i++) {
        const struct spark_worker *worker = &state->workers[i];
        printf("%-44s %-8s %6lld of %4lld %9lld of %7lld\n", worker->id, worker->state,
               (long long)worker->cores_free, (long long)worker->cores,
               (long long)worker->memory_free, (long long)worker->memory);
    }
}

static void print_drivers(const struct spark_state *state)
{
    if (state->driver_count)
        printf("\n%-28s %-11s %5s %6s  %-28s %s\n", "DRIVER", "STATE", "CORES", "MIB", "SUBMITTED",
               "CLASS");
    for (size_t i = 0; i < state->driver_count; i++) {
        const struct spark_driver_row *driver = &state->drivers[i];
        utf8_keep_line(driver->main_class);
        printf("%-28s %-11s %5lld %6lld  %-28s %s\n", driver->id, driver->state,
               (long long)driver->cores, (long long)driver->memory, driver->submitted,
               driver->main_class);
    }
}

static void print_apps(const struct spark_state *state)
{
    if (state->app_count)
        printf("\n%-28s %-11s %5s %10s  %s\n", "APPLICATION", "STATE", "CORES", "SECONDS", "NAME");
    for (size_t i = 0; i < state->app_count; i++) {
        const struct spark_app *app = &state->apps[i];
        utf8_keep_line(app->name); /* who submits may give it any */
        printf("%-28s %-11s %5lld %10lld  %s\n", app->id, app->state, (long long)app->cores,
               (long long)(app->duration / 1000), app->name);
    }
}

static int print_state(const struct options *options, const struct spark_state *state,
                       struct error *error)
{
    if (options->json) {
        print_json(state);
    } else {
        printf("%s %s, %lld of %lld cores and %lld of %lld MiB used\n", state->url, state->status,
               (long long)state->cores_used, (long long)state->cores, (long long)state->memory_used,
               (long long)state->memory);
        print_workers(state);
        print_drivers(state);
        print_apps(state);
    }
    if (output_flush(error) < 0)
        return -1;
    if (spark_leads(state))
        return 0;
    return error_set(error, EXIT_REFUSED, "the Spark master %s is %s: it does not lead",
                     *state->url ? state->url : "", state->status);
}

static int list(const struct options *options, struct spark *spark, struct error *error)
{
    struct spark_state *state;
    int result;

    if (spark_ask_state(spark, &state, error) < 0)
        return -1;
    result = print_state(options, state, error);
    spark_state_free(state);
    return result;
}

static int run_list(const struct options *options, struct error *error)
{
    return with_spark(options, list, error);
}

const struct command command_list = {
    .name = "list",
    .usage = "",
    .summary = "the cluster's workers, drivers and applications",
    .text = "Prints what the Spark master knows: its workers and what is free there, its drivers\n"
            "and applications, the active ones first, then the others, newest first. Exit code 0\n"
            "only when the master leads (ALIVE); 5 when it is on standby or recovers.\n\n"
            "  tally list -m spark://localhost:7077\n"
            "  tally list -m spark://localhost:7077 --json | jq '.drivers[] | select(.active)'",
    .options = " master rest-port ui-port json ",
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_list,
};

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/spark_leader.h"
#include "runner/commands.h"
#include "runner/connection.h"
#include "runner/creation.h"
#include "runner/driver.h"
#include "runner/parts.h"
#include "runner/submission.h"

#define WAIT_RUNNING_MS  120000
#define WAIT_STARTING_MS 60000
#define POLL_MS          500

/* An application: what stands behind is the application's. */
static bool ends_options(const char *operand)
{
    return is_application(operand);
}

/* {"id":...,"name":...,"application":...}; `id` NULL: there was one running. */
static void print_json(const char *id, const char *name, const char *app)
{
    json_t *object = json_pack("{s:s?, s:s, s:s?}", "id", id, "name", name, "application", app);

    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

static const struct spark_app *find_active(const struct spark_state *state, const char *name)
{
    for (size_t i = 0; i < state->app_count; i++)
        if (state->apps[i].active && strcmp(state->apps[i].name, name) == 0)
            return &state->apps[i];
    return NULL;
}

static bool has_app_since(const struct spark_state *state, int64_t since)
{
    for (size_t i = 0; i < state->app_count; i++)
        if (state->apps[i].active && state->apps[i].started >= since)
            return true;
    return false;
}

/* A driver's application has its name only once it has registered. */
static bool is_starting(const struct spark_state *state, const struct spark_driver_row *driver,
                        const char *main_class)
{
    bool goes_on = strcmp(driver->state, "RUNNING") == 0 || strcmp(driver->state, "SUBMITTED") == 0;

    return driver->active && goes_on && strcmp(driver->main_class, main_class) == 0 &&
           !has_app_since(state, driver->started);
}

static bool is_one_starting(const struct spark_state *state, const char *main_class)
{
    for (size_t i = 0; i < state->driver_count; i++)
        if (is_starting(state, &state->drivers[i], main_class))
            return true;
    return false;
}

/* A busy machine, or a driver that fails again and again: which name it was given, its log
 * tells. True when it is said. */
static bool starts_already(const struct options *options, const struct submission *submission,
                           struct spark *spark, const struct spark_state *state)
{
    for (size_t i = 0; i < state->driver_count; i++) {
        const struct spark_driver_row *driver = &state->drivers[i];
        if (!is_starting(state, driver, submission->main_class) ||
            !driver_is_named(spark, state, driver, submission->name))
            continue;
        log_info("%s has been starting for %d s already: driver %s: nothing is submitted",
                 submission->name, WAIT_STARTING_MS / 1000, driver->id);
        if (options->json)
            print_json(NULL, submission->name, NULL);
        return true;
    }
    return false;
}

static void say_that_it_runs(const struct options *options, const struct spark_state *state,
                             const struct spark_app *app)
{
    log_info("%s runs already: application %s on %s (%lld cores): nothing is submitted", app->name,
             app->id, state->url, (long long)app->cores);
    if (options->json)
        print_json(NULL, app->name, app->id);
}

/* 1 when an application of that name is active: then it is said. A driver that
 * is about to register one is waited for. */
static int runs_already(const struct options *options, const struct submission *submission,
                        struct spark *spark, struct error *error)
{
    int64_t until = clock_monotonic_ms() + WAIT_STARTING_MS;
    bool again = true;
    int result = spark_check_pages(spark, error);

    while (result == 0 && again) {
        struct spark_state *state;
        const struct spark_app *app;
        bool last = clock_monotonic_ms() >= until;
        if (spark_ask_state(spark, &state, error) < 0)
            return -1;
        app = find_active(state, submission->name);
        if (app)
            say_that_it_runs(options, state, app);
        result = app || (last && starts_already(options, submission, spark, state));
        again = !last && is_one_starting(state, submission->main_class);
        spark_state_free(state);
        if (result == 0 && again) {
            log_status("a driver of %s is starting: is it this one?", submission->main_class);
            wait_for_interrupt(POLL_MS);
        }
        if (interrupt_signal())
            return interrupt_error(error);
    }
    log_status_clear();
    return result;
}

static int print_id(const struct options *options, const struct submission *submission,
                    const char *id, struct error *error)
{
    if (options->json)
        print_json(id, submission->name, NULL);
    else
        printf("%s\n", id);
    return output_flush(error);
}

static int stay(const struct options *options, const struct submission *submission,
                struct spark *spark, const char *id, struct error *error)
{
    int64_t patience = options->timeout < 0 ? WAIT_RUNNING_MS : options->timeout;
    bool follow = options->follow || local_files_until_end(submission->files);
    struct demand demand = demand_of(submission->conf);
    struct driver_view *view = NULL;
    int result;

    if (!options->wait_running && !follow)
        return 0;
    demand.waits = options->no_preflight;
    if (follow && !options->follow)
        log_info("driver %s is followed to its end: until then its files are served", id);
    if (follow)
        view = driver_view_new(spark, submission->name, false);
    result = driver_wait_running(spark, id, submission->name, &demand, view, patience, error);
    /* Whoever follows without a limit may have a driver without an application. */
    if (result < 0 && follow && options->timeout < 0 && error->code == EXIT_TIMEOUT)
        result = 0;
    if (result == 0 && follow)
        result = driver_wait_end(spark, id, view, options->timeout, error);
    driver_view_free(view);
    if (result < 0 && local_files_until_end(submission->files) &&
        (error->code == EXIT_TIMEOUT || interrupt_signal()))
        error_add(error, "its files are served no more: an executor that starts now lacks them");
    return result;
}

static int submit(const struct options *options, struct submission *submission, struct error *error)
{
    struct spark *spark = connect_spark(options, &submission->masters, error);
    char *id = NULL;
    int result = 0;

    if (!spark)
        return -1;
    if (options->unless_running)
        result = runs_already(options, submission, spark, error);
    if (result == 0) {
        result = create_driver(options, submission, spark, &id, error);
        if (result == 0)
            result = print_id(options, submission, id, error);
        if (result == 0)
            result = local_files_wait(submission->files, spark, id, error);
        if (result == 0)
            result = stay(options, submission, spark, id, error);
    }
    free(id);
    spark_close(spark);
    return result < 0 ? -1 : 0;
}

/* The request as it would be sent, as far as that can be told without asking. */
static int print_request(struct submission *submission, struct error *error)
{
    char *url = spark_masters_url(&submission->masters);
    struct spark_submission message;
    char *text;

    submission_fit(submission, url, NULL);
    free(url);
    if (submission_check(submission, error) < 0)
        return -1;
    message = submission_message(submission);
    text = spark_create_message(&message, isatty(STDOUT_FILENO));
    puts(text);
    free(text);
    return output_flush(error);
}

static int run_made(const struct options *options, struct spec *spec, struct error *error)
{
    struct submission submission;
    int result = submission_make(options, spec, &submission, error);

    if (result == 0 && !spec && !options->deploy_mode)
        log_info("the driver runs in the cluster (--deploy-mode cluster)");
    if (result == 0)
        result = options->dry_run ? print_request(&submission, error)
                                  : submit(options, &submission, error);
    submission_free(&submission);
    return result;
}

/* spark-submit's --kill ID and --status ID. */
static int run_other(const struct command *command, const struct options *options, const char *id,
                     struct error *error)
{
    struct options changed = *options;
    char *arguments[] = {(char *)id, NULL};

    if (options->dry_run)
        return error_set(error, EXIT_USAGE, "--dry-run is for submissions, not for --%s",
                         command->name);
    if (options->argument_count > 0 || (options->kill_id && options->status_id))
        return error_set(error, EXIT_USAGE, "--%s %s is to stand alone", command->name, id);
    changed.arguments = arguments;
    changed.argument_count = 1;
    return command->run(&changed, error);
}

static int run_submit(const struct options *options, struct error *error)
{
    struct spec *spec;
    int result;

    if (options->version)
        return print_version(options->json, error);
    if (options->kill_id)
        return run_other(&command_kill, options, options->kill_id, error);
    if (options->status_id)
        return run_other(&command_status, options, options->status_id, error);
    if (options->argument_count == 0)
        return error_set(error, EXIT_USAGE, "usage: tally submit %s (see tally submit --help)",
                         command_submit.usage);
    interrupt_install();
    if (is_application(options->arguments[0]))
        return run_made(options, NULL, error);
    if (options->argument_count > 1)
        return error_set(error, EXIT_USAGE, "'%s' is one too many: usage: tally submit JOB",
                         options->arguments[1]);
    spec = spec_load(options->arguments[0], error);
    if (!spec)
        return -1;
    result = run_made(options, spec, error);
    spec_free(spec);
    return result;
}

const struct command command_submit = {
    .name = "submit",
    .usage = "JOB | JAR ARG... | SCRIPT.py ARG...",
    .summary = "run a job, or any application, on a Spark cluster",
    .text =
        "Creates a driver through the REST API of a Spark standalone master and prints its\n"
        "submission id. JOB is a job's name or spec; it runs by the jar that the workers have\n"
        "(--jar). An operand that ends in .jar or .py or has a scheme is an application of your\n"
        "own; what stands behind it are its arguments. Lines for spark-submit in cluster mode\n"
        "work as they are.\n\n"
        "An application that exists here is served to the workers over HTTP until one has\n"
        "fetched it; a script, and what --jars, --py-files, --files and --archives name, until\n"
        "the driver's end, which is then waited for. Any other path, and file:PATH, is as the\n"
        "workers find it; a relative one begins here.\n\n"
        "The master is --master, or else spark.master in the spark-defaults.conf under\n"
        "SPARK_CONF_DIR or SPARK_HOME/conf, whose other settings go along, too, or else MASTER in\n"
        "the environment. Of one setting the later of these holds: that file, the job's spec,\n"
        "--properties-file, --conf (for the driver's memory, Java options and paths: and the\n"
        "option of that name, whichever comes last), the option of its own.\n\n"
        "First the cluster is looked at: who leads, which Spark, whether there is room for the\n"
        "driver and an executor, whether the jar fits where it is here; what cannot run is\n"
        "refused (5) before anything is created.\n\n"
        "  tally submit gender -m spark://localhost:7077 --job-bootstrap-servers broker:19092\n"
        "  tally submit gender -m spark://localhost:7077 -b broker:19092 --supervise "
        "--wait-running\n"
        "  tally submit -m spark://localhost:7077 --class my.Main /root/my.jar one two\n"
        "  tally submit -m spark://localhost:7077 --py-files /root/more.py /root/my.py one",
    .options = " master rest-port ui-port class name conf supervise deploy-mode jar checkpoint "
               "bootstrap-servers job-bootstrap-servers topic group max-future once unless-running "
               "wait-running follow timeout json serve-address no-serve spark-submit "
               "properties-file load-spark-defaults kill status version dry-run no-preflight ",
    .least_arguments = 0, /* with --kill, --status, --version */
    .most_arguments = INT_MAX,
    .ends_options = ends_options,
    .run = run_submit,
};

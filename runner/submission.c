#include "runner/submission.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "cluster/base/utf8.h"
#include "cluster/jar.h"
#include "runner/connection.h"
#include "runner/paths.h"

#define JOB_CLASS "tally.WindowedCount"

/* What Spark's own launcher gives each JVM so that it runs on Java 17
 * (JavaModuleOptions.java, 3.5). A REST server before 4.0 does not. */
#define OPEN(package) " --add-opens=" package "=ALL-UNNAMED"
#define JAVA_OPTIONS                                                                               \
    "-XX:+IgnoreUnrecognizedVMOptions" OPEN("java.base/java.lang")                                 \
        OPEN("java.base/java.lang.invoke") OPEN("java.base/java.lang.reflect")                     \
            OPEN("java.base/java.io") OPEN("java.base/java.net") OPEN("java.base/java.nio")        \
                OPEN("java.base/java.util") OPEN("java.base/java.util.concurrent") OPEN(           \
                    "java.base/java.util.concurrent.atomic") OPEN("java.base/jdk.internal.ref")    \
                    OPEN("java.base/sun.nio.ch") OPEN("java.base/sun.nio.cs") OPEN(                \
                        "java.base/sun.security.action") OPEN("java.base/sun.util.calendar")       \
                        OPEN("java.security.jgss/sun.security.krb5") " -Djdk.reflect."             \
                                                                     "useDirectMethodHandle=false"

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* Lists of files, between commas. */
static const char *const lists[LIST_COUNT] = {"spark.jars", "spark.submit.pyFiles", "spark.files",
                                              "spark.archives"};

bool is_application(const char *operand)
{
    return strstr(operand, "://") || ends_in(operand, ".jar") || ends_in(operand, ".py") ||
           ends_in(operand, ".R");
}

static void add_argument(struct submission *submission, char *argument)
{
    submission->arguments = mem_grow(submission->arguments, submission->argument_count + 2,
                                     sizeof *submission->arguments);
    submission->arguments[submission->argument_count++] = argument;
    submission->arguments[submission->argument_count] = NULL;
}

static void add_option(struct submission *submission, const char *name, const char *value)
{
    add_argument(submission, mem_text(name));
    add_argument(submission, mem_text(value));
}

static int use_topic(struct spec *spec, const char *topic, struct error *error)
{
    if (strcmp(topic, spec->sink) == 0)
        return error_set(error, EXIT_USAGE, "--topic %s: that is the job's result topic", topic);
    free(spec->topic);
    spec->topic = mem_text(topic);
    return 0;
}

static int add_job(const struct options *options, struct spec *spec, struct submission *submission,
                   struct error *error)
{
    const char *servers = options->job_servers ? options->job_servers : options->bootstrap_servers;
    char *json;

    if (!servers)
        return error_set(error, EXIT_USAGE,
                         "where is Kafka, as the job sees it? give --job-bootstrap-servers "
                         "HOST:PORT, or set TALLY_JOB_BOOTSTRAP_SERVERS");
    if (options->topic && use_topic(spec, options->topic, error) < 0)
        return -1;
    json = spec_json(spec, error);
    if (!json)
        return -1;
    submission->resource = options->jar;
    submission->main_class = options->main_class ? options->main_class : JOB_CLASS;
    add_argument(submission, mem_text("--spec"));
    add_argument(submission, json);
    add_option(submission, "--brokers", servers);
    add_argument(submission, mem_text("--checkpoint"));
    add_argument(submission, options->checkpoint ? mem_text(options->checkpoint)
                                                 : mem_format("file:///spark/work/check/%s/%s",
                                                              spec->name, spec->topic));
    if (options->group)
        add_option(submission, "--group", options->group);
    add_argument(submission, mem_text("--max-future"));
    add_argument(submission, mem_format("%lld", (long long)options->max_future));
    if (options->once)
        add_argument(submission, mem_text("--once"));
    return 0;
}

/* Where a jar is to be looked at here, whoever has it for the workers; NULL: elsewhere. */
static const char *path_here(const char *path)
{
    if (strncmp(path, "file:/", strlen("file:/")) == 0)
        path += strlen("file:") + (strncmp(path + strlen("file:"), "///", 3) == 0 ? 2 : 0);
    return access(path, F_OK) == 0 ? path : NULL;
}

/* The one that the manifest names, as spark-submit takes it. */
static int find_class(const char *path, struct submission *submission, struct error *error)
{
    const char *here = path_here(path);
    struct jar *jar;

    if (!here)
        return error_set(error, EXIT_USAGE, "--class is needed: the main class in %s", path);
    jar = jar_open(here, error);
    if (!jar)
        return -1;
    submission->found_class = jar_main_class(jar);
    jar_close(jar);
    if (submission->found_class)
        return 0;
    return error_set(error, EXIT_USAGE, "--class is needed: the manifest of %s names no main class",
                     path);
}

/* A JVM that runs spark-submit once more, on a worker, for the script there
 * (Spark's "Spark Standalone Mode", REST API). */
static void add_script(const struct options *options, struct submission *submission)
{
    submission->script = options->arguments[0];
    submission->resource = "";
    submission->main_class = "org.apache.spark.deploy.SparkSubmit";
}

static int add_jar(const struct options *options, const char *file, struct submission *submission,
                   struct error *error)
{
    if (!options->main_class && find_class(file, submission, error) < 0)
        return -1;
    submission->resource = file;
    submission->main_class = options->main_class ? options->main_class : submission->found_class;
    return 0;
}

static int add_application(const struct options *options, struct submission *submission,
                           struct error *error)
{
    const char *file = options->arguments[0];

    if (ends_in(file, ".R"))
        return error_set(error, EXIT_USAGE,
                         "%s: an R application cannot run in a standalone cluster: use "
                         "spark-submit in client mode",
                         file);
    if (ends_in(file, ".py"))
        add_script(options, submission);
    else if (add_jar(options, file, submission, error) < 0)
        return -1;
    for (int i = 1; i < options->argument_count; i++)
        add_argument(submission, mem_text(options->arguments[i]));
    return 0;
}

/* The last part of a path. */
static const char *file_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The application's name, where nothing says it, as spark-submit has it: a class
 * out of the manifest gives none. */
static char *usual_name(const struct spec *spec, const struct submission *submission)
{
    if (spec)
        return mem_format("tally-%s", spec->name);
    if (submission->script)
        return mem_text(file_of(submission->script));
    return mem_text(submission->found_class ? file_of(submission->resource)
                                            : submission->main_class);
}

/* What any file of the caller's and --conf win over. */
static void set_own(const struct spec *spec, struct submission *submission)
{
    struct spark_conf *conf = submission->conf;
    char *name = usual_name(spec, submission);

    /* For following: the driver's page then tells the rates of streaming queries. */
    if (!spark_conf_get(conf, "spark.sql.streaming.metricsEnabled"))
        spark_conf_set(conf, "spark.sql.streaming.metricsEnabled", "true");
    if (spec || !spark_conf_get(conf, "spark.app.name"))
        spark_conf_set(conf, "spark.app.name", name);
    free(name);
    for (size_t i = 0; spec && i < spec->spark_count; i++)
        spark_conf_set(conf, spec->spark[i].name, spec->spark[i].value);
    if (!spark_conf_get(conf, "spark.driver.supervise"))
        spark_conf_set(conf, "spark.driver.supervise", "false");
}

/* Puts a part before what is set already. */
static void prepend(struct spark_conf *conf, const char *name, const char *part, const char *joint)
{
    const char *set = spark_conf_get(conf, name);
    char *whole = set && *set ? mem_format("%s%s%s", part, joint, set) : mem_text(part);

    spark_conf_set(conf, name, whole);
    free(whole);
}

/* After: what must be so. */
static void set_fixed(const struct options *options, struct submission *submission)
{
    struct spark_conf *conf = submission->conf;

    if (options->name)
        spark_conf_set(conf, "spark.app.name", options->name);
    if (options->supervise)
        spark_conf_set(conf, "spark.driver.supervise", "true");
    spark_conf_set(conf, "spark.submit.deployMode", "cluster");
    /* The driver finds out its own address, not ours; and the worker gives it
     * its master. */
    spark_conf_remove(conf, "spark.driver.host");
    spark_conf_remove(conf, "spark.master");
}

static bool is_utf8(const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t one = utf8_length((const unsigned char *)text, left);
        if (one == 0)
            return false;
        text += one;
        left -= one;
    }
    return true;
}

/* Linux's bound, which the driver would otherwise find: "Argument list too long". */
static int check_argument(const char *what, const char *value, size_t more, struct error *error)
{
    if (!is_utf8(value))
        return error_set(error, EXIT_USAGE, "%s is not UTF-8: Spark takes nothing else", what);
    if (strlen(value) + more <= LIMIT_ARGUMENT_BYTES)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "%s is %zu bytes long: Linux allows %d in one argument of the driver's "
                     "command line",
                     what, strlen(value) + more, LIMIT_ARGUMENT_BYTES);
}

/* A master lets a fraction pass its check and then fails with HTTP 500. From
 * 4.0 on it fills in {{NAME}} itself. */
static int check_numbers(const struct spark_conf *conf, struct error *error)
{
    static const char *const cores[] = {"spark.driver.cores", "spark.executor.cores",
                                        "spark.cores.max"};
    static const char *const memory[] = {"spark.driver.memory", "spark.executor.memory"};
    int64_t number;

    for (size_t i = 0; i < sizeof cores / sizeof cores[0]; i++) {
        const char *value = spark_conf_get(conf, cores[i]);
        if (value && strncmp(value, "{{", 2) != 0 && !number_in_range(value, 1, INT32_MAX, &number))
            return error_set(error, EXIT_USAGE, "%s '%s': it must be a whole number, 1 or more",
                             cores[i], value);
    }
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++) {
        const char *value = spark_conf_get(conf, memory[i]);
        if (value && strncmp(value, "{{", 2) != 0 && !spark_memory(value, &number))
            return error_set(error, EXIT_USAGE,
                             "%s '%s': it must be a whole number and its unit, 1m or more: 512m, "
                             "2g (without a unit Spark takes bytes)",
                             memory[i], value);
    }
    return 0;
}

/* The first as spark-submit does (SparkSubmitCommandBuilder.checkJavaOptions); of
 * the others the driver would die (SparkConf.validateSettings). */
static int check_java_options(const struct spark_conf *conf, struct error *error)
{
    static const struct {
        const char *property, *part, *instead;
    } rows[] = {{"spark.driver.extraJavaOptions", "-Xmx", "--driver-memory"},
                {"spark.executor.extraJavaOptions", "-Xmx", "--executor-memory"},
                {"spark.executor.extraJavaOptions", "-Dspark", "--conf"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = spark_conf_get(conf, rows[i].property);
        if (value && strstr(value, rows[i].part))
            return error_set(error, EXIT_USAGE, "%s '%s': Spark allows no %s there: use %s",
                             rows[i].property, value, rows[i].part, rows[i].instead);
    }
    return 0;
}

int submission_check(const struct submission *submission, struct error *error)
{
    size_t count;
    const struct spark_property *list = spark_conf_list(submission->conf, &count);

    for (size_t i = 0; i < count; i++) /* each becomes -Dname=value */
        if (check_argument(list[i].name, list[i].value, strlen(list[i].name) + 3, error) < 0)
            return -1;
    for (size_t i = 0; i < submission->argument_count; i++) {
        bool spec = i > 0 && strcmp(submission->arguments[i - 1], "--spec") == 0;
        char *what = spec ? mem_text("the job's spec, as JSON,")
                          : mem_format("argument %zu of the application", i + 1);
        int result = check_argument(what, submission->arguments[i], 0, error);
        free(what);
        if (result < 0)
            return -1;
    }
    return 0;
}

static bool is_spark_pair(const char *pair)
{
    return strncmp(pair, "spark.", strlen("spark.")) == 0;
}

static int set_pairs(struct spark_conf *conf, const char *const *pairs, struct error *error)
{
    for (; pairs && *pairs; pairs++) {
        if (spark_conf_set_pair(conf, *pairs, error) < 0)
            return -1;
        if (is_spark_pair(*pairs))
            continue;
        char *name = mem_bytes(*pairs, strcspn(*pairs, "="));
        log_warning("--conf: %s is no setting of Spark's, and left out", name);
        spark_conf_remove(conf, name);
        free(name);
    }
    return 0;
}

/* What spark-submit takes from the environment where nothing else says it
 * (SparkSubmitArguments.loadEnvironmentArguments). */
static void fill_from_environment(struct spark_conf *conf)
{
    static const struct {
        const char *variable, *property;
    } rows[] = {{"SPARK_DRIVER_MEMORY", "spark.driver.memory"},
                {"SPARK_EXECUTOR_MEMORY", "spark.executor.memory"},
                {"SPARK_EXECUTOR_CORES", "spark.executor.cores"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = getenv(rows[i].variable);
        if (!value || !*value || spark_conf_get(conf, rows[i].property))
            continue;
        log_verbose("%s: %s (%s)", rows[i].property, value, rows[i].variable);
        spark_conf_set(conf, rows[i].property, value);
    }
}

static int read_settings(const struct options *options, const struct spec *spec,
                         struct submission *submission, struct error *error)
{
    struct spark_conf *conf = submission->conf;

    set_own(spec, submission);
    if (options->properties_file && spark_conf_read(conf, options->properties_file, error) < 0)
        return -1;
    if (set_pairs(conf, options->conf, error) < 0 ||
        set_pairs(conf, options->properties, error) < 0 ||
        find_masters(options, conf, &submission->masters, error) < 0)
        return -1;
    fill_from_environment(conf);
    return 0;
}

/* What no server of ours stands for, as spark-submit sends it: resolved from here. */
static void resolve_paths(const struct options *options, struct submission *submission)
{
    const char **own = submission->script ? &submission->script : &submission->resource;

    if (!is_local_file(options, *own)) {
        submission->path = submission->script ? path_whole(*own) : path_uri(*own);
        *own = submission->path;
    }
    for (size_t i = 0; i < LIST_COUNT; i++) {
        const char *value = spark_conf_get(submission->conf, lists[i]);
        char *whole;
        if (!value)
            continue;
        submission->is_offered[i] = options_made(options, lists[i], value);
        whole = path_list(lists[i], value);
        spark_conf_set(submission->conf, lists[i], whole);
        free(whole);
    }
}

/* Where else the driver's main class may be. */
static bool has_others(const struct spark_conf *conf)
{
    static const char *const places[] = {"spark.jars", "spark.jars.packages",
                                         "spark.driver.extraClassPath"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *value = spark_conf_get(conf, places[i]);
        if (value && *value)
            return true;
    }
    return false;
}

static int check_mode(const char *name, const char *mode, struct error *error)
{
    if (!mode || !*mode || strcmp(mode, "cluster") == 0)
        return 0;
    return error_set(error, EXIT_USAGE,
                     "%s %s: drivers run in the cluster here (--deploy-mode cluster); for client "
                     "mode use spark-submit",
                     name, mode);
}

/* A line that spark-submit takes for client mode; a job of ours knows no other than cluster. */
static int check_other_modes(const struct options *options, const struct submission *submission,
                             struct error *error)
{
    const char *set = spark_conf_get(submission->conf, "spark.submit.deployMode");

    if (options->deploy_mode || submission->is_job)
        return 0;
    return set ? check_mode("spark.submit.deployMode", set, error)
               : check_mode("DEPLOY_MODE", getenv("DEPLOY_MODE"), error);
}

int submission_make(const struct options *options, struct spec *spec, struct submission *submission,
                    struct error *error)
{
    bool defaults = !options->properties_file || options->load_defaults;

    *submission = (struct submission){.conf = spark_conf_new(), .is_job = spec != NULL};
    if (check_mode("--deploy-mode", options->deploy_mode, error) < 0 ||
        (defaults && spark_conf_read_defaults(submission->conf, error) < 0))
        return -1;
    if (spec ? add_job(options, spec, submission, error) < 0
             : add_application(options, submission, error) < 0)
        return -1;
    if (read_settings(options, spec, submission, error) < 0 ||
        check_other_modes(options, submission, error) < 0)
        return -1;
    if (!submission->script && is_local_file(options, submission->resource))
        submission->local_jar = submission->resource;
    resolve_paths(options, submission);
    submission->others = has_others(submission->conf);
    set_fixed(options, submission);
    submission->name = spark_conf_get(submission->conf, "spark.app.name");
    if (submission_check(submission, error) < 0 || check_numbers(submission->conf, error) < 0)
        return -1;
    return check_java_options(submission->conf, error);
}

void submission_free(struct submission *submission)
{
    for (size_t i = 0; i < submission->argument_count; i++)
        free(submission->arguments[i]);
    free(submission->arguments);
    spark_conf_free(submission->conf);
    local_files_free(submission->files);
    free(submission->found_class);
    free(submission->path);
}

/* The lists that options of their own gave; what --conf says is as the workers
 * find it. */
static int offer_lists(struct submission *submission, struct error *error)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        char *offered;
        if (!submission->is_offered[i])
            continue;
        offered = local_files_offer_list(submission->files,
                                         spark_conf_get(submission->conf, lists[i]), error);
        if (!offered)
            return -1;
        spark_conf_set(submission->conf, lists[i], offered);
        free(offered);
    }
    return 0;
}

int submission_serve(const struct options *options, struct submission *submission,
                     struct error *error)
{
    const char **own = submission->script ? &submission->script : &submission->resource;

    submission->files = local_files_new(options, &submission->masters);
    *own = local_files_offer(submission->files, *own,
                             submission->script ? LOCAL_DEPENDENCY : LOCAL_APPLICATION, error);
    return *own ? offer_lists(submission, error) : -1;
}

/* All that is set is told to the spark-submit on the worker once more: of what
 * its JVM was started with it takes no master (it would run everything in the
 * driver), Spark 3 no name, neither its packages' settings, and the worker's own
 * spark-defaults.conf holds against it (SparkSubmitArguments.scala; seen with 3.5.1
 * and 4.2.0). {{NAME}} the master fills in for the JVM only. */
static void add_script_options(struct submission *submission, const char *url)
{
    char **own = submission->arguments;
    size_t count;
    const struct spark_property *list = spark_conf_list(submission->conf, &count);

    submission->arguments = NULL;
    submission->argument_count = 0;
    add_option(submission, "--master", url);
    add_option(submission, "--deploy-mode", "client");
    for (size_t i = 0; i < count; i++) {
        if (strncmp(list[i].value, "{{", 2) == 0)
            continue;
        add_argument(submission, mem_text("--conf"));
        add_argument(submission, mem_format("%s=%s", list[i].name, list[i].value));
    }
    add_argument(submission, mem_text(submission->script));
    for (char **at = own; at && *at; at++)
        add_argument(submission, *at);
    free(own);
}

/* spark-submit does it; without it the executors lack the jar's classes. */
static void add_own_jar(struct submission *submission)
{
    char *jar = submission->files
                    ? local_files_for_executors(submission->files, submission->resource)
                    : mem_text(submission->resource);

    prepend(submission->conf, "spark.jars", jar, ",");
    free(jar);
}

void submission_fit(struct submission *submission, const char *url, const char *version)
{
    struct spark_conf *conf = submission->conf;

    /* From 4.0 on the REST server gives them to the driver itself. */
    if (!version || strtol(version, NULL, 10) < 4)
        prepend(conf, "spark.driver.extraJavaOptions", JAVA_OPTIONS, " ");
    /* The driver knows the master that started it: it needs this only where
     * there are others to fall back to. */
    if (submission->masters.count > 1)
        spark_conf_set(conf, "spark.master", url);
    if (submission->script)
        add_script_options(submission, url);
    else
        add_own_jar(submission);
    submission->name = spark_conf_get(conf, "spark.app.name");
}

struct spark_submission submission_message(const struct submission *submission)
{
    struct spark_submission message = {
        .resource = submission->resource,
        .main_class = submission->main_class,
        .arguments = (const char *const *)submission->arguments,
    };

    message.properties = spark_conf_list(submission->conf, &message.property_count);
    return message;
}

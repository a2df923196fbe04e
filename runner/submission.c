#include "runner/submission.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "cluster/base/utf8.h"
#include "cluster/jar.h"

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

bool is_jar(const char *operand)
{
    size_t length = strlen(operand);

    return strstr(operand, "://") || (length > 4 && strcmp(operand + length - 4, ".jar") == 0);
}

int find_masters(const struct options *options, const struct spark_conf *conf,
                 struct spark_masters *masters, struct error *error)
{
    const char *text = options->master;
    const char *from = conf ? spark_conf_get(conf, "spark.master") : NULL;

    if (!text && from)
        log_verbose("--master: %s (spark-defaults.conf)", from);
    if (!text)
        text = from;
    if (!text)
        return error_set(error, EXIT_USAGE,
                         "where is Spark? give --master spark://HOST:7077, or set TALLY_MASTER");
    return spark_masters_parse(text, options->rest_port, options->ui_port, masters, error);
}

struct spark *open_spark(const struct options *options, struct error *error)
{
    struct spark_conf *conf = spark_conf_new();
    struct spark_masters masters;
    struct spark *spark = NULL;

    if ((options->master || spark_conf_read_defaults(conf, error) == 0) &&
        find_masters(options, conf, &masters, error) == 0)
        spark = spark_open(&masters);
    spark_conf_free(conf);
    return spark;
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

/* The one that the manifest names, as spark-submit takes it. */
static int find_class(const struct options *options, const char *path,
                      struct submission *submission, struct error *error)
{
    struct jar *jar;

    if (!is_local_file(options, path))
        return error_set(error, EXIT_USAGE, "--class is needed: the main class in %s", path);
    jar = jar_open(path, error);
    if (!jar)
        return -1;
    submission->found_class = jar_main_class(jar);
    jar_close(jar);
    if (submission->found_class)
        return 0;
    return error_set(error, EXIT_USAGE, "--class is needed: the manifest of %s names no main class",
                     path);
}

static int add_jar(const struct options *options, struct submission *submission,
                   struct error *error)
{
    submission->resource = options->arguments[0];
    if (!options->main_class && find_class(options, submission->resource, submission, error) < 0)
        return -1;
    submission->main_class = options->main_class ? options->main_class : submission->found_class;
    for (int i = 1; i < options->argument_count; i++)
        add_argument(submission, mem_text(options->arguments[i]));
    return 0;
}

/* Before: what is given by other things than --conf, which wins over it. */
static void set_own(const struct options *options, const struct spec *spec,
                    struct submission *submission)
{
    struct spark_conf *conf = submission->conf;
    char *name = spec ? mem_format("tally-%s", spec->name) : mem_text(submission->main_class);

    /* For following: the driver's page then tells the rates of streaming queries. */
    if (!spark_conf_get(conf, "spark.sql.streaming.metricsEnabled"))
        spark_conf_set(conf, "spark.sql.streaming.metricsEnabled", "true");
    if (spec || !spark_conf_get(conf, "spark.app.name"))
        spark_conf_set(conf, "spark.app.name", name);
    free(name);
    for (size_t i = 0; spec && i < spec->spark_count; i++)
        spark_conf_set(conf, spec->spark[i].name, spec->spark[i].value);
    if (!spark_conf_get(conf, "spark.driver.supervise") || options->supervise)
        spark_conf_set(conf, "spark.driver.supervise", options->supervise ? "true" : "false");
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
    char *jar = local_files_for_executors(submission->files, submission->resource);

    if (options->name)
        spark_conf_set(conf, "spark.app.name", options->name);
    if (options->supervise)
        spark_conf_set(conf, "spark.driver.supervise", "true");
    spark_conf_set(conf, "spark.submit.deployMode", "cluster");
    /* spark-submit does it; without it the executors lack the jar's classes. */
    prepend(conf, "spark.jars", jar, ",");
    free(jar);
    prepend(conf, "spark.driver.extraJavaOptions", JAVA_OPTIONS, " ");
    /* The driver finds out its own address, not ours; and the worker gives it
     * its master: needed only where there are others to fall back to. */
    spark_conf_remove(conf, "spark.driver.host");
    spark_conf_remove(conf, "spark.master");
    if (submission->masters.count > 1) {
        char *url = spark_masters_url(&submission->masters);
        spark_conf_set(conf, "spark.master", url);
        free(url);
    }
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

static int check(const struct submission *submission, struct error *error)
{
    size_t count;
    const struct spark_property *list = spark_conf_list(submission->conf, &count);
    const char *cores = spark_conf_get(submission->conf, "spark.driver.cores");
    int64_t number;

    for (size_t i = 0; i < count; i++) /* each becomes -Dname=value */
        if (check_argument(list[i].name, list[i].value, strlen(list[i].name) + 3, error) < 0)
            return -1;
    for (size_t i = 0; i < submission->argument_count; i++) {
        bool spec = i > 0 && strcmp(submission->arguments[i - 1], "--spec") == 0;
        char *what = spec ? mem_text("the job's spec, as JSON,")
                          : mem_format("argument %zu of the job", i + 1);
        int result = check_argument(what, submission->arguments[i], 0, error);
        free(what);
        if (result < 0)
            return -1;
    }
    /* A master lets a fraction pass its check and then fails with HTTP 500. */
    if (cores && !number_in_range(cores, 1, 1 << 20, &number))
        return error_set(error, EXIT_USAGE,
                         "spark.driver.cores '%s': it must be a whole number, 1 or more", cores);
    return 0;
}

int submission_make(const struct options *options, struct spec *spec, struct submission *submission,
                    struct error *error)
{
    *submission = (struct submission){.conf = spark_conf_new()};
    if (options->deploy_mode && strcmp(options->deploy_mode, "cluster") != 0)
        return error_set(error, EXIT_USAGE,
                         "--deploy-mode %s: drivers run in the cluster here (cluster); for client "
                         "mode use spark-submit",
                         options->deploy_mode);
    if (spark_conf_read_defaults(submission->conf, error) < 0 ||
        find_masters(options, submission->conf, &submission->masters, error) < 0)
        return -1;
    if (spec ? add_job(options, spec, submission, error) < 0
             : add_jar(options, submission, error) < 0)
        return -1;
    submission->files = local_files_new(options, &submission->masters);
    submission->resource =
        local_files_offer(submission->files, submission->resource, LOCAL_APPLICATION, error);
    if (!submission->resource)
        return -1;
    set_own(options, spec, submission);
    for (size_t i = 0; options->conf && options->conf[i]; i++)
        if (spark_conf_set_pair(submission->conf, options->conf[i], error) < 0)
            return -1;
    set_fixed(options, submission);
    submission->name = spark_conf_get(submission->conf, "spark.app.name");
    return check(submission, error);
}

void submission_free(struct submission *submission)
{
    for (size_t i = 0; i < submission->argument_count; i++)
        free(submission->arguments[i]);
    free(submission->arguments);
    spark_conf_free(submission->conf);
    local_files_free(submission->files);
    free(submission->found_class);
}

int submission_send(const struct submission *submission, struct spark *spark, char **id,
                    struct error *error)
{
    struct spark_submission message = {
        .resource = submission->resource,
        .main_class = submission->main_class,
        .arguments = (const char *const *)submission->arguments,
    };

    message.properties = spark_conf_list(submission->conf, &message.property_count);
    if (spark_create(spark, &message, id, error) == 0)
        return 0;
    if (error->code == EXIT_UNKNOWN || interrupt_signal())
        error_add(error,
                  "the driver may have been created or not: before submitting again, look for the "
                  "application %s and the main class %s with: tally list",
                  submission->name, submission->main_class);
    return -1;
}

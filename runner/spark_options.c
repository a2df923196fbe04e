/* The options of spark-submit that are not tally's as well (3.5.1 and 4.2.0, by
 * their --help): the property each becomes, or why it is refused. What is said
 * here of spark-submit was seen in the requests that both versions send to a
 * standalone master in cluster mode. */
#include "runner/option_row.h"

#include <stdlib.h>

#include "cluster/base/buf.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "cluster/spark_conf.h"

static void keep(struct options *options, char *pair)
{
    size_t count = 0;

    while (options->made && options->made[count])
        count++;
    options->made = mem_grow(options->made, count + 2, sizeof *options->made);
    options->made[count] = pair;
    options->made[count + 1] = NULL;
}

static void add(struct options *options, const char ***list, const struct option_row *row,
                const char *text)
{
    const char *name = ((const struct spark_option *)(const void *)row)->property;
    char *pair = mem_format("%s=%s", name, text);

    keep(options, pair);
    if (options->filling) /* the environment's: before whatever the command line says */
        list_add(&options->conf, pair, true);
    else
        list_add(list, pair, false);
}

/* It wins over --conf, wherever that stands (SparkSubmit.prepareSubmitEnvironment);
 * empty, too: --jars "$MORE". */
static int set_property(struct options *options, const struct option_row *row, const char *text,
                        struct error *error)
{
    (void)error;
    add(options, &options->properties, row, text);
    return 0;
}

/* A driver's: the launcher turns these into --conf, and the last one holds
 * (SparkSubmitCommandBuilder.OptionParser). */
static int set_conf(struct options *options, const struct option_row *row, const char *text,
                    struct error *error)
{
    (void)error;
    add(options, &options->conf, row, text);
    return 0;
}

static int check_memory(const struct option_row *row, const char *text, struct error *error)
{
    int64_t mib;

    if (spark_memory(text, &mib))
        return 0;
    return error_set(error, EXIT_USAGE,
                     "--%s '%s': it must be a whole number and its unit, 1m or more: 512m, 2g",
                     row->name, text);
}

static int set_memory(struct options *options, const struct option_row *row, const char *text,
                      struct error *error)
{
    return check_memory(row, text, error) < 0 ? -1 : set_property(options, row, text, error);
}

static int set_driver_memory(struct options *options, const struct option_row *row,
                             const char *text, struct error *error)
{
    return check_memory(row, text, error) < 0 ? -1 : set_conf(options, row, text, error);
}

static int set_cores(struct options *options, const struct option_row *row, const char *text,
                     struct error *error)
{
    int64_t number;

    if (number_in_range(text, row->low, row->high, &number))
        return set_property(options, row, text, error);
    return error_set(error, EXIT_USAGE, "--%s '%s': it must be a whole number from %lld to %lld",
                     row->name, text, (long long)row->low, (long long)row->high);
}

static int pass_over(struct options *options, const struct option_row *row, const char *text,
                     struct error *error)
{
    (void)options;
    (void)text;
    (void)error;
    log_warning("--%s: %s", row->name, row->help);
    return 0;
}

static int refuse(struct options *options, const struct option_row *row, const char *text,
                  struct error *error)
{
    (void)options;
    (void)text;
    return error_set(error, EXIT_USAGE, "--%s: %s", row->name, row->help);
}

bool is_refused(const struct option_row *row)
{
    return row->set == refuse || row->set == pass_over;
}

#define MOST_CORES (1 << 20)
#define OPTION(option, property, argument, set, low, high, help)                                   \
    {                                                                                              \
        {option, 0, argument, NULL, help, set, 0, low, high}, property                             \
    }
#define LISTED(option, name, help)         OPTION(option, name, "LIST", set_property, 0, 0, help)
#define DRIVERS(option, name, value, help) OPTION(option, name, value, set_conf, 0, 0, help)
#define CORES(option, name, help)          OPTION(option, name, "N", set_cores, 1, MOST_CORES, help)
#define NO_USE(option, value, why)         OPTION(option, NULL, value, pass_over, 0, 0, why)
#define REFUSED(option, value, why)        OPTION(option, NULL, value, refuse, 0, 0, why)
#define NO_KERBEROS                                                                                \
    "a standalone cluster does not hand out Kerberos tickets: log in on the workers (kinit), or "  \
    "in the application"

const struct spark_option spark_options[] = {
    LISTED("jars", "spark.jars",
           "more jars for driver and executors; those that are here are served to the end"),
    LISTED("packages", "spark.jars.packages",
           "GROUP:ARTIFACT:VERSION,...: the driver's worker fetches them"),
    LISTED("exclude-packages", "spark.jars.excludes", "GROUP:ARTIFACT,... not to fetch with them"),
    LISTED("repositories", "spark.jars.repositories", "where else to look for packages"),
    LISTED("py-files", "spark.submit.pyFiles",
           "for Python: .py, .zip, .egg beside the application; likewise"),
    LISTED("files", "spark.files",
           "into each executor's folder, from the driver's worker; likewise"),
    LISTED("archives", "spark.archives", "the same, unpacked; NAME#FOLDER: there"),
    OPTION("driver-memory", "spark.driver.memory", "MEM", set_driver_memory, 0, 0,
           "the driver's memory: 512m, 2g (Spark's default: 1g)"),
    CORES("driver-cores", "spark.driver.cores", "the driver's cores (Spark's default: 1)"),
    OPTION("executor-memory", "spark.executor.memory", "MEM", set_memory, 0, 0,
           "each executor's memory (Spark's default: 1g)"),
    CORES("executor-cores", "spark.executor.cores",
          "each executor's cores (Spark's default: all that its worker has free)"),
    CORES("total-executor-cores", "spark.cores.max",
          "the cores of all executors (Spark's default: all that are free)"),
    DRIVERS("driver-java-options", "spark.driver.extraJavaOptions", "TEXT",
            "options for the driver's JVM"),
    DRIVERS("driver-class-path", "spark.driver.extraClassPath", "PATH",
            "in front of the driver's class path"),
    DRIVERS("driver-library-path", "spark.driver.extraLibraryPath", "PATH",
            "the driver's path to native libraries"),
    NO_USE("num-executors", "N",
           "does nothing on a standalone cluster, with spark-submit as here: say it with "
           "--total-executor-cores and --executor-cores"),
    NO_USE("queue", "NAME",
           "is YARN's: a standalone cluster has no queues, and spark-submit leaves it out, too"),
    REFUSED("proxy-user", "NAME",
            "a standalone master does not know users, and spark-submit drops it silently in "
            "cluster mode: the driver runs as the worker's user"),
    REFUSED("principal", "NAME", NO_KERBEROS),
    REFUSED("keytab", "FILE", NO_KERBEROS),
    REFUSED("remote", "URL",
            "that is Spark Connect, where the application runs on your side: use spark-submit"),
};

const size_t spark_option_count = sizeof spark_options / sizeof spark_options[0];

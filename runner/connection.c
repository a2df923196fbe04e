#include "runner/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/jws.h"
#include "cluster/spark_leader.h"

/* What spark-submit takes for --master, too, and no REST API has. */
static int check_master(const char *text, struct error *error)
{
    static const struct {
        const char *begins, *is;
    } others[] = {{"yarn", "YARN"},
                  {"k8s://", "Kubernetes"},
                  {"mesos://", "Mesos"},
                  {"local[", "client mode"},
                  {"local-cluster[", "client mode"}};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strncmp(text, others[i].begins, strlen(others[i].begins)) == 0)
            return error_set(error, EXIT_USAGE,
                             "--master %s: drivers are submitted to standalone clusters here "
                             "(spark://HOST:7077): for %s use spark-submit",
                             text, others[i].is);
    return 0;
}

int find_masters(const struct options *options, const struct spark_conf *conf,
                 struct spark_masters *masters, struct error *error)
{
    const char *text = options->master;
    const char *from = conf ? spark_conf_get(conf, "spark.master") : NULL;
    const char *named = "spark.master", *last = getenv("MASTER"); /* as spark-submit */

    if (!from && last && *last) {
        from = last;
        named = "MASTER";
    }
    if (!text && from)
        log_verbose("--master: %s (%s)", from, named);
    if (!text)
        text = from;
    masters->count = 0;
    if (!text && !options->rest_url)
        return error_set(error, EXIT_USAGE,
                         "where is Spark? give --master spark://HOST:7077, or set TALLY_MASTER");
    if (text && check_master(text, error) < 0)
        return -1;
    if (text && spark_masters_parse(text, options->rest_port, options->ui_port, masters, error) < 0)
        return -1;
    if (!options->rest_url)
        return 0;
    return spark_masters_behind(options->rest_url, options->ui_url ? options->ui_url : "", masters,
                                error);
}

static int read_key(const char *path, char *text, size_t size, struct error *error)
{
    FILE *file = fopen(path, "re");
    size_t length;

    if (!file)
        return error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    if (ferror(file))
        error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    else if (length == size - 1 || strlen(text) != length)
        error_set(error, EXIT_INPUT, "%s holds no key", path);
    else
        length = size;
    fclose(file);
    return length == size ? 0 : -1;
}

/* Never from the command line itself, which everybody can read. */
static int add_key(const struct options *options, struct spark *spark, struct error *error)
{
    char text[4 * LIMIT_KEY_BYTES];
    const char *path = options->jws_key_file, *given = getenv("TALLY_JWS_KEY");
    unsigned char *key;
    size_t length;

    if (!path && (!given || !*given))
        return 0;
    if (path && read_key(path, text, sizeof text, error) < 0)
        return -1;
    if (jws_key(path ? text : given, &key, &length, error) < 0)
        return error_wrap(error, "the key in %s", path ? path : "TALLY_JWS_KEY");
    spark_sign(spark, key, length);
    return 0;
}

static bool is_https(const char *url)
{
    return url && strncmp(url, "https://", strlen("https://")) == 0;
}

struct spark *connect_spark(const struct options *options, const struct spark_masters *masters,
                            struct error *error)
{
    const struct http_settings settings = {
        .tls = is_https(options->rest_url) || is_https(options->ui_url) ||
               is_https(options->proxy) || is_https(options->arguments[0]),
        .ca_file = options->ca_file,
        .proxy = options->proxy,
    };
    struct spark *spark;

    http_setup(&settings);
    spark = spark_open(masters);
    if (add_key(options, spark, error) == 0)
        return spark;
    spark_close(spark);
    return NULL;
}

struct spark *open_spark(const struct options *options, struct error *error)
{
    struct spark_conf *conf = spark_conf_new();
    struct spark_masters masters;
    struct spark *spark = NULL;

    if ((options->master || options->rest_url || spark_conf_read_defaults(conf, error) == 0) &&
        find_masters(options, conf, &masters, error) == 0)
        spark = connect_spark(options, &masters, error);
    spark_conf_free(conf);
    return spark;
}

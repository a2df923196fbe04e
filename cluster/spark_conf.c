#include "cluster/spark_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "cluster/properties.h"

struct spark_conf {
    struct spark_property *list; /* owned texts */
    size_t count;
};

struct spark_conf *spark_conf_new(void)
{
    return mem_alloc(1, sizeof(struct spark_conf));
}

static void free_property(const struct spark_property *property)
{
    free((char *)property->name);
    free((char *)property->value);
}

void spark_conf_free(struct spark_conf *conf)
{
    if (!conf)
        return;
    for (size_t i = 0; i < conf->count; i++)
        free_property(&conf->list[i]);
    free(conf->list);
    free(conf);
}

static struct spark_property *find(const struct spark_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->count; i++)
        if (strcmp(conf->list[i].name, name) == 0)
            return &conf->list[i];
    return NULL;
}

void spark_conf_set(struct spark_conf *conf, const char *name, const char *value)
{
    struct spark_property *property = find(conf, name);
    char *copy = mem_text(value);

    if (property) {
        free((char *)property->value);
        property->value = copy;
        return;
    }
    conf->list = mem_grow(conf->list, conf->count + 1, sizeof *conf->list);
    conf->list[conf->count++] = (struct spark_property){.name = mem_text(name), .value = copy};
}

/* A name becomes a part of -Dname=value on the driver's command line. */
static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    return length > 0;
}

int spark_conf_set_pair(struct spark_conf *conf, const char *pair, struct error *error)
{
    const char *equals = strchr(pair, '=');
    char *name;

    if (!equals || !is_name(pair, (size_t)(equals - pair)))
        return error_set(error, EXIT_USAGE,
                         "--conf '%s': it must be KEY=VALUE, as in spark.cores.max=2", pair);
    name = mem_bytes(pair, (size_t)(equals - pair));
    spark_conf_set(conf, name, equals + 1);
    free(name);
    return 0;
}

void spark_conf_remove(struct spark_conf *conf, const char *name)
{
    struct spark_property *property = find(conf, name);

    if (!property)
        return;
    free_property(property);
    conf->count--;
    memmove(property, property + 1,
            (size_t)(conf->list + conf->count - property) * sizeof *property);
}

const char *spark_conf_get(const struct spark_conf *conf, const char *name)
{
    const struct spark_property *property = find(conf, name);

    return property ? property->value : NULL;
}

const struct spark_property *spark_conf_list(const struct spark_conf *conf, size_t *count)
{
    *count = conf->count;
    return conf->list;
}

/* As Utils.trimExceptCRLF: an escaped line end is a part of the value. */
static bool is_trimmed(char c)
{
    return (unsigned char)c <= ' ' && c != '\r' && c != '\n';
}

struct parse {
    struct spark_conf *conf;
    struct error *error;
    int result;
};

static void on_pair(void *context, const struct buf *name, const struct buf *value)
{
    struct parse *parse = context;
    size_t begin = 0, end = value->length;
    char *text;

    if (!is_name(name->data, name->length))
        return;
    while (begin < end && is_trimmed(value->data[begin]))
        begin++;
    while (end > begin && is_trimmed(value->data[end - 1]))
        end--;
    text = mem_bytes(value->data + begin, end - begin);
    if (strlen(text) == end - begin)
        spark_conf_set(parse->conf, name->data, text);
    else
        parse->result =
            error_set(parse->error, EXIT_INPUT, "the value of %s holds a NUL", name->data);
    free(text);
}

int spark_conf_parse(struct spark_conf *conf, const char *text, size_t length, struct error *error)
{
    struct parse parse = {.conf = conf, .error = error};

    if (properties_read(text, length, on_pair, &parse, error) < 0)
        return -1;
    return parse.result;
}

/* Of a file's settings those that are Spark's. */
static int parse_file(struct spark_conf *conf, const char *path, const char *text, size_t length,
                      struct error *error)
{
    struct spark_conf *all = spark_conf_new();
    int result = spark_conf_parse(all, text, length, error);

    for (size_t i = 0; result == 0 && i < all->count; i++) {
        if (strncmp(all->list[i].name, "spark.", strlen("spark.")) == 0)
            spark_conf_set(conf, all->list[i].name, all->list[i].value);
        else
            log_warning("%s: %s is no setting of Spark's, and left out", path, all->list[i].name);
    }
    spark_conf_free(all);
    return result < 0 ? error_wrap(error, "%s", path) : 0;
}

static int read_open_file(struct spark_conf *conf, const char *path, FILE *file,
                          struct error *error)
{
    char *text = mem_alloc(LIMIT_CONF_BYTES + 1, 1);
    size_t length = fread(text, 1, LIMIT_CONF_BYTES + 1, file);
    int result;

    if (ferror(file))
        result = error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    else if (length > LIMIT_CONF_BYTES)
        result = error_set(error, EXIT_INPUT, "%s: longer than %d bytes", path, LIMIT_CONF_BYTES);
    else
        result = parse_file(conf, path, text, length, error);
    if (result == 0)
        log_verbose("Spark's settings: %s", path);
    free(text);
    return result;
}

static int read_file(struct spark_conf *conf, const char *path, bool must, struct error *error)
{
    FILE *file = fopen(path, "re");
    int result;

    if (!file && errno == ENOENT && !must)
        return 0;
    if (!file)
        return error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    result = read_open_file(conf, path, file, error);
    fclose(file);
    return result;
}

int spark_conf_read(struct spark_conf *conf, const char *path, struct error *error)
{
    return read_file(conf, path, true, error);
}

int spark_conf_read_defaults(struct spark_conf *conf, struct error *error)
{
    const char *folder = getenv("SPARK_CONF_DIR"), *home = getenv("SPARK_HOME");
    char *path;
    int result;

    if (folder && *folder)
        path = mem_format("%s/spark-defaults.conf", folder);
    else if (home && *home)
        path = mem_format("%s/conf/spark-defaults.conf", home);
    else
        return 0;
    result = read_file(conf, path, false, error);
    free(path);
    return result;
}

bool spark_memory(const char *text, int64_t *mib)
{
    static const char blanks[] = " \t\r\n\f";
    static const struct {
        const char *name;
        int shift; /* of a byte */
    } units[] = {{"", 0},    {"b", 0},    {"k", 10}, {"kb", 10}, {"kib", 10}, {"m", 20},
                 {"mb", 20}, {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}, {"t", 40},
                 {"tb", 40}, {"tib", 40}, {"p", 50}, {"pb", 50}, {"pib", 50}};
    size_t digits = strspn(text += strspn(text, blanks), "0123456789");
    size_t letters = strcspn(text + digits, blanks);
    int64_t number;

    if (text[digits + letters + strspn(text + digits + letters, blanks)] ||
        !number_int64(text, digits, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) != letters ||
            strncasecmp(text + digits, units[i].name, letters) != 0)
            continue;
        if (number > INT64_MAX >> units[i].shift) /* in bytes, as Spark counts */
            return false;
        *mib = (number << units[i].shift) >> 20;
        return *mib >= 1 && *mib <= INT32_MAX;
    }
    return false;
}

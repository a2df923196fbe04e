#include "cluster/spark_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"

#define BLANKS " \t\f\r"

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

/* One line, whose text may be changed. */
static void parse_line(struct spark_conf *conf, char *line)
{
    char *name = line + strspn(line, BLANKS), *value;
    size_t length = strcspn(name, BLANKS "=:");
    size_t end;

    if (*name == '#' || *name == '!' || !is_name(name, length))
        return;
    value = name + length;
    value += strspn(value, BLANKS);
    value += *value == '=' || *value == ':';
    value += strspn(value, BLANKS);
    end = strlen(value);
    while (end > 0 && strchr(BLANKS, value[end - 1]))
        end--;
    value[end] = '\0';
    name[length] = '\0';
    spark_conf_set(conf, name, value);
}

void spark_conf_parse(struct spark_conf *conf, const char *text, size_t length)
{
    char *copy = mem_bytes(text, length), *next = copy;

    while (next) {
        char *line = next;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        parse_line(conf, line);
    }
    free(copy);
}

static int read_file(struct spark_conf *conf, const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t length;
    int result = 0;

    if (!file && errno == ENOENT)
        return 0;
    if (!file)
        return error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    text = mem_alloc(LIMIT_CONF_BYTES + 1, 1);
    length = fread(text, 1, LIMIT_CONF_BYTES + 1, file);
    if (ferror(file))
        result = error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    else if (length > LIMIT_CONF_BYTES)
        result = error_set(error, EXIT_INPUT, "%s: longer than %d bytes", path, LIMIT_CONF_BYTES);
    else
        spark_conf_parse(conf, text, length);
    if (result == 0)
        log_verbose("Spark's settings: %s", path);
    free(text);
    fclose(file);
    return result;
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
    result = read_file(conf, path, error);
    free(path);
    return result;
}

/* From YAML to a spec. libyaml gives a tree whose nodes know their place; each
 * mapping is read by a table of its keys. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"
#include "cluster/base/table.h"
#include "jobs/spec.h"

#define OTHER      "other" /* what no label lists; always the last series */
#define NO_SERIES  UINT32_MAX
#define TOPIC_MOST 249 /* Kafka's own bound, Topic.java */

struct reader {
    yaml_document_t document;
    const char *file;
    struct spec *spec;
    struct error *error;
    const yaml_node_t *window; /* where to point when its sizes do not fit the labels */
};

struct key {
    const char *name;
    bool needed;
    int (*read)(struct reader *reader, yaml_node_t *value);
};

__attribute__((format(printf, 3, 4))) static int
fail(struct reader *reader, const yaml_node_t *node, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(reader->error, EXIT_INPUT, "%s:%zu:%zu: %s", reader->file, node->start_mark.line + 1,
              node->start_mark.column + 1, text);
    return -1;
}

static yaml_node_t *node_at(struct reader *reader, int index)
{
    yaml_node_t *node = yaml_document_get_node(&reader->document, index);

    if (!node)
        abort(); /* the indices are the document's own */
    return node;
}

static const char *text_of(const yaml_node_t *scalar)
{
    return (const char *)scalar->data.scalar.value;
}

/* A scalar without NUL bytes, so that the rest can treat it as C text. */
static int need_text(struct reader *reader, yaml_node_t *node, const char *what)
{
    if (node->type != YAML_SCALAR_NODE)
        return fail(reader, node, "%s must be a single value, not a %s", what,
                    node->type == YAML_MAPPING_NODE ? "mapping" : "list");
    if (strlen(text_of(node)) != node->data.scalar.length)
        return fail(reader, node, "%s holds a NUL character", what);
    return 0;
}

static int read_pair(struct reader *reader, const yaml_node_pair_t *pair, const struct key *keys,
                     const char *where, uint64_t *seen)
{
    yaml_node_t *name = node_at(reader, pair->key);

    if (need_text(reader, name, "a key") < 0)
        return -1;
    for (size_t i = 0; keys[i].name; i++) {
        if (strcmp(keys[i].name, text_of(name)) != 0)
            continue;
        if (*seen & (1u << i))
            return fail(reader, name, "%s'%s' is there twice", where, keys[i].name);
        *seen |= 1u << i;
        return keys[i].read(reader, node_at(reader, pair->value));
    }
    return fail(reader, name, "%s'%s' is not a key of a job spec", where, text_of(name));
}

/* Reads a mapping by its table of keys, which ends at a NULL name. `where` is
 * for messages: "window: " or "". */
static int read_mapping(struct reader *reader, yaml_node_t *node, const struct key *keys,
                        const char *where)
{
    uint64_t seen = 0;

    if (node->type != YAML_MAPPING_NODE)
        return fail(reader, node, "%sexpected keys and values", where);
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        if (read_pair(reader, pair, keys, where, &seen) < 0)
            return -1;
    for (size_t i = 0; keys[i].name; i++)
        if (keys[i].needed && !(seen & (1u << i)))
            return fail(reader, node, "%s'%s' is missing", where, keys[i].name);
    return 0;
}

static int read_name(struct reader *reader, yaml_node_t *node)
{
    if (need_text(reader, node, "name") < 0)
        return -1;
    if (!*text_of(node) || strlen(text_of(node)) > LIMIT_NAME ||
        text_of(node)[strspn(text_of(node), "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return fail(reader, node, "name '%s': it must be 1 to %d of a-z, 0-9 and -", text_of(node),
                    LIMIT_NAME);
    reader->spec->name = mem_text(text_of(node));
    return 0;
}

static int read_topic_name(struct reader *reader, yaml_node_t *node, char **topic)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *text;

    if (need_text(reader, node, "topic") < 0)
        return -1;
    text = text_of(node);
    if (!*text || strlen(text) > TOPIC_MOST || text[strspn(text, legal)] ||
        strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return fail(reader, node, "topic '%s': Kafka allows 1 to %d of a-z, A-Z, 0-9, '.', _ and -",
                    text, TOPIC_MOST);
    *topic = mem_text(text);
    return 0;
}

static int read_source_topic(struct reader *reader, yaml_node_t *node)
{
    return read_topic_name(reader, node, &reader->spec->topic);
}

static int read_sink_topic(struct reader *reader, yaml_node_t *node)
{
    return read_topic_name(reader, node, &reader->spec->sink);
}

static int read_column(struct reader *reader, yaml_node_t *node)
{
    const char *text;
    int64_t index;

    if (need_text(reader, node, "column") < 0)
        return -1;
    text = text_of(node);
    if (!*text)
        return fail(reader, node, "column is empty: give an index from 0, or a header's name");
    if (text[strspn(text, "0123456789")]) {
        reader->spec->column_name = mem_text(text);
        return 0;
    }
    if (!number_in_range(text, 0, LIMIT_CSV_COLUMNS - 1, &index))
        return fail(reader, node, "column %s: the limit is %d columns", text, LIMIT_CSV_COLUMNS);
    reader->spec->column = (size_t)index;
    return 0;
}

/* The index of `text` among `words`, which end at NULL; -1 after failing. */
static int read_word(struct reader *reader, yaml_node_t *node, const char *what,
                     const char *const *words)
{
    if (need_text(reader, node, what) < 0)
        return -1;
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], text_of(node)) == 0)
            return i;
    return fail(reader, node, "%s '%s': it must be %s%s%s%s%s", what, text_of(node), words[0],
                words[2] ? ", " : " or ", words[1], words[2] ? " or " : "",
                words[2] ? words[2] : "");
}

static int read_format(struct reader *reader, yaml_node_t *node)
{
    static const char *const words[] = {"value", "csv", "json", NULL};
    int word = read_word(reader, node, "format", words);

    if (word < 0)
        return -1;
    reader->spec->format = (enum spec_format)word;
    return 0;
}

static int read_start(struct reader *reader, yaml_node_t *node)
{
    static const char *const words[] = {"earliest", "latest", NULL};
    int word = read_word(reader, node, "start", words);

    if (word < 0)
        return -1;
    reader->spec->start_latest = word == 1;
    return 0;
}

static int read_field(struct reader *reader, yaml_node_t *node)
{
    const char *text;

    if (need_text(reader, node, "field") < 0)
        return -1;
    text = text_of(node);
    if (strlen(text) > LIMIT_FIELD)
        return fail(reader, node, "field: longer than %d bytes", LIMIT_FIELD);
    if (!*text || *text == '.' || text[strlen(text) - 1] == '.' || strstr(text, ".."))
        return fail(reader, node, "field '%s': it must be names joined by dots, as in a.b", text);
    reader->spec->field = mem_text(text);
    return 0;
}

static int read_source(struct reader *reader, yaml_node_t *node)
{
    static const struct key keys[] = {
        {"topic", true, read_source_topic}, {"column", true, read_column},
        {"format", false, read_format},     {"field", false, read_field},
        {"start", false, read_start},       {NULL, false, NULL},
    };
    const struct spec *spec = reader->spec;

    if (read_mapping(reader, node, keys, "source: ") < 0)
        return -1;
    if (spec->format == FORMAT_JSON && !spec->field)
        return fail(reader, node, "source: format json needs 'field', as in field: a.b");
    if (spec->format != FORMAT_JSON && spec->field)
        return fail(reader, node, "source: 'field' is for format json only");
    if (spec->format == FORMAT_CSV && spec->column_name)
        return fail(reader, node, "source: format csv needs an index as its column, not '%s'",
                    spec->column_name);
    return 0;
}

static int read_duration(struct reader *reader, yaml_node_t *node, const char *what, int64_t low,
                         int64_t high, int64_t *duration)
{
    if (need_text(reader, node, what) < 0)
        return -1;
    if (!number_duration(text_of(node), duration))
        return fail(reader, node, "%s '%s': it must be a whole number and ms, s, m, h or d", what,
                    text_of(node));
    if (*duration < low)
        return fail(reader, node, "%s must be more than 0", what);
    if (*duration > high)
        return fail(reader, node, "%s '%s': the limit is %lld days", what, text_of(node),
                    (long long)(high / 86400000));
    return 0;
}

static int read_size(struct reader *reader, yaml_node_t *node)
{
    return read_duration(reader, node, "size", 1, LIMIT_WINDOW_MS, &reader->spec->size);
}

static int read_slide(struct reader *reader, yaml_node_t *node)
{
    return read_duration(reader, node, "slide", 1, LIMIT_WINDOW_MS, &reader->spec->slide);
}

static int read_lateness(struct reader *reader, yaml_node_t *node)
{
    return read_duration(reader, node, "lateness", 0, LIMIT_LATENESS_MS, &reader->spec->lateness);
}

static int read_window(struct reader *reader, yaml_node_t *node)
{
    static const struct key keys[] = {
        {"size", true, read_size},
        {"slide", false, read_slide},
        {"lateness", false, read_lateness},
        {NULL, false, NULL},
    };
    struct spec *spec = reader->spec;

    reader->window = node;
    if (read_mapping(reader, node, keys, "window: ") < 0)
        return -1;
    if (spec->slide == 0)
        spec->slide = spec->size;
    if (spec->slide > spec->size)
        return fail(reader, node, "window: slide is longer than size: records would fall between");
    return 0;
}

/* What a label says of its series. */
struct series_text {
    yaml_node_t *name, *zh;
};

static int read_series_text(struct reader *reader, yaml_node_t *node, struct series_text *text)
{
    if (node->type == YAML_SCALAR_NODE) {
        text->name = node;
        return 0;
    }
    if (node->type != YAML_MAPPING_NODE)
        return fail(reader, node, "labels: a label is a name, or {name: ..., zh: ...}");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = node_at(reader, pair->key);
        yaml_node_t **value;
        if (need_text(reader, key, "a key") < 0)
            return -1;
        value = strcmp(text_of(key), "name") == 0 ? &text->name
                : strcmp(text_of(key), "zh") == 0 ? &text->zh
                                                  : NULL;
        if (!value)
            return fail(reader, key, "labels: '%s' is not a key of a label", text_of(key));
        if (*value)
            return fail(reader, key, "labels: '%s' is there twice", text_of(key));
        *value = node_at(reader, pair->value);
    }
    return 0;
}

static int check_series_name(struct reader *reader, yaml_node_t *node)
{
    const char *text;

    if (need_text(reader, node, "labels: a series' name") < 0)
        return -1;
    text = text_of(node);
    if (!*text || strlen(text) > LIMIT_NAME)
        return fail(reader, node, "labels: a series' name has 1 to %d bytes", LIMIT_NAME);
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return fail(reader, node, "labels: a series' name holds a control character");
    if (strcmp(text, OTHER) == 0)
        return fail(reader, node, "labels: '" OTHER "' is reserved for values no label lists");
    return 0;
}

static int set_zh(struct reader *reader, struct spec_series *series, yaml_node_t *zh)
{
    if (!zh)
        return 0;
    if (need_text(reader, zh, "labels: zh") < 0)
        return -1;
    if (series->zh && strcmp(series->zh, text_of(zh)) != 0)
        return fail(reader, zh, "labels: series '%s' is '%s' in another label", series->name,
                    series->zh);
    if (!series->zh)
        series->zh = mem_text(text_of(zh));
    return 0;
}

static struct spec_series *add_series(struct spec *spec, const char *name)
{
    struct spec_series *series;

    spec->series = mem_grow(spec->series, spec->series_count + 1, sizeof *spec->series);
    series = &spec->series[spec->series_count++];
    *series = (struct spec_series){.name = mem_text(name)};
    return series;
}

/* One label: its value must be new; its series may be shared with others. */
static int read_label(struct reader *reader, const yaml_node_pair_t *pair, struct table *values,
                      struct table *names)
{
    struct spec *spec = reader->spec;
    yaml_node_t *value = node_at(reader, pair->key);
    struct series_text text = {NULL, NULL};
    struct spec_label *label = &spec->labels[spec->label_count];
    uint32_t series;

    if (value->type != YAML_SCALAR_NODE)
        return fail(reader, value, "labels: a label's value must be a single value");
    if (!table_add(values, text_of(value), value->data.scalar.length, 0))
        return fail(reader, value, "labels: '%s' is there twice", text_of(value));
    if (read_series_text(reader, node_at(reader, pair->value), &text) < 0)
        return -1;
    if (!text.name)
        return fail(reader, node_at(reader, pair->value), "labels: 'name' is missing");
    if (check_series_name(reader, text.name) < 0)
        return -1;
    series = table_find(names, text_of(text.name), strlen(text_of(text.name)), NO_SERIES);
    if (series == NO_SERIES) {
        series = (uint32_t)spec->series_count;
        add_series(spec, text_of(text.name));
        table_add(names, text_of(text.name), strlen(text_of(text.name)), series);
    }
    label->value = mem_bytes(text_of(value), value->data.scalar.length);
    label->length = value->data.scalar.length;
    label->series = series;
    spec->label_count++;
    return set_zh(reader, &spec->series[series], text.zh);
}

static int read_labels(struct reader *reader, yaml_node_t *node)
{
    struct spec *spec = reader->spec;
    struct table *values, *names;
    size_t count;
    int result = 0;

    if (node->type != YAML_MAPPING_NODE ||
        node->data.mapping.pairs.top == node->data.mapping.pairs.start)
        return fail(reader, node, "labels: expected at least one value and its series");
    count = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    if (count > LIMIT_LABELS)
        return fail(reader, node, "labels: %zu of them, the limit is %d", count, LIMIT_LABELS);
    spec->labels = mem_alloc(count, sizeof *spec->labels);
    values = table_new(count);
    names = table_new(count);
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         result == 0 && pair < node->data.mapping.pairs.top; pair++)
        result = read_label(reader, pair, values, names);
    table_free(values);
    table_free(names);
    if (result == 0)
        add_series(spec, OTHER);
    return result;
}

static int read_sink(struct reader *reader, yaml_node_t *node)
{
    static const struct key keys[] = {{"topic", true, read_sink_topic}, {NULL, false, NULL}};

    return read_mapping(reader, node, keys, "sink: ");
}

static void add_setting(struct spec *spec, const char *name, const char *value)
{
    spec->spark = mem_grow(spec->spark, spec->spark_count + 1, sizeof *spec->spark);
    spec->spark[spec->spark_count++] =
        (struct spec_setting){.name = mem_text(name), .value = mem_text(value)};
}

/* Spark's own settings: theirs to judge, ours to see that they are text. */
static int read_spark_conf(struct reader *reader, yaml_node_t *node)
{
    struct table *names;
    int result = 0;

    if (node->type != YAML_MAPPING_NODE)
        return fail(reader, node, "spark: conf: expected keys and values");
    names = table_new((size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start));
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         result == 0 && pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *name = node_at(reader, pair->key);
        if (need_text(reader, name, "spark: a setting's name") < 0 ||
            need_text(reader, node_at(reader, pair->value), "spark: a setting's value") < 0)
            result = -1;
        else if (!table_add(names, text_of(name), strlen(text_of(name)), 0))
            result = fail(reader, name, "spark: conf: '%s' is there twice", text_of(name));
        else
            add_setting(reader->spec, text_of(name), text_of(node_at(reader, pair->value)));
    }
    table_free(names);
    return result;
}

static int read_spark(struct reader *reader, yaml_node_t *node)
{
    static const struct key keys[] = {{"conf", false, read_spark_conf}, {NULL, false, NULL}};

    return read_mapping(reader, node, keys, "spark: ");
}

/* What only the whole spec can tell. */
static int check_whole(struct reader *reader, const yaml_node_t *root)
{
    const struct spec *spec = reader->spec;
    int64_t windows = (spec->size + spec->lateness + spec->slide - 1) / spec->slide;

    if (strcmp(spec->topic, spec->sink) == 0)
        return fail(reader, root, "source and sink are the same topic '%s'", spec->topic);
    if (windows > LIMIT_OPEN_CELLS / (int64_t)spec->series_count)
        return fail(reader, reader->window,
                    "window: (size + lateness) / slide x series is %lld x %zu, the limit is %d",
                    (long long)windows, spec->series_count, LIMIT_OPEN_CELLS);
    return 0;
}

static int read_root(struct reader *reader)
{
    static const struct key keys[] = {
        {"name", true, read_name},     {"source", true, read_source}, {"window", true, read_window},
        {"labels", true, read_labels}, {"sink", true, read_sink},     {"spark", false, read_spark},
        {NULL, false, NULL},
    };
    yaml_node_t *root = yaml_document_get_root_node(&reader->document);

    if (!root)
        return error_set(reader->error, EXIT_INPUT, "%s:1:1: no job spec: the file is empty",
                         reader->file);
    if (read_mapping(reader, root, keys, "") < 0)
        return -1;
    return check_whole(reader, root);
}

static int syntax_error(const yaml_parser_t *parser, const char *file, struct error *error)
{
    const yaml_mark_t *mark = &parser->problem_mark;

    return error_set(error, EXIT_INPUT, "%s:%zu:%zu: no YAML: %s%s%s", file, mark->line + 1,
                     mark->column + 1, parser->problem ? parser->problem : "cannot be read",
                     parser->context ? ", " : "", parser->context ? parser->context : "");
}

/* A job is one document; a second would be ignored silently. */
static int expect_end(yaml_parser_t *parser, const char *file, struct error *error)
{
    yaml_document_t next;
    yaml_node_t *root;
    size_t line;

    if (!yaml_parser_load(parser, &next))
        return syntax_error(parser, file, error);
    root = yaml_document_get_root_node(&next);
    line = root ? root->start_mark.line + 1 : 0;
    yaml_document_delete(&next);
    if (!root)
        return 0;
    return error_set(error, EXIT_INPUT, "%s:%zu:1: a second document: a file holds one job", file,
                     line);
}

static int read_document(yaml_parser_t *parser, struct reader *reader)
{
    int result;

    if (!yaml_parser_load(parser, &reader->document))
        return syntax_error(parser, reader->file, reader->error);
    result = read_root(reader);
    yaml_document_delete(&reader->document);
    return result == 0 ? expect_end(parser, reader->file, reader->error) : -1;
}

/* libyaml takes a time that grows with the square of the depth: a deep file is
 * refused before its tree is built, at the place where it gets too deep. */
static int check_depth(const char *text, size_t length, const char *file, struct error *error)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int depth = 0, done = 0, result = 0;

    if (!yaml_parser_initialize(&parser))
        abort(); /* out of memory */
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    while (!done && result == 0 && yaml_parser_parse(&parser, &event)) {
        depth += event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
        depth -= event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        if (depth > LIMIT_SPEC_DEPTH)
            result =
                error_set(error, EXIT_INPUT, "%s:%zu:%zu: nested deeper than %d", file,
                          event.start_mark.line + 1, event.start_mark.column + 1, LIMIT_SPEC_DEPTH);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return result; /* other errors are found again, and told, by the second reading */
}

struct spec *spec_parse(const char *text, size_t length, const char *file, struct error *error)
{
    struct reader reader = {.file = file, .error = error};
    yaml_parser_t parser;
    int result;

    if (check_depth(text, length, file, error) < 0)
        return NULL;
    reader.spec = mem_alloc(1, sizeof *reader.spec);
    if (!yaml_parser_initialize(&parser))
        abort(); /* out of memory */
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    result = read_document(&parser, &reader);
    yaml_parser_delete(&parser);
    if (result == 0)
        return reader.spec;
    spec_free(reader.spec);
    return NULL;
}

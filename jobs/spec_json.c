/* A spec as JSON: what the job on Spark is told. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/spec.h"

static json_t *source_json(const struct spec *spec)
{
    static const char *const formats[] = {
        [FORMAT_VALUE] = "value", [FORMAT_CSV] = "csv", [FORMAT_JSON] = "json"};
    json_t *source = json_pack("{ss, ss}", "topic", spec->topic, "format", formats[spec->format]);

    /* A column by its name is found in a CSV's header row, which a topic has not. */
    if (!spec->column_name)
        json_object_set_new(source, "column", json_integer((json_int_t)spec->column));
    if (spec->field)
        json_object_set_new(source, "field", json_string(spec->field));
    json_object_set_new(source, "start", json_string(spec->start_latest ? "latest" : "earliest"));
    return source;
}

static json_t *series_json(const struct spec *spec)
{
    json_t *series = json_array();

    for (size_t i = 0; i < spec->series_count; i++)
        json_array_append_new(series, json_string(spec->series[i].name));
    return series;
}

/* jansson takes a key up to a NUL; values from YAML text hold none but by an escape. */
static json_t *labels_json(const struct spec *spec, struct error *error)
{
    json_t *labels = json_object();

    for (size_t i = 0; i < spec->label_count; i++) {
        const struct spec_label *label = &spec->labels[i];
        if (strlen(label->value) == label->length &&
            json_object_set_new(labels, label->value, json_integer((json_int_t)label->series)) == 0)
            continue;
        error_set(error, EXIT_INPUT, "job %s: label '%s' cannot be told to Spark: it holds a NUL",
                  spec->name, label->value);
        json_decref(labels);
        return NULL;
    }
    return labels;
}

char *spec_json(const struct spec *spec, struct error *error)
{
    json_t *labels = labels_json(spec, error);
    json_t *root;
    char *text;

    if (!labels)
        return NULL;
    root = json_pack("{ss, so, s{sI, sI, sI}, so, so, s{ss}}", "name", spec->name, "source",
                     source_json(spec), "window", "size", (json_int_t)spec->size, "slide",
                     (json_int_t)spec->slide, "lateness", (json_int_t)spec->lateness, "series",
                     series_json(spec), "labels", labels, "sink", "topic", spec->sink);
    text = json_dumps(root, JSON_ENSURE_ASCII | JSON_COMPACT);
    json_decref(root);
    if (!text)
        abort(); /* out of memory */
    return text;
}

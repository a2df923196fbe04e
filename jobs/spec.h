/* spec.h: a job: one YAML file that says what is counted and where. Both
 * engines obey it. The loader refuses what it does not know, with file, line
 * and column. */
#ifndef TALLY_SPEC_H
#define TALLY_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/error.h"

/* How a Kafka record holds the value that is counted. */
enum spec_format { FORMAT_VALUE, FORMAT_CSV, FORMAT_JSON };

struct spec_series {
    char *name;
    char *zh; /* the Chinese name, or NULL */
};

struct spec_label {
    char *value;
    size_t length;
    size_t series; /* index into spec.series */
};

/* A setting of Spark's. */
struct spec_setting {
    char *name, *value;
};

struct spec {
    char *name;
    char *topic;       /* the source */
    char *column_name; /* of a CSV's header row; NULL: `column` is its index */
    size_t column;
    enum spec_format format;
    char *field; /* FORMAT_JSON: the path, "a.b"; else NULL */
    bool start_latest;
    int64_t size, slide, lateness; /* ms */
    struct spec_series *series;    /* in drawing order; the last is `other` */
    size_t series_count;
    struct spec_label *labels;
    size_t label_count;
    char *sink;                 /* the result topic */
    struct spec_setting *spark; /* spark.conf, as written */
    size_t spark_count;
};

/* Loads a job: a name that ships with the program, or, where `job` holds a '/'
 * or ends in .yaml or .yml, a file. NULL with EXIT_INPUT or EXIT_USAGE; else
 * spec_free it. */
struct spec *spec_load(const char *job, struct error *error);
/* The same from bytes; `file` is for messages. */
struct spec *spec_parse(const char *text, size_t length, const char *file, struct error *error);
void spec_free(struct spec *spec);

/* What an engine elsewhere needs of the job, as one line of JSON in ASCII; the
 * order of keys is fixed:
 * {"name":...,"source":{"topic","format","column","field","start"},
 *  "window":{"size","slide","lateness"} (ms),"series":[name,...],
 *  "labels":{value: index into series},"sink":{"topic"}}
 * `column` only where it is an index, `field` only for format json. NULL with
 * EXIT_INPUT when a label holds a NUL; else free() it. */
char *spec_json(const struct spec *spec, struct error *error);

#endif

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
    char *sink; /* the result topic */
};

/* Loads a job: a name that ships with the program, or, where `job` holds a '/'
 * or ends in .yaml or .yml, a file. NULL with EXIT_INPUT or EXIT_USAGE; else
 * spec_free it. */
struct spec *spec_load(const char *job, struct error *error);
/* The same from bytes; `file` is for messages. */
struct spec *spec_parse(const char *text, size_t length, const char *file, struct error *error);
void spec_free(struct spec *spec);

#endif

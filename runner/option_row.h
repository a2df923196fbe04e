/* option_row.h: one option of the command line; for the tables only. */
#ifndef TALLY_OPTION_ROW_H
#define TALLY_OPTION_ROW_H

#include <stddef.h>

#include "runner/options.h"

struct option_row {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: a flag */
    const char *fallback; /* the default, as text, for --help and for setting it; NULL: none */
    const char *help;     /* NULL: for the program's own use */
    int (*set)(struct options *options, const struct option_row *row, const char *text,
               struct error *error);
    size_t offset; /* of its field, for the general setters */
    int64_t low, high;
};

/* tally's own options. */
extern const struct option_row own_options[];
extern const size_t own_option_count;

/* spark-submit's own options: what becomes of each. */
struct spark_option {
    struct option_row row; /* first: its setter is given that */
    const char *property;  /* that it stands for; NULL: none */
};

extern const struct spark_option spark_options[];
extern const size_t spark_option_count;
/* Whether it is there only to say why it cannot be. */
bool is_refused(const struct option_row *row);

/* Adds to a NULL-terminated list, at its end or before all others. */
void list_add(const char ***list, const char *text, bool first);

#endif

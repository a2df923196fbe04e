/* count.h: the engine as a filter: CSV in, one result record a line out, each
 * window once, in order, all closed at the end of the input. */
#ifndef TALLY_COUNT_H
#define TALLY_COUNT_H

#include "cluster/base/error.h"
#include "jobs/rejects.h"
#include "jobs/rows.h"

struct count_options {
    struct rows_options rows;
    int64_t rate; /* thousandths of a row a second: gives row n its time without a time column */
    bool strict;  /* a reject is an error */
    int output;   /* descriptor */
    void (*progress)(uint64_t rows); /* called now and then, or NULL */
};

struct count_summary {
    uint64_t rows, late, windows;
    struct rejects rejects;
};

/* `summary` is right also after an error: it tells how far it came. */
int count_csv(const struct spec *spec, const struct count_options *options,
              struct count_summary *summary, struct error *error);

#endif

/* rejects.h: why a row or a record was not counted. Nothing is dropped without
 * standing in one of these sums. */
#ifndef TALLY_REJECTS_H
#define TALLY_REJECTS_H

#include <stdint.h>

#include "cluster/base/buf.h"

enum reject {
    REJECT_SHORT,   /* fewer columns than the wanted one */
    REJECT_NUL,     /* a NUL byte in the row */
    REJECT_LONG,    /* longer than LIMIT_CSV_ROW */
    REJECT_QUOTING, /* text behind a closing quote, or a quote that never closes */
    REJECT_TIME,    /* the time column holds no time */
    REJECT_JSON,    /* no JSON, or not a single value in the field */
    REJECT_FUTURE,  /* more than --max-future ahead of the clock */
    REJECT_KINDS
};

struct rejects {
    uint64_t of[REJECT_KINDS];
};

uint64_t rejects_total(const struct rejects *rejects);
const char *reject_name(enum reject reject);
/* Appends "3 rejected (short row 1, NUL byte 2)", or "0 rejected". */
void rejects_describe(const struct rejects *rejects, struct buf *buf);

#endif

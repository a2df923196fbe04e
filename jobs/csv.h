/* csv.h: a few columns of a CSV, from bytes; it touches no file.
 *
 * RFC 4180, with LF or CRLF, and a first byte order mark skipped. A quote
 * inside an unquoted field is data. An empty line has no fields. A row that
 * cannot be read costs exactly that row: of one with bad quoting its first
 * line, so that a stray quote does not swallow what follows. */
#ifndef TALLY_CSV_H
#define TALLY_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/rejects.h"

/* Bytes that must be readable behind what csv_give gets; their content does not matter. */
#define CSV_PADDING 64
#define CSV_WANTED  2

enum csv_result { CSV_ROW, CSV_REJECT, CSV_MORE };

struct csv_field {
    const char *data; /* valid until the next call */
    size_t length;
};

struct csv_row {
    struct csv_field fields[CSV_WANTED]; /* the wanted columns, in the order asked for */
    struct csv_field text;               /* the whole row, without its line end */
    enum reject reject;                  /* after CSV_REJECT */
};

struct csv;

/* `columns`: 1 to CSV_WANTED indices. Free it with csv_free. */
struct csv *csv_new(const size_t *columns, size_t count);
void csv_free(struct csv *csv);
/* Other columns, from the next row on. */
void csv_want(struct csv *csv, const size_t *columns, size_t count);
/* The bytes to read: what csv_used left of the ones before, and more behind.
 * `last`: no more will come. At least LIMIT_CSV_ROW + 2 bytes unless last. */
void csv_give(struct csv *csv, const char *data, size_t length, bool last);
/* CSV_MORE: all is read but an unfinished row (with `last`: all is read). */
enum csv_result csv_next(struct csv *csv, struct csv_row *row);
/* Bytes of what was given that are done with. */
size_t csv_used(const struct csv *csv);
/* Reads a header row: the index of the column `name`, or -1. */
int csv_find_column(const char *row, size_t length, const char *name);

#endif

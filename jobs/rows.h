/* rows.h: the rows of a CSV file, of standard input, or of the sample: reading,
 * the header, and the wanted columns by index or by name. */
#ifndef TALLY_ROWS_H
#define TALLY_ROWS_H

#include "cluster/base/error.h"
#include "jobs/csv.h"
#include "jobs/spec.h"

enum rows_header { HEADER_AUTO, HEADER_YES, HEADER_NO };

struct rows_options {
    const char *file;        /* NULL or "-": standard input */
    const char *time_column; /* an index or a name; NULL: none */
    enum rows_header header; /* AUTO: there is one when a column is given by name */
};

enum rows_result { ROWS_ROW, ROWS_REJECT, ROWS_WAIT, ROWS_END, ROWS_ERROR };

struct rows;

/* Columns: fields[0] is the job's value, fields[1] the time where a time
 * column is asked for. NULL with EXIT_INPUT. */
struct rows *rows_open(const struct spec *spec, const struct rows_options *options,
                       struct error *error);
/* The sample that ships with the program. */
struct rows *rows_open_sample(const struct spec *spec, struct error *error);
void rows_close(struct rows *rows);
/* ROWS_WAIT: nothing to read yet (only after rows_set_nonblocking). The row is
 * valid until the next call. */
enum rows_result rows_next(struct rows *rows, struct csv_row *row, struct error *error);
/* From the first row again. EXIT_INPUT where the input cannot be read twice. */
int rows_rewind(struct rows *rows, struct error *error);
/* A pipe's reader does not block the caller; returns the descriptor to wait on. */
int rows_set_nonblocking(struct rows *rows);
/* The name for messages. */
const char *rows_name(const struct rows *rows);

#endif

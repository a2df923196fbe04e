#include "jobs/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/assets.h"
#include "cluster/base/buf.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"

#define BUFFER                                                                                     \
    (4 * LIMIT_CSV_ROW) /* several rows of any length; measured: larger is not faster              \
                         */

struct rows {
    struct csv *csv;
    char *name;
    int descriptor; /* -1: reads `sample` */
    const struct asset *sample;
    char *buffer;
    size_t filled; /* bytes in the buffer */
    size_t sample_at;
    bool end;
    bool nonblocking;
    /* The wanted columns; a name is looked up in the header row. */
    const char *names[CSV_WANTED];
    size_t columns[CSV_WANTED];
    size_t column_count;
    bool has_header, header_due; /* due: the next row is the header */
};

static int set_time_column(struct rows *rows, const char *column, struct error *error)
{
    int64_t index;

    rows->column_count = 2;
    if (column[strspn(column, "0123456789")] || !*column) {
        rows->names[1] = column;
        return *column ? 0 : error_set(error, EXIT_USAGE, "--time-column is empty");
    }
    if (!number_in_range(column, 0, LIMIT_CSV_COLUMNS - 1, &index))
        return error_set(error, EXIT_USAGE, "--time-column %s: the limit is %d columns", column,
                         LIMIT_CSV_COLUMNS);
    rows->columns[1] = (size_t)index;
    return 0;
}

static int set_columns(struct rows *rows, const struct spec *spec,
                       const struct rows_options *options, struct error *error)
{
    bool by_name;

    rows->column_count = 1;
    rows->names[0] = spec->column_name;
    rows->columns[0] = spec->column;
    if (options->time_column && set_time_column(rows, options->time_column, error) < 0)
        return -1;
    by_name = rows->names[0] || rows->names[1];
    rows->has_header = options->header == HEADER_YES || (options->header == HEADER_AUTO && by_name);
    if (by_name && !rows->has_header)
        return error_set(error, EXIT_USAGE,
                         "column '%s' is given by name, and --header no says there are no names",
                         rows->names[0] ? rows->names[0] : rows->names[1]);
    return 0;
}

static struct rows *new_rows(const char *name)
{
    struct rows *rows = mem_alloc(1, sizeof *rows);

    rows->name = mem_text(name);
    rows->descriptor = -1;
    rows->buffer = mem_alloc(BUFFER + CSV_PADDING, 1);
    return rows;
}

static int open_input(struct rows *rows, const char *file, struct error *error)
{
    bool standard = !file || strcmp(file, "-") == 0;
    char byte;

    rows->descriptor = standard ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
    /* An empty read tells a directory from a file before anything else is done. */
    if (rows->descriptor < 0 && interrupt_signal())
        return interrupt_error(error); /* a FIFO without a writer was waited for */
    if (rows->descriptor < 0 || read(rows->descriptor, &byte, 0) < 0)
        return error_set(error, EXIT_INPUT, "cannot read %s: %s", rows->name, strerror(errno));
    posix_fadvise(rows->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

/* Of a header row its first column is asked for: with it, it is a CSV's row. */
static void start_csv(struct rows *rows)
{
    static const size_t first_column[] = {0};

    csv_free(rows->csv);
    rows->header_due = rows->has_header;
    rows->csv =
        rows->has_header ? csv_new(first_column, 1) : csv_new(rows->columns, rows->column_count);
}

struct rows *rows_open(const struct spec *spec, const struct rows_options *options,
                       struct error *error)
{
    bool standard = !options->file || strcmp(options->file, "-") == 0;
    struct rows *rows = new_rows(standard ? "standard input" : options->file);

    if (set_columns(rows, spec, options, error) < 0 || open_input(rows, options->file, error) < 0) {
        rows_close(rows);
        return NULL;
    }
    start_csv(rows);
    return rows;
}

struct rows *rows_open_sample(const struct spec *spec, struct error *error)
{
    static const struct rows_options no_options = {.header = HEADER_AUTO};
    struct rows *rows = new_rows("the sample");

    rows->sample = asset_find("data/user_log.csv");
    if (set_columns(rows, spec, &no_options, error) < 0) {
        rows_close(rows);
        return NULL;
    }
    if (rows->has_header) {
        error_set(error, EXIT_INPUT,
                  "the sample has no header row, so no column '%s': feed a CSV with --feed FILE",
                  spec->column_name);
        rows_close(rows);
        return NULL;
    }
    start_csv(rows);
    return rows;
}

void rows_close(struct rows *rows)
{
    if (!rows)
        return;
    if (rows->descriptor >= 0)
        close(rows->descriptor);
    csv_free(rows->csv);
    free(rows->buffer);
    free(rows->name);
    free(rows);
}

const char *rows_name(const struct rows *rows)
{
    return rows->name;
}

/* Waits until there is something to read, or a signal has come: between a look
 * at the signal and a read that blocks, one could slip through. */
static bool wait_for_input(const struct rows *rows)
{
    struct pollfd wait[] = {{.fd = rows->descriptor, .events = POLLIN},
                            {.fd = interrupt_descriptor(), .events = POLLIN}};

    while (poll(wait, 2, -1) < 0 && errno == EINTR)
        if (interrupt_signal())
            return false;
    return !(wait[1].revents & POLLIN);
}

static ssize_t read_some(struct rows *rows, char *to, size_t room)
{
    size_t left;
    ssize_t got;

    if (rows->descriptor < 0) {
        left = rows->sample->length - rows->sample_at;
        if (left > room)
            left = room;
        memcpy(to, rows->sample->data + rows->sample_at, left);
        rows->sample_at += left;
        return (ssize_t)left;
    }
    if (!rows->nonblocking && !wait_for_input(rows)) {
        errno = EINTR;
        return -1;
    }
    do
        got = read(rows->descriptor, to, room);
    while (got < 0 && errno == EINTR && !interrupt_signal());
    return got;
}

/* Gives the parser more: ROWS_ROW when it has, else why not. */
static enum rows_result refill(struct rows *rows, struct error *error)
{
    size_t used = csv_used(rows->csv);
    ssize_t got;

    if (rows->end)
        return ROWS_END;
    rows->filled -= used;
    memmove(rows->buffer, rows->buffer + used, rows->filled);
    csv_give(rows->csv, rows->buffer, rows->filled, false);
    got = read_some(rows, rows->buffer + rows->filled, BUFFER - rows->filled);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return ROWS_WAIT;
    if (got < 0 && errno == EINTR) {
        interrupt_error(error);
        return ROWS_ERROR;
    }
    if (got < 0) {
        error_set(error, EXIT_INPUT, "reading %s: %s", rows->name, strerror(errno));
        return ROWS_ERROR;
    }
    rows->end = got == 0;
    rows->filled += (size_t)got;
    csv_give(rows->csv, rows->buffer, rows->filled, rows->end);
    return ROWS_ROW;
}

static int find_columns(struct rows *rows, const struct csv_row *header, struct error *error)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        int column;
        if (!rows->names[i])
            continue;
        column = csv_find_column(header->text.data, header->text.length, rows->names[i]);
        if (column < 0)
            return error_set(error, EXIT_INPUT, "%s: no column '%s' in its header row: %.*s",
                             rows->name, rows->names[i],
                             (int)(header->text.length < 200 ? header->text.length : 200),
                             header->text.data);
        rows->columns[i] = (size_t)column;
    }
    csv_want(rows->csv, rows->columns, rows->column_count);
    return 0;
}

/* The parser rejects a header row only when it is no CSV at all, for its first
 * column is what it is asked for. */
static int take_header(struct rows *rows, enum csv_result result, const struct csv_row *row,
                       struct error *error)
{
    rows->header_due = false;
    if (result == CSV_REJECT)
        return error_set(error, EXIT_INPUT, "%s: the header row cannot be read: %s", rows->name,
                         reject_name(row->reject));
    return find_columns(rows, row, error);
}

enum rows_result rows_next(struct rows *rows, struct csv_row *row, struct error *error)
{
    for (;;) {
        enum csv_result result = csv_next(rows->csv, row);
        if (result == CSV_MORE) {
            enum rows_result refilled = refill(rows, error);
            if (refilled != ROWS_ROW)
                return refilled;
        } else if (rows->header_due) {
            if (take_header(rows, result, row, error) < 0)
                return ROWS_ERROR;
        } else {
            return result == CSV_ROW ? ROWS_ROW : ROWS_REJECT;
        }
    }
}

int rows_rewind(struct rows *rows, struct error *error)
{
    if (rows->descriptor >= 0 && lseek(rows->descriptor, 0, SEEK_SET) < 0)
        return error_set(error, EXIT_INPUT, "%s cannot be read again from its start: %s",
                         rows->name, strerror(errno));
    rows->sample_at = rows->filled = 0;
    rows->end = false;
    start_csv(rows);
    return 0;
}

int rows_set_nonblocking(struct rows *rows)
{
    int flags;

    if (rows->descriptor < 0)
        return -1;
    flags = fcntl(rows->descriptor, F_GETFL);
    fcntl(rows->descriptor, F_SETFL, flags | O_NONBLOCK);
    rows->nonblocking = true;
    return rows->descriptor;
}

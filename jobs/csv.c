#include "jobs/csv.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "jobs/csv_block.h"

#define NOT_FOUND SIZE_MAX

struct csv {
    size_t columns[CSV_WANTED];
    size_t column_count;
    /* A field lies between two delimiters: the ordinals (from 1) of the commas
     * that bound the wanted ones, ascending, and where they are in this row.
     * The first is 0: what lies before the row counts as its comma 0. */
    size_t ordinals[2 * CSV_WANTED + 1], ordinal_count;
    size_t places[2 * CSV_WANTED + 1];
    size_t gaps[2 * CSV_WANTED + 2]; /* commas to pass over before each */
    /* Of each wanted field, the ordinals before and behind it: their indices. */
    size_t before[CSV_WANTED], behind[CSV_WANTED];

    const char *data;
    size_t length, at; /* at: the start of the next row */
    bool last;
    bool started;  /* the byte order mark was looked for */
    bool skipping; /* inside an over-long line */

    struct buf scratch[CSV_WANTED]; /* fields with escaped quotes, undone */
};

static void add_ordinal(struct csv *csv, size_t ordinal)
{
    size_t at = csv->ordinal_count;

    for (size_t i = 0; i < csv->ordinal_count; i++)
        if (csv->ordinals[i] == ordinal)
            return;
    for (; at > 0 && csv->ordinals[at - 1] > ordinal; at--)
        csv->ordinals[at] = csv->ordinals[at - 1];
    csv->ordinals[at] = ordinal;
    csv->ordinal_count++;
}

static size_t index_of(const struct csv *csv, size_t ordinal)
{
    size_t i = 0;

    while (csv->ordinals[i] != ordinal)
        i++;
    return i;
}

void csv_want(struct csv *csv, const size_t *columns, size_t count)
{
    csv->column_count = count;
    csv->ordinal_count = 0;
    add_ordinal(csv, 0);
    for (size_t i = 0; i < count; i++) {
        csv->columns[i] = columns[i];
        add_ordinal(csv, columns[i]);
        add_ordinal(csv, columns[i] + 1);
    }
    for (size_t i = 1; i < csv->ordinal_count; i++)
        csv->gaps[i] = csv->ordinals[i] - csv->ordinals[i - 1] - 1;
    for (size_t i = 0; i < count; i++) {
        csv->before[i] = index_of(csv, columns[i]);
        csv->behind[i] = index_of(csv, columns[i] + 1);
    }
}

struct csv *csv_new(const size_t *columns, size_t count)
{
    struct csv *csv = mem_alloc(1, sizeof *csv);

    csv_want(csv, columns, count);
    return csv;
}

void csv_free(struct csv *csv)
{
    if (!csv)
        return;
    for (size_t i = 0; i < CSV_WANTED; i++)
        buf_free(&csv->scratch[i]);
    free(csv);
}

void csv_give(struct csv *csv, const char *data, size_t length, bool last)
{
    csv->data = data;
    csv->length = length;
    csv->at = 0;
    csv->last = last;
}

size_t csv_used(const struct csv *csv)
{
    return csv->at;
}

/* What the fast reader found of a row without quotes and NULs. */
enum plain { PLAIN_ROW, PLAIN_SPECIAL, PLAIN_UNFINISHED };

/* Notes where the wanted ones are among the commas of a block. `*next`: the first
 * of them that is still to come, `*skip`: the commas before it. */
static void take_commas(struct csv *csv, size_t block, uint64_t commas, size_t *next, size_t *skip)
{
    while (*next < csv->ordinal_count) {
        for (; *skip && commas; (*skip)--)
            commas &= commas - 1;
        if (!commas)
            return;
        csv->places[(*next)++] = block + (size_t)__builtin_ctzll(commas);
        commas &= commas - 1;
        *skip = csv->gaps[*next];
    }
}

/* Finds the row's end and the wanted commas, 64 bytes at a time from its start:
 * most rows take one step, and nothing is kept between rows. */
static enum plain scan_plain(struct csv *csv, size_t *end, size_t *found)
{
    size_t skip = csv->gaps[1];

    *found = 1;
    csv->places[0] = csv->at - 1;
    for (size_t block = csv->at; block < csv->length; block += CSV_BLOCK) {
        struct csv_bits bits = csv_bits(csv->data + block);
        uint64_t before = ~UINT64_C(0); /* the row's end, or the data's */
        if (csv->length - block < CSV_BLOCK)
            before = (UINT64_C(1) << (csv->length - block)) - 1;
        bits.newlines &= before;
        if (bits.newlines)
            before = (bits.newlines & -bits.newlines) - 1;
        if (bits.specials & before)
            return PLAIN_SPECIAL;
        take_commas(csv, block, bits.commas & before, found, &skip);
        if (bits.newlines) {
            *end = block + (size_t)__builtin_ctzll(bits.newlines);
            return PLAIN_ROW;
        }
    }
    *end = csv->length;
    return PLAIN_UNFINISHED;
}

/* Without the CR of a CRLF. */
static size_t strip_cr(const char *data, size_t start, size_t end)
{
    return end > start && data[end - 1] == '\r' ? end - 1 : end;
}

static enum csv_result reject(struct csv_row *row, enum reject why)
{
    row->reject = why;
    return CSV_REJECT;
}

/* The row lies in [start, end), its commas are known. */
static enum csv_result cut_plain(const struct csv *csv, size_t start, size_t end, size_t found,
                                 struct csv_row *row)
{
    row->text = (struct csv_field){csv->data + start, end - start};
    if (start == end)
        return reject(row, REJECT_SHORT);
    for (size_t i = 0; i < csv->column_count; i++) {
        size_t from, to = csv->behind[i] < found ? csv->places[csv->behind[i]] : end;
        if (csv->before[i] >= found)
            return reject(row, REJECT_SHORT);
        from = csv->places[csv->before[i]] + 1;
        row->fields[i] = (struct csv_field){csv->data + from, to - from};
    }
    return CSV_ROW;
}

/* Reads over one quoted field from its opening quote: the index behind the
 * closing one, or NOT_FOUND. `*doubled`: it holds doubled quotes. */
static size_t skip_quoted(const char *data, size_t at, size_t end, bool *doubled)
{
    *doubled = false;
    for (at++; at < end; at++) {
        const char *quote = memchr(data + at, '"', end - at);
        if (!quote)
            return NOT_FOUND;
        at = (size_t)(quote - data) + 1;
        if (at == end || data[at] != '"')
            return at;
        *doubled = true;
    }
    return NOT_FOUND;
}

/* One field of a row that may hold quotes. */
struct raw_field {
    size_t start, end; /* without the quotes */
    size_t next;       /* the delimiter's index, or the data's end */
    bool doubled;
    bool bad; /* quoting */
    bool cut; /* the data end before the field is sure to */
};

static size_t find_delimiter(const char *data, size_t at, size_t end)
{
    while (at < end && data[at] != ',' && data[at] != '\n')
        at++;
    return at;
}

static struct raw_field read_field(const char *data, size_t at, size_t end)
{
    struct raw_field field = {.start = at};

    if (at == end || data[at] != '"') {
        field.next = find_delimiter(data, at, end);
        field.end = field.next == end || data[field.next] == '\n' ? strip_cr(data, at, field.next)
                                                                  : field.next;
        return field;
    }
    field.next = skip_quoted(data, at, end, &field.doubled);
    field.start = at + 1;
    if (field.next == NOT_FOUND) {
        field.bad = field.cut = true;
        return field;
    }
    field.end = field.next - 1;
    if (field.next < end && data[field.next] == '\r') {
        if (field.next + 1 == end)
            field.cut = true;
        if (field.next + 1 == end || data[field.next + 1] == '\n')
            field.next++;
    }
    field.bad = field.next < end && data[field.next] != ',' && data[field.next] != '\n';
    return field;
}

static struct csv_field undo_quotes(struct buf *scratch, const char *data,
                                    const struct raw_field *field)
{
    scratch->length = 0;
    buf_reserve(scratch, field->end - field->start);
    for (size_t i = field->start; i < field->end; i++) {
        scratch->data[scratch->length++] = data[i];
        i += data[i] == '"';
    }
    return (struct csv_field){scratch->data, scratch->length};
}

static void take_field(struct csv *csv, size_t column, const struct raw_field *field,
                       struct csv_row *row)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        if (csv->columns[i] != column)
            continue;
        row->fields[i] = field->doubled ? undo_quotes(&csv->scratch[i], csv->data, field)
                                        : (struct csv_field){csv->data + field->start,
                                                             field->end - field->start};
    }
}

/* How a row with quotes ended. */
struct quoted {
    size_t end, columns;
    bool bad, unfinished;
};

/* Reads a row field by field. Fields are taken only from a sound row: a bad
 * one is rejected whole. */
static struct quoted scan_quoted(struct csv *csv, struct csv_row *row)
{
    struct quoted result = {.end = csv->at};
    size_t most = csv->at + LIMIT_CSV_ROW + 2, lines = 1;
    size_t bound = most < csv->length ? most : csv->length;

    for (size_t at = csv->at;; at = result.end + 1) {
        struct raw_field field = read_field(csv->data, at, bound);
        bool at_end = field.next >= bound;
        if (field.bad || at_end)
            result.unfinished = (field.cut || at_end) && bound == csv->length && !csv->last;
        result.bad = field.bad || (at_end && bound < csv->length);
        if (result.bad || result.unfinished)
            return result;
        for (size_t i = field.start; i < field.end; i++)
            lines += csv->data[i] == '\n';
        result.bad = lines > LIMIT_CSV_ROW_LINES;
        take_field(csv, result.columns++, &field, row);
        result.end = field.next;
        if (result.bad || at_end || csv->data[field.next] == '\n')
            return result;
    }
}

static size_t first_line_end(const struct csv *csv)
{
    const char *newline = memchr(csv->data + csv->at, '\n', csv->length - csv->at);

    return newline ? (size_t)(newline - csv->data) : csv->length;
}

/* Goes on behind the line end at `end`, or at the end of the data. */
static void go_behind(struct csv *csv, size_t end)
{
    csv->at = end < csv->length ? end + 1 : end;
}

static enum csv_result skip_long_line(struct csv *csv, struct csv_row *row)
{
    size_t end = first_line_end(csv);

    csv->skipping = end == csv->length && !csv->last;
    go_behind(csv, end);
    return csv->skipping ? CSV_MORE : reject(row, REJECT_LONG);
}

static bool columns_missing(const struct csv *csv, size_t columns)
{
    for (size_t i = 0; i < csv->column_count; i++)
        if (csv->columns[i] >= columns)
            return true;
    return false;
}

/* A row with a quote or a NUL in it. */
static enum csv_result next_special(struct csv *csv, struct csv_row *row)
{
    size_t start = csv->at, line_end = first_line_end(csv);
    struct quoted quoted;

    if (line_end - start > LIMIT_CSV_ROW)
        return skip_long_line(csv, row);
    quoted = scan_quoted(csv, row);
    if (quoted.unfinished || (quoted.bad && line_end == csv->length && !csv->last))
        return CSV_MORE;
    if (quoted.bad) {
        go_behind(csv, line_end);
        return reject(row, REJECT_QUOTING);
    }
    go_behind(csv, quoted.end);
    row->text =
        (struct csv_field){csv->data + start, strip_cr(csv->data, start, quoted.end) - start};
    if (quoted.end - start > LIMIT_CSV_ROW)
        return reject(row, REJECT_LONG);
    if (memchr(row->text.data, '\0', row->text.length))
        return reject(row, REJECT_NUL);
    return columns_missing(csv, quoted.columns) ? reject(row, REJECT_SHORT) : CSV_ROW;
}

/* False when more bytes are needed to tell. */
static bool skip_mark(struct csv *csv)
{
    if (csv->length < 3 && !csv->last)
        return false;
    if (csv->length >= 3 && memcmp(csv->data, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    csv->started = true;
    return true;
}

enum csv_result csv_next(struct csv *csv, struct csv_row *row)
{
    size_t start, end, found;
    enum plain plain;

    if (!csv->started && !skip_mark(csv))
        return CSV_MORE;
    if (csv->skipping)
        return skip_long_line(csv, row);
    if (csv->at == csv->length)
        return CSV_MORE;
    plain = scan_plain(csv, &end, &found);
    if (plain == PLAIN_SPECIAL)
        return next_special(csv, row);
    if (end - csv->at > LIMIT_CSV_ROW)
        return skip_long_line(csv, row);
    if (plain == PLAIN_UNFINISHED && !csv->last)
        return CSV_MORE;
    start = csv->at;
    go_behind(csv, end);
    return cut_plain(csv, start, strip_cr(csv->data, start, end), found, row);
}

int csv_find_column(const char *row, size_t length, const char *name)
{
    struct buf scratch = {0};
    int column = -1;

    for (size_t at = 0, index = 0; at <= length && column < 0; index++) {
        struct raw_field field = read_field(row, at, length);
        struct csv_field text = {row + field.start, field.end - field.start};
        if (field.bad)
            break;
        if (field.doubled)
            text = undo_quotes(&scratch, row, &field);
        if (text.length == strlen(name) && memcmp(text.data, name, text.length) == 0)
            column = (int)index;
        at = field.next + 1;
    }
    buf_free(&scratch);
    return column;
}

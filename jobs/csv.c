#include "jobs/csv.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

#define BLOCK     64
#define NO_BLOCK  SIZE_MAX
#define NOT_FOUND SIZE_MAX

struct csv {
    size_t columns[CSV_WANTED];
    size_t column_count;
    /* A field lies between two delimiters: the ordinals (from 1) of the commas
     * that bound the wanted ones, ascending, and where they are in this row. */
    size_t ordinals[2 * CSV_WANTED], ordinal_count;
    size_t places[2 * CSV_WANTED];

    const char *data;
    size_t length, at; /* at: the start of the next row */
    bool last;
    bool started;  /* the byte order mark was looked for */
    bool skipping; /* inside an over-long line */

    /* One bit a byte for the 64 bytes from data + block. */
    size_t block;
    uint64_t commas, newlines, specials; /* specials: quotes and NULs */

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

void csv_want(struct csv *csv, const size_t *columns, size_t count)
{
    csv->column_count = count;
    csv->ordinal_count = 0;
    for (size_t i = 0; i < count; i++) {
        csv->columns[i] = columns[i];
        if (columns[i] > 0)
            add_ordinal(csv, columns[i]);
        add_ordinal(csv, columns[i] + 1);
    }
}

struct csv *csv_new(const size_t *columns, size_t count)
{
    struct csv *csv = mem_alloc(1, sizeof *csv);

    csv->block = NO_BLOCK;
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
    csv->block = NO_BLOCK;
}

size_t csv_used(const struct csv *csv)
{
    return csv->at;
}

#ifdef __SSE2__
static uint64_t equal_bits(const __m128i *bytes, char c)
{
    const __m128i wanted = _mm_set1_epi8(c);
    uint64_t bits = 0;

    for (int i = 0; i < 4; i++)
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[i], wanted)) << (16 * i);
    return bits;
}

static void read_block(struct csv *csv, const char *from)
{
    __m128i bytes[4];

    for (int i = 0; i < 4; i++)
        bytes[i] = _mm_loadu_si128((const __m128i *)(const void *)(from + 16 * i));
    csv->commas = equal_bits(bytes, ',');
    csv->newlines = equal_bits(bytes, '\n');
    csv->specials = equal_bits(bytes, '"') | equal_bits(bytes, '\0');
}
#else
static void read_block(struct csv *csv, const char *from)
{
    csv->commas = csv->newlines = csv->specials = 0;
    for (int i = 0; i < BLOCK; i++) {
        csv->commas |= (uint64_t)(from[i] == ',') << i;
        csv->newlines |= (uint64_t)(from[i] == '\n') << i;
        csv->specials |= (uint64_t)(from[i] == '"' || from[i] == '\0') << i;
    }
}
#endif

static void load_block(struct csv *csv, size_t block)
{
    size_t left = csv->length - block;

    if (csv->block == block)
        return;
    csv->block = block;
    read_block(csv, csv->data + block);
    if (left < BLOCK) { /* the padding says nothing */
        uint64_t real = (UINT64_C(1) << left) - 1;
        csv->commas &= real;
        csv->newlines &= real;
        csv->specials &= real;
    }
}

/* What the fast reader found of a row without quotes and NULs. */
enum plain { PLAIN_ROW, PLAIN_SPECIAL, PLAIN_UNFINISHED };

/* Finds the row's end and the wanted commas, a block of 64 bytes at a time. */
static enum plain scan_plain(struct csv *csv, size_t *end, size_t *found)
{
    size_t block = csv->at & ~(size_t)(BLOCK - 1), seen = 0, next = 0;
    uint64_t live = ~UINT64_C(0) << (csv->at & (BLOCK - 1));

    for (; block < csv->length; block += BLOCK, live = ~UINT64_C(0)) {
        uint64_t newline, before, commas;
        load_block(csv, block);
        newline = csv->newlines & live;
        before = live & (newline ? (newline & -newline) - 1 : ~UINT64_C(0));
        if (csv->specials & before)
            return PLAIN_SPECIAL;
        for (commas = csv->commas & before; commas && next < csv->ordinal_count;
             commas &= commas - 1)
            if (++seen == csv->ordinals[next])
                csv->places[next++] = block + (size_t)__builtin_ctzll(commas);
        if (newline) {
            *end = block + (size_t)__builtin_ctzll(newline);
            *found = next;
            return PLAIN_ROW;
        }
    }
    *end = csv->length;
    *found = next;
    return PLAIN_UNFINISHED;
}

static size_t place_of(const struct csv *csv, size_t ordinal, size_t found)
{
    for (size_t i = 0; i < found; i++)
        if (csv->ordinals[i] == ordinal)
            return csv->places[i];
    return NOT_FOUND;
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
        size_t column = csv->columns[i], from = start, to = place_of(csv, column + 1, found);
        if (column > 0) {
            from = place_of(csv, column, found);
            if (from == NOT_FOUND)
                return reject(row, REJECT_SHORT);
            from++;
        }
        if (to == NOT_FOUND)
            to = end;
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

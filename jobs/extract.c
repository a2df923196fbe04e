#include "jobs/extract.h"

#include <stdlib.h>

#include "jobs/json_field.h"

struct extract {
    const struct spec *spec;
    struct csv *csv;
    struct buf bytes; /* a CSV record with the reader's padding, or a JSON string's text */
};

struct extract *extract_new(const struct spec *spec)
{
    struct extract *extract = mem_alloc(1, sizeof *extract);

    extract->spec = spec;
    return extract;
}

void extract_free(struct extract *extract)
{
    if (!extract)
        return;
    csv_free(extract->csv);
    buf_free(&extract->bytes);
    free(extract);
}

/* A record is one row; its line end may be there or not. */
static bool extract_csv(struct extract *extract, const char *bytes, size_t length,
                        struct csv_field *value, enum reject *why)
{
    struct csv_row row;
    enum csv_result result;

    csv_free(extract->csv); /* a reader's state is of one text: a byte order mark, a long row */
    extract->csv = csv_new(&extract->spec->column, 1);
    extract->bytes.length = 0;
    buf_reserve(&extract->bytes, length + CSV_PADDING);
    buf_add(&extract->bytes, bytes, length);
    csv_give(extract->csv, extract->bytes.data, length, true);
    result = csv_next(extract->csv, &row);
    *value = row.fields[0];
    *why = result == CSV_REJECT ? row.reject : REJECT_SHORT;
    if (result == CSV_ROW && csv_used(extract->csv) != length) {
        *why = REJECT_QUOTING; /* a line end that no quotes hold */
        return false;
    }
    return result == CSV_ROW;
}

bool extract_value(struct extract *extract, const char *bytes, size_t length,
                   struct csv_field *value, enum reject *why)
{
    if (!bytes) {
        *value = (struct csv_field){"", 0};
        return true;
    }
    switch (extract->spec->format) {
    case FORMAT_CSV:
        return extract_csv(extract, bytes, length, value, why);
    case FORMAT_JSON:
        *why = REJECT_JSON;
        return json_field(bytes, length, extract->spec->field, &extract->bytes, &value->data,
                          &value->length);
    case FORMAT_VALUE:
        break;
    }
    *value = (struct csv_field){bytes, length};
    return true;
}

/* json_field.h: one field of a JSON text, as written: 1.50 stays "1.50", which
 * a parser that makes numbers of numbers would lose. The whole text is checked
 * (RFC 8259); of names that come twice the last counts. */
#ifndef TALLY_JSON_FIELD_H
#define TALLY_JSON_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/buf.h"

/* The value at `path` ("a.b"): a string without quotes and escapes, a number or
 * true or false as written; null or absent: length 0. False for what is no
 * JSON, and for an object or array in that place. `*value` lies in `text` or
 * in `scratch`. */
bool json_field(const char *text, size_t length, const char *path, struct buf *scratch,
                const char **value, size_t *value_length);

#endif

/* properties.h: the lines of a properties file as Java reads them
 * (java.util.Properties.load). Bytes in, pairs out; no I/O. */
#ifndef TALLY_PROPERTIES_H
#define TALLY_PROPERTIES_H

#include <stddef.h>

#include "cluster/base/buf.h"
#include "cluster/base/error.h"

/* One pair, in the file's order; the texts may hold any byte, a NUL too, and
 * are the reader's. */
typedef void properties_pair(void *context, const struct buf *name, const struct buf *value);

/* -1, EXIT_INPUT, at a \u without four hexadecimal digits, where Java fails
 * too: the pairs before it were given. An escaped half of a surrogate pair
 * without the other becomes U+FFFD. */
int properties_read(const char *text, size_t length, properties_pair *pair, void *context,
                    struct error *error);

#endif

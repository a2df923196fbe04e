/* log_lines.h: a log as it is printed: as it comes, or with --json an object
 * for each line (docs/json.md). */
#ifndef TALLY_LOG_LINES_H
#define TALLY_LOG_LINES_H

#include <stddef.h>

#include "cluster/base/buf.h"
#include "cluster/base/error.h"

/* Whose lines: the texts are the caller's. */
struct log_source {
    const char *id;       /* the driver's, or the application's */
    const char *executor; /* its number; NULL: the driver's log */
    const char *stream;   /* "stderr" or "stdout" */
};

/* The lines of `text`, to stdout, each an object. What has no end yet is kept in
 * `rest` (which starts as {0}) for the next call; of a line longer than
 * LIMIT_LOG_LINE each part is an object. Bytes that are not UTF-8 become U+FFFD. */
int log_lines_print(const struct log_source *source, const char *text, size_t length,
                    struct buf *rest, struct error *error);
/* What is left in `rest`, when nothing comes behind it any more. */
int log_lines_end(const struct log_source *source, struct buf *rest, struct error *error);

#endif

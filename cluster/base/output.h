/* output.h: data on stdout, whole or with an error. */
#ifndef TALLY_OUTPUT_H
#define TALLY_OUTPUT_H

#include <stddef.h>

#include "cluster/base/error.h"

/* Writes all the bytes to the descriptor. A reader that has gone ends the
 * program as it ends cat: by SIGPIPE, silently. */
int output_write(int descriptor, const char *bytes, size_t length, struct error *error);
/* The same for what printf has put into stdout. */
int output_flush(struct error *error);

#endif

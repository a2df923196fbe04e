/* source.h: a file as it was read, and places in it: what a finding points at
 * and what a correction changes. */
#ifndef TALLY_SOURCE_H
#define TALLY_SOURCE_H

#include <stddef.h>

#include "cluster/base/error.h"

struct source {
    char *path; /* as the user wrote it, or as another file refers to it */
    char *bytes;
    size_t length;
};

/* How a value is written, for who puts another in its place. */
enum place_style {
    PLACE_NONE, /* nowhere: a default, or the shell's environment */
    PLACE_PLAIN,
    PLACE_SINGLE, /* between ' */
    PLACE_DOUBLE, /* between " */
    PLACE_BLOCK,  /* a block scalar, or one over several lines */
};

/* Of a value: where it stands. `start` and `end` are the bytes that a new text
 * replaces: within the quotes of PLACE_SINGLE and PLACE_DOUBLE, and only what is
 * behind "NAME=" in an environment written as a list; the whole token of
 * PLACE_BLOCK. They are equal where nothing is written (`NAME:`), and a blank is
 * needed before what is put there if a colon stands before it. */
struct place {
    const struct source *source; /* NULL: nowhere */
    size_t line, column;         /* from 1; of the value itself */
    size_t start, end;
    enum place_style style;
};

/* Reads a whole regular file (a symbolic link to one is fine), or standard input
 * ("-"), of at most `most` bytes. EXIT_INPUT with the reason. Free with source_free. */
int source_read(const char *path, size_t most, struct source **source, struct error *error);
struct source *source_copy(const struct source *source);
/* NULL is fine. */
void source_free(struct source *source);

#endif

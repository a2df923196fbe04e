/* wrap.h: text for people, broken into lines of the width that there is. */
#ifndef TALLY_WRAP_H
#define TALLY_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal that `to` is; where it is none, COLUMNS, or else 100. */
int wrap_width(FILE *to);
/* Prints the text and a newline. `column` is where the first line begins (what
 * stands before it is printed already), `indent` where the others do. What
 * stands behind the last blank that fits goes to the next line; a longer word
 * stays whole. */
void wrap_print(FILE *to, const char *text, size_t length, int column, int indent, int width);
/* A command's text: paragraphs, whose line breaks are blanks, and lines that
 * begin with a blank: shell commands, broken behind a backslash. */
void wrap_print_text(FILE *to, const char *text, int width);

#endif

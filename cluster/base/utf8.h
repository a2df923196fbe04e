/* utf8.h: what is well-formed UTF-8 and what is not, and how to write it. */
#ifndef TALLY_UTF8_H
#define TALLY_UTF8_H

#include <stddef.h>

#include "cluster/base/buf.h"

/* The length of the well-formed character at `at`, of which `left` > 0 bytes
 * may be read; 0 if there is none. */
size_t utf8_length(const unsigned char *at, size_t left);
/* Adds the character of that number, at most 0x10ffff. */
void utf8_add(struct buf *text, unsigned code);
/* Makes each control character blank, in place: what came from outside is then
 * one line, and tells a terminal nothing. */
void utf8_keep_line(char *text);

#endif

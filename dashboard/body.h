/* body.h: bytes that are sent, often to many clients at once: made once,
 * shared, freed by whoever lets go last.
 *
 * A body has BODY_ROOM writable bytes in front of its data, where
 * libwebsockets puts a frame's header; the header is the same for all. */
#ifndef TALLY_BODY_H
#define TALLY_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/buf.h"

#define BODY_ROOM 16

struct body {
    const char *data;
    size_t length;
    size_t references;
    char *memory;    /* what is freed; NULL: the data is part of the program, without room */
    size_t *account; /* NULL, or the bytes alive of this kind */
};

/* Starts a text that shall become a body. */
void body_start(struct buf *text);
/* Makes the body, with one reference, and takes the text's memory. `account`
 * (or NULL) is told how many bytes live, and must outlive the body. */
struct body *body_finish(struct buf *text, size_t *account);
/* A body of bytes that live as long as the program. */
struct body *body_of(const char *data, size_t length);
struct body *body_hold(struct body *body);
/* Gives a reference back; NULL is fine. */
void body_release(struct body *body);

#endif

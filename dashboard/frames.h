/* frames.h: what a WebSocket's client sends, piece by piece as it comes.
 * Nothing that a client says matters, but that it speaks; so it is short, and
 * only lengths and the code of a close are looked at. Touches no socket. */
#ifndef TALLY_FRAMES_H
#define TALLY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a message: `length` bytes, after which `left` bytes of its frame
 * are still to come. `message` is what came of the message before, in bytes;
 * `first`: nothing. False: it gets longer than LIMIT_CLIENT_FRAME, in however
 * many frames; one without bytes counts as a byte, or there could be a million. */
bool frames_take(uint32_t *message, size_t length, size_t left, bool first);

/* Whether a close frame's payload has a code that somebody has defined, or
 * none at all (RFC 6455, sections 5.5.1 and 7.4). */
bool frames_close_is_sound(const unsigned char *payload, size_t length);

#endif

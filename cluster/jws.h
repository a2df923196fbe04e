/* jws.h: the signed token that a Spark master with the JWS filter asks for
 * (org.apache.spark.ui.JWSFilter, since 4.0): HMAC with SHA-256 over
 * "header.payload" (RFC 7515). No I/O. */
#ifndef TALLY_JWS_H
#define TALLY_JWS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/base/error.h"

/* Its key as Spark's configuration has it, base64url with or without "=" at
 * its end; blanks around it are left out. What it decodes to may be 32 bytes or
 * more (the filter takes no less) and LIMIT_KEY_BYTES at most: EXIT_INPUT, without
 * a part of the key. `*key`: `*length` bytes; free() it. */
int jws_key(const char *text, unsigned char **key, size_t *length, struct error *error);
/* "Bearer HEADER.PAYLOAD.SIGNATURE", to be used within ten minutes of `now_ms`,
 * ms since the epoch; free() it. */
char *jws_bearer(const unsigned char *key, size_t length, int64_t now_ms);

#endif

#include "cluster/jws.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

#define KEY_LEAST 32 /* bytes: HS256's own length (RFC 7518, 3.2) */
#define VALID_S   600

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* base64url without padding (RFC 7515, 2). */
static void add_base64(struct buf *text, const unsigned char *bytes, size_t length)
{
    uint32_t bits = 0;
    int count = 0;

    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6)
            buf_char(text, digits[bits >> (count - 6) & 63]);
    }
    if (count > 0)
        buf_char(text, digits[bits << (6 - count) & 63]);
}

/* The bytes it stands for, in `to` with room for all; their number, or -1. */
static long read_base64(const char *text, size_t length, unsigned char *to)
{
    uint32_t bits = 0;
    int count = 0;
    long made = 0;

    while (length > 0 && text[length - 1] == '=')
        length--;
    if (length % 4 == 1)
        return -1;
    for (size_t i = 0; i < length; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return -1;
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[made++] = (unsigned char)(bits >> count);
        }
    }
    return made;
}

int jws_key(const char *text, unsigned char **key, size_t *length, struct error *error)
{
    static const char blanks[] = " \t\r\n";
    unsigned char *bytes;
    long made;
    size_t end;

    text += strspn(text, blanks);
    end = strcspn(text, blanks);
    if (text[end + strspn(text + end, blanks)] || end > 2 * LIMIT_KEY_BYTES)
        return error_set(error, EXIT_INPUT, "it must be one line of base64url, and no more");
    bytes = mem_alloc(end + 1, 1);
    made = read_base64(text, end, bytes);
    if (made >= KEY_LEAST && made <= LIMIT_KEY_BYTES) {
        *key = bytes;
        *length = (size_t)made;
        return 0;
    }
    free(bytes);
    if (made < 0)
        return error_set(error, EXIT_INPUT, "it is not base64url (A-Z, a-z, 0-9, - and _)");
    return error_set(error, EXIT_INPUT, "it stands for %ld bytes: HS256 needs %d or more, up to %d",
                     made, KEY_LEAST, LIMIT_KEY_BYTES);
}

char *jws_bearer(const unsigned char *key, size_t length, int64_t now_ms)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", bearer[] = "Bearer ";
    long long now = now_ms / 1000;
    char *payload = mem_format("{\"iss\":\"tally\",\"iat\":%lld,\"exp\":%lld}", now, now + VALID_S);
    unsigned char signature[EVP_MAX_MD_SIZE];
    unsigned int signed_bytes = 0;
    struct buf text = {0};

    buf_text(&text, bearer);
    add_base64(&text, (const unsigned char *)header, strlen(header));
    buf_char(&text, '.');
    add_base64(&text, (const unsigned char *)payload, strlen(payload));
    if (!HMAC(EVP_sha256(), key, (int)length, (const unsigned char *)text.data + strlen(bearer),
              text.length - strlen(bearer), signature, &signed_bytes))
        abort(); /* out of memory */
    buf_char(&text, '.');
    add_base64(&text, signature, signed_bytes);
    free(payload);
    return text.data;
}

#include "dashboard/frames.h"

#include "cluster/base/limits.h"

bool frames_take(uint32_t *message, size_t length, size_t left, bool first)
{
    size_t before = first ? 0 : *message;

    if (length == 0)
        length = 1;
    if (left > LIMIT_CLIENT_FRAME || length > LIMIT_CLIENT_FRAME ||
        before + length + left > LIMIT_CLIENT_FRAME)
        return false;
    *message = (uint32_t)(before + length);
    return true;
}

bool frames_close_is_sound(const unsigned char *payload, size_t length)
{
    int code;

    if (length == 0)
        return true;
    if (length < 2)
        return false;
    code = payload[0] << 8 | payload[1];
    if (code >= 1000 && code <= 1014)
        return code < 1004 || code > 1006; /* those stand for what no frame can say */
    return code >= 3000 && code < 5000;
}

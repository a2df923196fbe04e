#include "runner/log_lines.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/limits.h"
#include "cluster/base/output.h"

/* Objects are written so many bytes at a time, or the longest there is. */
#define WRITE_BYTES 65536

static void add_member(struct buf *out, const char *name, const char *value)
{
    buf_format(out, "\"%s\":", name);
    if (value)
        buf_json_string(out, value, strlen(value));
    else
        buf_text(out, "null");
    buf_char(out, ',');
}

static void add_line(const struct log_source *source, const char *line, size_t length, bool partial,
                     struct buf *out)
{
    buf_char(out, '{');
    add_member(out, "id", source->id);
    add_member(out, "executor", source->executor);
    add_member(out, "stream", source->stream);
    buf_text(out, "\"line\":");
    buf_json_string(out, line, length);
    buf_format(out, ",\"partial\":%s}\n", partial ? "true" : "false");
}

/* As much of a long line as is printed at once: it ends between two characters. */
static size_t cut(const char *line)
{
    size_t length = LIMIT_LOG_LINE;

    while (length > LIMIT_LOG_LINE - 3 && ((unsigned char)line[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static int write_out(struct buf *out, size_t least, struct error *error)
{
    int result =
        out->length > least ? output_write(STDOUT_FILENO, out->data, out->length, error) : 0;

    if (out->length > least)
        out->length = 0;
    return result;
}

int log_lines_print(const struct log_source *source, const char *text, size_t length,
                    struct buf *rest, struct error *error)
{
    struct buf out = {0};
    size_t at = 0;
    int result = 0;

    buf_add(rest, text, length);
    while (result == 0) {
        const char *line = rest->data + at, *end = memchr(line, '\n', rest->length - at);
        size_t left = end ? (size_t)(end - line) : rest->length - at;
        bool partial = left > LIMIT_LOG_LINE;
        if (!end && !partial)
            break;
        left = partial ? cut(line) : left;
        add_line(source, line, left, partial, &out);
        at += left + !partial;
        result = write_out(&out, WRITE_BYTES, error);
    }
    if (result == 0)
        result = write_out(&out, 0, error);
    rest->length -= at;
    memmove(rest->data, rest->data + at, rest->length + 1);
    buf_free(&out);
    return result;
}

int log_lines_end(const struct log_source *source, struct buf *rest, struct error *error)
{
    struct buf out = {0};
    int result;

    if (rest->length == 0)
        return 0;
    add_line(source, rest->data, rest->length, true, &out);
    rest->length = 0;
    result = write_out(&out, 0, error);
    buf_free(&out);
    return result;
}

#include "cluster/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/utf8.h"

static void *or_die(void *memory)
{
    if (!memory) {
        fputs("tally: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t count, size_t size)
{
    return or_die(calloc(count ? count : 1, size));
}

void *mem_grow(void *memory, size_t count, size_t size)
{
    return or_die(reallocarray(memory, count ? count : 1, size));
}

char *mem_bytes(const char *bytes, size_t length)
{
    char *copy = mem_alloc(length + 1, 1);

    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

char *mem_text(const char *text)
{
    return mem_bytes(text, strlen(text));
}

static void add_formatted(struct buf *buf, const char *format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        abort(); /* only a broken format string gets here */
    buf_reserve(buf, (size_t)length);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, arguments);
    buf->length += (size_t)length;
}

char *mem_format(const char *format, ...)
{
    struct buf buf = {0};
    va_list arguments;

    va_start(arguments, format);
    add_formatted(&buf, format, arguments);
    va_end(arguments);
    return buf.data;
}

void buf_reserve(struct buf *buf, size_t more)
{
    size_t needed = buf->length + more + 1;

    if (needed <= buf->size)
        return;
    buf->size = needed < 64 ? 64 : needed + needed / 2;
    buf->data = mem_grow(buf->data, buf->size, 1);
    buf->data[buf->length] = '\0';
}

void buf_add(struct buf *buf, const char *bytes, size_t length)
{
    buf_reserve(buf, length);
    if (length)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_format(struct buf *buf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_formatted(buf, format, arguments);
    va_end(arguments);
}

static void add_json_escape(struct buf *buf, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(plain, c) : NULL;

    if (found) {
        buf_char(buf, '\\');
        buf_char(buf, letters[found - plain]);
    } else {
        buf_format(buf, "\\u%04x", c);
    }
}

void buf_json_string(struct buf *buf, const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

    buf_char(buf, '"');
    while (at < end) {
        size_t n = utf8_length(at, (size_t)(end - at));
        if (n == 0) {
            buf_text(buf, "\xef\xbf\xbd");
            at++;
        } else if (n == 1 && (*at < 0x20 || *at == '"' || *at == '\\')) {
            add_json_escape(buf, *at++);
        } else {
            buf_add(buf, (const char *)at, n);
            at += n;
        }
    }
    buf_char(buf, '"');
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

/* buf.h: memory that is there or ends the program, and a string that grows.
 *
 * Out of memory: die. Every size that comes from outside is bounded in
 * limits.h before it gets here. */
#ifndef TALLY_BUF_H
#define TALLY_BUF_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t count, size_t size); /* zeroed; free() it */
void *mem_grow(void *memory, size_t count, size_t size);
char *mem_text(const char *text);                  /* a copy; free() it */
char *mem_bytes(const char *bytes, size_t length); /* a copy with a NUL behind; free() it */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Starts as {0}; `data` always has a NUL at data[length] once something was added. */
struct buf {
    char *data;
    size_t length;
    size_t size;
};

void buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const char *bytes, size_t length);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_json_string(struct buf *buf, const char *bytes, size_t length);
void buf_free(struct buf *buf);

#endif

#include "cluster/tar.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* POSIX.1-2017, pax: a header is a block, and so is what follows, padded. */
#define BLOCK       512
#define SIZE_AT     124
#define SIZE_LENGTH 12
#define SUM_AT      148
#define SUM_LENGTH  8
#define TYPE_AT     156

static bool read_octal(const unsigned char *field, size_t length, uint64_t *value)
{
    size_t at = 0;

    while (at < length && field[at] == ' ')
        at++;
    *value = 0;
    for (; at < length && field[at] >= '0' && field[at] <= '7'; at++)
        *value = *value * 8 + (uint64_t)(field[at] - '0');
    return at == length || field[at] == ' ' || field[at] == '\0';
}

/* GNU's tar and Go's write a size from 8 GiB on in base 256. No such file is taken. */
static bool read_size(const unsigned char *header, uint64_t *size)
{
    return !(header[SIZE_AT] & 0x80) && read_octal(header + SIZE_AT, SIZE_LENGTH, size);
}

/* The sum of the header's bytes, with blanks in the sum's own place. */
static bool is_header(const unsigned char *header)
{
    uint64_t told, sum = (uint64_t)' ' * SUM_LENGTH;

    if (!read_octal(header + SUM_AT, SUM_LENGTH, &told))
        return false;
    for (size_t i = 0; i < BLOCK; i++)
        if (i < SUM_AT || i >= SUM_AT + SUM_LENGTH)
            sum += header[i];
    return sum == told;
}

static bool is_end(const unsigned char *header)
{
    for (size_t i = 0; i < BLOCK; i++)
        if (header[i])
            return false;
    return true;
}

/* What only describes the next file: pax's and GNU's. */
static bool is_description(unsigned char type)
{
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

enum tar_result tar_first_file(const char *bytes, size_t length, size_t *at, uint64_t *size)
{
    *at = 0;
    while (*at <= length && length - *at >= BLOCK) {
        const unsigned char *header = (const unsigned char *)bytes + *at;
        if (is_end(header))
            return TAR_OTHER;
        if (!is_header(header) || !read_size(header, size))
            return TAR_BROKEN;
        *at += BLOCK;
        if (!is_description(header[TYPE_AT]))
            return header[TYPE_AT] == '0' || header[TYPE_AT] == '\0' ? TAR_FILE : TAR_OTHER;
        *at += (size_t)((*size + BLOCK - 1) / BLOCK * BLOCK);
    }
    return TAR_MORE;
}

bool tar_add_file(struct buf *archive, const char *path, const char *bytes, size_t length)
{
    bool folder = *path && path[strlen(path) - 1] == '/';
    unsigned char header[BLOCK] = {0};
    unsigned sum = 0;

    if (strlen(path) > TAR_PATH)
        return false;
    /* name, mode, uid, gid, size, mtime, sum, type, link's target, "ustar", its version */
    snprintf((char *)header, BLOCK, "%s", path);
    snprintf((char *)header + 100, 8, "0000755");
    snprintf((char *)header + 108, 8, "0000000");
    snprintf((char *)header + 116, 8, "0000000");
    snprintf((char *)header + SIZE_AT, SIZE_LENGTH, "%011o", (unsigned)length);
    snprintf((char *)header + 136, 12, "00000000000");
    memset(header + SUM_AT, ' ', SUM_LENGTH);
    header[TYPE_AT] = folder ? '5' : '0';
    snprintf((char *)header + 257, 6, "ustar");
    snprintf((char *)header + 263, 3, "00");
    for (size_t i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + SUM_AT, SUM_LENGTH, "%06o", sum);
    buf_add(archive, (const char *)header, BLOCK);
    buf_add(archive, bytes, length);
    buf_add(archive, (const char[BLOCK]){0}, (BLOCK - length % BLOCK) % BLOCK);
    return true;
}

void tar_end(struct buf *archive)
{
    buf_add(archive, (const char[2 * BLOCK]){0}, 2 * BLOCK);
}

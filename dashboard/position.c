#include "dashboard/position.h"

#include <string.h>

#include "cluster/base/number.h"

void position_write(const int64_t *offsets, size_t partitions, struct buf *buf)
{
    char digits[20];

    for (size_t i = 0; i < partitions; i++) {
        if (i > 0)
            buf_char(buf, '.');
        buf_add(buf, digits, number_write(digits, i));
        buf_char(buf, '-');
        buf_add(buf, digits, number_write(digits, (uint64_t)offsets[i]));
    }
}

/* The number that ends at `end`; it has no leading zeros and no sign. */
static bool parse_number(const char **at, char end, int64_t *number)
{
    size_t length = strspn(*at, "0123456789");
    const char *digits = *at;

    if (length > 1 && *digits == '0')
        return false;
    if (!number_int64(digits, length, number) || digits[length] != end)
        return false;
    *at = digits + length + (end != '\0');
    return true;
}

bool position_parse(const char *id, int64_t *offsets, size_t partitions)
{
    int64_t partition;

    for (size_t i = 0; i < partitions; i++) {
        if (!parse_number(&id, '-', &partition) || partition != (int64_t)i)
            return false;
        if (!parse_number(&id, i + 1 < partitions ? '.' : '\0', &offsets[i]))
            return false;
    }
    return partitions > 0;
}

bool position_covers(const int64_t *position, const int64_t *other, size_t partitions)
{
    for (size_t i = 0; i < partitions; i++)
        if (position[i] < other[i])
            return false;
    return true;
}

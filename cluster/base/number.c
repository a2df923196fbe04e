#include "cluster/base/number.h"

#include <string.h>

bool number_int64(const char *text, size_t length, int64_t *value)
{
    const char *at = text, *end = text + length;
    bool negative = at < end && *at == '-';
    int64_t sum = 0;

    at += negative;
    if (at == end)
        return false;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, (int64_t)digit, &sum))
            return false;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

bool number_in_range(const char *text, int64_t low, int64_t high, int64_t *value)
{
    int64_t found;

    if (!number_int64(text, strlen(text), &found) || found < low || found > high)
        return false;
    *value = found;
    return true;
}

bool number_thousandths(const char *text, int64_t *thousandths)
{
    const int64_t most = 1000000000000;
    const char *point = strchr(text, '.');
    size_t whole_length = point ? (size_t)(point - text) : strlen(text);
    size_t decimals = point ? strlen(point + 1) : 0;
    int64_t whole, part = 0;

    if (text[0] == '-' || !number_int64(text, whole_length, &whole) || whole > most)
        return false;
    if (point && (decimals < 1 || decimals > 3 || point[1] == '-' ||
                  !number_int64(point + 1, decimals, &part)))
        return false;
    for (size_t i = decimals; i < 3; i++)
        part *= 10;
    *thousandths = whole * 1000 + part;
    return *thousandths > 0;
}

bool number_duration(const char *text, int64_t *milliseconds)
{
    static const struct {
        const char *name;
        int64_t milliseconds;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = strspn(text, "0123456789");
    int64_t count;

    if (!number_int64(text, digits, &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + digits, units[i].name) == 0)
            return !__builtin_mul_overflow(count, units[i].milliseconds, milliseconds);
    return false;
}

size_t number_write(char *to, uint64_t value)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    return count;
}

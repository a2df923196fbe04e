/* number.h: numbers and durations from text, whole or not at all. */
#ifndef TALLY_NUMBER_H
#define TALLY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits with an optional minus; no blanks, no plus, no overflow. */
bool number_int64(const char *text, size_t length, int64_t *value);

/* A NUL-terminated whole number in [low, high]. */
bool number_in_range(const char *text, int64_t low, int64_t high, int64_t *value);

/* "0.25", "10", up to three decimals, as thousandths; in (0, 1e12]. */
bool number_thousandths(const char *text, int64_t *thousandths);

/* "250ms", "1s", "5m", "2h", "7d" in milliseconds; whole numbers, a unit is needed. */
bool number_duration(const char *text, int64_t *milliseconds);

/* Writes the digits; at most 20 characters, no NUL; returns their number. */
size_t number_write(char *to, uint64_t value);

#endif

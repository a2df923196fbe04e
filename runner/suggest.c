#include "runner/suggest.h"

#include <stddef.h>
#include <string.h>

#define LONGEST 40

static size_t least(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* Letters to insert, to remove, to replace, or to swap with the next
 * (Damerau and Levenshtein's distance, optimal string alignment). */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[LONGEST + 1][LONGEST + 1];

    for (size_t i = 0; i <= a_length; i++)
        rows[i][0] = i;
    for (size_t k = 0; k <= b_length; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_length; i++)
        for (size_t k = 1; k <= b_length; k++) {
            size_t other = rows[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            rows[i][k] = least(rows[i - 1][k] + 1, rows[i][k - 1] + 1, other);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                rows[i - 2][k - 2] + 1 < rows[i][k])
                rows[i][k] = rows[i - 2][k - 2] + 1;
        }
    return rows[a_length][b_length];
}

const char *suggest(const char *written, const char *const *names)
{
    size_t length = strcspn(written, "="), best = 1 + length / 4;
    const char *found = NULL;

    if (length == 0 || length > LONGEST)
        return NULL;
    for (; *names; names++) {
        size_t name_length = strlen(*names);
        size_t far =
            name_length > LONGEST ? LONGEST : distance(written, length, *names, name_length);
        if (far > best || (found && far == best))
            continue;
        best = far;
        found = *names;
    }
    return found;
}

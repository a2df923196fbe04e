/* Unquoted numbers and booleans as the text that a container gets: 010 is 8, 1.50 is 1.5, True
 * is true. yaml.v3 reads them (resolve.go), and Go's fmt.Sprint writes them again. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/compose/load.h"

/* The longest that is still a number of use. */
#define NUMBER_BYTES 64
/* Digits that tell any double from any other; and the exponent at which Go changes to 1e+06. */
#define DOUBLE_DIGITS 17
#define GO_EXPONENT   6

/* Without its underscores; nothing if it cannot be a number. */
static void copy_number(const char *text, char number[NUMBER_BYTES])
{
    size_t length = 0;

    if (!*text || !strchr("+-.0123456789", *text) || strlen(text) >= NUMBER_BYTES)
        return;
    for (; *text; text++)
        if (*text != '_')
            number[length++] = *text;
}

static bool read_integer(const char *number, unsigned long long *value)
{
    static const struct {
        const char *prefix;
        int base;
    } forms[] = {{"0x", 16}, {"0X", 16}, {"0b", 2}, {"0B", 2},
                 {"0o", 8},  {"0O", 8},  {"0", 8},  {"", 10}};
    size_t form = 0, length;
    char *end;

    while (strncmp(number, forms[form].prefix, length = strlen(forms[form].prefix)) != 0 ||
           (length == 1 && !number[1]))
        form++;
    if (!isxdigit((unsigned char)number[length]))
        return false;
    errno = 0;
    *value = strtoull(number + length, &end, forms[form].base);
    return !*end && errno == 0;
}

/* 1, 1., .5, 1e3; not what else strtod reads. */
static bool read_float(const char *number, double *value)
{
    const char *digits = number + strspn(number, "+-");
    char *end;

    if (digits > number + 1 || digits[strspn(digits, "0123456789.eE+-")] ||
        !isdigit((unsigned char)digits[digits[0] == '.']))
        return false;
    *value = strtod(number, &end);
    return !*end;
}

/* As few digits as it takes to read the same again. */
static char *float_text(struct arena *arena, double value)
{
    char text[NUMBER_BYTES];
    int digits = 0;
    long exponent;

    do
        snprintf(text, sizeof text, "%.*e", digits, value);
    while (strtod(text, NULL) != value && ++digits < DOUBLE_DIGITS);
    exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= GO_EXPONENT)
        return arena_text(arena, text);
    return arena_format(arena, "%.*f", digits > exponent ? digits - (int)exponent : 0, value);
}

static char *number_text(struct arena *arena, const char *text)
{
    char number[NUMBER_BYTES] = "";
    unsigned long long integer;
    double value;
    bool sign;

    copy_number(text, number);
    sign = *number && strchr("+-", *number);
    if (read_integer(number + sign, &integer))
        return arena_format(arena, "%s%llu", *number == '-' && integer ? "-" : "", integer);
    if (read_float(number, &value) && value - value == 0)
        return float_text(arena, value);
    return NULL;
}

void plain_read(struct loader *loader, const struct node *node, struct compose_text *text)
{
    static const char *const words[] = {"True", "TRUE", "False", "FALSE"};
    char *number;

    if (node->place.style != PLACE_PLAIN || text->interpolated)
        return;
    number = number_text(loader->arena, text->text);
    if (number)
        text->text = number;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text->text, words[i]) == 0)
            text->text = arena_text(loader->arena, i < 2 ? "true" : "false");
}

#include "cluster/spark_log.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/base/number.h"

#define REPLACED        "\xef\xbf\xbd" /* U+FFFD */
#define REPLACED_LENGTH 3
#define CUT_MOST        3 /* bytes that are there of a character that is not whole */

/* Goes behind `text`; false if it is not there. */
static bool skip(const char **at, const char *end, const char *text)
{
    size_t length = strlen(text);

    if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_number(const char **at, const char *end, int64_t *number)
{
    size_t digits = 0;

    while (*at + digits < end && (*at)[digits] >= '0' && (*at)[digits] <= '9')
        digits++;
    if (!number_int64(*at, digits, number))
        return false;
    *at += digits;
    return true;
}

/* How many of the text's bytes are before a character that was cut at its end;
 * all of them when none was. What is before it must be as in the file: else
 * nobody can tell how many bytes were cut. */
static size_t whole_length(const char *text, size_t length, int64_t in_file)
{
    size_t before = length - REPLACED_LENGTH;

    if (length < REPLACED_LENGTH || memcmp(text + before, REPLACED, REPLACED_LENGTH) != 0)
        return length;
    if (before == 0 || (int64_t)before >= in_file || in_file - (int64_t)before > CUT_MOST)
        return length;
    return before;
}

enum spark_log_result spark_log_read(const char *bytes, size_t length, struct spark_log *log)
{
    const char *at = bytes, *end = bytes + length, *line;
    int64_t to;
    size_t whole;

    if (length == 0 || !skip(&at, end, "==== Bytes ") || !take_number(&at, end, &log->start) ||
        !skip(&at, end, "-") || !take_number(&at, end, &to) || !skip(&at, end, " of ") ||
        !take_number(&at, end, &log->total) || !skip(&at, end, " of ") || to < log->start ||
        to > log->total)
        return SPARK_LOG_NONE;
    line = memchr(at, '\n', (size_t)(end - at));
    if (!line)
        return SPARK_LOG_NONE;
    log->text = line + 1;
    log->length = (size_t)(end - log->text);
    if (log->total == 0 && log->length > 0)
        return SPARK_LOG_MISSING; /* "Error: invalid log directory ..." */
    if (log->length > 0 && to == log->start)
        return SPARK_LOG_NONE; /* text of no bytes: whoever asks for the next would ask for ever */
    whole = whole_length(log->text, log->length, to - log->start);
    log->next = whole == log->length ? to : log->start + (int64_t)whole;
    log->length = whole;
    return SPARK_LOG_PIECE;
}

#include "cluster/properties.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/base/utf8.h"

/* What is between a name and its value, and before a name. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && is_blank(*cursor->at))
        cursor->at++;
}

/* A natural line without its end, which is passed: \n, \r or \r\n. */
static struct cursor take_line(struct cursor *cursor)
{
    struct cursor line = {cursor->at, cursor->at};

    while (line.end < cursor->end && !ends_line(*line.end))
        line.end++;
    cursor->at = line.end;
    if (cursor->at < cursor->end && *cursor->at++ == '\r' && cursor->at < cursor->end &&
        *cursor->at == '\n')
        cursor->at++;
    return line;
}

static bool is_continued(struct cursor line)
{
    const char *at = line.end;

    while (at > line.at && at[-1] == '\\')
        at--;
    return (line.end - at) % 2 == 1;
}

/* To the next line that holds a pair: past blank ones and comments, which are
 * never continued. False at the end. */
static bool find_pair(struct cursor *cursor)
{
    for (;;) {
        skip_blanks(cursor);
        if (cursor->at == cursor->end)
            return false;
        if (*cursor->at != '#' && *cursor->at != '!' && !ends_line(*cursor->at))
            return true;
        take_line(cursor);
    }
}

/* A logical line: natural ones that end in a backslash, joined. */
static void take_logical(struct cursor *cursor, struct buf *joined)
{
    bool more = true;

    joined->length = 0;
    while (more) {
        struct cursor line = take_line(cursor);
        more = is_continued(line);
        buf_add(joined, line.at, (size_t)(line.end - line.at) - more);
        skip_blanks(cursor);
        more = more && cursor->at < cursor->end;
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The unit of UTF-16 of a \uXXXX whose digits begin there; -1 if there are not four. */
static long take_unit(struct cursor *cursor)
{
    long unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = cursor->at < cursor->end ? hex_value(*cursor->at) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
        cursor->at++;
    }
    return unit;
}

/* Behind \u: one character, of two units where they are a pair. */
static int take_unicode(struct cursor *cursor, struct buf *text)
{
    long unit = take_unit(cursor), low = -1;
    struct cursor next = *cursor;

    if (unit < 0)
        return -1;
    if (unit >= 0xd800 && unit < 0xdc00 && next.end - next.at > 2 && next.at[0] == '\\' &&
        next.at[1] == 'u') {
        next.at += 2;
        low = take_unit(&next);
        if (low < 0)
            return -1;
    }
    if (low >= 0xdc00 && low < 0xe000) {
        *cursor = next;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else if (unit >= 0xd800 && unit < 0xe000) {
        unit = 0xfffd;
    }
    utf8_add(text, (unsigned)unit);
    return 0;
}

static int unescape(struct cursor from, struct buf *text)
{
    static const char letters[] = "tnrf", meant[] = "\t\n\r\f";

    text->length = 0;
    buf_add(text, "", 0);
    while (from.at < from.end) {
        const char *letter;
        if (*from.at != '\\') {
            buf_char(text, *from.at++);
            continue;
        }
        if (++from.at == from.end)
            break; /* the file's last character */
        if (*from.at == 'u') {
            from.at++;
            if (take_unicode(&from, text) < 0)
                return -1;
            continue;
        }
        letter = *from.at ? strchr(letters, *from.at) : NULL;
        buf_char(text, letter ? meant[letter - letters] : *from.at);
        from.at++;
    }
    return 0;
}

/* The name ends at the first "=", ":" or blank that no backslash is before. */
static struct cursor take_name(struct cursor *line)
{
    struct cursor name = {line->at, line->at};

    while (name.end < line->end && *name.end != '=' && *name.end != ':' && !is_blank(*name.end))
        name.end += *name.end == '\\' && name.end + 1 < line->end ? 2 : 1;
    line->at = name.end;
    skip_blanks(line);
    if (line->at < line->end && (*line->at == '=' || *line->at == ':'))
        line->at++;
    skip_blanks(line);
    return name;
}

int properties_read(const char *text, size_t length, properties_pair *pair, void *context,
                    struct error *error)
{
    struct cursor cursor = {text, text + length};
    struct buf joined = {0}, name = {0}, value = {0};
    int result = 0;

    while (result == 0 && find_pair(&cursor)) {
        struct cursor line, begin;
        take_logical(&cursor, &joined);
        line = (struct cursor){joined.data, joined.data + joined.length};
        begin = take_name(&line);
        if (unescape(begin, &name) < 0 || unescape(line, &value) < 0)
            result =
                error_set(error, EXIT_INPUT,
                          "'%.100s': \\u needs four hexadecimal digits behind it", joined.data);
        else
            pair(context, &name, &value);
    }
    buf_free(&joined);
    buf_free(&name);
    buf_free(&value);
    return result;
}

#include "jobs/json_field.h"

#include <string.h>

#include "cluster/base/limits.h"
#include "cluster/base/utf8.h"

enum found { FOUND_NOTHING, FOUND_TEXT, FOUND_TREE };

struct scan {
    const char *at, *end;
    int depth;
    enum found found;
    const char *text; /* FOUND_TEXT */
    size_t length;
    struct buf *scratch; /* the found string with its escapes undone */
    struct buf name;     /* an object's name, likewise */
};

/* What is wanted of the value that comes next: NULL: nothing, it is only
 * checked; "": it is the one; else the path from here. */
static bool scan_value(struct scan *scan, const char *wanted);

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
        scan->at++;
}

static bool take(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool take_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start;
}

static bool scan_number(struct scan *scan)
{
    take(scan, '-');
    if (!take(scan, '0') && !take_digits(scan))
        return false;
    if (take(scan, '.') && !take_digits(scan))
        return false;
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            take(scan, '-');
        return take_digits(scan);
    }
    return true;
}

static bool take_hex4(struct scan *scan, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        const char *digits = "0123456789abcdefABCDEF", *digit;
        if (scan->at == scan->end || !*scan->at || !(digit = strchr(digits, *scan->at)))
            return false;
        *code = *code * 16 + (unsigned)(digit - digits < 16 ? digit - digits : digit - digits - 6);
    }
    return true;
}

/* Behind \u; two halves make one character, one half alone is an error. */
static bool take_code(struct scan *scan, struct buf *out)
{
    unsigned code, low;

    if (!take_hex4(scan, &code) || (code >= 0xdc00 && code < 0xe000))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take_word(scan, "\\u") || !take_hex4(scan, &low) || low < 0xdc00 || low >= 0xe000)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    utf8_add(out, code);
    return true;
}

static bool take_escape(struct scan *scan, struct buf *out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (scan->at == scan->end || !*scan->at)
        return false;
    if (take(scan, 'u'))
        return take_code(scan, out);
    letter = strchr(letters, *scan->at++);
    if (!letter)
        return false;
    buf_char(out, meanings[letter - letters]);
    return true;
}

/* The text of a string, from behind its opening quote: in place, or in `undone`
 * once it has an escape. */
static bool scan_string(struct scan *scan, struct buf *undone, const char **text, size_t *length)
{
    const char *start = scan->at;
    bool escaped = false;

    while (scan->at < scan->end && *scan->at != '"') {
        size_t n = utf8_length((const unsigned char *)scan->at, (size_t)(scan->end - scan->at));
        if (n == 0 || (unsigned char)*scan->at < 0x20)
            return false;
        if (*scan->at == '\\') {
            if (!escaped) {
                undone->length = 0;
                buf_add(undone, start, (size_t)(scan->at - start));
            }
            escaped = true;
            scan->at++;
            if (!take_escape(scan, undone))
                return false;
            continue;
        }
        if (escaped)
            buf_add(undone, scan->at, n);
        scan->at += n;
    }
    *text = escaped ? undone->data : start;
    *length = escaped ? undone->length : (size_t)(scan->at - start);
    return take(scan, '"');
}

/* The path behind its first name if that is `name`, else NULL. */
static const char *follow(const char *wanted, const char *name, size_t length)
{
    size_t first;

    if (!wanted || !*wanted)
        return NULL;
    first = strcspn(wanted, ".");
    if (first != length || memcmp(wanted, name, length) != 0)
        return NULL;
    return wanted + first + (wanted[first] == '.');
}

static bool scan_member(struct scan *scan, const char *wanted)
{
    const char *name;
    size_t length;

    skip_blanks(scan);
    if (!take(scan, '"') || !scan_string(scan, &scan->name, &name, &length))
        return false;
    wanted = follow(wanted, name, length);
    if (wanted)
        scan->found = FOUND_NOTHING; /* an earlier one of the same name does not count */
    skip_blanks(scan);
    return take(scan, ':') && scan_value(scan, wanted);
}

static bool scan_object(struct scan *scan, const char *wanted)
{
    skip_blanks(scan);
    if (take(scan, '}'))
        return true;
    do {
        if (!scan_member(scan, wanted))
            return false;
        skip_blanks(scan);
    } while (take(scan, ','));
    return take(scan, '}');
}

static bool scan_array(struct scan *scan)
{
    skip_blanks(scan);
    if (take(scan, ']'))
        return true;
    do {
        if (!scan_value(scan, NULL))
            return false;
        skip_blanks(scan);
    } while (take(scan, ','));
    return take(scan, ']');
}

static bool scan_tree(struct scan *scan, bool object, const char *wanted)
{
    bool sound;

    if (scan->depth == LIMIT_JSON_DEPTH)
        return false;
    scan->depth++;
    sound = object ? scan_object(scan, wanted) : scan_array(scan);
    scan->depth--;
    if (wanted && !*wanted)
        scan->found = FOUND_TREE;
    return sound;
}

static void set_text(struct scan *scan, const char *text, size_t length)
{
    scan->found = FOUND_TEXT;
    scan->text = text;
    scan->length = length;
}

static bool scan_plain(struct scan *scan, bool is_it)
{
    const char *start = scan->at, *text;
    size_t length;
    struct buf *undone = is_it ? scan->scratch : &scan->name;

    if (take(scan, '"')) {
        if (!scan_string(scan, undone, &text, &length))
            return false;
        if (is_it)
            set_text(scan, text, length);
        return true;
    }
    if (take_word(scan, "null"))
        return true; /* as if it were absent */
    if (!take_word(scan, "true") && !take_word(scan, "false") && !scan_number(scan))
        return false;
    if (is_it)
        set_text(scan, start, (size_t)(scan->at - start));
    return true;
}

static bool scan_value(struct scan *scan, const char *wanted)
{
    skip_blanks(scan);
    if (take(scan, '{'))
        return scan_tree(scan, true, wanted);
    if (take(scan, '['))
        return scan_tree(scan, false, wanted);
    return scan_plain(scan, wanted && !*wanted);
}

bool json_field(const char *text, size_t length, const char *path, struct buf *scratch,
                const char **value, size_t *value_length)
{
    struct scan scan = {.at = text, .end = text + length, .scratch = scratch};
    bool sound = scan_value(&scan, path);

    skip_blanks(&scan);
    buf_free(&scan.name);
    if (!sound || scan.at != scan.end || scan.found == FOUND_TREE)
        return false;
    *value = scan.found == FOUND_TEXT ? scan.text : "";
    *value_length = scan.found == FOUND_TEXT ? scan.length : 0;
    return true;
}

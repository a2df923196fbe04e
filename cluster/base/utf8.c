#include "cluster/base/utf8.h"

/* RFC 3629, section 4. */
size_t utf8_length(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first, last, second_first, second_last;
        size_t length;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (at[0] < rows[i].first || at[0] > rows[i].last)
            continue;
        if (rows[i].length > left)
            return 0;
        if (rows[i].length > 1 && (at[1] < rows[i].second_first || at[1] > rows[i].second_last))
            return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return rows[i].length;
    }
    return 0;
}

void utf8_add(struct buf *text, unsigned code)
{
    if (code < 0x80) {
        buf_char(text, (char)code);
        return;
    }
    if (code < 0x800) {
        buf_char(text, (char)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buf_char(text, (char)(0xe0 | code >> 12));
        } else {
            buf_char(text, (char)(0xf0 | code >> 18));
            buf_char(text, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        buf_char(text, (char)(0x80 | (code >> 6 & 0x3f)));
    }
    buf_char(text, (char)(0x80 | (code & 0x3f)));
}

/* C0, DEL, and C1, U+0080 to U+009F, of which terminals obey some, too (ECMA-48). */
void utf8_keep_line(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        if (*at < 0x20 || *at == 0x7f)
            *at = ' ';
        else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
            at[0] = at[1] = ' ';
    }
}

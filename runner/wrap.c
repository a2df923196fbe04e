#include "runner/wrap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"

#define WIDTH_USUAL 100
#define WIDTH_LEAST 20
#define WIDTH_MOST  1000

int wrap_width(FILE *to)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int64_t width = WIDTH_USUAL;

    if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col < WIDTH_USUAL ? size.ws_col : WIDTH_USUAL;
    else if (columns)
        number_in_range(columns, 1, WIDTH_MOST, &width);
    return width < WIDTH_LEAST ? WIDTH_LEAST : (int)width;
}

/* `more` ends each line but the last: " \" */
static void wrap(FILE *to, const char *text, size_t length, int column, int indent, int width,
                 const char *more)
{
    const char *end = text + length;
    int room = width - (int)strlen(more);
    bool first = true;

    while (end > text && end[-1] == ' ')
        end--;
    while (text < end) {
        int word = 0;
        while (text + word < end && text[word] != ' ' && text[word] != '\n')
            word++;
        if (!first && column + 1 + word > room) {
            fprintf(to, "%s\n%*s", more, indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', to);
            column++;
        }
        fwrite(text, 1, (size_t)word, to);
        column += word;
        first = false;
        text += word;
        while (text < end && (*text == ' ' || *text == '\n'))
            text++;
    }
    fputc('\n', to);
}

void wrap_print(FILE *to, const char *text, size_t length, int column, int indent, int width)
{
    wrap(to, text, length, column, indent, width, "");
}

static void print_command(FILE *to, const char *line, size_t length, int width)
{
    int indent = (int)strspn(line, " ");

    fprintf(to, "%*s", indent, "");
    if ((int)length <= width)
        fprintf(to, "%.*s\n", (int)length - indent, line + indent);
    else
        wrap(to, line + indent, length - (size_t)indent, indent, indent + 4, width, " \\");
}

/* Up to an empty line, a command, or the end. */
static size_t paragraph_length(const char *text)
{
    size_t length = 0;

    while (text[length] && text[length] != ' ' && text[length] != '\n') {
        length += strcspn(text + length, "\n");
        length += text[length] == '\n';
    }
    return length;
}

void wrap_print_text(FILE *to, const char *text, int width)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length == 0) {
            fputc('\n', to);
        } else if (*text == ' ') {
            print_command(to, text, length, width);
        } else {
            length = paragraph_length(text);
            wrap(to, text, length, 0, 0, width, "");
            text += length;
            continue;
        }
        text += length;
        text += *text == '\n';
    }
}

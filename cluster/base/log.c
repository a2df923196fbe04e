#include "cluster/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cluster/base/utf8.h"

#define WIDTH_UNKNOWN  80
#define LINE_MAX_BYTES 2048

static struct {
    bool terminal;
    bool colour;
    bool verbose;
    bool status_shown;
} state;

void log_start(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    state.terminal = isatty(STDERR_FILENO) == 1 && !(term && strcmp(term, "dumb") == 0);
    state.colour = state.terminal && !(no_colour && *no_colour);
}

void log_set_verbose(bool verbose)
{
    state.verbose = verbose;
}

bool log_is_terminal(void)
{
    return state.terminal;
}

void log_status_clear(void)
{
    if (!state.status_shown)
        return;
    fputs("\r\033[K", stderr);
    state.status_shown = false;
}

/* One write for the whole line, so that lines of several processes do not mix. */
static void print_line(const char *colour, const char *prefix, const char *format,
                       va_list arguments)
{
    char text[LINE_MAX_BYTES];

    vsnprintf(text, sizeof text, format, arguments);
    utf8_keep_line(text);
    log_status_clear();
    if (state.colour && *colour)
        fprintf(stderr, "\033[%sm%s\033[0m%s\n", colour, prefix, text);
    else
        fprintf(stderr, "%s%s\n", prefix, text);
    fflush(stderr);
}

#define PRINT_LINE(colour, prefix)                                                                 \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        print_line(colour, prefix, format, arguments);                                             \
        va_end(arguments);                                                                         \
    } while (0)

void log_error(const char *format, ...)
{
    PRINT_LINE("31", "tally: ");
}

void log_warning(const char *format, ...)
{
    PRINT_LINE("33", "tally: warning: ");
}

void log_info(const char *format, ...)
{
    PRINT_LINE("", "");
}

void log_verbose(const char *format, ...)
{
    if (state.verbose)
        PRINT_LINE("2", "");
}

static int terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col;
    return WIDTH_UNKNOWN;
}

/* Cuts to the terminal's width: a wrapped status line could not be rewritten.
 * Counts UTF-8 characters, not bytes; labels of double width are rare enough
 * to leave a margin for. */
static void cut_to_width(char *text, int width)
{
    int columns = 0;

    for (char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if ((byte & 0xc0) == 0x80)
            continue;
        columns += byte >= 0xe2 ? 2 : 1;
        if (columns >= width) {
            *at = '\0';
            return;
        }
    }
}

void log_status(const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list arguments;

    if (!state.terminal)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    utf8_keep_line(text);
    cut_to_width(text, terminal_width());
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    state.status_shown = true;
}

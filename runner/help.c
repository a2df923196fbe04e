#include <stdio.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "runner/commands.h"
#include "runner/help.h"
#include "runner/wrap.h"

#define LEFT_WIDTH  36 /* of the options' column */
#define NARROW      76 /* from here on below, what an option does stands below it */
#define BELOW       8
#define NAME_COLUMN 13

const struct exit_meaning exit_meanings[] = {
    {"0", "well"},
    {"1", "the job failed"},
    {"2", "usage"},
    {"3", "a bad input file"},
    {"4", "unreachable"},
    {"5", "refused"},
    {"6", "the driver was killed"},
    {"7", "it is in state ERROR"},
    {"8", "it is lost"},
    {"9", "timed out"},
    {"10", "no answer: it may have happened"},
    {"130, 143", "interrupted"},
    {NULL, NULL},
};

static void print_exit_codes(FILE *to, int width)
{
    struct buf text = {0};

    buf_text(&text, "Exit codes:");
    for (const struct exit_meaning *row = exit_meanings; row->codes; row++)
        buf_format(&text, " %s %s%s", row->codes, row->text, row[1].codes ? "," : ".");
    wrap_print(to, text.data, text.length, 0, 0, width);
    buf_free(&text);
}

void help_print(FILE *to)
{
    int width = wrap_width(to);

    fprintf(to, "usage: tally COMMAND [OPTION...]\n\n");
    wrap_print_text(to,
                    "Counts values per time window in a stream of records, and shows the counts "
                    "live.\n\n"
                    "  tally run gender\n\n"
                    "is the way to try it. Commands:\n",
                    width);
    for (const struct command *const *command = commands; *command; command++) {
        const char *summary = (*command)->summary;
        fprintf(to, "  %-10s ", (*command)->name);
        wrap_print(to, summary, strlen(summary), NAME_COLUMN, NAME_COLUMN, width);
    }
    fputc('\n', to);
    wrap_print_text(to, "`tally COMMAND --help` tells more; `tally --version` the version.\n\n",
                    width);
    print_exit_codes(to, width);
}

void help_format_option(const struct option_text *option, char *text, size_t size)
{
    char letter[] = {'-', option->letter, ',', '\0'};

    snprintf(text, size, "%3s --%s%s%s", option->letter ? letter : "", option->name,
             option->argument ? " " : "", option->argument ? option->argument : "");
}

static void print_option(FILE *to, const struct option_text *option, int width)
{
    int column = width < NARROW ? BELOW : LEFT_WIDTH;
    struct buf help = {0};
    char left[128];

    help_format_option(option, left, sizeof left);
    buf_text(&help, option->help);
    if (option->fallback)
        buf_format(&help, " (default: %s)", option->fallback);
    if (width < NARROW || (int)strlen(left) + 3 > LEFT_WIDTH) {
        fprintf(to, "  %.4s", left);
        wrap_print(to, left + 4, strlen(left) - 4, 6, BELOW, width);
        fprintf(to, "%*s", column, "");
    } else {
        fprintf(to, "  %-*s", LEFT_WIDTH - 2, left);
    }
    wrap_print(to, help.data, help.length, column, column, width);
    buf_free(&help);
}

static void print_refused(FILE *to, const struct command *command, int width)
{
    struct buf text = {0};
    const char *name;
    size_t at = 0;

    while ((name = options_refused(command, &at)))
        buf_format(&text, "%s--%s", text.length ? " " : REFUSED_INTRO " ", name);
    if (text.length) {
        fputc('\n', to);
        wrap_print(to, text.data, text.length, 0, BELOW, width);
    }
    buf_free(&text);
}

void help_print_command(FILE *to, const struct command *command)
{
    static const char intro[] =
        "Options; each can also stand in the environment (--some-name as TALLY_SOME_NAME):";
    int width = wrap_width(to);
    struct option_text option;
    struct buf usage = {0};
    size_t at = 0;

    buf_format(&usage, "usage: tally %s [OPTION...] %s", command->name, command->usage);
    wrap_print(to, usage.data, usage.length, 0, BELOW, width);
    buf_free(&usage);
    fputc('\n', to);
    wrap_print_text(to, command->text, width);
    fputc('\n', to);
    wrap_print(to, intro, sizeof intro - 1, 0, 0, width);
    while (options_next(command, &at, &option))
        print_option(to, &option, width);
    print_refused(to, command, width);
}

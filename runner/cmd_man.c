/* man: the manual's pages, in roff's man macros, from the tables of --help. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cluster/base/output.h"
#include "runner/commands.h"
#include "runner/help.h"

/* A backslash begins an escape, a dot or an apostrophe at a line's start a
 * request, and a bare minus is a hyphen. */
static void print_escaped(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (i == 0 && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", stdout);
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
    }
}

static void print_line(const char *text)
{
    print_escaped(text, strlen(text));
    putchar('\n');
}

/* Lines that begin with a blank are shell commands. */
static void print_text(const char *text)
{
    bool example = false;

    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if ((*text == ' ') != example && length > 0) {
            fputs(example ? ".EE\n.RE\n" : ".PP\n.RS 4\n.EX\n", stdout);
            example = !example;
        }
        if (length == 0) {
            fputs(".PP\n", stdout);
            continue;
        }
        print_escaped(text + (example ? strspn(text, " ") : 0),
                      length - (example ? strspn(text, " ") : 0));
        putchar('\n');
    }
    if (example)
        fputs(".EE\n.RE\n", stdout);
}

/* `command`: "" for the program's own page. */
static void print_title(const char *command, const char *summary)
{
    const char *joint = *command ? "\\-" : "";

    printf(".TH TALLY%s", joint);
    for (const char *at = command; *at; at++)
        putchar(toupper((unsigned char)*at));
    printf(" 1 \"\" \"tally %s\" \"User commands\"\n.SH NAME\ntally%s%s \\- ", TALLY_VERSION, joint,
           command);
    print_line(summary);
}

static void print_exit_codes(void)
{
    fputs(".SH EXIT STATUS\n", stdout);
    for (const struct exit_meaning *row = exit_meanings; row->codes; row++)
        printf(".TP\n%s\n%s\n", row->codes, row->text);
}

static void print_options(const struct command *command)
{
    struct option_text option;
    size_t at = 0;

    fputs(".SH OPTIONS\nEach can also stand in the environment, \\fB\\-\\-some\\-name\\fR as "
          "\\fBTALLY_SOME_NAME\\fR.\n",
          stdout);
    while (options_next(command, &at, &option)) {
        fputs(".TP\n", stdout);
        if (option.letter)
            printf("\\fB\\-%c\\fR, ", option.letter);
        fputs("\\fB\\-\\-", stdout);
        print_escaped(option.name, strlen(option.name));
        fputs("\\fR", stdout);
        if (option.argument) {
            fputs(" \\fI", stdout);
            print_escaped(option.argument, strlen(option.argument));
            fputs("\\fR", stdout);
        }
        putchar('\n');
        print_escaped(option.help, strlen(option.help));
        if (option.fallback) {
            fputs(" (default: ", stdout);
            print_escaped(option.fallback, strlen(option.fallback));
            putchar(')');
        }
        putchar('\n');
    }
}

static void print_refused(const struct command *command)
{
    const char *name;
    bool any = false;

    for (size_t at = 0; (name = options_refused(command, &at)); any = true) {
        fputs(any ? " \\fB\\-\\-" : ".PP\n" REFUSED_INTRO "\n\\fB\\-\\-", stdout);
        print_escaped(name, strlen(name));
        fputs("\\fR", stdout);
    }
    if (any)
        putchar('\n');
}

static void print_command(const struct command *command)
{
    print_title(command->name, command->summary);
    printf(".SH SYNOPSIS\n\\fBtally %s\\fR [\\fIOPTION\\fR...]%s", command->name,
           *command->usage ? " " : "");
    print_line(command->usage);
    fputs(".SH DESCRIPTION\n", stdout);
    print_text(command->text);
    print_options(command);
    print_refused(command);
    print_exit_codes();
    fputs(".SH SEE ALSO\n.BR tally (1)\n", stdout);
}

static void print_program(void)
{
    print_title("", "windowed counts over a stream, and a client for Spark clusters");
    fputs(".SH SYNOPSIS\n\\fBtally\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n"
          "Counts values per time window in a stream of records, and shows the counts live. Jobs "
          "run on an engine of its own or on a Spark standalone cluster.\n.SH COMMANDS\n",
          stdout);
    for (const struct command *const *command = commands; *command; command++) {
        printf(".TP\n.BR tally\\-%s (1)\n", (*command)->name);
        print_line((*command)->summary);
    }
    print_exit_codes();
    fputs(".SH ENVIRONMENT\n.TP\n\\fBTALLY_\\fR...\n"
          "an option's value where it is not given: \\fBTALLY_MASTER\\fR for "
          "\\fB\\-\\-master\\fR.\n.TP\n\\fBSPARK_CONF_DIR\\fR, \\fBSPARK_HOME\\fR\n"
          "where spark\\-defaults.conf is looked for.\n.TP\n\\fBDOCKER_HOST\\fR\n"
          "the Docker engine's socket, as unix://PATH.\n.TP\n\\fBNO_COLOR\\fR\nno colours.\n",
          stdout);
}

static int run_man(const struct options *options, struct error *error)
{
    const char *name = options->argument_count ? options->arguments[0] : NULL;
    const struct command *command = name ? find_command(name) : NULL;

    if (name && !command)
        return error_set(error, EXIT_USAGE, "no command '%s': tally --help lists them", name);
    if (command)
        print_command(command);
    else
        print_program();
    return output_flush(error);
}

const struct command command_man = {
    .name = "man",
    .usage = "[COMMAND]",
    .summary = "the manual's page of a command, or of the whole",
    .text = "Prints a page in the form that man reads. `make install` installs them all.\n\n"
            "  tally man submit | man -l -",
    .options = " ",
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run_man,
};

/* help.h: what the program says of itself, from its tables: --help, man pages,
 * completion for shells. */
#ifndef TALLY_HELP_H
#define TALLY_HELP_H

#include "runner/options.h"

/* Before the names that options_refused gives. */
#define REFUSED_INTRO "What spark-submit also takes, and tells why it does nothing here:"

struct exit_meaning {
    const char *codes; /* "130, 143" */
    const char *text;
};

/* Ends with a row whose `codes` is NULL. */
extern const struct exit_meaning exit_meanings[];

/* The program's help, and one command's. */
void help_print(FILE *to);
void help_print_command(FILE *to, const struct command *command);

/* One option of a command as text: "-b, --bootstrap-servers HOST:PORT[,...]". */
void help_format_option(const struct option_text *option, char *text, size_t size);

#endif

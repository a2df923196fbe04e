/* completion: what shells run to complete tally's command lines, from the
 * tables of --help. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/assets.h"
#include "cluster/base/buf.h"
#include "cluster/base/output.h"
#include "runner/commands.h"

/* What may stand in a place: words, file names, or both; or nothing known. */
struct choice {
    struct buf words; /* between blanks */
    bool files;
};

static void add_word(struct choice *choice, const char *word, size_t length)
{
    if (choice->words.length)
        buf_char(&choice->words, ' ');
    buf_add(&choice->words, word, length);
}

/* The jobs that are built in, by their files' names: "jobs/gender.yaml". */
static void add_jobs(struct choice *choice)
{
    static const char folder[] = "jobs/", suffix[] = ".yaml";

    for (const struct asset *asset = assets; asset->name; asset++) {
        size_t length = strlen(asset->name);
        if (strncmp(asset->name, folder, strlen(folder)) == 0 && length > strlen(suffix) &&
            strcmp(asset->name + length - strlen(suffix), suffix) == 0)
            add_word(choice, asset->name + strlen(folder),
                     length - strlen(folder) - strlen(suffix));
    }
}

static void add_commands(struct choice *choice)
{
    for (const struct command *const *command = commands; *command; command++)
        add_word(choice, (*command)->name, strlen((*command)->name));
}

/* By the words of a usage or of an option's argument: lower case stands for
 * itself, upper case for a kind of thing, with an ending or not ("X.py"). */
static struct choice choose(const char *form)
{
    struct choice choice = {0};
    const char *start = form;

    buf_reserve(&choice.words, 1);
    for (size_t length; *form; form += length) {
        length = strspn(form, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
        if (length == 0) {
            length = 1;
            continue;
        }
        if (islower((unsigned char)*form) && (form == start || strchr(" |[", form[-1])))
            add_word(&choice, form, length);
        else if (length == 3 && memcmp(form, "JOB", 3) == 0)
            add_jobs(&choice);
        else if (length == 7 && memcmp(form, "COMMAND", 7) == 0)
            add_commands(&choice);
        if ((length == 3 && (memcmp(form, "JOB", 3) == 0 || memcmp(form, "JAR", 3) == 0)) ||
            (length == 4 && (memcmp(form, "FILE", 4) == 0 || memcmp(form, "PATH", 4) == 0)))
            choice.files = true;
    }
    return choice;
}

/* "spark://HOST:PORT" is no choice of words. */
static struct choice choose_argument(const char *argument)
{
    return choose(strpbrk(argument, ":=,") ? "" : argument);
}

static void print_commands(void)
{
    struct choice choice = {0};

    add_commands(&choice);
    fputs(choice.words.data, stdout);
    buf_free(&choice.words);
}

/* ---- bash */

/* One candidate a line: names of files may have blanks in them. */
static void print_bash_choice(const char *indent, struct choice *choice)
{
    if (choice->files || choice->words.length)
        printf("%smapfile -t COMPREPLY < <(compgen %s-W '%s' -- \"$cur\")\n", indent,
               choice->files ? "-f " : "", choice->words.data);
    else
        printf("%s:\n", indent);
    if (choice->files)
        printf("%scompopt -o filenames 2>/dev/null\n", indent);
    buf_free(&choice->words);
}

static void print_bash_command(const struct command *command)
{
    struct choice operands = choose(command->usage);
    struct option_text option;

    printf("    %s)\n        case $prev in\n", command->name);
    for (size_t at = 0; options_next(command, &at, &option);) {
        struct choice choice;
        if (!option.argument)
            continue;
        if (option.letter)
            printf("        -%c | --%s)\n", option.letter, option.name);
        else
            printf("        --%s)\n", option.name);
        choice = choose_argument(option.argument);
        print_bash_choice("            ", &choice);
        fputs("            return ;;\n", stdout);
    }
    fputs("        esac\n        if [[ $cur == -* ]]; then\n"
          "            mapfile -t COMPREPLY < <(compgen -W '",
          stdout);
    for (size_t at = 0; options_next(command, &at, &option);)
        printf("%s--%s", at > 1 ? " " : "", option.name);
    fputs("' -- \"$cur\")\n        else\n", stdout);
    print_bash_choice("            ", &operands);
    fputs("        fi ;;\n", stdout);
}

/* "--rate=10" comes as three words: --rate, =, 10 (COMP_WORDBREAKS). */
static void print_bash(void)
{
    fputs("# bash completion for tally, made by `tally completion bash`\n"
          "_tally() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    COMPREPLY=()\n"
          "    if [[ $cur == = ]]; then\n"
          "        cur=\n"
          "    elif [[ $prev == = && COMP_CWORD -gt 2 ]]; then\n"
          "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    if [[ COMP_CWORD -eq 1 ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W '--help --version help ",
          stdout);
    print_commands();
    fputs("' -- \"$cur\")\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n", stdout);
    for (const struct command *const *command = commands; *command; command++)
        print_bash_command(*command);
    fputs("    help)\n        mapfile -t COMPREPLY < <(compgen -W '", stdout);
    print_commands();
    fputs("' -- \"$cur\") ;;\n    esac\n}\ncomplete -F _tally tally\n", stdout);
}

/* ---- zsh */

/* Within single quotes, and within an _arguments spec, where : [ ] mean something. */
static void print_zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(":[]\\", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

/* ":MESSAGE:ACTION" of an _arguments spec. */
static void print_zsh_choice(const char *message, struct choice *choice)
{
    putchar(':');
    print_zsh_text(*message ? message : " ");
    if (choice->files && choice->words.length)
        printf(":{ compadd -- %s; _files }", choice->words.data);
    else if (choice->files)
        fputs(":_files", stdout);
    else
        printf(":(%s)", choice->words.data);
    buf_free(&choice->words);
}

static void print_zsh_option(const struct option_text *option)
{
    const char *equals = option->argument ? "=" : "";

    if (option->letter)
        printf(" \\\n            '*'{-%c%s,--%s%s}'[", option->letter, option->argument ? "+" : "",
               option->name, equals);
    else
        printf(" \\\n            '*--%s%s[", option->name, equals);
    print_zsh_text(option->help);
    putchar(']');
    if (option->argument) {
        struct choice choice = choose_argument(option->argument);
        print_zsh_choice(option->argument, &choice);
    }
    putchar('\'');
}

static void print_zsh_command(const struct command *command)
{
    struct choice operands = choose(command->usage);
    struct option_text option;

    printf("    %s)\n        _arguments -s", command->name);
    for (size_t at = 0; options_next(command, &at, &option);)
        print_zsh_option(&option);
    if (*command->usage) {
        fputs(" \\\n            '*", stdout);
        print_zsh_choice(command->usage, &operands);
        putchar('\'');
    } else {
        buf_free(&operands.words);
    }
    fputs(" ;;\n", stdout);
}

static void print_zsh(void)
{
    fputs("#compdef tally\n# zsh completion for tally, made by `tally completion zsh`\n"
          "_tally() {\n    local curcontext=$curcontext state line\n    local -a commands\n"
          "    commands=(\n",
          stdout);
    for (const struct command *const *command = commands; *command; command++) {
        printf("        '%s:", (*command)->name);
        print_zsh_text((*command)->summary);
        fputs("'\n", stdout);
    }
    fputs("    )\n    _arguments -C '(- *)--help[what there is]' '(- *)--version[the version]' \\\n"
          "        '1:command:->command' '*::argument:->argument' && return\n"
          "    if [[ $state == command ]]; then\n        _describe command commands\n"
          "        return\n    fi\n    case $words[1] in\n",
          stdout);
    for (const struct command *const *command = commands; *command; command++)
        print_zsh_command(*command);
    fputs("    help)\n        _describe command commands ;;\n    esac\n}\n"
          "if [[ $funcstack[1] == _tally ]]; then\n    _tally \"$@\"\nelse\n"
          "    compdef _tally tally\nfi\n",
          stdout);
}

static int run_completion(const struct options *options, struct error *error)
{
    const char *shell = options->arguments[0];

    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else
        return error_set(error, EXIT_USAGE, "'%s': it must be bash or zsh", shell);
    return output_flush(error);
}

const struct command command_completion = {
    .name = "completion",
    .usage = "bash|zsh",
    .summary = "what makes a shell complete command lines",
    .text = "Prints a script that completes tally's commands, options and jobs. `make install`\n"
            "installs it for both shells; without that:\n\n"
            "  source <(tally completion bash)\n"
            "  source <(tally completion zsh)",
    .options = " ",
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_completion,
};

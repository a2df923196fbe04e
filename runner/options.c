#include "runner/option_row.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/log.h"
#include "runner/suggest.h"

#define OPTIONS_MOST 128
#define FIRST_CODE   256 /* getopt's codes for options without a letter */

static size_t row_count(void)
{
    size_t count = own_option_count + spark_option_count;

    if (count > OPTIONS_MOST)
        abort(); /* the arrays for getopt are too small */
    return count;
}

static const struct option_row *row_at(size_t i)
{
    return i < own_option_count ? &own_options[i] : &spark_options[i - own_option_count].row;
}

static bool is_spark(const struct option_row *row)
{
    for (size_t i = 0; i < spark_option_count; i++)
        if (row == &spark_options[i].row)
            return true;
    return false;
}

/* Who takes --rest-port takes all that is about reaching a master. */
static bool is_for_masters(const struct option_row *row)
{
    static const char *const names[] = {"rest-url", "ui-url", "cacert", "proxy", "jws-key-file"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(row->name, names[i]) == 0)
            return true;
    return false;
}

/* Every command has --help and --verbose. */
static bool takes(const struct command *command, const struct option_row *row)
{
    char *wanted;
    bool found;

    if (strcmp(row->name, "help") == 0 || strcmp(row->name, "verbose") == 0)
        return true;
    if (is_spark(row))
        return strstr(command->options, " spark-submit ") != NULL;
    wanted = mem_format(" %s ", is_for_masters(row) ? "rest-port" : row->name);
    found = strstr(command->options, wanted) != NULL;
    free(wanted);
    return found;
}

/* getopt's tables, made from ours. */
struct getopt_tables {
    struct option longs[OPTIONS_MOST + 1];
    char shorts[2 * OPTIONS_MOST + 3];
};

static void make_tables(const struct command *command, struct getopt_tables *tables)
{
    struct option *at = tables->longs;
    char *letter = tables->shorts;

    *letter++ = '+'; /* stop at each operand: it may end the options */
    *letter++ = ':'; /* tell a missing argument from an unknown option */
    for (size_t i = 0; i < row_count(); i++) {
        const struct option_row *row = row_at(i);
        if (!takes(command, row))
            continue;
        *at++ = (struct option){row->name, row->argument ? required_argument : no_argument, NULL,
                                FIRST_CODE + (int)i};
        if (!row->letter)
            continue;
        *letter++ = row->letter;
        if (row->argument)
            *letter++ = ':';
    }
    *at = (struct option){NULL, 0, NULL, 0};
    *letter = '\0';
}

/* The index of an option, or row_count(); the same letter may stand for
 * options of different commands. */
static size_t index_of(const struct command *command, int code)
{
    if (code >= FIRST_CODE)
        return (size_t)(code - FIRST_CODE);
    for (size_t i = 0; i < own_option_count; i++)
        if (own_options[i].letter && own_options[i].letter == code &&
            takes(command, &own_options[i]))
            return i;
    return row_count();
}

static int no_option(const struct command *command, const char *what, struct error *error)
{
    const char *names[OPTIONS_MOST + 1];
    const char *meant;
    size_t count = 0;

    for (size_t i = 0; i < row_count(); i++)
        if (takes(command, row_at(i)))
            names[count++] = row_at(i)->name;
    names[count] = NULL;
    meant = suggest(what + 2, names);
    if (meant)
        return error_set(error, EXIT_USAGE, "no option %s: did you mean --%s?", what, meant);
    return error_set(error, EXIT_USAGE, "no option %s, or not in this form: see tally %s --help",
                     what, command->name);
}

/* getopt points behind what it did not understand. */
static int misuse(const struct command *command, int found, char **argv, struct error *error)
{
    const char *what = argv[optind - 1];

    if (found == ':')
        return error_set(error, EXIT_USAGE, "%s needs a value: see tally %s --help", what,
                         command->name);
    if (optopt > 0 && optopt < FIRST_CODE && strncmp(what, "--", 2) != 0)
        return error_set(error, EXIT_USAGE, "no option -%c: see tally %s --help", optopt,
                         command->name);
    return no_option(command, what, error);
}

/* Of a setting of Kafka's or Spark's only the name: its value may be a password;
 * of a proxy what stands behind one. */
static void say_value(const struct option_row *row, const char *value, const char *from)
{
    bool setting = strcmp(row->name, "set") == 0 || is_spark(row) || strcmp(row->name, "conf") == 0;

    if (strcmp(row->name, "proxy") == 0 && strrchr(value, '@'))
        value = strrchr(value, '@');
    log_verbose("--%s: %.*s (%s)", row->name,
                setting ? (int)strcspn(value, "=") : (int)strlen(value), value, from);
}

static int read_option(const struct command *command, int found, char **argv,
                       struct options *options, bool *given, struct error *error)
{
    size_t index = found == '?' || found == ':' ? row_count() : index_of(command, found);
    const struct option_row *row;

    if (index == row_count())
        return misuse(command, found, argv, error);
    row = row_at(index);
    if (row->set(options, row, optarg, error) < 0)
        return -1;
    given[index] = true;
    say_value(row, optarg ? optarg : "yes", "command line");
    return 0;
}

/* All the operands, and nothing else any more. */
static void take_rest(struct options *options, int argc, char **argv)
{
    while (optind < argc)
        options->arguments[options->argument_count++] = argv[optind++];
}

static int read_command_line(const struct command *command, int argc, char **argv,
                             struct options *options, bool *given, struct error *error)
{
    struct getopt_tables tables;

    make_tables(command, &tables);
    opterr = 0;
    optind = 1;
    options->arguments = mem_alloc((size_t)argc + 1, sizeof *options->arguments);
    while (optind < argc) {
        int found = getopt_long(argc, argv, tables.shorts, tables.longs, NULL);
        if (found != -1) {
            if (read_option(command, found, argv, options, given, error) < 0)
                return -1;
        } else if (optind < argc && strcmp(argv[optind - 1], "--") != 0 &&
                   !(command->ends_options && command->ends_options(argv[optind]))) {
            options->arguments[options->argument_count++] = argv[optind++];
        } else {
            take_rest(options, argc, argv);
        }
    }
    return 0;
}

static const char *environment_value(const struct option_row *row)
{
    char *name = mem_format("TALLY_%s", row->name);
    const char *value;

    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    value = getenv(name);
    free(name);
    return value && *value ? value : NULL;
}

/* A flag in the environment is on with 1, yes or true. */
static bool is_off(const struct option_row *row, const char *value)
{
    return !row->argument && strcmp(value, "1") != 0 && strcmp(value, "yes") != 0 &&
           strcmp(value, "true") != 0;
}

/* What is asked for on the command line only. */
static bool is_for_once(const struct option_row *row)
{
    static const char *const names[] = {"help", "version", "kill", "status", "dry-run", "from"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(row->name, names[i]) == 0)
            return true;
    return false;
}

static int fill_in(const struct command *command, struct options *options, const bool *given,
                   struct error *error)
{
    options->filling = true;
    for (size_t i = 0; i < row_count(); i++) {
        const struct option_row *row = row_at(i);
        const char *value = environment_value(row), *from = "environment";
        if (given[i] || !takes(command, row) || is_for_once(row))
            continue;
        if (!value || is_off(row, value)) {
            value = row->fallback;
            from = "default";
        }
        if (!value)
            continue;
        say_value(row, value, from);
        if (row->set(options, row, value, error) < 0)
            return strcmp(from, "default") == 0 ? -1 : error_wrap(error, "from the environment");
        if (strcmp(row->name, "port") == 0)
            options->port_given = strcmp(from, "environment") == 0;
    }
    return 0;
}

static int check_arguments(const struct command *command, const struct options *options,
                           struct error *error)
{
    if (options->argument_count < command->least_arguments)
        return error_set(error, EXIT_USAGE, "usage: tally %s %s (see tally %s --help)",
                         command->name, command->usage, command->name);
    if (options->argument_count > command->most_arguments)
        return error_set(error, EXIT_USAGE, "'%s' is one too many: usage: tally %s %s",
                         options->arguments[command->most_arguments], command->name,
                         command->usage);
    return 0;
}

/* --verbose counts from the first option on, wherever it stands. */
static bool asks_for_talk(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "-v") == 0)
            return true;
    return false;
}

int options_read(const struct command *command, int argc, char **argv, struct options *options,
                 struct error *error)
{
    bool given[OPTIONS_MOST] = {false};

    *options = (struct options){
        .start_time = -1, .timeout = -1, .tail = -1, .kafka = kafka_settings_new()};
    log_set_verbose(asks_for_talk(argc, argv));
    if (read_command_line(command, argc, argv, options, given, error) < 0)
        return -1;
    if (options->help)
        return 0;
    if (fill_in(command, options, given, error) < 0)
        return -1;
    log_set_verbose(options->verbose);
    return check_arguments(command, options, error);
}

void options_free(struct options *options)
{
    kafka_settings_free(options->kafka);
    free(options->allow_hosts);
    free(options->allow_origins);
    free(options->files);
    free(options->env_files);
    free(options->conf);
    free(options->properties);
    for (size_t i = 0; options->made && options->made[i]; i++)
        free(options->made[i]);
    free(options->made);
    free(options->arguments);
}

bool options_next(const struct command *command, size_t *at, struct option_text *option)
{
    while (*at < row_count()) {
        const struct option_row *row = row_at((*at)++);
        if (!takes(command, row) || is_refused(row) || !row->help)
            continue;
        *option =
            (struct option_text){row->name, row->letter, row->argument, row->fallback, row->help};
        return true;
    }
    return false;
}

const char *options_refused(const struct command *command, size_t *at)
{
    while (*at < row_count()) {
        const struct option_row *row = row_at((*at)++);
        if (takes(command, row) && is_refused(row))
            return row->name;
    }
    return NULL;
}

bool options_made(const struct options *options, const char *name, const char *value)
{
    size_t length = strlen(name);

    for (size_t i = 0; options->made && options->made[i]; i++) {
        const char *pair = options->made[i];
        if (strncmp(pair, name, length) == 0 && pair[length] == '=' &&
            strcmp(pair + length + 1, value) == 0)
            return true;
    }
    return false;
}

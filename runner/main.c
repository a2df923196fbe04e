/* tally: windowed counts, on a local engine or on Spark, live on a page. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "cluster/kafka.h"
#include "cluster/probe/explain.h"
#include "runner/commands.h"
#include "runner/help.h"
#include "runner/parts.h"
#include "runner/suggest.h"

const struct command *const commands[] = {
    &command_run,    &command_count,  &command_produce, &command_consume,    &command_dashboard,
    &command_submit, &command_status, &command_list,    &command_logs,       &command_kill,
    &command_wait,   &command_doctor, &command_man,     &command_completion, NULL,
};

/* For the clients' orderly end; nothing depends on it. */
#define CLOSE_MS 100

const struct command *find_command(const char *name)
{
    for (const struct command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static int run_command(const struct command *command, int argc, char **argv, struct error *error)
{
    struct options options;
    int result = options_read(command, argc, argv, &options, error);

    if (result == 0 && options.help)
        help_print_command(stdout, command);
    else if (result == 0)
        result = command->run(&options, error);
    options_free(&options);
    return result;
}

static int unknown_command(const char *name, struct error *error)
{
    const char *names[sizeof commands / sizeof commands[0]] = {NULL};
    const char *meant;

    for (size_t i = 0; commands[i]; i++)
        names[i] = commands[i]->name;
    meant = suggest(name, names);
    return error_set(error, EXIT_USAGE, "no command '%s':%s%s%s tally --help lists them", name,
                     meant ? " did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

/* `tally help COMMAND` is `tally COMMAND --help`. */
static int help(const char *name, struct error *error)
{
    const struct command *command = name ? find_command(name) : NULL;

    if (name && !command)
        return unknown_command(name, error);
    if (command)
        help_print_command(stdout, command);
    else
        help_print(stdout);
    return 0;
}

static int run(int argc, char **argv, struct error *error)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct command *command;

    if (!name) {
        help_print(stderr);
        return error_set(error, EXIT_USAGE, "a command is needed");
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argv[2], error);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print_version(argv[2] && strcmp(argv[2], "--json") == 0, error);
    command = find_command(name);
    if (!command)
        return unknown_command(name, error);
    return run_command(command, argc - 1, argv + 1, error);
}

/* A closed standard stream's number would go to the next file opened, which
 * would then be read or written in its place. Reading from /dev/null ends at
 * once; writing to a descriptor opened for reading is an error, as it should be. */
static void keep_standard_streams(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != descriptor)
            abort();
}

static int leave(enum exit_code code)
{
    if (!kafka_wait_closed(CLOSE_MS))
        _exit((int)code);
    return (int)code;
}

int main(int argc, char **argv)
{
    struct error error;
    int result;

    keep_standard_streams();
    log_start();
    kafka_explain_by(probe_explain);
    signal(SIGPIPE, SIG_IGN); /* a write to one who has gone is an error, not our end */
    result = run(argc, argv, &error);
    log_status_clear();
    if (result == 0)
        result = output_flush(&error);
    if (result < 0)
        log_error("%s", error.text);
    return leave(result == 0 ? EXIT_OK : error.code);
}

/* commands.h: one file a command; the table in main.c names them. */
#ifndef TALLY_COMMANDS_H
#define TALLY_COMMANDS_H

#include "runner/options.h"

extern const struct command command_run, command_count, command_produce, command_consume,
    command_dashboard, command_submit, command_status, command_list, command_logs, command_kill,
    command_wait, command_doctor, command_completion, command_man;

/* All of them, as --help lists them; ends at NULL. */
extern const struct command *const commands[];
/* NULL if there is none of that name. */
const struct command *find_command(const char *name);

#endif

/* Private to the command line: the options of the commands. */
#ifndef RL_CLI_OPTIONS_H
#define RL_CLI_OPTIONS_H

#include "cli.h"

/* The commands, one bit each: an option says with them which commands have it. */
typedef enum rl_commands {
    RL_RUN = 1,
    RL_RETRY = 2,
    RL_ASSEMBLE = 4,
    RL_PLAN = 8,
    RL_STATUS = 16,
    RL_SHOW = 32,
    RL_DATASETS = 64,
    RL_BENCH = 128,
    RL_COMPUTING = RL_RUN | RL_RETRY,
    RL_WRITING = RL_COMPUTING | RL_ASSEMBLE,
    RL_OF_STUDY = RL_WRITING | RL_PLAN | RL_STATUS,
    RL_EVERY_COMMAND = RL_OF_STUDY | RL_SHOW | RL_DATASETS | RL_BENCH
} rl_commands;

/* Local. Reads the options of argv[1 ... argc - 1] into the settings; `command` is one bit, `name` the command's name
 * in messages. *n_options: how many words they were; getopt moves them to the front of argv, and what follows them are
 * arguments. RL_ERR_INPUT: an option that the command does not have, or a value that is none. */
rl_status rl_options_read(rl_commands command, const char *name, int argc, char **argv, rl_settings *settings,
                          int *n_options);

/* Local. Prints on standard output one line for each option that the command has. */
void rl_options_print(rl_commands command);

#endif

/* What the part of `core` that knows MPI calls of a machine, and a simulation has not: clocks of its own, signals,
 * launchers, what libraries take. */
#include <stdio.h>

#include "../../src/core/launcher.h"
#include "ridgeless/context.h"

/* ---- time and files ---------------------------------------------------------------------------------------------- */

double rl_seconds(void) {
    return MPI_Wtime();
}

double rl_clock_seconds(void) {
    return MPI_Wtime();
}

double rl_processor_seconds(void) {
    return 0;
}

void rl_log_write(const char *line) {
    fputs(line, stderr);
}

void rl_info(const char *format, ...) {
    (void)format;
}

void rl_warn(const char *format, ...) {
    (void)format;
}

void rl_debug(const char *format, ...) {
    (void)format;
}

rl_stop rl_stop_requested(void) {
    return RL_STOP_NONE;
}

/* ---- launchers and libraries ------------------------------------------------------------------------------------- */

rl_status rl_launcher_prepare(rl_crowd *crowd) {
    *crowd = (rl_crowd){0};
    return RL_OK;
}

rl_status rl_launcher_check_size(int size) {
    (void)size;
    return RL_OK;
}

void rl_launcher_send_at_once(void) {}

int rl_launcher_rank(void) {
    return 0;
}

rl_status rl_context_ask_memory(bool with_mpi) {
    (void)with_mpi;
    return RL_OK;
}

rl_status rl_context_arithmetic(char text[RL_ARITHMETIC_TEXT]) {
    text[0] = '\0';
    return RL_OK;
}

/* Status codes and the error message. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ridgeless/core.h"

/* One message per process is enough: main prints it, and nothing runs after a failure. */
static char error_message[1024];

int rl_exit_status(rl_status status) {
    switch (status) {
        case RL_OK:
            return 0;
        case RL_ERR_INPUT:
            return 2;
        case RL_STOPPED:
            return 75; /* EX_TEMPFAIL: run again */
        default:
            return 1;
    }
}

rl_status rl_fail(rl_status status, const char *format, ...) {
    char message[sizeof error_message]; /* the arguments may quote the previous message */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    rl_make_printable(message); /* what a file holds may be anything: a terminal is to get none of it */
    memcpy(error_message, message, sizeof message);
    return status;
}

const char *rl_error_message(void) {
    return error_message;
}

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
    size_t kept = 0;
    for (const char *c = message;
         *c != '\0';) { /* what a file holds may be anything: a terminal is to get none of it */
        const int length = rl_printable_character(c);
        const bool begins_list = *c == '\n' && strncmp(c + 1, "  ", 2) == 0;
        if (length > 0)
            memcpy(error_message + kept, c, (size_t)length);
        else
            error_message[kept] = begins_list ? '\n' : *c == '\n' || *c == '\t' ? ' ' : '?';
        kept += length > 0 ? (size_t)length : 1;
        c += length > 0 ? length : 1;
    }
    error_message[kept] = '\0';
    return status;
}

const char *rl_error_message(void) {
    return error_message;
}

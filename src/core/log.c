/* Lines on standard error, and the clock. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ridgeless/core.h"

static rl_log_level log_level = RL_LOG_INFO;
static bool log_prints = true;
static atomic_bool line_is_open; /* a bar stands in the terminal's last line */

void rl_log_configure(rl_log_level level, bool prints) {
    log_level = level;
    log_prints = prints;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static atomic_int first_error;
static _Thread_local bool never_waits;

void rl_log_never_wait(void) {
    never_waits = true;
}

int rl_log_error(void) {
    return atomic_load(&first_error);
}

/* Whether the reader takes more. One that has stopped reading must not keep a process that was asked to stop. */
static bool wait_for_reader(void) {
    enum { MILLISECONDS = 200 };
    struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};
    for (bool last = false;;) {
        const int ready = poll(&reader, 1, MILLISECONDS);
        if (ready > 0 || (ready < 0 && errno != EINTR)) return true; /* an error shows when it is written */
        if (ready == 0 && last) return false;
        last = never_waits || rl_stop_requested() != RL_STOP_NONE;
        if (ready == 0 && never_waits) return false;
    }
}

static void keep_error(int error) {
    int none = 0;
    if (error != EPIPE && error != EBADF) atomic_compare_exchange_strong(&first_error, &none, error);
}

void rl_log_write(const char *text) {
    for (size_t left = strlen(text); left > 0;) {
        if (!wait_for_reader()) return;
        const ssize_t written = write(STDERR_FILENO, text, left);
        if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (written < 0) {
            keep_error(errno);
            return;
        }
        text += written;
        left -= (size_t)written;
    }
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void print_line(rl_log_level level, const char *format, va_list arguments) {
    if (!log_prints || level > log_level) return;
    char line[1200], whole[1300];
    vsnprintf(line, sizeof line, format, arguments);
    rl_make_printable(line);
    snprintf(whole, sizeof whole, "%sridgeless: %s\n", atomic_exchange(&line_is_open, false) ? "\r\033[K" : "", line);
    rl_log_write(whole);
}

void rl_log_open_line(void) {
    atomic_store(&line_is_open, true);
}

void rl_log_clear_line(void) {
    if (atomic_exchange(&line_is_open, false)) rl_log_write("\r\033[K");
}

#define DEFINE_LOG(name, level)               \
    void name(const char *format, ...) {      \
        va_list arguments;                    \
        va_start(arguments, format);          \
        print_line(level, format, arguments); \
        va_end(arguments);                    \
    }

DEFINE_LOG(rl_warn, RL_LOG_WARNING)
DEFINE_LOG(rl_info, RL_LOG_INFO)
DEFINE_LOG(rl_debug, RL_LOG_DEBUG)

static double read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double rl_seconds(void) {
    return read_clock(CLOCK_MONOTONIC);
}

double rl_clock_seconds(void) {
    return read_clock(CLOCK_REALTIME);
}

double rl_processor_seconds(void) {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* Lines on standard error, and the clock. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "ridgeless/core.h"

static rl_log_level log_level = RL_LOG_INFO;
static bool log_prints = true;
static atomic_bool line_is_open; /* a bar stands in the terminal's last line */

void rl_log_configure(rl_log_level level, bool prints) {
    log_level = level;
    log_prints = prints;
}

static void print_line(rl_log_level level, const char *format, va_list arguments) {
    if (!log_prints || level > log_level) return;
    char line[1200];
    vsnprintf(line, sizeof line, format, arguments);
    rl_make_printable(line);
    fprintf(stderr, "%sridgeless: %s\n", atomic_exchange(&line_is_open, false) ? "\r\033[K" : "", line);
}

void rl_log_open_line(void) {
    atomic_store(&line_is_open, true);
}

void rl_log_clear_line(void) {
    if (atomic_exchange(&line_is_open, false)) fprintf(stderr, "\r\033[K");
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

double rl_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double rl_processor_seconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

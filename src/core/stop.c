/* Signals: how the program starts with them, requests to stop, and sleeping until one comes. */
#define _GNU_SOURCE /* sem_clockwait */
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ridgeless/core.h"

typedef struct stop_signal {
    int number;
    rl_stop asks;
    bool may_be_ignored; /* stays ignored where the process was started so */
    const char *name;
} stop_signal;

static const stop_signal stop_signals[] = {
    {SIGUSR1, RL_STOP_SOON, false, "SIGUSR1"}, {SIGUSR2, RL_STOP_SOON, false, "SIGUSR2"},
    {SIGXCPU, RL_STOP_SOON, false, "SIGXCPU"}, {SIGINT, RL_STOP_SOON, true, "SIGINT"},
    {SIGTERM, RL_STOP_NOW, false, "SIGTERM"},  {SIGALRM, RL_STOP_NOW, true, "SIGALRM"},
    {SIGHUP, RL_STOP_NOW, true, "SIGHUP"}};
enum { N_SIGNALS = sizeof stop_signals / sizeof *stop_signals };

static volatile sig_atomic_t requested = RL_STOP_NONE, by_signal = -1, interrupts = 0; /* by_signal: its index above */
static sem_t wake;

/* ---- the start --------------------------------------------------------------------------------------------------- */

/* A write that nobody reads, or that a limit forbids, fails with an error that is told. */
static const int of_writing[] = {SIGPIPE, SIGXFSZ};
enum { N_OF_WRITING = sizeof of_writing / sizeof *of_writing };
static bool ends_by_pipe;          /* the program was started so */
static bool is_ignored[N_SIGNALS]; /* likewise, and stays so: MPI libraries may set them otherwise */

static bool starts_ignored(int number) {
    struct sigaction before;
    return sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
}

static void set_disposition(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* Libraries of Open MPI 5 catch SIGHUP as they are loaded: so this is noted before any is. */
static void note_start(void) {
    ends_by_pipe = !starts_ignored(SIGPIPE);
    for (int i = 0; i < N_SIGNALS; i++)
        is_ignored[i] = stop_signals[i].may_be_ignored && starts_ignored(stop_signals[i].number);
}
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) = note_start;

void rl_stop_start(void) {
    sigset_t none;
    for (int i = 0; i < N_OF_WRITING; i++) set_disposition(of_writing[i], SIG_IGN);
    set_disposition(SIGCHLD, SIG_DFL); /* where it is ignored, nobody learns how a child has ended */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void rl_stop_start_child(void) {
    for (int i = 0; i < N_OF_WRITING; i++) set_disposition(of_writing[i], SIG_DFL);
}

void rl_stop_by_pipe(void) {
    if (!ends_by_pipe) return;
    set_disposition(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void leave_at_once(void) {
    static const char text[] = "ridgeless: left at once; what was finished is kept, run again to go on\n";
    rl_abandon_temporary();
    struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};
    const bool reads = poll(&reader, 1, 0) > 0; /* else the write might wait for ever */
    if (reads && write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(rl_exit_status(RL_STOPPED));
    _exit(rl_exit_status(RL_STOPPED));
}

static void note_signal(int number) {
    const int error = errno;
    if (number == SIGINT && interrupts++ > 0) leave_at_once();
    for (int i = 0; i < N_SIGNALS; i++)
        if (stop_signals[i].number == number && (int)stop_signals[i].asks > requested) {
            by_signal = i;
            requested = (int)stop_signals[i].asks;
        }
    sem_post(&wake);
    errno = error;
}

rl_status rl_stop_catch_signals(void) {
    static bool can_wake = false;
    struct sigaction action = {.sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (!can_wake && sem_init(&wake, 0, 0) != 0) return rl_fail(RL_ERR_LIBRARY, "sem_init failed: %s", strerror(errno));
    can_wake = true;
    for (int i = 0; i < N_SIGNALS; i++) {
        action.sa_handler = is_ignored[i] ? SIG_IGN : note_signal;
        if (sigaction(stop_signals[i].number, &action, NULL) != 0)
            return rl_fail(RL_ERR_LIBRARY, "sigaction failed: %s", strerror(errno));
    }
    return RL_OK;
}

rl_stop rl_stop_requested(void) {
    return (rl_stop)requested;
}

const char *rl_stop_signal(void) {
    return by_signal < 0 ? NULL : stop_signals[by_signal].name;
}

void rl_stop_wait(double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const double end = (double)until.tv_nsec * 1e-9 + seconds;
    until.tv_sec += (time_t)end;
    until.tv_nsec = (long)((end - (double)(time_t)end) * 1e9);
    sem_clockwait(&wake, CLOCK_MONOTONIC, &until);
}

void rl_stop_wake(void) {
    sem_post(&wake);
}

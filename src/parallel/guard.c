/* A thread per rank that sees to it that the process leaves in time, and that a rank which dies is named.
 *
 * The ranks of a node stand in a ring: each watches the next one's process. It calls nothing of MPI; what it needs to
 * know of the others lies in memory that the node's ranks share. */
#define _GNU_SOURCE /* sigabbrev_np */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ridgeless/parallel.h"

enum { DOING = 256 };
static const double interval = 0.2; /* seconds between two looks */
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { N_CRASHES = sizeof crashes / sizeof *crashes };

/* What a rank says of itself to the other ranks of its node. */
typedef struct post {
    int rank;
    pid_t pid;
    ino_t pid_namespace; /* a pid means something within one alone */
    atomic_int leaving;  /* 1 + exit status once the rank has begun to leave and has said why */
    char doing[DOING];
} post;

struct rl_guard {
    const rl_context *context;
    void (*save)(void *state, bool now);
    void *state;
    MPI_Comm node;
    MPI_Win window;
    post *all, *mine, *next; /* of the node's ranks; next: NULL where nobody else can be watched */
    int n_posts;
    pthread_t thread;
    atomic_bool done;
    struct sigaction before[N_CRASHES];
};

static rl_guard *present; /* the guard that a crash of this process is told to */

/* ---- leaving ----------------------------------------------------------------------------------------------------- */

_Noreturn static void leave(rl_guard *g, int exit_status) {
    rl_abandon_temporary();
    g->save(g->state, true);
    atomic_store(&g->mine->leaving, 1 + exit_status);
    _exit(exit_status);
}

/* The main thread ends the whole run, and has said why. */
static void note_abort(rl_status status) {
    atomic_store(&present->mine->leaving, 1 + rl_exit_status(status));
}

static void append(char *line, size_t size, const char *text) {
    const size_t length = strlen(line);
    for (size_t i = length; i + 1 < size && *text != '\0'; i++) {
        line[i] = *text++;
        line[i + 1] = '\0';
    }
}

/* Handlers of the MPI library print where the process was, and may wait for ever for a lock that it held. */
static void end_surely(void) {
    enum { SECONDS = 5 };
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t alarms;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(SECONDS);
}

/* In a signal handler: by what is allowed there alone. Then the signal takes its course as if it had not been caught.
 */
static void on_crash(int number, siginfo_t *from, void *context) {
    (void)context;
    char line[DOING + 200] = "ridgeless: rank ", digits[12] = "";
    int rank = present->mine->rank, i = (int)sizeof digits - 1;
    do digits[--i] = (char)('0' + rank % 10);
    while ((rank /= 10) > 0);
    append(line, sizeof line, digits + i);
    append(line, sizeof line, " crashed (SIG");
    append(line, sizeof line, sigabbrev_np(number) != NULL ? sigabbrev_np(number) : "?");
    append(line, sizeof line, ") while ");
    append(line, sizeof line, present->mine->doing);
    append(line, sizeof line, "; what was finished is kept\n");
    atomic_store(&present->mine->leaving, 2);
    rl_abandon_temporary();
    if (write(STDERR_FILENO, line, strlen(line)) < 0) errno = 0;
    for (int k = 0; k < N_CRASHES; k++)
        if (crashes[k] == number) sigaction(number, &present->before[k], NULL);
    end_surely();
    if (from->si_code <= 0) raise(number); /* sent; a fault happens once more on return */
}

/* ---- watching ---------------------------------------------------------------------------------------------------- */

/* A process that nobody has waited for yet is dead too: launchers take their time, or ask the living first. */
static bool is_dead(pid_t pid) {
    char path[32], line[512];
    if (kill(pid, 0) != 0) return errno == ESRCH;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file >= 0 ? read(file, line, sizeof line - 1) : 0;
    if (file >= 0) close(file);
    line[length > 0 ? length : 0] = '\0';
    const char *const name_end = strrchr(line, ')'); /* "PID (NAME) STATE ..." */
    return name_end != NULL && name_end[1] == ' ' && (name_end[2] == 'Z' || name_end[2] == 'X');
}

/* Whether a rank of the node has said why the run ends: then launchers end the others, of which nothing is to be said.
 */
static bool is_explained(const rl_guard *g) {
    for (int i = 0; i < g->n_posts; i++)
        if (atomic_load(&g->all[i].leaving) != 0) return true;
    return false;
}

static void check_next(rl_guard *g) {
    const post *next = g->next;
    if (next == NULL || !is_dead(next->pid)) return;
    const int leaving = atomic_load(&next->leaving);
    if (leaving != 0) leave(g, leaving - 1);
    if (!is_explained(g)) {
        atomic_store(&g->mine->leaving, 2);
        dprintf(STDERR_FILENO, "ridgeless: rank %d died while %s; what was finished is kept, run again to go on\n",
                next->rank, next->doing);
    }
    leave(g, 1);
}

static void tell_soon(const rl_guard *g) {
    if (g->mine->rank == 0)
        rl_info("%s: begins nothing more and finishes what is under way%s", rl_stop_signal(),
                strcmp(rl_stop_signal(), "SIGINT") == 0 ? "; once more to leave at once" : "");
}

/* Said before anything else is tried: whoever sent it may kill this process before it can say more. */
static void tell_now(const rl_guard *g) {
    if (g->mine->rank == 0) rl_info("%s: stops now; what was finished is kept, run again to go on", rl_stop_signal());
}

static void *watch(void *state) {
    rl_guard *g = state;
    const double patience = rl_context_patience();
    rl_stop seen = RL_STOP_NONE;
    double asked = 0;
    while (!atomic_load(&g->done)) {
        rl_stop_wait(seen == RL_STOP_NOW ? fmin(interval, fmax(0, asked + patience - rl_seconds())) : interval);
        const rl_stop now = rl_stop_requested();
        if (now == RL_STOP_SOON && seen == RL_STOP_NONE) tell_soon(g);
        if (now == RL_STOP_NOW && seen != RL_STOP_NOW) {
            asked = rl_seconds();
            tell_now(g);
            g->save(g->state, true);
        }
        seen = now;
        if (seen == RL_STOP_NOW && rl_seconds() - asked >= patience) {
            if (g->mine->rank == 0)
                rl_warn("%s: left while %s; what was finished is kept, run again to go on", rl_stop_signal(),
                        g->mine->doing);
            leave(g, rl_exit_status(RL_STOPPED));
        }
        if (atomic_load(&g->done)) break;
        check_next(g);
        g->save(g->state, false);
    }
    return NULL;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

static rl_status make_posts(rl_guard *g) {
    int size, rank, unit;
    MPI_Aint bytes;
    struct stat space;
    RL_MPI(MPI_Comm_split_type(g->context->comm, MPI_COMM_TYPE_SHARED, g->context->rank, MPI_INFO_NULL, &g->node));
    MPI_Comm_size(g->node, &size);
    MPI_Comm_rank(g->node, &rank);
    RL_MPI(MPI_Win_allocate_shared(sizeof *g->mine, 1, MPI_INFO_NULL, g->node, &g->mine, &g->window));
    memset(g->mine, 0, sizeof *g->mine);
    g->mine->rank = g->context->rank;
    g->mine->pid = getpid();
    g->mine->pid_namespace = stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
    rl_guard_doing(g, "preparing");
    RL_MPI(MPI_Barrier(g->node));
    RL_MPI(MPI_Win_shared_query(g->window, 0, &bytes, &unit, &g->all)); /* the ranks' posts lie one after the other */
    g->n_posts = size;
    g->next = &g->all[(rank + 1) % size];
    if (size == 1 || g->mine->pid_namespace == 0 || g->next->pid_namespace != g->mine->pid_namespace) g->next = NULL;
    return RL_OK;
}

static void catch_crashes(rl_guard *g) {
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    present = g;
    rl_context_on_abort(note_abort);
    for (int i = 0; i < N_CRASHES; i++) sigaction(crashes[i], &action, &g->before[i]);
}

/* Signals are for the main thread: a handler in this one would end no system call of the other. */
static rl_status start_thread(rl_guard *g) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&g->thread, NULL, watch, g);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? RL_OK : rl_fail(RL_ERR_LIBRARY, "no thread can be started: %s", strerror(error));
}

rl_status rl_guard_start(const rl_context *context, void (*save)(void *state, bool now), void *state,
                         rl_guard **guard) {
    rl_guard *g;
    RL_TRY(rl_context_agree(context, RL_ALLOC(g, 1)));
    *g = (rl_guard){.context = context, .save = save, .state = state, .node = MPI_COMM_NULL, .window = MPI_WIN_NULL};
    rl_status status = make_posts(g);
    if (status == RL_OK) catch_crashes(g); /* before any rank is watched: what ends this one is told by itself */
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_context_agree(context, start_thread(g));
    if (status != RL_OK) return status; /* without MPI or threads the process ends: nothing to give back */
    *guard = g;
    return RL_OK;
}

void rl_guard_doing(rl_guard *guard, const char *format, ...) {
    va_list arguments;
    if (guard == NULL) return;
    va_start(arguments, format);
    vsnprintf(guard->mine->doing, sizeof guard->mine->doing, format, arguments);
    va_end(arguments);
}

void rl_guard_stop(rl_guard *guard) {
    if (guard == NULL) return;
    rl_context_wait(guard->context); /* all are there to be watched until all watch no more */
    atomic_store(&guard->done, true);
    rl_stop_wake();
    pthread_join(guard->thread, NULL);
    for (int i = 0; i < N_CRASHES; i++) sigaction(crashes[i], &guard->before[i], NULL);
    rl_context_on_abort(NULL);
    present = NULL;
    MPI_Win_free(&guard->window);
    MPI_Comm_free(&guard->node);
    rl_free(guard);
}

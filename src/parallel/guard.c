/* A thread per rank that sees to it that the process leaves in time, and that a rank which dies or hangs is named.
 *
 * It calls nothing of MPI. What it needs to know of the other ranks of its node lies in memory that they share: each
 * watches the process of the next one, and hears of all by their beats. Of other nodes it hears by guard_nodes.c. */
#define _GNU_SOURCE /* sigabbrev_np */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const double interval = 0.2; /* seconds between two looks */
/* Between two looks a guard cannot have missed more: where it did not run itself, it has nothing to say of others. */
static const double most_between_looks = 1;
static const double leaving_takes = 2, waking_takes = 4, settling_takes = 1; /* seconds, see below */
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { N_CRASHES = sizeof crashes / sizeof *crashes };

/* When this guard last heard of a rank of its node, in looks and seconds of its own. */
typedef struct heard {
    unsigned beats;
    double quiet;  /* seconds without a beat */
    double left;   /* seconds since it began to leave */
    bool is_named; /* by this guard, as silent */
} heard;

struct rl_guard {
    const rl_context *context;
    rl_guard_settings settings;
    MPI_Comm node;
    MPI_Win window;
    rl_post *all, *mine; /* [n_posts], of the node's ranks; this rank's */
    rl_rank_state *states;
    heard *heard;
    int n_posts, me; /* me: this rank's place among them */
    rl_nodes *nodes;
    bool *is_silent;      /* [size] by rank; on rank 0 */
    _Atomic double until; /* rl_seconds() from when on nobody waits for silent ranks; on rank 0 */
    double unneeded;      /* seconds that rank 0 has waited for silent ranks alone, though the run is to end */
    pthread_mutex_t main; /* held by what must not be disturbed */
    bool concludes;       /* the run, in a thread of its own */
    atomic_int concluded; /* 1 + exit status once that is done */
    pthread_t thread;
    atomic_bool done;
    struct sigaction before[N_CRASHES];
};

static rl_guard *present; /* the guard that a crash of this process is told to */

void rl_guard_say(const char *format, ...) {
    char line[RL_DOING + 300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    rl_make_printable(line);
    rl_log_clear_line();
    dprintf(STDERR_FILENO, "ridgeless: %s\n", line);
}

/* ---- leaving ----------------------------------------------------------------------------------------------------- */

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

/* Whether this guard may look at the process, and send it signals. */
static bool is_near(const rl_guard *g, const rl_post *post) {
    return post != g->mine && post->pid_namespace != 0 && post->pid_namespace == g->mine->pid_namespace;
}

static int signal_silent(const rl_guard *g, int number) {
    int n = 0;
    for (int i = 0; i < g->n_posts; i++)
        if (g->states[i].silent && is_near(g, &g->all[i]) && !is_dead(g->all[i].pid)) {
            kill(g->all[i].pid, number);
            n++;
        }
    return n;
}

/* A rank that hangs would keep its launcher waiting. One that was only stopped leaves by itself, with the right status:
 * its guard sees that others do. */
static void end_silent(const rl_guard *g) {
    const struct timespec nap = {.tv_nsec = 50000000};
    const double start = rl_seconds();
    while (signal_silent(g, SIGCONT) > 0 && rl_seconds() - start < waking_takes) nanosleep(&nap, NULL);
    signal_silent(g, SIGKILL);
}

/* Whatever the process is in the middle of. */
static void set_alarm(void (*handler)(int number)) {
    enum { SECONDS = 5 };
    struct sigaction action = {.sa_handler = handler};
    sigset_t alarms;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(SECONDS);
}

static void exit_on_alarm(int number) {
    (void)number;
    _exit(atomic_load(&present->mine->leaving) - 1);
}

/* The launcher alone reaches a node of which no rank is heard of any more. This thread calls MPI here because the main
 * one waits in it for ever: what it does is a message to the launcher. */
static void end_by_launcher(const rl_guard *g, int exit_status) {
    if (!rl_nodes_need_launcher(g->nodes)) return;
    set_alarm(exit_on_alarm);
    rl_context_end_all(g->context, exit_status);
}

_Noreturn static void leave(rl_guard *g, int exit_status) {
    rl_abandon_temporary();
    g->settings.save(g->settings.state, true);
    atomic_store(&g->mine->leaving, 1 + exit_status);
    rl_nodes_tell(g->nodes, 1 + exit_status, false);
    end_silent(g);
    end_by_launcher(g, exit_status);
    _exit(exit_status);
}

/* The main thread ends the whole run, and has said why. */
static void note_abort(rl_status status) {
    atomic_store(&present->mine->leaving, 1 + rl_exit_status(status));
    rl_nodes_tell_at_once(present->nodes, 1 + rl_exit_status(status));
}

static void append(char *line, size_t size, const char *text) {
    const size_t length = strlen(line);
    for (size_t i = length; i + 1 < size && *text != '\0'; i++) {
        line[i] = *text++;
        line[i + 1] = '\0';
    }
}

/* In a signal handler: by what is allowed there alone. Then the signal takes its course as if it had not been caught.
 */
static void on_crash(int number, siginfo_t *from, void *context) {
    (void)context;
    char line[RL_DOING + 200] = "ridgeless: rank ", digits[12] = "";
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
    rl_nodes_tell_at_once(present->nodes, 2);
    for (int k = 0; k < N_CRASHES; k++)
        if (crashes[k] == number) sigaction(number, &present->before[k], NULL);
    set_alarm(SIG_DFL);                    /* handlers of the MPI library may wait for ever for a lock that it held */
    if (from->si_code <= 0) raise(number); /* sent; a fault happens once more on return */
}

/* ---- the dead ---------------------------------------------------------------------------------------------------- */

/* Whether a rank of the node has said why the run ends: then launchers end the others, of which nothing is to be said.
 */
static bool is_explained(const rl_guard *g) {
    for (int i = 0; i < g->n_posts; i++)
        if (atomic_load(&g->all[i].leaving) != 0) return true;
    return false;
}

/* One that leaves takes the others with it, and the other nodes. */
static void check_leaving(rl_guard *g, double ran) {
    for (int i = 0; i < g->n_posts; i++) {
        const rl_post *post = &g->all[i];
        const int leaving = atomic_load(&post->leaving);
        if (leaving == 0 || i == g->me) continue;
        g->heard[i].left += ran;
        if (g->heard[i].left > leaving_takes || (is_near(g, post) && is_dead(post->pid))) leave(g, leaving - 1);
    }
}

/* The ranks of a node stand in a ring, and each watches the next one. One that is silent watches nobody. */
static void check_next(rl_guard *g) {
    for (int step = 1; step < g->n_posts; step++) {
        const int i = (g->me + step) % g->n_posts;
        const rl_post *next = &g->all[i];
        if (is_near(g, next) && is_dead(next->pid)) {
            if (!is_explained(g)) {
                atomic_store(&g->mine->leaving, 2);
                rl_guard_say("rank %d died while %s; " RL_RUN_AGAIN, next->rank, next->doing);
                rl_nodes_tell(g->nodes, 2, true);
            }
            leave(g, 1);
        }
        if (!g->states[i].silent) return;
    }
}

/* ---- the silent -------------------------------------------------------------------------------------------------- */

/* Of all that hear nothing of a rank, the first says so. */
static bool is_speaker(const rl_guard *g) {
    for (int i = 0; i < g->me; i++)
        if (!g->states[i].silent) return false;
    return true;
}

static void note_beats(rl_guard *g, double ran) {
    for (int i = 0; i < g->n_posts; i++) {
        const rl_post *post = &g->all[i];
        heard *h = &g->heard[i];
        const unsigned beats = atomic_load(&post->beats);
        h->quiet = beats == h->beats ? h->quiet + ran : 0;
        h->beats = beats;
        g->states[i] = (rl_rank_state){.rank = post->rank,
                                       .stop = atomic_load(&post->stop),
                                       .first = atomic_load(&post->first),
                                       .n = atomic_load(&post->n),
                                       .silent = i != g->me && h->quiet >= g->settings.silence};
    }
}

static void name_again(const rl_guard *g, int i) {
    g->heard[i].is_named = false;
    rl_guard_say("rank %d is heard of again", g->all[i].rank);
}

static void name_silent(rl_guard *g) {
    for (int i = 0; i < g->n_posts; i++) {
        heard *h = &g->heard[i];
        if (g->states[i].silent && !h->is_named && is_speaker(g)) {
            h->is_named = true;
            rl_guard_say("rank %d has not been heard of for %.0f s while %s; the run waits for it, %s", g->all[i].rank,
                         h->quiet, g->all[i].doing,
                         g->all[i].rank == 0 ? "and only SIGTERM ends it" : "and SIGUSR1 ends the run without it");
        }
        if (!g->states[i].silent && h->is_named) name_again(g, i);
    }
}

/* ---- rank 0 waits no more ---------------------------------------------------------------------------------------- */

static int n_ranks(const rl_guard *g) {
    return g->n_posts + rl_nodes_n_ranks(g->nodes);
}

static rl_rank_state rank_at(const rl_guard *g, int i) {
    return i < g->n_posts ? g->states[i] : rl_nodes_rank(g->nodes, i - g->n_posts);
}

/* A rank that computes together with a silent one waits for it, whatever it is asked. */
static bool ends_by_itself(const rl_guard *g, const rl_rank_state *state) {
    for (int i = 0; i < state->n; i++)
        if (g->is_silent[state->first + i]) return false;
    return state->n > 0 && !state->silent;
}

/* Whether the run is to end, and all that could still end of it has, but for silent ranks. */
static bool waits_for_silent_alone(const rl_guard *g) {
    bool asked = rl_seconds() >= atomic_load(&g->until), any = false;
    for (int i = 0; i < n_ranks(g); i++) {
        const rl_rank_state state = rank_at(g, i);
        g->is_silent[state.rank] = state.silent;
        any = any || state.silent;
        asked = asked || (!state.silent && state.stop != RL_STOP_NONE);
    }
    if (!any || !asked) return false;
    for (int i = 0; i < n_ranks(g); i++) {
        const rl_rank_state state = rank_at(g, i);
        if (ends_by_itself(g, &state)) return false;
    }
    return true;
}

/* "rank 1", "ranks 1, 4 and 5", "ranks 1, 4 and 17 more". */
static void list_silent(const rl_guard *g, char *text, size_t size) {
    enum { NAMED = 8 };
    int n = 0, k = 0;
    for (int i = 0; i < g->context->size; i++) n += g->is_silent[i];
    size_t length = (size_t)snprintf(text, size, "rank%s", rl_plural(n));
    for (int i = 0; i < g->context->size && length < size; i++) {
        if (!g->is_silent[i]) continue;
        const char *before = k == 0 ? " " : k == n - 1 ? " and " : ", ";
        if (k++ == NAMED && n > NAMED + 1) {
            snprintf(text + length, size - length, " and %d more", n - NAMED);
            return;
        }
        length += (size_t)snprintf(text + length, size - length, "%s%d", before, i);
    }
}

static void *conclude(void *state) {
    rl_guard *g = state;
    atomic_store(&g->concluded, 1 + g->settings.conclude(g->settings.state));
    return NULL;
}

/* The main thread is locked out from here on: it waits in MPI for a rank that does not answer. What it was about to
 * take in has had a moment. Writing may take long, and this thread has others to look after. */
static void begin_conclusion(rl_guard *g) {
    pthread_t thread;
    char text[160];
    list_silent(g, text, sizeof text);
    rl_guard_say("the run ends without %s: not heard of any more", text);
    rl_guard_doing(g, "writing the results file");
    g->concludes = true;
    if (pthread_create(&thread, NULL, conclude, g) != 0) conclude(g);
}

static void check_needed(rl_guard *g, double ran) {
    const int concluded = atomic_load(&g->concluded);
    if (concluded != 0) leave(g, concluded - 1);
    if (g->is_silent == NULL || g->concludes) return;
    g->unneeded = waits_for_silent_alone(g) ? g->unneeded + ran : 0;
    if (g->unneeded >= settling_takes && pthread_mutex_trylock(&g->main) == 0) begin_conclusion(g);
}

/* ---- watching ---------------------------------------------------------------------------------------------------- */

static void tell_soon(const rl_guard *g) {
    if (g->mine->rank == 0)
        rl_info("%s: begins nothing more and finishes what is under way%s", rl_stop_signal(),
                strcmp(rl_stop_signal(), "SIGINT") == 0 ? "; once more to leave at once" : "");
}

/* Said before anything else is tried: whoever sent it may kill this process before it can say more. */
static void tell_now(const rl_guard *g) {
    if (g->mine->rank == 0) rl_info("%s: stops now; " RL_RUN_AGAIN, rl_stop_signal());
}

/* Of all other ranks, after so many seconds in which this guard ran. */
static void look(rl_guard *g, double ran) {
    atomic_fetch_add(&g->mine->beats, 1);
    note_beats(g, ran);
    check_leaving(g, ran);
    check_next(g);
    name_silent(g);
    const int leaving = rl_nodes_look(g->nodes, ran);
    if (leaving != 0) leave(g, leaving - 1);
    check_needed(g, ran);
}

static void *watch(void *state) {
    rl_log_never_wait();
    rl_guard *g = state;
    const double patience = rl_context_patience();
    rl_stop seen = RL_STOP_NONE;
    double asked = 0, last = rl_seconds();
    while (!atomic_load(&g->done)) {
        rl_stop_wait(seen == RL_STOP_NOW ? fmin(interval, fmax(0, asked + patience - rl_seconds())) : interval);
        const rl_stop now = rl_stop_requested();
        atomic_store(&g->mine->stop, (int)now);
        if (now == RL_STOP_SOON && seen == RL_STOP_NONE) tell_soon(g);
        if (now == RL_STOP_NOW && seen != RL_STOP_NOW) {
            asked = rl_seconds();
            tell_now(g);
            g->settings.save(g->settings.state, true);
        }
        seen = now;
        if (seen == RL_STOP_NOW && rl_seconds() - asked >= patience) {
            if (g->mine->rank == 0) rl_warn("%s: left while %s; " RL_RUN_AGAIN, rl_stop_signal(), g->mine->doing);
            leave(g, rl_exit_status(RL_STOPPED));
        }
        if (atomic_load(&g->done)) break;
        const double time = rl_seconds();
        look(g, fmin(time - last, most_between_looks));
        last = time;
        g->settings.save(g->settings.state, false);
    }
    return NULL;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

/* Ranks that share memory; but where Slurm says that they are on several nodes, as it does of virtual ones, each node
 * can be lost by itself. */
static void split_by_node(const rl_context *context, MPI_Comm *node) {
    const char *const number = getenv("SLURM_NODEID");
    MPI_Comm sharing;
    RL_MPI(MPI_Comm_split_type(context->comm, MPI_COMM_TYPE_SHARED, context->rank, MPI_INFO_NULL, &sharing));
    RL_MPI(MPI_Comm_split(sharing, number != NULL ? abs(atoi(number)) : 0, context->rank, node));
    MPI_Comm_free(&sharing);
}

static rl_status make_posts(rl_guard *g) {
    int unit;
    MPI_Aint bytes;
    struct stat space;
    split_by_node(g->context, &g->node);
    MPI_Comm_size(g->node, &g->n_posts);
    MPI_Comm_rank(g->node, &g->me);
    RL_MPI(MPI_Win_allocate_shared(sizeof *g->mine, 1, MPI_INFO_NULL, g->node, &g->mine, &g->window));
    memset(g->mine, 0, sizeof *g->mine);
    g->mine->rank = g->context->rank;
    g->mine->pid = getpid();
    g->mine->pid_namespace = stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
    rl_guard_doing(g, "preparing");
    RL_MPI(MPI_Barrier(g->node));
    RL_MPI(MPI_Win_shared_query(g->window, 0, &bytes, &unit, &g->all)); /* the ranks' posts lie one after the other */
    RL_TRY(RL_ALLOC(g->states, g->n_posts));
    RL_TRY(RL_ALLOC(g->heard, g->n_posts));
    return g->context->rank == 0 ? RL_ALLOC(g->is_silent, g->context->size) : RL_OK;
}

static void catch_crashes(rl_guard *g) {
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    present = g;
    rl_context_on_abort(note_abort);
    for (int i = 0; i < N_CRASHES; i++) sigaction(crashes[i], &action, &g->before[i]);
}

/* Signals are for the main thread: a handler in this one would end no system call of the other. But it may crash. */
static rl_status start_thread(rl_guard *g) {
    sigset_t all, before;
    sigfillset(&all);
    for (int i = 0; i < N_CRASHES; i++) sigdelset(&all, crashes[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&g->thread, NULL, watch, g);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? RL_OK : rl_context_fail_thread(error);
}

rl_status rl_guard_start(const rl_context *context, const rl_guard_settings *settings, rl_guard **guard) {
    rl_guard *g;
    RL_TRY(rl_context_agree(context, RL_ALLOC(g, 1)));
    *g = (rl_guard){.context = context,
                    .settings = *settings,
                    .node = MPI_COMM_NULL,
                    .window = MPI_WIN_NULL,
                    .until = INFINITY,
                    .main = PTHREAD_MUTEX_INITIALIZER};
    rl_status status = rl_context_agree(context, make_posts(g));
    if (status == RL_OK)
        status = rl_nodes_create(context, g->node, settings->silence, g->all, g->states, g->n_posts, &g->nodes);
    if (status == RL_OK) catch_crashes(g); /* before any rank is watched: what ends this one is told by itself */
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_context_agree(context, start_thread(g));
    if (status != RL_OK) return status; /* without MPI or threads the process ends: nothing to give back */
    *guard = g;
    return RL_OK;
}

void rl_guard_doing(rl_guard *guard, const char *format, ...) {
    va_list arguments;
    char doing[RL_DOING] = "";
    if (guard == NULL) return;
    va_start(arguments, format);
    vsnprintf(doing, sizeof doing, format, arguments);
    va_end(arguments);
    rl_make_printable(doing);
    memcpy(guard->mine->doing, doing, sizeof doing);
}

void rl_guard_computing(rl_guard *guard, int first, int n) {
    if (guard == NULL) return;
    atomic_store(&guard->mine->n, 0);
    atomic_store(&guard->mine->first, first);
    atomic_store(&guard->mine->n, n);
}

void rl_guard_until(rl_guard *guard, double when) {
    if (guard != NULL) atomic_store(&guard->until, when);
}

void rl_guard_hold(rl_guard *guard) {
    if (guard != NULL) pthread_mutex_lock(&guard->main);
}

void rl_guard_release(rl_guard *guard) {
    if (guard != NULL) pthread_mutex_unlock(&guard->main);
}

void rl_guard_stop(rl_guard *guard) {
    if (guard == NULL) return;
    rl_context_wait(guard->context); /* all are there to be watched until all watch no more */
    atomic_store(&guard->done, true);
    rl_stop_wake();
    pthread_join(guard->thread, NULL);
    for (int i = 0; i < guard->n_posts; i++)
        if (guard->heard[i].is_named) name_again(guard, i);
    rl_context_wait(guard->context); /* nobody takes the end of a connection for that of a rank */
    for (int i = 0; i < N_CRASHES; i++) sigaction(crashes[i], &guard->before[i], NULL);
    rl_context_on_abort(NULL);
    present = NULL;
    rl_nodes_destroy(guard->nodes);
    MPI_Win_free(&guard->window);
    MPI_Comm_free(&guard->node);
    pthread_mutex_destroy(&guard->main);
    rl_free(guard->states);
    rl_free(guard->heard);
    rl_free(guard->is_silent);
    rl_free(guard);
}

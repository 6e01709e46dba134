/* The threads of the BLAS and its buffers, which it takes when it is first used and then keeps.
 *
 * OpenBLAS before 0.3.30 tries for ever to get a buffer that it is refused, some 128 MiB of address space per thread,
 * and dies of SIGINT where a thread is refused, when it is loaded already. So it is loaded with one thread, and what it
 * will want is first taken in a child process, which may wait or die. */
#define _GNU_SOURCE /* sched_getcpu */
#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher.h"
#include "ridgeless/context.h"

/* For messages alone: how much it is, the child finds out. */
static const size_t usual_buffer = (size_t)128 << 20, usual_stack = (size_t)8 << 20;

/* What `threads` of the BLAS take beyond what the program has already, and MPI and the files beside it. */
static size_t bytes_wanted(int threads, size_t beside) {
    return (size_t)threads * usual_buffer + (size_t)(threads - 1) * usual_stack + beside;
}

/* ---- loaded with one thread ----------------------------------------------------------------------------------------
 */

/* As it is loaded, OpenBLAS starts a thread per processor that this process may use, whatever the environment says up
 * to that number. So it may use one, until all libraries are loaded. */
static cpu_set_t allowed;
static bool is_narrowed;

#define BEFORE_LIBRARIES __attribute__((no_sanitize("address", "undefined")))

BEFORE_LIBRARIES static void narrow_processors(void) {
    cpu_set_t one;
    const int here = sched_getcpu();
    if (here < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0 || !CPU_ISSET(here, &allowed)) return;
    CPU_ZERO(&one);
    CPU_SET(here, &one);
    is_narrowed = sched_setaffinity(0, sizeof one, &one) == 0;
}

/* Some OpenBLAS, as 0.3.29, take a buffer as they are loaded, too, and try for ever where memory is limited to less.
 * Loading takes some hundredths of a second of a processor; after much more than that the process ends. */
static const struct itimerval loading_takes = {.it_value.tv_sec = 3}, no_limit;
static const char *limited_by; /* the option of ulimit; NULL: loading is not timed */

/* Bytes of address space, or of data alone, without a call that a handler may not make. */
static size_t bytes_used(bool of_data) {
    enum { DATA = 5 }; /* its place among the numbers */
    char text[200] = "", *next = text;
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text - 1) < 0) return 0;
    close(file);
    unsigned long long pages = strtoull(text, &next, 10);
    for (int i = 0; i < DATA && of_data; i++) pages = strtoull(next, &next, 10);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void end_loading(int number) {
    enum { FIRST_TO_SPEAK = 5 }; /* seconds that rank 0 has */
    char line[200];
    const size_t wanted = usual_buffer + bytes_wanted(1, RL_NETCDF_BYTES + rl_launcher_bytes()); /* and one for work */
    const size_t least = bytes_used(strcmp(limited_by, "-d") == 0) + wanted;
    (void)number;
    if (rl_context_launched_rank() > 0) sleep(FIRST_TO_SPEAK);
    snprintf(line, sizeof line,
             "ridgeless: out of memory: BLAS, MPI and NetCDF: %zu MiB more are wanted; expected at least `ulimit %s "
             "%zu`\n",
             wanted >> 20, limited_by, (least >> 10) + 1024);
    if (rl_context_launched_rank() <= 0 && write(STDERR_FILENO, line, strlen(line)) < 0) errno = 0;
    _exit(rl_exit_status(RL_ERR_MEMORY));
}

BEFORE_LIBRARIES static bool is_limited(int resource) {
    struct rlimit limit;
    return getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

BEFORE_LIBRARIES static void time_loading(void) {
    limited_by = is_limited(RLIMIT_AS) ? "-v" : is_limited(RLIMIT_DATA) ? "-d" : NULL;
    if (limited_by != NULL) signal(SIGPROF, end_loading);
    if (limited_by != NULL) setitimer(ITIMER_PROF, &loading_takes, NULL);
}

BEFORE_LIBRARIES static void begin_loading(void) {
    narrow_processors();
    time_loading();
}
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) = begin_loading;

__attribute__((constructor)) static void end_of_loading(void) { /* the program's own come after those of libraries */
    if (is_narrowed) sched_setaffinity(0, sizeof allowed, &allowed);
    if (limited_by == NULL) return;
    setitimer(ITIMER_PROF, &no_limit, NULL);
    signal(SIGPROF, SIG_DFL);
}

/* ---- what the BLAS is told -----------------------------------------------------------------------------------------
 */

#if defined(RL_FLEXIBLAS)
void flexiblas_set_num_threads(int threads); /* installations differ in where its header is */
#endif

static void set_threads(int threads) {
#if defined(RL_OPENBLAS)
    openblas_set_num_threads(threads);
#elif defined(RL_FLEXIBLAS)
    flexiblas_set_num_threads(threads);
#else
    (void)threads;
#endif
}

/* Ranks fill the cores already: a BLAS that also started a thread per core would make them fight. */
int rl_context_threads(void) {
    static const char *const names[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        const int asked = value != NULL ? atoi(value) : 0, most = rl_context_processors();
        if (asked > 0) return asked < most ? asked : most;
    }
    return 1;
}

/* ---- buffers -------------------------------------------------------------------------------------------------------
 */

/* A product that is too large for kernels without buffers, and large enough for several threads. */
static void take_buffers(void) {
    enum { N = 128 };
    static double a[N * N], b[N * N];
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a, N, 0, b, N);
}

static _Noreturn void take_in_child(int threads) {
    const struct itimerval enough = {.it_value.tv_usec = 500000}; /* of processors; it takes milliseconds */
    const struct rlimit no_core = {0};
    const int nowhere = open("/dev/null", O_WRONLY);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPROF, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    setitimer(ITIMER_PROF, &enough, NULL);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
    set_threads(threads);
    take_buffers();
    _exit(0);
}

static bool can_be_taken(int threads) {
    int status = -1;
    pid_t ended;
    const pid_t child = fork();
    if (child == 0) take_in_child(threads);
    if (child < 0) return false;
    do ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    return ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static rl_status fail_buffers(int threads, size_t beside) {
    const size_t wanted = bytes_wanted(threads, beside);
    if (threads == 1 || !rl_memory_is_there(wanted)) return rl_memory_fail(wanted, "BLAS, MPI and NetCDF");
    return rl_fail(RL_ERR_MEMORY,
                   "the BLAS cannot start %d threads; set OPENBLAS_NUM_THREADS=1, or raise the number of processes "
                   "(`ulimit -u`, pids.max of a control group)",
                   threads);
}

static rl_status take_threads(int threads, size_t beside) {
    static int taken = 0; /* so many have their buffers */
    const bool may_fail = threads > taken && (threads > 1 || rl_memory_is_limited());
    if (may_fail && !can_be_taken(threads)) return fail_buffers(threads, beside);
    set_threads(threads);
    if (threads > taken) {
        take_buffers();
        taken = threads;
    }
    return RL_OK;
}

rl_status rl_context_blas_threads(int threads) {
    return take_threads(threads, 0);
}

rl_status rl_context_ask_memory(bool with_mpi) {
    /* Each thread of MPI would have 64 MiB of addresses for itself. */
    if (rl_memory_is_limited()) mallopt(M_ARENA_MAX, 1);
    const size_t beside = RL_NETCDF_BYTES + (with_mpi ? rl_launcher_bytes() : 0);
    RL_TRY(take_threads(rl_context_threads(), beside));
    return rl_memory_ask(beside, "BLAS, MPI and NetCDF");
}

size_t rl_context_library_bytes(void) {
    return bytes_wanted(rl_context_threads(), RL_NETCDF_BYTES + rl_launcher_bytes());
}

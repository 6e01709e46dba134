/* Launchers and MPI libraries, as far as MPI's standard is silent: which variables of the environment a launcher sets
 * for its ranks, and which ones a library reads. All that one library alone understands is in this file. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "launcher.h"

#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ridgeless/context.h"

/* ---- what the launcher says -------------------------------------------------------------------------------------- */

/* Set by Open MPI's mpirun; by any launcher with PMIx; by MPICH's mpiexec (Hydra) and srun. */
static const char *const rank_names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
/* Set by Open MPI's mpirun, by MPICH's mpiexec, and by srun, which says `2(x3),1` where nodes differ: the first number
 * is a fair guess then. */
static const char *const node_size_names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                              "SLURM_STEP_TASKS_PER_NODE"};

/* The number at the beginning of the first of these variables that is set; `none` where none of them is. */
static int first_number(const char *const *names, size_t n, int none) {
    for (size_t i = 0; i < n; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL) return atoi(value);
    }
    return none;
}

/* Slurm says how many tasks srun has started together. Of those of `srun --pty` one alone has the terminal, in which a
 * person may start what stands alone. */
static int tasks_of_srun(void) {
    static const char *const names[] = {"SLURM_STEP_NUM_TASKS"};
    return getenv("SLURM_PTY_PORT") == NULL ? first_number(names, 1, 1) : 1;
}

int rl_context_launched_rank(void) {
    return first_number(rank_names, sizeof rank_names / sizeof *rank_names, 0);
}

int rl_launcher_rank(void) {
    static const char *const names[] = {"SLURM_PROCID"};
    return first_number(rank_names, sizeof rank_names / sizeof *rank_names,
                        tasks_of_srun() > 1 ? first_number(names, 1, 0) : 0);
}

extern char **environ; /* POSIX declares it nowhere */

static bool is_launched(void) {
    static const char *const signs[] = {"PMI", "OMPI_COMM_WORLD_"}; /* srun has several kinds of PMI */
    for (char **variable = environ; *variable != NULL; variable++)
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
            if (strncmp(*variable, signs[i], strlen(signs[i])) == 0) return true;
    return false;
}

/* Each of the processes would be one rank, do all of the work, and write the same files. */
static rl_status refuse_alone(int ranks, bool by_slurm) {
#ifdef OPEN_MPI
    static const char *const pmi = "pmix";
#else
    static const char *const pmi = "pmi2";
#endif
    if (by_slurm)
        return rl_fail(RL_ERR_INPUT,
                       "Slurm started %d tasks, but MPI sees one: use srun --mpi=%s, or mpirun; this program is built "
                       "with " RL_MPI_KIND,
                       ranks, pmi);
    return rl_fail(RL_ERR_INPUT,
                   "%d processes were started, but each stands alone: their launcher is that of another MPI, or has "
                   "died; this program is built with " RL_MPI_KIND,
                   ranks);
}

rl_status rl_launcher_check_size(int size) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    const int tasks = tasks_of_srun(), ranks = first_number(names, sizeof names / sizeof *names, tasks);
    return size == 1 && ranks > 1 ? refuse_alone(ranks, ranks == tasks) : RL_OK;
}

/* ---- processors -------------------------------------------------------------------------------------------------- */

/* The processors that this process or the one that started it may use: a launcher that binds each rank to a processor
 * leaves itself all those of the job. */
static int processors_of_job(void) {
    cpu_set_t mine, launcher;
    CPU_ZERO(&mine);
    CPU_ZERO(&launcher);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0) return 0; /* there are more than a cpu_set_t holds */
    if (sched_getaffinity(getppid(), sizeof launcher, &launcher) == 0) CPU_OR(&mine, &mine, &launcher);
    return CPU_COUNT(&mine);
}

/* Slurm's daemon, which starts its ranks, may use the whole node; Slurm says how much of it the job may. */
static int count_processors(void) {
    static const char *const names[] = {"SLURM_CPUS_ON_NODE"};
    const int found = processors_of_job(), granted = first_number(names, 1, found);
    return granted > 0 && granted < found ? granted : found;
}

int rl_context_processors(void) {
    const int found = count_processors();
    return found > 0 ? found : 1;
}

/* ---- where standard error goes ----------------------------------------------------------------------------------- */

/* The name of a program, as the kernel has it: at most 15 bytes. */
static void name_of_process(pid_t pid, char name[16]) {
    char path[32];
    name[0] = '\0';
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file >= 0 ? read(file, name, 15) : 0;
    if (file >= 0) close(file);
    name[length > 0 ? length : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

static bool has_terminal(pid_t pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/fd/2", (int)pid);
    const int file = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    const bool found = file >= 0 && isatty(file) != 0;
    if (file >= 0) close(file);
    return found;
}

/* Ranks write into a pipe of mpirun's, which passes on what it reads as it comes. Only a rank on the machine of mpirun
 * itself is its child; those of other nodes are a daemon's, which has no terminal. */
bool rl_context_on_terminal(void) {
    static const char *const launchers[] = {"mpirun", "mpiexec", "orterun", "prterun", "prte"};
    char name[16];
    if (isatty(STDERR_FILENO) != 0) return true;
    name_of_process(getppid(), name);
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (strncmp(name, launchers[i], strlen(launchers[i])) == 0) return has_terminal(getppid());
    return false;
}

/* ---- how long it waits --------------------------------------------------------------------------------------------
 */

#ifdef OPEN_MPI
/* Open MPI 5 waits a quarter of a second, whatever its options say; Open MPI 4 as many whole seconds as they do. */
static double wait_of_mpirun(void) {
    static const char *const names[] = {"OMPI_MCA_odls_base_sigkill_timeout"};
    return OMPI_MAJOR_VERSION < 5 ? first_number(names, sizeof names / sizeof *names, 1) : 0.25;
}
#else
static double wait_of_mpirun(void) {
    return 10;
}
#endif

/* Open MPI's mpirun kills its ranks so many seconds after it has sent them SIGTERM; what remains of them is for what
 * they say on their way out to arrive. Slurm waits half a minute, and others ten seconds. */
double rl_context_patience(void) {
    const double usual = 3.5, part = 0.7;
    return getenv("OMPI_COMM_WORLD_RANK") == NULL ? usual : fmin(usual, part * wait_of_mpirun());
}

/* ---- what the library is to do ----------------------------------------------------------------------------------- */

/* Open MPI starts four times as fast without a daemon, which a process that starts no others does not need, and without
 * drivers of networks, some of which measure the clock for long. It makes no folder for its session either: all such
 * processes of a user would have the same one, and the first to end would remove it while another starts in it. A task
 * of srun without PMI is refused by Open MPI, which knows it by its list of nodes. */
static const struct {
    const char *name, *value; /* NULL: taken away */
} alone[] = {
    {"SLURM_NODELIST", NULL},
    {"OMPI_MCA_ess_singleton_isolated", "1"},
    {"OMPI_MCA_orte_create_session_dirs", "0"},
    {"OMPI_MCA_pml", "ob1"},
    {"OMPI_MCA_btl", "self"},
};

/* A rank of Open MPI that waits asks for messages without a pause. Where ranks outnumber processors it does so on the
 * processor that another rank needs to send them, and all take a hundred times as long. */
static const char *const crowded = "OMPI_MCA_mpi_yield_when_idle";

#ifdef OPEN_MPI
static const bool can_yield = true;
#else
static const bool can_yield = false; /* a rank of MPICH that waits keeps its processor in any case */
#endif

static rl_waiting how_ranks_wait(bool many) {
    if (!many) return RL_WAITING_ALONE;
    if (!can_yield) return RL_WAITING_SPINS;
    if (getenv(crowded) != NULL) return RL_WAITING_AS_ASKED;
    setenv(crowded, "1", 0);
    return RL_WAITING_YIELDS;
}

/* Ranks of one node need no network. Open MPI looks for one all the same, which takes a while, and complains where it
 * finds none that leads from the node to itself. */
static void leave_network_out(void) {
#ifdef OPEN_MPI
    static const char *const shared_memory = OMPI_MAJOR_VERSION < 5 ? "self,vader" : "self,sm";
    const char *const here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE"), *const all = getenv("OMPI_COMM_WORLD_SIZE");
    if (here == NULL || all == NULL || strcmp(here, all) != 0) return;
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_btl", shared_memory, 0);
#endif
}

static void stand_alone(void) {
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (alone[i].value != NULL)
            setenv(alone[i].name, alone[i].value, 0);
        else
            unsetenv(alone[i].name);
}

static bool can_hold_files(const char *folder) {
    struct stat status;
    return stat(folder, &status) == 0 && S_ISDIR(status.st_mode) && access(folder, W_OK | X_OK) == 0;
}

/* Where the folder for temporary files cannot be used, as on a node that lacks the login node's, a usual one does. */
static void find_temporary_folder(void) {
    static const char *const names[] = {"TMPDIR", "TEMP", "TMP"}; /* in the order of Open MPI */
    static const char *const usual[] = {"/tmp", "/var/tmp", "/dev/shm"};
    const char *set = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && set == NULL; i++) set = getenv(names[i]);
    if (can_hold_files(set != NULL ? set : usual[0])) return;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (can_hold_files(usual[i])) {
            setenv("TMPDIR", usual[i], 1);
            return;
        }
}

/* Measured of Open MPI 4.1: threads with their stacks, what ranks of a node share, and ranks' own tables. */
size_t rl_launcher_bytes(void) {
    const size_t mebi = 1 << 20;
    const int ranks = first_number(node_size_names, sizeof node_size_names / sizeof *node_size_names, 1);
    return (is_launched() ? 96 + 8 * (size_t)(ranks > 0 ? ranks : 1) : 32) * mebi;
}

rl_status rl_launcher_prepare(rl_crowd *crowd) {
    const bool launched = is_launched();
    const int tasks = tasks_of_srun();
    *crowd = (rl_crowd){.processors = count_processors()};
    crowd->ranks = first_number(node_size_names, sizeof node_size_names / sizeof *node_size_names, 0);
    if (!launched && tasks > 1) return refuse_alone(tasks, true);
    if (!launched) stand_alone();
    find_temporary_folder();
    leave_network_out();
    crowd->waiting = how_ranks_wait(crowd->processors > 0 && crowd->ranks > crowd->processors);
    return RL_OK;
}

/* A rank that ends tells its launcher so in several short messages, none of which is answered. By TCP the next one
 * waits until the one before has been acknowledged, which takes the other side 40 ms unless it is told not to.
 * Descriptors are given from the lowest on, and what is none of TCP refuses. */
void rl_launcher_send_at_once(void) {
    enum { BEHIND_STANDARD_ERROR = 3, MOST = 256 };
    const int yes = 1;
    if (!is_launched()) return;
    for (int fd = BEHIND_STANDARD_ERROR; fd < MOST; fd++) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

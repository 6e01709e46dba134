/* Launchers and MPI libraries, as far as MPI's standard is silent: which variables of the environment a launcher sets
 * for its ranks, and which ones a library reads. All that one library alone understands is in this file. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "launcher.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int rl_launched_ranks(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    return first_number(names, sizeof names / sizeof *names, 1);
}

int rl_context_launched_rank(void) {
    return first_number(rank_names, sizeof rank_names / sizeof *rank_names, 0);
}

extern char **environ; /* POSIX declares it nowhere */

static bool is_launched(void) {
    static const char *const signs[] = {"PMI", "OMPI_COMM_WORLD_"}; /* srun has several kinds of PMI */
    for (char **variable = environ; *variable != NULL; variable++)
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
            if (strncmp(*variable, signs[i], strlen(signs[i])) == 0) return true;
    return false;
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

/* ---- what the library is to do ----------------------------------------------------------------------------------- */

/* Open MPI starts four times as fast without a daemon, which a process that starts no others does not need, and without
 * drivers of networks, some of which measure the clock for long. It makes no folder for its session either: all such
 * processes of a user would have the same one, and the first to end would remove it while another starts in it. */
static const struct {
    const char *name, *value;
} alone[] = {
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

/* Ranks of one node need no network. Open MPI looks for one all the same, and complains where it finds none that leads
 * from the node to itself. */
static void leave_network_out(void) {
#ifdef OPEN_MPI
    static const char *const shared_memory = OMPI_MAJOR_VERSION < 5 ? "self,vader" : "self,sm";
    const char *const here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE"), *const all = getenv("OMPI_COMM_WORLD_SIZE");
    if (here != NULL && all != NULL && strcmp(here, all) == 0) setenv("OMPI_MCA_btl", shared_memory, 0);
#endif
}

rl_crowd rl_launcher_prepare(void) {
    rl_crowd crowd = {.processors = count_processors()};
    crowd.ranks = first_number(node_size_names, sizeof node_size_names / sizeof *node_size_names, 0);
    if (!is_launched())
        for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) setenv(alone[i].name, alone[i].value, 0);
    leave_network_out();
    crowd.waiting = how_ranks_wait(crowd.processors > 0 && crowd.ranks > crowd.processors);
    return crowd;
}

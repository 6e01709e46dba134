/* What MPI's standard does not say: which variables launchers set for the ranks that they start, and which variables
 * MPI libraries read. All that one library alone understands is in this file. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "launcher.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ridgeless/context.h"

/* ---- what the launcher says -------------------------------------------------------------------------------------- */

/* Variables of Open MPI's mpirun, of any launcher with PMIx, and of MPICH's mpiexec (Hydra) and srun. */
static const char *const rank_names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
/* Of the same, in that order, and of srun, which says `2(x3),1` of nodes that differ: the first is a fair guess. */
static const char *const node_size_names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                              "SLURM_STEP_TASKS_PER_NODE"};

/* The number that the first of these variables that is set begins with; `none` where none is. */
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
    static const char *const signs[] = {"PMI", "OMPI_COMM_WORLD_"}; /* of mpirun, and of srun with any of its PMI */
    for (char **variable = environ; *variable != NULL; variable++)
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
            if (strncmp(*variable, signs[i], strlen(signs[i])) == 0) return true;
    return false;
}

/* ---- processors -------------------------------------------------------------------------------------------------- */

/* Those of this process and of the one that started it: a launcher that binds ranks to processors leaves itself all
 * that the job may use. */
static int processors_of_job(void) {
    cpu_set_t mine, launcher;
    CPU_ZERO(&mine);
    CPU_ZERO(&launcher);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0) return 0; /* more than a cpu_set_t has room for */
    if (sched_getaffinity(getppid(), sizeof launcher, &launcher) == 0) CPU_OR(&mine, &mine, &launcher);
    return CPU_COUNT(&mine);
}

/* Slurm's daemon may use the whole node; what the job may use of it, Slurm says. */
static int processors(void) {
    static const char *const names[] = {"SLURM_CPUS_ON_NODE"};
    const int found = processors_of_job(), granted = first_number(names, 1, found);
    return granted > 0 && granted < found ? granted : found;
}

/* ---- what the library is to do ----------------------------------------------------------------------------------- */

typedef struct setting {
    const char *name, *value;
} setting;

/* Without a daemon of its own to start others by, and without drivers of networks, some of which measure the clock for
 * long, Open MPI starts four times as fast. The folder of its session would have the same name for all such processes
 * of a user: of two that started at once, one removed it before the other had made its own in it. */
static const setting alone[] = {
    {"OMPI_MCA_ess_singleton_isolated", "1"},
    {"OMPI_MCA_orte_create_session_dirs", "0"},
    {"OMPI_MCA_pml", "ob1"},
    {"OMPI_MCA_btl", "self"},
};

/* Open MPI's ranks ask for messages without a pause, on a processor that another rank needs to send them: a hundred
 * times slower where ranks outnumber processors. */
static const setting crowded[] = {{"OMPI_MCA_mpi_yield_when_idle", "1"}};

static void apply(const setting *settings, size_t n) {
    for (size_t i = 0; i < n; i++) setenv(settings[i].name, settings[i].value, 0);
}

#ifdef OPEN_MPI
static const bool can_yield = true;
#else
static const bool can_yield = false; /* MPICH keeps its processor, whatever it is asked */
#endif

static rl_waiting how_ranks_wait(bool many) {
    if (!many) return RL_WAITING_ALONE;
    if (!can_yield) return RL_WAITING_SPINS;
    if (getenv(crowded->name) != NULL) return RL_WAITING_AS_ASKED;
    apply(crowded, sizeof crowded / sizeof *crowded);
    return RL_WAITING_YIELDS;
}

rl_crowd rl_launcher_prepare(void) {
    rl_crowd crowd = {.processors = processors()};
    crowd.ranks = first_number(node_size_names, sizeof node_size_names / sizeof *node_size_names, 0);
    if (!is_launched()) apply(alone, sizeof alone / sizeof *alone);
    crowd.waiting = how_ranks_wait(crowd.processors > 0 && crowd.ranks > crowd.processors);
    return crowd;
}

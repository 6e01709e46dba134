/* launcher: what the program knows of the MPI library and its launcher (mpirun, mpiexec, srun) beyond MPI's standard.
 */
#ifndef RL_LAUNCHER_H
#define RL_LAUNCHER_H

#include "ridgeless/core.h"

/* What a rank does with its processor while it waits for messages. */
typedef enum rl_waiting {
    RL_WAITING_ALONE,    /* nobody else needs it */
    RL_WAITING_AS_ASKED, /* what the environment said already */
    RL_WAITING_YIELDS,   /* leaves it to other ranks */
    RL_WAITING_SPINS     /* keeps it, though other ranks need it */
} rl_waiting;

/* How the ranks of a node stand to the processors that they may use; 0: unknown. */
typedef struct rl_crowd {
    int ranks, processors;
    rl_waiting waiting;
} rl_crowd;

/* Local, before MPI starts. Sets in the environment what the MPI library is to do here; a variable that is set already
 * stays. A process that nobody launched becomes one rank that starts no others. Where more ranks than processors share
 * the node, ranks that wait yield. */
rl_crowd rl_launcher_prepare(void);

/* Local. How many ranks the launcher says that it started; 1 where it says nothing. */
int rl_launched_ranks(void);

#endif

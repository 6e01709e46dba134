/* launcher: what the program knows of MPI libraries and launchers (mpirun, mpiexec, srun) beyond MPI's standard. */
#ifndef RL_LAUNCHER_H
#define RL_LAUNCHER_H

#include "ridgeless/core.h"

/* What a rank does with its processor while it waits for messages. */
typedef enum rl_waiting {
    RL_WAITING_ALONE,    /* no other rank needs the processor */
    RL_WAITING_AS_ASKED, /* the environment has said already what to do */
    RL_WAITING_YIELDS,   /* lets other ranks run */
    RL_WAITING_SPINS     /* keeps the processor, though other ranks need it */
} rl_waiting;

/* The ranks of this node, and the processors that they may use; 0: unknown. */
typedef struct rl_crowd {
    int ranks, processors;
    rl_waiting waiting;
} rl_crowd;

/* Local, before MPI starts. Tells the MPI library, by variables of the environment, what to do here; a variable that is
 * set already stays. A process that nothing launched becomes a single rank, which can start no others. Ranks of
 * one node look for no network. Where ranks outnumber processors, a rank that waits lets others run. Where TMPDIR
 * cannot be written, a usual folder takes its place. RL_ERR_INPUT: srun has started several tasks that cannot find each
 * other.
 */
rl_status rl_launcher_prepare(rl_crowd *crowd);

/* Local, once MPI has started with so many ranks. RL_ERR_INPUT: it is one, of several processes that a launcher has
 * started together. */
rl_status rl_launcher_check_size(int size);

/* Local, once MPI has started: what this rank tells its launcher goes to it at once. */
void rl_launcher_send_at_once(void);

/* Local. Address space in bytes that MPI takes to start here, with what its ranks of this node share. */
size_t rl_launcher_bytes(void);

/* Local. As rl_context_launched_rank, but also of a task of srun that MPI knows nothing of. */
int rl_launcher_rank(void);

#endif

/* Included before everything else where the dispatcher is compiled for SimGrid: what its MPI lacks. */
#ifndef RL_SIMULATED_H
#define RL_SIMULATED_H

#include <malloc.h>
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>

/* A rank has one thread here, so that a message that was found stays the next one of its sender. */
typedef struct rl_simulated_message {
    MPI_Comm comm;
    int source, tag;
} rl_simulated_message;
#define MPI_Message rl_simulated_message
#define MPI_Improbe rl_simulated_improbe
#define MPI_Mrecv   rl_simulated_mrecv
int rl_simulated_improbe(int source, int tag, MPI_Comm comm, int *there, MPI_Message *message, MPI_Status *status);
int rl_simulated_mrecv(void *bytes, int count, MPI_Datatype type, MPI_Message *message, MPI_Status *status);

/* Messages that this rank has received so. */
int64_t rl_simulated_messages(void);

/* What a task takes; of dispatch.c. */
double rl_simulated_seconds(void);

/* Large arrays are the same on all ranks but rank 0, which sends them: they have one place, so that a thousand ranks
 * find room. */
#define aligned_alloc rl_simulated_alloc
#define free          smpi_shared_free
void *rl_simulated_alloc(size_t alignment, size_t bytes);

#endif

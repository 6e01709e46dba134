/* context: the communicator and what every collective part needs to know of the process. */
#ifndef RIDGELESS_CONTEXT_H
#define RIDGELESS_CONTEXT_H

#include <mpi.h>

#include "ridgeless/core.h"

typedef struct rl_context {
    MPI_Comm comm; /* a duplicate of the world, errors returned */
    int rank, size;
    double start_seconds; /* that MPI took to start */
    char crowd[160];      /* on rank 0: what ranks that outnumber their node's processors come to; "": they do not */
} rl_context;

/* Local. The rank that a launcher gave this process, known before MPI is initialized; 0 where nothing launched it. */
int rl_context_launched_rank(void);

/* Collective on all processes. Initializes MPI (where nothing launched the process, as one rank that starts no others;
 * where ranks outnumber their node's processors, with ranks that let others run while they wait), sets one BLAS thread
 * per rank, and has freed arrays of 1 MiB and more returned to the system. Whatever the environment says otherwise
 * comes first. */
rl_status rl_context_create(int *argc, char ***argv, rl_context *context);

/* Local. Says, on rank 0, what there is to say of a crowd of ranks: for commands that are about to compute. */
void rl_context_tell_crowd(const rl_context *context);

/* Collective. Finalizes MPI. */
void rl_context_destroy(rl_context *context);

/* Collective on context->comm. All ranks leave with the worst status of any, and rank 0 with the message of the lowest
 * rank that failed. */
rl_status rl_context_agree(const rl_context *context, rl_status status);

/* Collective on context->comm. Returns when all ranks have come; until then a rank sleeps and leaves its core to
 * others. */
rl_status rl_context_wait(const rl_context *context);

/* Collective on context->comm. Each of values[n] becomes the largest of any rank. */
rl_status rl_context_largest(const rl_context *context, double *values, int n);

/* Collective on context->comm. Adds up values[n] over the ranks; everyone gets the sums. */
rl_status rl_context_sum(const rl_context *context, double *values, int n);

/* Collective on comm. Adds up values[n] over its ranks: the sums are in those of `root`, the others keep theirs. */
rl_status rl_context_sum_at(MPI_Comm comm, int root, double *values, int64_t n);

/* Collective on context->comm. The largest number of its ranks that share a node. */
rl_status rl_context_node_size(const rl_context *context, int *ranks);

/* Collective on context->comm. On rank 0 appends the ranks' host names, each once, blank-separated, in the order of
 * ranks. */
rl_status rl_context_hosts(const rl_context *context, rl_text *hosts);

/* Local. Append the MPI library's version, and what the BLAS says it is (build, kernel, threads). */
rl_status rl_context_libraries(rl_text *mpi, rl_text *blas);

/* Local. How many threads the BLAS uses from now on; nothing happens where it is none that can be told. */
void rl_context_blas_threads(int threads);

/* The last resort, when ranks can no longer agree: prints the error message and ends all processes. */
_Noreturn void rl_context_abort(const rl_context *context, rl_status status);

/* Has rl_context_abort call this, between the message and the end; NULL: nothing. */
void rl_context_on_abort(void (*call)(rl_status status));

/* Checks an MPI return code. A failure ends all processes by rl_context_abort, with MPI's own text: the other ranks may
 * wait in the call that failed here, and nobody could tell them. */
_Noreturn void rl_mpi_fail(int code, const char *call);
#define RL_MPI(call)                                                     \
    do {                                                                 \
        const int rl_mpi_code = (call);                                  \
        if (rl_mpi_code != MPI_SUCCESS) rl_mpi_fail(rl_mpi_code, #call); \
    } while (0)

#endif

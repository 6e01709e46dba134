/* context: the communicator, and what every collective function needs to know of the process. */
#ifndef RIDGELESS_CONTEXT_H
#define RIDGELESS_CONTEXT_H

#include <mpi.h>

#include "ridgeless/core.h"

typedef struct rl_context {
    MPI_Comm comm; /* a duplicate of the world, errors returned */
    int rank, size;
    double start_seconds; /* that MPI took to start */
    char crowd[160];      /* on rank 0: a line for people where ranks outnumber their node's processors; else "" */
} rl_context;

/* Local. The rank that a launcher gave this process; 0 where nothing launched it. May be called before MPI starts. */
int rl_context_launched_rank(void);

/* Local. Whether a person sees standard error on a terminal as it is written, perhaps by way of mpirun. */
bool rl_context_on_terminal(void);

/* Local. Seconds from SIGTERM until a process should have left by itself, as its launcher kills it soon after. */
double rl_context_patience(void);

/* Local. The processors of this node that this process may use: at least 1. */
int rl_context_processors(void);

/* Local. Takes the buffers of the BLAS, which keeps them, for one thread, or as many as the environment asks for and
 * processors are there; and asks for what NetCDF and, with it, MPI will take. For a process that is about to use the
 * BLAS; under limits of memory it is first tried in a child process. RL_ERR_MEMORY: not all of it is there, or a thread
 * is not, of which the libraries would wait for ever or end in pages of text. */
rl_status rl_context_ask_memory(bool with_mpi);

/* Local. Address space in bytes that rl_context_ask_memory takes and asks for, with MPI; estimated. Little of it is
 * ever used: it counts for ulimit -v, not for the memory of a node. */
size_t rl_context_library_bytes(void);

/* Collective on all processes. Starts MPI, sets one BLAS thread per rank, rounding to nearest
 * whatever a library that was loaded before has set, and has freed arrays of 1 MiB and more
 * returned to the system. First does rl_context_ask_memory, and fails as it does, each rank for itself. A process that
 * nothing launched becomes a single rank, which can start no others. Where ranks outnumber their node's processors, a
 * rank that waits lets others run. What the environment sets already stays. RL_ERR_INPUT, before anything is done: a
 * launcher has started several processes together, but MPI lets each stand alone; context->rank is then the one that
 * the launcher gave. */
rl_status rl_context_create(int *argc, char ***argv, rl_context *context);

/* Local. On rank 0 prints the line on a crowd of ranks, if there is one: for commands that are about to compute. */
void rl_context_tell_crowd(const rl_context *context);

/* Collective. Ends MPI. */
void rl_context_destroy(rl_context *context);

/* Collective on context->comm. Where a rank failed, all ranks return the status of the lowest rank that did, with its
 * message; RL_OK where none did. */
rl_status rl_context_agree(const rl_context *context, rl_status status);

/* Collective on context->comm. Returns when all ranks have called it. A rank that waits sleeps, and leaves its core to
 * others. */
rl_status rl_context_wait(const rl_context *context);

/* Collective on context->comm. Each of values[n] becomes the largest that any rank had there. */
rl_status rl_context_largest(const rl_context *context, double *values, int n);

/* Collective on context->comm. Adds up values[n] over the ranks; all ranks get the sums. */
rl_status rl_context_sum(const rl_context *context, double *values, int n);

/* Collective on comm. Adds up values[n] over its ranks. `root` gets the sums, the others keep their values. */
rl_status rl_context_sum_at(MPI_Comm comm, int root, double *values, int64_t n);

/* The same of integers modulo 2^64, as signed ones in two's complement add up, too. */
rl_status rl_context_sum_integers(const rl_context *context, uint64_t *values, int n);

/* Collective on context->comm. Rank 0 gets the values [n] of each rank, one rank after the other, in `all`, which has
 * room for them; n may be another one on each, all together less than 2^31. RL_ERR_MEMORY on all ranks. */
rl_status rl_context_gather(const rl_context *context, const double *values, int n, double *all);

/* Collective on context->comm. *ranks: the largest number of ranks that share a node. */
rl_status rl_context_node_size(const rl_context *context, int *ranks);

/* The ranks that share a node, with the threads that their BLAS has together, and the processors that any of them may
 * use: bit i of the words is processor i. */
enum { RL_PROCESSOR_WORDS = 128 };
typedef struct rl_node {
    int ranks, threads;
    int n_processors; /* 0: not known */
    uint64_t processors[RL_PROCESSOR_WORDS];
} rl_node;

/* Collective on context->comm. The node of this rank. */
rl_status rl_context_node(const rl_context *context, rl_node *node);

/* Local. This thread, and what it starts, may use the node's processors from now on; where they are not known, those
 * that it has. Calls nothing that a child process may not call before exec. */
void rl_context_take_processors(const rl_node *node);

/* Collective on context->comm. On rank 0 appends the names of the ranks' hosts: each once, in the order of ranks, with
 * blanks between. */
rl_status rl_context_hosts(const rl_context *context, rl_text *hosts);

/* Local. Appends to `mpi` the version of the MPI library, and to `blas` the build, kernel and threads of the BLAS. */
rl_status rl_context_libraries(rl_text *mpi, rl_text *blas);

/* Local. The arithmetic of this process, as one text: the BLAS library with its kernel and threads, and a checksum of
 * what it, and the C library's logarithms, make of some numbers (the probe). Numbers that go through BLAS have the same
 * bits where the text is the same. */
enum { RL_ARITHMETIC_TEXT = 128 };
rl_status rl_context_arithmetic(char text[RL_ARITHMETIC_TEXT]);

/* Local. The kernels, as OPENBLAS_CORETYPE names them, that this processor has the instructions for where OpenBLAS
 * chose those of a processor without them, as it does where it is older than the processor: they take several times as
 * long. NULL: they suit the processor, or the environment chose them, or that is not known. */
const char *rl_context_faster_kernels(void);

/* Local. The failure of pthread_create, by its error: RL_ERR_LIBRARY, with what limits threads. */
rl_status rl_context_fail_thread(int error);

/* Local. Threads that the BLAS of this process has from the start: as many as the environment asks for and processors
 * are there, or one. */
int rl_context_threads(void);

/* Local. Sets how many threads the BLAS uses from now on; does nothing where the BLAS cannot be told. RL_ERR_MEMORY: it
 * cannot have them, or their buffers. */
rl_status rl_context_blas_threads(int threads);

/* The last resort, when ranks can no longer agree: prints the error message and ends all processes. */
_Noreturn void rl_context_abort(const rl_context *context, rl_status status);

/* Local. Has the launcher end all processes, wherever they are and whatever they do. */
_Noreturn void rl_context_end_all(const rl_context *context, int exit_status);

/* Local. rl_context_abort is to call this between its message and the end; NULL: nothing. */
void rl_context_on_abort(void (*call)(rl_status status));

/* RL_MPI(call) checks what an MPI function returns. A failure ends all processes by rl_context_abort, with MPI's own
 * text: the other ranks may wait in the call that failed here, and nobody could tell them. */
_Noreturn void rl_mpi_fail(int code, const char *call);
#define RL_MPI(call)                                                     \
    do {                                                                 \
        const int rl_mpi_code = (call);                                  \
        if (rl_mpi_code != MPI_SUCCESS) rl_mpi_fail(rl_mpi_code, #call); \
    } while (0)

#endif

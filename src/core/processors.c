/* The context: which processors the ranks of a node may use, all of them together. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>

#include "ridgeless/context.h"

/* As the system's functions want the bits, of which the first words stay zero where there are fewer processors. */
#define AS_SET(node)       ((cpu_set_t *)(void *)(node)->processors)
#define AS_CONST_SET(node) ((const cpu_set_t *)(const void *)(node)->processors)

/* Zeros, where a rank cannot say: what the node has is not known then. */
static bool note_mine(rl_node *node) {
    *node = (rl_node){.ranks = 1, .threads = rl_context_threads()};
    return sched_getaffinity(0, sizeof node->processors, AS_SET(node)) == 0;
}

rl_status rl_context_node(const rl_context *context, rl_node *node) {
    MPI_Comm comm;
    int known = note_mine(node), counts[] = {node->ranks, node->threads};
    RL_MPI(MPI_Comm_split_type(context->comm, MPI_COMM_TYPE_SHARED, context->rank, MPI_INFO_NULL, &comm));
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &known, 1, MPI_INT, MPI_MIN, comm));
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_SUM, comm));
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, node->processors, RL_PROCESSOR_WORDS, MPI_UINT64_T, MPI_BOR, comm));
    RL_MPI(MPI_Comm_free(&comm));
    node->ranks = counts[0];
    node->threads = counts[1];
    node->n_processors = known ? CPU_COUNT_S(sizeof node->processors, AS_SET(node)) : 0;
    return RL_OK;
}

void rl_context_take_processors(const rl_node *node) {
    if (node->n_processors > 0) sched_setaffinity(0, sizeof node->processors, AS_CONST_SET(node));
}

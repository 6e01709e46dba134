/* Private to the benchmark of spectra: its peer, LAPACK's dgesdd, in a process of its own. */
#ifndef RL_BENCH_PEER_H
#define RL_BENCH_PEER_H

#include "ridgeless/context.h"
#include "ridgeless/distributed.h"

/* How one dgesdd('S') of a training set ended. */
typedef struct rl_peer_result {
    double seconds, memory; /* of dgesdd alone; the process's peak in bytes */
    double sigma_max, sigma_min;
    int threads, processors; /* that it had; processors 0: not known */
} rl_peer_result;

/* Local, on rank 0, while the others sleep. The peer stands for the ranks of a node: its process may use the processors
 * of them all, and has as many threads as they have together, but no more than processors. mpirun binds each rank to
 * processors of its own, and threads of rank 0 would share one. */
rl_status rl_peer_measure(const rl_case *c, const rl_node *node, rl_peer_result *result);

/* Whether the command line is the one that rl_peer_measure starts the peer with; and the peer: its exit status. */
bool rl_is_peer(int argc, char **argv);
int rl_peer_main(void);

#endif

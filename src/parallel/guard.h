/* Private to `parallel`: what the guard of a rank knows of the others, and what its two files say to each other. */
#ifndef RL_PARALLEL_GUARD_H
#define RL_PARALLEL_GUARD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "ridgeless/parallel.h"

enum { RL_DOING = 256 };

/* What a rank says of itself to the other ranks of its node, in memory that they share. */
typedef struct rl_post {
    int rank;
    pid_t pid;
    ino_t pid_namespace;  /* a pid means something within one alone */
    atomic_uint beats;    /* looks of its guard: they go on whatever the main thread computes */
    atomic_int leaving;   /* 1 + exit status once the rank has begun to leave and has said why */
    atomic_int stop;      /* rl_stop_requested */
    atomic_int first, n;  /* the ranks that compute what is under way; n = 0: nothing is */
    char doing[RL_DOING]; /* after "while" */
} rl_post;

/* What one rank knows of another one. */
typedef struct rl_rank_state {
    int rank, stop, first, n; /* as the post has them */
    bool silent;              /* not heard of for so long that nobody counts on it */
} rl_rank_state;

/* Local. A line on standard error, in one piece, from whatever rank. */
void rl_guard_say(const char *format, ...) RL_PRINTF(1);
#define RL_RUN_AGAIN "what was finished is kept, run again to go on"

/* ---- other nodes (guard_nodes.c) --------------------------------------------------------------------------------- */

typedef struct rl_nodes rl_nodes;

/* Collective on context->comm. The ranks of `node` have these posts[n_posts], those of states[n_posts] in the same
 * order: all are borrowed. NULL where there is no other node. Where no socket can be had, or none can be reached, the
 * nodes do without each other. */
rl_status rl_nodes_create(const rl_context *context, MPI_Comm node, double silence, const rl_post *posts,
                          const rl_rank_state *states, int n_posts, rl_nodes **nodes);

/* Local. Closes all connections: only when no rank looks any more. */
void rl_nodes_destroy(rl_nodes *nodes);

/* Local, as all below: nobody waits, and NULL is no other node. Sends and takes in what there is, after so many seconds
 * in which this guard ran. Names nodes that died or have fallen silent. Returns 1 + exit status when the run ends, and
 * that is said; else 0. */
int rl_nodes_look(rl_nodes *nodes, double ran);

/* The run ends on this node, and why is said: the other nodes are to leave too. May take two seconds. Tells those to
 * whom there is a connection; `surely`: makes one where there is none. The second is for signal handlers too. */
void rl_nodes_tell(rl_nodes *nodes, int leaving, bool surely);
void rl_nodes_tell_at_once(rl_nodes *nodes, int leaving);

/* Whether all ranks of some node are silent, or have died: none is left there to end the others, or a daemon of the
 * launcher may have died with them. */
bool rl_nodes_need_launcher(const rl_nodes *nodes);

/* On rank 0: the ranks of other nodes, and what is known of each. */
int rl_nodes_n_ranks(const rl_nodes *nodes);
rl_rank_state rl_nodes_rank(const rl_nodes *nodes, int i);

#endif

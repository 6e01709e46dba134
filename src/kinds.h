/* Every kind of work, one row each. A series is of the first kind that suits it.
 *
 * X(name) stands for rl_name_kind in src/task/name.c, and for rl_name_writer in src/results/name.c. */
#ifndef RL_KINDS_H
#define RL_KINDS_H

#define RL_KINDS(X) X(training) X(summary) X(curves)

#endif

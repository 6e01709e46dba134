/* advice: what a study takes on so many ranks, and how many are to be used. Part of `plan`, pure. */
#ifndef RIDGELESS_ADVICE_H
#define RIDGELESS_ADVICE_H

#include "ridgeless/plan.h"

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

/* Nodes that are all alike. */
typedef struct rl_nodes {
    int cores;    /* of one, a rank on each */
    double bytes; /* of one, for all ranks on it; INFINITY: not known */
} rl_nodes;

/* What ranks take in memory beside data sets, the plan and work, in bytes. */
typedef struct rl_overheads {
    double each;    /* rank, while it works: what is to do, messages */
    double keeping; /* on rank 0, all the time: what the journal has, what is to do */
    double writing; /* on rank 0, when nothing is computed any more */
    double sharing; /* beside that, on rank 0 with all that help it, together */
} rl_overheads;

/* What of a plan remains, and where it is to be done. */
typedef struct rl_outlook {
    const rl_plan *plan;   /* borrowed */
    const rl_rates *rates; /* borrowed */
    rl_nodes nodes;
    int n_of_data;           /* series of data sets; those of autoencoders come behind them */
    struct rl_rest *rests;   /* for each part of each series, what remains; owned */
    double journal, results; /* bytes to come into the journal; bytes of all, that the results file is made of */
    double n_records;        /* to come */
    int n_groups;            /* of the results file */
    rl_overheads overheads;  /* zeros until the caller knows them */
} rl_outlook;

/* done[n_tasks]: which tasks are there already; NULL: none. */
rl_status rl_outlook_create(const rl_plan *plan, const bool *done, const rl_rates *rates, rl_nodes nodes,
                            rl_outlook *outlook);
void rl_outlook_destroy(rl_outlook *outlook);

/* What a series takes on a number of ranks. */
typedef struct rl_series_estimate {
    int fewest, ranks, n_groups;     /* ranks of a task at least, and as they are; groups of so many that there are */
    int64_t n_remaining;             /* tasks */
    double sum, longest;             /* seconds of those, on one group */
    double bounds[RL_N_CASE_BOUNDS]; /* the sum, by what it goes into */
    double seconds_case;             /* of the costliest task, done or not */
    double seconds;                  /* of all that remains, on all groups */
    double bytes;                    /* per rank, of a task */
} rl_series_estimate;

/* What all that remains takes. */
typedef struct rl_estimate {
    int ranks, nodes;
    double seconds;                               /* by the clock, of all: */
    double starting, computing, keeping, writing; /* MPI; tasks; gathering and journal; the results file */
    double trainings;                             /* part of computing */
    double bounds[RL_N_BOUNDS];                   /* the seconds, by what they go into; what goes on meanwhile is 0 */
    double bytes;                                 /* of rank 0, which takes the most, with its libraries */
    double working_bytes, other_bytes;            /* of rank 0 before it writes; of each other rank */
    rl_series_estimate *series;                   /* [n_series]; owned */
} rl_estimate;

/* RL_ERR_INPUT: so many ranks are too few, or what rank 0 takes is more than a node has. After a failure there is
 * nothing to release. */
rl_status rl_estimate_create(const rl_outlook *outlook, int ranks, rl_estimate *estimate);
void rl_estimate_destroy(rl_estimate *estimate);

/* ---- what to do -------------------------------------------------------------------------------------------------- */

/* More ranks are worth it that take no more than this part of the time on half as many. */
#define RL_WORTH 0.7

/* Why more ranks are not advised. */
typedef enum rl_reason {
    RL_NOTHING_GAINED, /* they would take next to nothing off */
    RL_SOON_ENOUGH     /* they would be on another node, and it takes no more than ten minutes without it */
} rl_reason;

enum { RL_MOST_CHOICES = 8 };
typedef struct rl_advice {
    rl_estimate choices[RL_MOST_CHOICES]; /* [n], ranks ascending: the fewest that do, those advised, a whole node, two
                                             nodes, and as many as take something off; each once; owned */
    int n;
    int best;    /* the choice that is advised */
    int on_node; /* the choice that is advised where there is but one node, or as few as will do */
    rl_reason reason;
} rl_advice;

/* Ranks are worth using while twice as many take at least three tenths off the time by the clock, start and results
 * file counted; and a second node only where one takes more than ten minutes. RL_ERR_INPUT: no number of ranks does. */
rl_status rl_advise(const rl_outlook *outlook, rl_advice *advice);
void rl_advice_destroy(rl_advice *advice);

#endif

/* parallel: how ranks share the curves of a plan. */
#ifndef RIDGELESS_PARALLEL_H
#define RIDGELESS_PARALLEL_H

#include "ridgeless/context.h"
#include "ridgeless/study.h"
#include "ridgeless/task.h"

typedef enum rl_schedule {
    RL_SCHEDULE_DYNAMIC, /* the next curve to whoever is free; costly curves first */
    RL_SCHEDULE_STATIC,  /* a contiguous share each */
    RL_SCHEDULE_CYCLIC   /* every size-th curve */
} rl_schedule;
#define RL_SCHEDULE_CHOICES "dynamic|static|cyclic"

/* The schedule's word in RL_SCHEDULE_CHOICES; NULL past the last one. */
const char *rl_schedule_name(rl_schedule schedule);

/* What rank 0 does with finished curves and with the passing of time. */
typedef struct rl_sink {
    /* One finished curve's record, in whatever order they finish. A failure ends the run on all ranks. */
    rl_status (*record)(void *state, int64_t curve, const double *record, size_t length);
    rl_status (*progress)(void *state, int64_t done, int64_t total); /* now and then; may be NULL; a failure likewise */
    void *state;
} rl_sink;

typedef struct rl_rank_share {
    double busy_seconds; /* computing curves */
    int64_t curves;
} rl_rank_share;

typedef struct rl_run_summary {
    double seconds;        /* wall clock of the shared work */
    double imbalance;      /* largest over mean of the ranks' busy time; 1 is perfect */
    rl_rank_share *shares; /* [size] on rank 0, owned by the caller (rl_free); NULL elsewhere */
} rl_run_summary;

/* Collective on context->comm. Computes curves todo[n_todo] (read on rank 0 alone) once each, rank 0 included
 * among the workers; records reach sink->record on rank 0 (the sink is used there alone). Every rank returns the same
 * status. */
rl_status rl_parallel_run(const rl_context *context, const rl_plan *plan, const int64_t *todo, int64_t n_todo,
                          rl_schedule schedule, const rl_sink *sink, rl_run_summary *summary);

/* Collective on context->comm. Gives every rank rank 0's study text and data sets and builds the same plan there. On
 * rank 0 study and plan are input, elsewhere output (owned by the caller). */
rl_status rl_parallel_share_plan(const rl_context *context, rl_study *study, rl_plan *plan);

#endif

/* The memory that a run takes beside its work, and whether there is as much. */
#include <math.h>

#include "cli.h"

rl_status rl_find_overheads(const rl_plan *plan, const rl_journal *journal, double n_items, rl_overheads *overheads) {
    *overheads = (rl_overheads){.each = rl_shared_bytes(plan, n_items),
                                .keeping = rl_journal_bytes(journal, plan) + rl_todo_bytes(plan)};
    return rl_results_bytes(plan, &overheads->writing, &overheads->sharing);
}

/* What those take together that help rank 0 to write: what they share with it, and each an index of the journal. */
static double crew_bytes(const rl_overheads *o, int others) {
    return others > 0 ? o->sharing + fmin(others, RL_MOST_HELPERS) * o->keeping : 0;
}

/* What the ranks of rank 0's node take, once they have their libraries; of that rank 0 alone knows what is there. */
static double needed_bytes(const rl_plan *plan, const rl_overheads *o, double n_items, int ranks) {
    const double shared = (double)(plan->memory_per_rank - plan->memory_of_work);
    const double work = n_items > 0 ? (double)plan->memory_of_work + o->each : 0;
    return shared + o->keeping + fmax(work, o->writing) + (ranks - 1) * shared +
           fmax((ranks - 1) * work, crew_bytes(o, ranks - 1));
}

rl_status rl_check_memory(const rl_settings *settings, const rl_plan *plan, const rl_journal *journal, double n_items,
                          int ranks) {
    const double there = settings->memory > 0 ? 0 : (double)rl_allocated(), bytes = rl_node_memory(settings);
    rl_overheads overheads;
    char needs[32], has[32];
    RL_TRY(rl_find_overheads(plan, journal, n_items, &overheads));
    const double needed = needed_bytes(plan, &overheads, n_items, ranks) - there;
    if (needed <= bytes) return RL_OK;
    return rl_fail(RL_ERR_MEMORY,
                   "out of memory: to compute, to keep what is done and to write the results file, %d rank%s on this "
                   "node take%s another %s, and there are %s; expected a node with more memory, fewer `repeats`, or "
                   "`keep: summary`",
                   ranks, rl_plural(ranks), ranks == 1 ? "s" : "", rl_bytes_text(needed, needs),
                   rl_bytes_text(bytes, has));
}

/* What a journal lacks of a plan. */
#include "cli.h"

/* What depends on the data alone stays as it is. */
static bool may_change(rl_cell_status status) {
    return status == RL_CELL_NO_CONVERGENCE;
}

static rl_status list_sizes(const rl_plan *plan, const rl_journal *journal, int64_t curve, bool retry, bool *wanted,
                            rl_todo *todo, int64_t *n_retried) {
    for (int i = 0; i < plan->curves[curve].n_sizes; i++) {
        const rl_cell_status found = rl_journal_status(journal, curve, i);
        const bool again = retry && may_change(found);
        wanted[i] = again || found == RL_CELL_MISSING;
        *n_retried += again;
    }
    return rl_todo_append(todo, plan, curve, wanted);
}

/* Run by run of repeats that lack the same sizes. */
static rl_status list_repeats(const rl_plan *plan, const rl_journal *journal, int64_t curve, bool *wanted,
                              rl_todo *todo) {
    const rl_curve *c = &plan->curves[curve];
    for (int from = c->repeat, end = c->repeat + c->n_repeats, until; from < end; from = until) {
        until = end;
        for (int i = 0; i < c->n_sizes; i++) {
            rl_repeats missing;
            const bool some = rl_journal_missing_repeats(journal, plan, curve, i, from, &missing);
            wanted[i] = some && missing.first == from;
            const int edge = wanted[i] ? missing.first + missing.n : some ? missing.first : end;
            until = edge < until ? edge : until;
        }
        RL_TRY(rl_todo_append_repeats(todo, plan, curve, (rl_repeats){from, until - from}, wanted));
    }
    return RL_OK;
}

rl_status rl_list_missing(const rl_plan *plan, const rl_journal *journal, bool retry, rl_todo *todo,
                          int64_t *n_retried) {
    bool *wanted = NULL;
    rl_status status = RL_ALLOC(wanted, todo->stride);
    *n_retried = 0;
    for (int64_t curve = 0; curve < plan->n_curves && status == RL_OK; curve++)
        status = plan->grids[plan->curves[curve].grid].spec->keep.summary
                     ? list_repeats(plan, journal, curve, wanted, todo)
                     : list_sizes(plan, journal, curve, retry, wanted, todo, n_retried);
    rl_free(wanted);
    return status;
}

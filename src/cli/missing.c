/* What a journal lacks of a plan. */
#include "cli.h"

/* What depends on the data alone stays as it is. */
static bool may_change(rl_cell_status status) {
    return status == RL_CELL_NO_CONVERGENCE;
}

rl_status rl_list_missing(const rl_plan *plan, const rl_journal *journal, bool retry, rl_todo *todo,
                          int64_t *n_retried) {
    bool *wanted = NULL;
    rl_status status = RL_ALLOC(wanted, todo->stride);
    *n_retried = 0;
    for (int64_t curve = 0; curve < plan->n_curves && status == RL_OK; curve++) {
        for (int i = 0; i < plan->curves[curve].n_sizes; i++) {
            const rl_cell_status found = rl_journal_status(journal, curve, i);
            const bool again = retry && may_change(found);
            wanted[i] = again || found == RL_CELL_MISSING;
            *n_retried += again;
        }
        status = rl_todo_append(todo, plan, curve, wanted);
    }
    rl_free(wanted);
    return status;
}

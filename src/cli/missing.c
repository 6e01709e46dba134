/* What a journal lacks of a plan. */
#include "cli.h"

/* Of a task of one repeat, what another try may change. */
static bool is_retried(const rl_plan *plan, const rl_journal *journal, int64_t index, int i) {
    const rl_task *task = &plan->tasks[index];
    const rl_kind *kind = plan->series[task->series].kind;
    bool there = false;
    if (kind->retryable == NULL || task->repeats.n > 1) return false;
    const int outcome = rl_journal_outcome(journal, index, i, &there);
    return there && kind->retryable(outcome);
}

/* Run by run of repeats that lack the same N. */
static rl_status list_task(const rl_plan *plan, const rl_journal *journal, int64_t index, bool retry, bool *wanted,
                           rl_todo *todo, int64_t *n_retried) {
    const rl_task *task = &plan->tasks[index];
    const int end = rl_range_end(task->repeats);
    for (int from = task->repeats.first, until; from < end; from = until) {
        until = end;
        for (int i = 0; i < task->n_train.n; i++) {
            rl_range missing;
            const bool some = rl_journal_missing(journal, plan, index, i, from, &missing);
            const bool again = retry && is_retried(plan, journal, index, i);
            wanted[i] = again || (some && missing.first == from);
            *n_retried += again;
            const int edge = !some ? end : missing.first > from ? missing.first : rl_range_end(missing);
            until = edge < until ? edge : until;
        }
        RL_TRY(rl_todo_append(todo, plan, index, (rl_range){from, until - from}, wanted));
    }
    return RL_OK;
}

rl_status rl_list_missing(const rl_plan *plan, const rl_journal *journal, bool retry, rl_todo *todo,
                          int64_t *n_retried) {
    bool *wanted = NULL;
    rl_status status = RL_ALLOC(wanted, todo->stride);
    *n_retried = 0;
    for (int64_t i = 0; i < plan->n_tasks && status == RL_OK; i++) {
        const int64_t before = todo->n;
        status = list_task(plan, journal, i, retry, wanted, todo, n_retried);
        for (int64_t k = before; k < todo->n; k++)
            todo->items[k].has_state = rl_journal_step(journal, i) != RL_FINISHED;
    }
    rl_free(wanted);
    return status;
}

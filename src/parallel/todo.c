/* What is to be computed: tasks of the plan, which repeats of them, and which of their N. */
#include <string.h>

#include "ridgeless/parallel.h"

rl_status rl_todo_create(const rl_plan *plan, rl_todo *todo) {
    *todo = (rl_todo){0};
    for (int i = 0; i < plan->n_series; i++)
        if (plan->series[i].n_n_train > todo->stride) todo->stride = plan->series[i].n_n_train;
    todo->capacity = plan->n_tasks;
    return RL_ALLOC(todo->items, plan->n_tasks);
}

double rl_todo_bytes(const rl_plan *plan) {
    return (double)plan->n_tasks * (double)sizeof(rl_todo_item);
}

void rl_todo_destroy(rl_todo *todo) {
    rl_free(todo->items);
    rl_free(todo->selections);
    *todo = (rl_todo){0};
}

void rl_todo_forget_items(rl_todo *todo) {
    rl_free(todo->items);
    todo->items = NULL;
    todo->capacity = 0;
}

static const bool *selection_at(const rl_todo *todo, int i) {
    return todo->selections + (size_t)i * (size_t)todo->stride;
}

/* The last selections are the likeliest: tasks that stand side by side lack the same N. */
static rl_status find_selection(rl_todo *todo, const bool *wanted, int n, int *index) {
    for (int i = todo->n_selections - 1; i >= 0; i--)
        if (memcmp(selection_at(todo, i), wanted, (size_t)n * sizeof *wanted) == 0) {
            *index = i;
            return RL_OK;
        }
    *index = todo->n_selections;
    if ((*index & (*index + 1)) == 0) /* full at 0, 1, 3, 7, ... alone */
        RL_TRY(RL_GROW(todo->selections, (size_t)*index * (size_t)todo->stride,
                       (2 * (size_t)*index + 1) * (size_t)todo->stride));
    todo->n_selections++;
    memcpy(todo->selections + (size_t)*index * (size_t)todo->stride, wanted, (size_t)n * sizeof *wanted);
    return RL_OK;
}

static int count_wanted(const bool *wanted, int n) {
    int count = 0;
    for (int i = 0; i < n; i++) count += wanted == NULL || wanted[i];
    return count;
}

rl_status rl_todo_append(rl_todo *todo, const rl_plan *plan, int64_t task, rl_range repeats, const bool *wanted) {
    const int all = plan->tasks[task].n_train.n, n = count_wanted(wanted, all);
    int selection = RL_ALL_N;
    if (n == 0) return RL_OK;
    if (n < all) RL_TRY(find_selection(todo, wanted, all, &selection));
    if (todo->n == todo->capacity) { /* a task has one item, unless repeats are missing here and there of it */
        RL_TRY(RL_GROW(todo->items, todo->n, 2 * todo->n + 1));
        todo->capacity = 2 * todo->n + 1;
    }
    todo->items[todo->n++] = (rl_todo_item){.task = task, .selection = selection, .repeats = repeats};
    return RL_OK;
}

rl_status rl_todo_create_full(const rl_plan *plan, rl_todo *todo) {
    RL_TRY(rl_todo_create(plan, todo));
    for (int64_t i = 0; i < plan->n_tasks; i++) RL_TRY(rl_todo_append(todo, plan, i, plan->tasks[i].repeats, NULL));
    return RL_OK;
}

rl_count rl_todo_count(const rl_todo *todo, const rl_plan *plan, const rl_kind *noun) {
    rl_count sum = {0};
    for (int64_t i = 0; i < todo->n; i++) {
        const rl_todo_item *item = &todo->items[i];
        const rl_task *task = &plan->tasks[item->task];
        const rl_series *series = &plan->series[task->series];
        const rl_count all = rl_series_count(series);
        if (noun != NULL && rl_kind_noun(series->kind) != noun) continue;
        const bool *wanted = item->selection == RL_ALL_N ? NULL : selection_at(todo, item->selection);
        const int64_t points = (int64_t)item->repeats.n * count_wanted(wanted, task->n_train.n);
        sum.pieces += item->repeats.n;
        sum.points += points;
        sum.cells += points * (all.cells / all.points);
    }
    return sum;
}

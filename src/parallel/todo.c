/* What is to be computed: curves of the plan, and which sizes of them. */
#include <string.h>

#include "ridgeless/parallel.h"

rl_status rl_todo_create(const rl_plan *plan, rl_todo *todo) {
    *todo = (rl_todo){0};
    for (int i = 0; i < plan->n_grids; i++)
        if (plan->grids[i].n_n_train > todo->stride) todo->stride = plan->grids[i].n_n_train;
    todo->capacity = plan->n_curves;
    return RL_ALLOC(todo->items, plan->n_curves);
}

void rl_todo_destroy(rl_todo *todo) {
    rl_free(todo->items);
    rl_free(todo->selections);
    *todo = (rl_todo){0};
}

static const bool *selection_at(const rl_todo *todo, int i) {
    return todo->selections + (size_t)i * (size_t)todo->stride;
}

/* Room for one more selection; doubles what there is. */
static rl_status make_room(rl_todo *todo) {
    const int n = todo->n_selections;
    bool *grown = NULL;
    if (n > 0 && (n & (n - 1)) != 0) return RL_OK; /* full at powers of two alone */
    RL_TRY(rl_alloc(&grown, n > 0 ? 2 * (size_t)n : 1, (size_t)todo->stride * sizeof *grown));
    if (n > 0) memcpy(grown, todo->selections, (size_t)n * (size_t)todo->stride * sizeof *grown);
    rl_free(todo->selections);
    todo->selections = grown;
    return RL_OK;
}

/* The last selections are the likeliest: curves that stand side by side lack the same sizes. */
static rl_status find_selection(rl_todo *todo, const bool *wanted, int n_sizes, int *index) {
    for (int i = todo->n_selections - 1; i >= 0; i--)
        if (memcmp(selection_at(todo, i), wanted, (size_t)n_sizes * sizeof *wanted) == 0) {
            *index = i;
            return RL_OK;
        }
    RL_TRY(make_room(todo));
    *index = todo->n_selections++;
    memcpy(todo->selections + (size_t)*index * (size_t)todo->stride, wanted, (size_t)n_sizes * sizeof *wanted);
    return RL_OK;
}

/* A curve has one entry, but a span of which repeats are missing here and there. */
static rl_status make_room_for_item(rl_todo *todo) {
    rl_todo_item *grown;
    if (todo->n < todo->capacity) return RL_OK;
    RL_TRY(RL_ALLOC(grown, 2 * todo->capacity + 1));
    memcpy(grown, todo->items, (size_t)todo->n * sizeof *grown);
    rl_free(todo->items);
    todo->items = grown;
    todo->capacity = 2 * todo->capacity + 1;
    return RL_OK;
}

rl_status rl_todo_append_repeats(rl_todo *todo, const rl_plan *plan, int64_t curve, rl_repeats repeats,
                                 const bool *wanted) {
    const rl_curve *c = &plan->curves[curve];
    int selection = RL_ALL_SIZES, n = 0;
    for (int i = 0; i < c->n_sizes; i++) n += wanted == NULL || wanted[i];
    if (n == 0) return RL_OK;
    if (n < c->n_sizes) RL_TRY(find_selection(todo, wanted, c->n_sizes, &selection));
    RL_TRY(make_room_for_item(todo));
    todo->items[todo->n++] = (rl_todo_item){curve, selection, repeats};
    todo->n_curves += repeats.n;
    todo->n_spectra += (int64_t)n * repeats.n;
    todo->n_cells += (int64_t)n * repeats.n * plan->grids[c->grid].spec->n_variants;
    return RL_OK;
}

rl_status rl_todo_append(rl_todo *todo, const rl_plan *plan, int64_t curve, const bool *wanted) {
    const rl_curve *c = &plan->curves[curve];
    return rl_todo_append_repeats(todo, plan, curve, (rl_repeats){c->repeat, c->n_repeats}, wanted);
}

rl_status rl_todo_create_full(const rl_plan *plan, rl_todo *todo) {
    RL_TRY(rl_todo_create(plan, todo));
    for (int64_t i = 0; i < plan->n_curves; i++) RL_TRY(rl_todo_append(todo, plan, i, NULL));
    return RL_OK;
}

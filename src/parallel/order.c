/* In which order what is to do is handed out, and several together where that is quicker. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

/* ---- sorting ----------------------------------------------------------------------------------------------------- */

typedef struct listed {
    int ranks; /* 0: of a rank alone */
    bool on_grid;
    int grid_rows; /* as the study says */
    double cost;   /* what comes first costs most; 0 where the order of the plan is wanted */
    rl_todo_item item;
} listed;

/* Tasks of many ranks first; then by cost; then as in the plan. */
static int compare_listed(const void *a, const void *b) {
    const listed *left = a, *right = b;
    if (left->ranks != right->ranks) return left->ranks > right->ranks ? -1 : 1;
    if (left->on_grid != right->on_grid) return left->on_grid ? -1 : 1;
    if (left->grid_rows != right->grid_rows) return left->grid_rows < right->grid_rows ? -1 : 1;
    if (left->cost != right->cost) return left->cost > right->cost ? -1 : 1;
    if (left->item.task != right->item.task) return left->item.task < right->item.task ? -1 : 1;
    return left->item.repeats.first < right->item.repeats.first ? -1
                                                                : left->item.repeats.first > right->item.repeats.first;
}

static rl_status choose_ranks(rl_run *r, const rl_todo *todo) {
    int64_t *n_tasks = NULL;
    rl_status status = RL_ALLOC(n_tasks, r->plan->n_series);
    for (int64_t i = 0; status == RL_OK && i < todo->n; i++) n_tasks[r->plan->tasks[todo->items[i].task].series]++;
    for (int s = 0; status == RL_OK && s < r->plan->n_series; s++) {
        r->ranks_of[s] = 1;
        if (n_tasks[s] > 0)
            status = rl_choose_ranks(&r->plan->series[s], n_tasks[s], r->context->size, r->settings.bytes_per_rank,
                                     &r->ranks_of[s]);
    }
    rl_free(n_tasks);
    return status;
}

static double cost_of(const rl_run *r, const rl_todo_item *item) {
    const rl_order order = rl_order_under(r->settings.schedule, r->settings.order);
    const double flops = rl_task_at(r, item).flops;
    if (order == RL_ORDER_GIVEN) return 0;
    return order == RL_ORDER_COSTLY_FIRST ? flops : -flops;
}

static listed list_item(const rl_run *r, const rl_todo_item *item) {
    const rl_series *series = rl_series_at(r, item);
    const int ranks = r->ranks_of[r->plan->tasks[item->task].series];
    listed l = {.ranks = series->on_grid || ranks > 1 ? ranks : 0,
                .on_grid = series->on_grid,
                .grid_rows = rl_series_grid(series).rows,
                .cost = cost_of(r, item),
                .item = *item};
    l.item.has_state = l.item.has_state && series->kind->restorable && r->sink->restore != NULL;
    return l;
}

static rl_status sort_items(rl_run *r, const rl_todo *todo) {
    listed *list = NULL;
    RL_TRY(RL_ALLOC(list, todo->n));
    for (int64_t i = 0; i < todo->n; i++) {
        list[i] = list_item(r, &todo->items[i]);
        r->flops += rl_task_at(r, &todo->items[i]).flops;
        r->restorable |= rl_series_at(r, &todo->items[i])->kind->restorable;
    }
    if (todo->n > 0) qsort(list, (size_t)todo->n, sizeof *list, compare_listed);
    for (int64_t i = 0; i < todo->n; i++) {
        rl_queue *queue = &r->queues[list[i].ranks > 0 ? RL_QUEUE_GROUPS : RL_QUEUE_ALONE];
        queue->items[queue->n_items++] = list[i].item;
    }
    rl_free(list);
    return RL_OK;
}

/* ---- positions --------------------------------------------------------------------------------------------------- */

static const double message_bytes = 1 << 25; /* of records that go together */

static rl_status check_message(const rl_series *series, double bytes) {
    if (bytes / sizeof(double) < INT32_MAX) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: `%s`: the record of a %s takes %.3g bytes, more than MPI can send at once (2^31 - 1 "
                   "numbers): ask for fewer n_train, variants or modes",
                   series->study->path, series->line, series->name, series->kind->piece, bytes);
}

/* How many items of the series of one of them may go together, as long as there is something for every rank and a
 * message stays small. */
static rl_status count_together(const rl_run *r, const rl_queue *queue, const rl_todo_item *item, int64_t *most) {
    const rl_series *series = rl_series_at(r, item);
    const rl_task task = rl_task_at(r, item);
    const double bytes = rl_kept_bytes(series, &task);
    const int64_t even = (queue->n_items + r->context->size - 1) / r->context->size;
    const int64_t share = r->settings.chunk > 0 && r->settings.chunk < even ? r->settings.chunk : even;
    RL_TRY(check_message(series, bytes));
    *most = (int64_t)fmax(1, fmin(fmin(rl_most_together(series), (double)share), floor(message_bytes / bytes)));
    return RL_OK;
}

static bool go_together(const rl_run *r, const rl_todo_item *a, const rl_todo_item *b) {
    return rl_series_at(r, a) == rl_series_at(r, b) && a->selection == b->selection;
}

static rl_status cut_into_positions(const rl_run *r, rl_queue *queue) {
    const rl_series *before = NULL;
    int64_t most = 1;
    for (int64_t i = 0, end; i < queue->n_items; i = end) {
        const rl_todo_item *item = &queue->items[i];
        if (rl_series_at(r, item) != before) RL_TRY(count_together(r, queue, item, &most));
        before = rl_series_at(r, item);
        for (end = i + 1; end < queue->n_items && end - i < most && go_together(r, item, &queue->items[end]);) end++;
        queue->first[queue->n++] = i;
    }
    queue->first[queue->n] = queue->n_items;
    return RL_OK;
}

/* ---- to all ranks ------------------------------------------------------------------------------------------------ */

static void share_settings(rl_run *r) {
    const rl_run_settings mine = r->settings;
    RL_BROADCAST(r->context, &r->settings, 1);
    r->settings.guard = mine.guard;
    r->settings.arithmetics = mine.arithmetics;
    r->settings.prepare_seconds = mine.prepare_seconds;
}

static void share_queue(const rl_run *r, rl_queue *queue) {
    RL_BROADCAST(r->context, &queue->n, 1);
    RL_BROADCAST(r->context, &queue->n_items, 1);
    RL_BROADCAST(r->context, queue->first, queue->n + 1);
    RL_BROADCAST(r->context, queue->items, queue->n_items);
}

/* Rank 0's selections, each once, to all. */
static rl_status share_selections(rl_run *r, const rl_todo *todo) {
    rl_todo *const s = &r->selections;
    if (rl_is_root(r)) *s = (rl_todo){.n_selections = todo->n_selections, .stride = todo->stride};
    RL_BROADCAST(r->context, s, 1);
    const int64_t n = (int64_t)s->n_selections * s->stride;
    RL_TRY(rl_context_agree(r->context, RL_ALLOC(s->selections, n)));
    if (rl_is_root(r) && n > 0) memcpy(s->selections, todo->selections, (size_t)n * sizeof *s->selections);
    RL_BROADCAST(r->context, s->selections, n);
    return RL_OK;
}

const bool *rl_wanted_at(const rl_run *r, const rl_queue *queue, int64_t position) {
    const int selection = rl_items_at(queue, position)->selection;
    return selection == RL_ALL_N ? NULL : r->selections.selections + (size_t)selection * (size_t)r->selections.stride;
}

/* While they are put in order, rank 0 has them once more. Messages are what was computed together, or a batch, on both
 * ends. */
double rl_shared_bytes(const rl_plan *plan, double n_items) {
    const double an_item = RL_N_QUEUES * (double)(sizeof(rl_todo_item) + sizeof(int64_t)) + (double)sizeof(listed);
    double message = RL_BATCH_BYTES;
    for (const rl_series *s = plan->series; s < plan->series + plan->n_series; s++)
        message =
            fmax(message, fmin(message_bytes, rl_most_together(s) * rl_kept_bytes(s, &plan->tasks[s->first_task])));
    return n_items * an_item + 2 * message;
}

static rl_status make_queues(rl_run *r) {
    RL_TRY(RL_ALLOC(r->ranks_of, r->plan->n_series));
    for (int q = 0; q < RL_N_QUEUES; q++) {
        RL_TRY(RL_ALLOC(r->queues[q].items, r->n_items));
        RL_TRY(RL_ALLOC(r->queues[q].first, r->n_items + 1));
    }
    return RL_OK;
}

static rl_status fill_queues(rl_run *r, const rl_todo *todo) {
    RL_TRY(choose_ranks(r, todo));
    RL_TRY(sort_items(r, todo));
    for (int q = 0; q < RL_N_QUEUES; q++) RL_TRY(cut_into_positions(r, &r->queues[q]));
    return RL_OK;
}

rl_status rl_share_todo(rl_run *r, const rl_todo *todo) {
    r->n_items = rl_is_root(r) ? todo->n : 0;
    RL_BROADCAST(r->context, &r->n_items, 1);
    share_settings(r);
    rl_status status = make_queues(r);
    if (status == RL_OK && rl_is_root(r)) status = fill_queues(r, todo);
    RL_TRY(rl_context_agree(r->context, status));
    RL_BROADCAST(r->context, &r->restorable, 1);
    RL_BROADCAST(r->context, r->ranks_of, r->plan->n_series);
    for (int q = 0; q < RL_N_QUEUES; q++) share_queue(r, &r->queues[q]);
    return share_selections(r, todo);
}

void rl_queues_destroy(rl_run *r) {
    for (int q = 0; q < RL_N_QUEUES; q++) {
        rl_free(r->queues[q].items);
        rl_free(r->queues[q].first);
    }
    rl_todo_destroy(&r->selections);
    rl_free(r->ranks_of);
}

/* How far the run has come, tasks under way included: a long one that leaves states shows where it is. */
#include <math.h>

#include "dispatch.h"

static double part_of(const rl_run *r, const rl_todo_item *item, const rl_record *state) {
    const rl_series *series = rl_series_at(r, item);
    const rl_task task = rl_task_at(r, item);
    const int steps = series->kind->steps != NULL ? series->kind->steps(series, &task) : 0;
    return steps > 0 && state->step > 0 ? fmin((double)state->step / steps, 1) : 0;
}

void rl_note_restored(rl_run *r, int first_rank, const rl_todo_item *item, const rl_record *state) {
    const double part = part_of(r, item, state);
    r->under_way[first_rank] = (rl_under_way){part, part};
    r->flops -= part * rl_task_at(r, item).flops;
}

void rl_note_state(rl_run *r, int first_rank, const rl_todo_item *item, const rl_record *state) {
    rl_under_way *u = &r->under_way[first_rank];
    const double part = part_of(r, item, state);
    r->flops_so_far += (part - u->now) * rl_task_at(r, item).flops;
    u->now = part;
}

double rl_note_whole(rl_run *r, int first_rank, const rl_todo_item *item) {
    rl_under_way *u = &r->under_way[first_rank];
    const double flops = rl_task_at(r, item).flops, part = 1 - u->before;
    r->flops_so_far -= (u->now - u->before) * flops;
    r->flops_done += part * flops;
    *u = (rl_under_way){0};
    return part;
}

double rl_part_done(const rl_run *r) {
    return r->flops > 0 ? (r->flops_done + r->flops_so_far) / r->flops : 1;
}

/* What still fits before the run must end. */
#include <math.h>

#include "dispatch.h"

/* Seconds kept for the results file: it is made of all records. */
static double seconds_to_write(const rl_plan *plan, const rl_rates *rates) {
    const double fixed = 2;
    double bytes = 0;
    for (int64_t i = 0; i < plan->n_tasks; i++)
        bytes += rl_kept_bytes(&plan->series[plan->tasks[i].series], &plan->tasks[i]);
    return fixed + bytes / rates->results;
}

void rl_deadline_begin(rl_run *r) {
    const double left = r->settings.seconds_left;
    r->deadline = (rl_deadline){
        .when = isfinite(left) ? rl_seconds() + left - seconds_to_write(r->plan, &r->settings.rates) : INFINITY};
    rl_guard_until(r->settings.guard, r->deadline.when);
}

/* Pieces of a task shrink, or are alike: the next one takes no longer than the last, but for noise. */
static const double spread = 1.25;

bool rl_deadline_allows(const rl_run *r, double seconds) {
    return rl_seconds() + spread * seconds <= r->deadline.when;
}

void rl_deadline_begin_task(rl_run *r) {
    r->deadline.piece_began = rl_seconds();
    r->deadline.pieces = 0;
}

bool rl_deadline_next_piece_fits(rl_run *r) {
    const double now = rl_seconds(), last = r->deadline.pieces++ > 0 ? now - r->deadline.piece_began : 0;
    r->deadline.piece_began = now;
    return rl_deadline_allows(r, last);
}

double rl_predict_item(const rl_run *r, const rl_todo_item *item, int ranks) {
    const double part = (double)item->repeats.n / r->plan->tasks[item->task].repeats.n;
    return part * rl_predict_task(r->plan, item->task, ranks, &r->settings.rates).seconds;
}

void rl_deadline_note(rl_run *r, const rl_todo_item *item, int ranks, double part, double seconds) {
    if (!isfinite(r->deadline.when)) return;
    r->deadline.predicted += part * rl_predict_item(r, item, ranks);
    r->deadline.measured += seconds;
}

bool rl_deadline_fits(const rl_run *r, const rl_todo_item *item, int n_alike, int ranks) {
    const rl_deadline *d = &r->deadline;
    const rl_series *series = rl_series_at(r, item);
    const rl_task task = rl_task_at(r, item);
    if (!isfinite(d->when)) return true;
    const double least = series->kind->least_part != NULL ? series->kind->least_part(series, &task) : 1;
    const double ratio = d->predicted > 0 ? d->measured / d->predicted : 1;
    return rl_deadline_allows(r, ratio * least * n_alike * rl_predict_item(r, item, ranks));
}

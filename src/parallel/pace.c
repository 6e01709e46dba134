/* What still fits before the run must end. */
#include <math.h>

#include "run.h"

/* Seconds kept for the results file: it holds the records once, reduced and compressed. */
static double seconds_to_write(const rl_plan *plan) {
    enum { FIXED = 2, BYTES_PER_SECOND = 40 * 1000 * 1000 };
    double bytes = 0;
    for (int64_t i = 0; i < plan->n_curves; i++)
        bytes += (double)(rl_record_layout_of(plan, plan->curves[i].grid).length * sizeof(double));
    return FIXED + bytes / BYTES_PER_SECOND;
}

void rl_pace_begin(rl_run *r) {
    const double left = r->settings.seconds_left;
    r->pace = (rl_pace){.deadline = isfinite(left) ? rl_seconds() + left - seconds_to_write(r->plan) : INFINITY};
}

bool rl_pace_over(const rl_run *r) {
    return rl_seconds() > r->pace.deadline;
}

static double predicted(const rl_run *r, int64_t curve, int ranks) {
    return rl_predict_curve(r->plan, curve, ranks, &r->settings.rates).seconds;
}

void rl_pace_note(rl_run *r, int64_t curve, int ranks, double seconds) {
    if (!isfinite(r->pace.deadline)) return;
    r->pace.predicted += predicted(r, curve, ranks);
    r->pace.measured += seconds;
}

/* Curves of one kind differ by some; what was measured before is of others. */
bool rl_pace_fits(const rl_run *r, int64_t curve, int ranks) {
    static const double spread = 1.25;
    if (!isfinite(r->pace.deadline)) return true;
    const double ratio = r->pace.predicted > 0 ? r->pace.measured / r->pace.predicted : 1;
    return rl_seconds() + spread * ratio * predicted(r, curve, ranks) <= r->pace.deadline;
}

/* What still fits before the run must end. */
#include <math.h>

#include "ridgeless/bulk.h"
#include "run.h"

/* Seconds kept for the results file: it holds the records once, reduced and compressed. */
static double seconds_to_write(const rl_plan *plan) {
    enum { FIXED = 2, BYTES_PER_SECOND = 40 * 1000 * 1000, A_HISTOGRAM = 512 };
    double bytes = 0;
    for (int64_t i = 0; i < plan->n_curves; i++) {
        const double numbers = (double)rl_record_layout_of(plan, plan->curves[i].grid).length;
        bytes += numbers * fmin(plan->curves[i].n_repeats * (double)sizeof(double), A_HISTOGRAM);
    }
    return FIXED + bytes / BYTES_PER_SECOND;
}

void rl_pace_begin(rl_run *r) {
    const double left = r->settings.seconds_left;
    r->pace = (rl_pace){.deadline = isfinite(left) ? rl_seconds() + left - seconds_to_write(r->plan) : INFINITY};
}

/* Pieces of a curve shrink, or are alike: the next one takes no longer than the last, but for noise. */
static const double spread = 1.25;

void rl_pace_begin_curve(rl_run *r) {
    r->pace.piece_began = rl_seconds();
    r->pace.pieces = 0;
}

bool rl_pace_next_piece_fits(rl_run *r) {
    const double now = rl_seconds(), last = r->pace.pieces++ > 0 ? now - r->pace.piece_began : 0;
    r->pace.piece_began = now;
    return now + spread * last <= r->pace.deadline;
}

static double predicted(const rl_run *r, const rl_todo_item *item, int ranks) {
    const double part = (double)item->repeats.n / r->plan->curves[item->curve].n_repeats;
    return part * rl_predict_curve(r->plan, item->curve, ranks, &r->settings.rates).seconds;
}

void rl_pace_note(rl_run *r, const rl_todo_item *item, int ranks, double seconds) {
    if (!isfinite(r->pace.deadline)) return;
    r->pace.predicted += predicted(r, item, ranks);
    r->pace.measured += seconds;
}

/* What has to fit for a curve to be begun: of one that can be left between two spectra, the first and costliest; of a
 * span some repeats. */
static double least_piece(const rl_run *r, const rl_todo_item *item, int n_alike, int ranks) {
    const rl_curve *c = &r->plan->curves[item->curve];
    const double whole = n_alike * predicted(r, item, ranks), first_over_mean = 3;
    if (item->repeats.n > RL_BULK_LANES) return RL_BULK_LANES * whole / item->repeats.n;
    if (r->plan->grids[c->grid].way != RL_WAY_SPECTRA || c->n_sizes < first_over_mean) return whole;
    return first_over_mean * whole / c->n_sizes;
}

bool rl_pace_fits(const rl_run *r, const rl_todo_item *item, int n_alike, int ranks) {
    if (!isfinite(r->pace.deadline)) return true;
    const double ratio = r->pace.predicted > 0 ? r->pace.measured / r->pace.predicted : 1;
    return rl_seconds() + spread * ratio * least_piece(r, item, n_alike, ranks) <= r->pace.deadline;
}

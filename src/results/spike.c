/* The spike: the N of the threshold and of its flanks, how high the median test error stands there, and what
 * predictions without a fit cost. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataset.h"

static const double flanks[RL_N_FLANKS] = {0.5, 2}; /* their N over the threshold's, about */

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* The index in d->n_train of the N nearest to `wanted`, the smaller of two; -1 unless it is in [least, most]. */
static int find_place(const dataset *d, size_t p, double wanted, double least, double most) {
    int nearest = -1;
    for (int n = 0; n < (int)d->n_n; n++)
        if (d->index[p * d->n_n + (size_t)n] >= 0 &&
            (nearest < 0 || fabs(d->n_train[n] - wanted) < fabs(d->n_train[nearest] - wanted)))
            nearest = n;
    return nearest >= 0 && d->n_train[nearest] >= least && d->n_train[nearest] <= most ? nearest : -1;
}

rl_status rl_find_places(const group *g, dataset *d) {
    RL_TRY(RL_ALLOC(d->places, d->n_p));
    RL_TRY(RL_ALLOC(d->moments, d->n_p));
    for (size_t p = 0; p < d->n_p; p++) {
        const rl_series *series = &g->series[p];
        const double t = rl_dataset_threshold(&series->data);
        d->places[p] = (rl_places){.threshold = find_place(d, p, t, 0.98 * t, 1.02 * t),
                                   .flank = {find_place(d, p, flanks[0] * t, 0, 0.75 * t),
                                             find_place(d, p, flanks[1] * t, 1.5 * t, INFINITY)}};
        RL_TRY(rl_dataset_target_moments(&series->data, series->study->seed, series->study->repeats, &d->moments[p]));
    }
    return RL_OK;
}

/* ---- heights ----------------------------------------------------------------------------------------------------- */

/* NaN where either is. */
static double larger(double a, double b) {
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static double without_rounding(double error, double zero) {
    return error <= zero ? 0 : error;
}

rl_spike rl_spike_of(const rl_reduced *threshold, const rl_reduced flank[RL_N_FLANKS], double zero) {
    rl_reduced r[] = {*threshold, flank[0], flank[1]};
    for (int i = 0; i < 3; i++) {
        r[i].median = without_rounding(r[i].median, zero);
        r[i].median_low = without_rounding(r[i].median_low, zero);
        r[i].median_high = without_rounding(r[i].median_high, zero);
    }
    const double beside = larger(r[1].median, r[2].median);
    if (isnan(beside) || beside == 0) return (rl_spike){NAN, NAN, NAN};
    return (rl_spike){.height = r[0].median / beside,
                      .low = r[0].median_low / larger(r[1].median_high, r[2].median_high),
                      .high = r[0].median_high / larger(r[1].median_low, r[2].median_low)};
}

/* From the reduced test errors of a variant at one P: [n_n]. */
static rl_spike spike_at(const dataset *d, size_t p, const rl_reduced *reduced) {
    const rl_places *at = &d->places[p];
    if (at->threshold < 0 || at->flank[0] < 0 || at->flank[1] < 0) return (rl_spike){NAN, NAN, NAN};
    const rl_reduced flank[RL_N_FLANKS] = {reduced[at->flank[0]], reduced[at->flank[1]]};
    return rl_spike_of(&reduced[at->threshold], flank, RL_ZERO_PART * d->moments[p].mean_square);
}

void rl_take_spikes(const dataset *d) {
    for (size_t set = 0; set < d->n_variants * d->n_p; set++)
        d->spikes[set] = spike_at(d, set % d->n_p, d->reduced + set * d->n_n);
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

static const array places[] = {
    {"flank", "flank: its number of training rows over that of the threshold, about", "flank", .type = NC_DOUBLE},
    {"threshold_n_train", "number of training rows at the threshold", "n_features", .type = NC_INT,
     .comment = "the nearest one that the study has; absent where none is within 2 percent"},
    {"flank_n_train", "number of training rows at a flank of the spike", "n_features flank", .type = NC_INT,
     .comment =
         "the nearest one that the study has; absent where the lower one would be above 0.75 times the threshold, "
         "or the upper one below 1.5 times"},
};

static const array costs[] = {
    {"null_mse", "mean squared error of predicting nothing, which is 0", "n_features", .type = NC_DOUBLE, .nan = true,
     .original = true},
    {"target_variance", "mean squared error of predicting the mean of the targets", "n_features", .type = NC_DOUBLE,
     .nan = true, .original = true},
};

#define OF_VARIANTS                                                                                          \
    .dimensions = "variant n_features", .type = NC_DOUBLE, .coordinates = "ablation parameter", .nan = true, \
    .original = true
static const array heights[] = {
    {"spike_height", "height of the spike: median test error at the threshold over the larger of those at the flanks",
     OF_VARIANTS,
     .comment =
         "of threshold_n_train and flank_n_train; medians below 1e-18 times null_mse are zero but for rounding and "
         "count as 0; absent where both flanks are 0"},
    {"spike_height_low", "lower end of the interval of the height of the spike", OF_VARIANTS,
     .comment =
         "from order statistics (David and Nagaraja 2003, Order Statistics, section 7.1): with spike_height_high "
         "it covers the ratio of the true medians with a probability of at least 0.9, whatever the errors' law; "
         "absent with fewer than 6 repeats"},
    {"spike_height_high", "upper end of the interval of the height of the spike", OF_VARIANTS,
     .comment = "see spike_height_low"},
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool has_name(const array *list, size_t n, const char *name) {
    for (const array *a = list; a < list + n; a++)
        if (strcmp(a->name, name) == 0) return true;
    return false;
}

bool rl_is_of_spike(const char *name) {
    return has_name(places + 1, COUNT(places) - 1, name) || /* the first one is a coordinate */
           has_name(costs, COUNT(costs), name) || has_name(heights, COUNT(heights), name);
}

rl_status rl_define_spike(writer *w, const group *g, const dataset *d) {
    static const int none = -1;
    char comment[128];
    for (size_t i = 0; i < COUNT(places); i++) {
        RL_TRY(rl_define_array(w, g, &places[i]));
        if (places[i].type == NC_INT) RL_TRY(rl_put_fill(w, &none));
    }
    snprintf(comment, sizeof comment, "in squared units of the target; %s", d->moments->of);
    for (size_t i = 0; i < COUNT(costs); i++) {
        RL_TRY(rl_define_array(w, g, &costs[i]));
        RL_TRY(rl_put_text(w, "comment", comment));
    }
    return rl_define_arrays(w, g, heights, COUNT(heights));
}

static rl_status fill_places(writer *w, const dataset *d) {
    int *n = w->stored;
    RL_TRY(rl_put_values(w, "flank", flanks));
    for (size_t p = 0; p < d->n_p; p++) n[p] = d->places[p].threshold < 0 ? -1 : d->n_train[d->places[p].threshold];
    RL_TRY(rl_put_values(w, "threshold_n_train", n));
    for (size_t i = 0; i < d->n_p * RL_N_FLANKS; i++) {
        const int at = d->places[i / RL_N_FLANKS].flank[i % RL_N_FLANKS];
        n[i] = at < 0 ? -1 : d->n_train[at];
    }
    return rl_put_values(w, "flank_n_train", n);
}

static rl_status fill_costs(writer *w, const dataset *d) {
    for (size_t p = 0; p < d->n_p; p++) w->values[p] = d->moments[p].mean_square;
    RL_TRY(rl_put_values(w, "null_mse", w->values));
    for (size_t p = 0; p < d->n_p; p++) w->values[p] = d->moments[p].variance;
    return rl_put_values(w, "target_variance", w->values);
}

rl_status rl_fill_spike(writer *w, const dataset *d) {
    const size_t n = d->n_variants * d->n_p;
    RL_TRY(fill_places(w, d));
    RL_TRY(fill_costs(w, d));
    for (size_t i = 0; i < n; i++) w->values[i] = d->spikes[i].height;
    RL_TRY(rl_put_values(w, "spike_height", w->values));
    for (size_t i = 0; i < n; i++) w->values[i] = d->spikes[i].low;
    RL_TRY(rl_put_values(w, "spike_height_low", w->values));
    for (size_t i = 0; i < n; i++) w->values[i] = d->spikes[i].high;
    return rl_put_values(w, "spike_height_high", w->values);
}

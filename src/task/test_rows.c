/* Measures that look at single test rows, which the test factor does not have any more: how many are on the wrong side
 * of the middle between two targets, and what share of the error the worst hundredth of them carries. */
#include <math.h>

#include "../vectors.h"
#include "curves.h"

/* ---- the largest ------------------------------------------------------------------------------------------------- */

/* Parts values[n], n >= 2, so that none of the first ones, whose number is returned, is less than any of the others:
 * Hoare 1961, "Partition". At least one is on each side. */
static size_t part(double *values, size_t n) {
    const double pivot = values[(n - 1) / 2];
    for (size_t i = 0, j = n - 1;; i++, j--) {
        while (values[i] > pivot) i++;
        while (values[j] < pivot) j--;
        if (i >= j) return j + 1;
        const double was = values[i];
        values[i] = values[j];
        values[j] = was;
    }
}

/* Puts the `wanted` largest of values[n] first. */
static void put_largest_first(double *values, size_t n, size_t wanted) {
    while (wanted > 0 && wanted < n) {
        const size_t larger = part(values, n);
        if (wanted <= larger) {
            n = larger;
        } else {
            values += larger;
            n -= larger;
            wanted -= larger;
        }
    }
}

static double worst_share(double *squares, size_t n) {
    const size_t worst = (n + 99) / 100;
    double sum = 0, of_worst = 0;
    put_largest_first(squares, n, worst);
    for (size_t i = 0; i < n; i++) {
        sum += squares[i];
        if (i + 1 == worst) of_worst = sum;
    }
    return of_worst / sum;
}

/* ---- test rows --------------------------------------------------------------------------------------------------- */

/* What all fits say of some test rows; the squared errors from `at` on, and how many are on the wrong side of `middle`.
 */
static void look_at_rows(rl_curves *c, int count, int at, double middle, double *wrong) {
    const int n_variants = c->series->spec->n_variants, features = c->series->n_features;
    const size_t n_rows = (size_t)c->series->data.n_rows;
    rl_gemm('T', 'N', count, n_variants, features, 1, c->chunk_x, features, c->betas, features, 0, c->said, count);
    for (int v = 0; v < n_variants; v++) {
        const bool has_shift = c->series->spec->variants[v].ablation->need != RL_NEED_ROWS;
        const double shift = has_shift ? rl_evaluated_fit(c->evaluator, v)->shift : 0;
        const double *const said = c->said + (size_t)v * (size_t)count;
        double *const squares = c->squares + (size_t)v * n_rows + at;
        for (int i = 0; i < count; i++) {
            const double error = said[i] + shift - c->chunk_y[i];
            squares[i] = error * error;
            wrong[v] += (said[i] + shift > middle) != (c->chunk_y[i] > middle);
        }
    }
}

void rl_measure_test_rows(rl_curves *c, const rl_spectrum *s) {
    const int n_variants = c->series->spec->n_variants, n_rows = c->series->data.n_rows, n_test = n_rows - s->n_train;
    const unsigned measures = c->layout.measures;
    double targets[2] = {0, 0}, *const wrong = c->wrong;
    rl_dataset_two_targets(&c->series->data, targets);
    for (int v = 0; v < n_variants; v++) {
        rl_parameters_of(c, s, v);
        wrong[v] = 0;
    }
    for (int first = s->n_train; first < n_rows; first += c->capacity) {
        const int remaining = n_rows - first, count = remaining < c->capacity ? remaining : c->capacity;
        rl_rows_get(&c->rows, first, count, c->chunk_x, c->series->n_features, c->chunk_y);
        look_at_rows(c, count, first - s->n_train, (targets[0] + targets[1]) / 2, wrong);
    }
    for (int v = 0; v < n_variants; v++) {
        double *const value = c->measured[v].value;
        if (isnan(c->errors[v].test_mse)) continue; /* there is no fit */
        if ((measures & 1u << RL_MEASURE_ZERO_ONE) != 0) value[RL_MEASURE_ZERO_ONE] = wrong[v] / n_test;
        if ((measures & 1u << RL_MEASURE_WORST_SHARE) != 0)
            value[RL_MEASURE_WORST_SHARE] = worst_share(c->squares + (size_t)v * (size_t)n_rows, (size_t)n_test);
    }
}

double rl_test_rows_measured_flops(const rl_series *series, int n_train) {
    if (!rl_measures_need_test_rows(series->spec->measures)) return 0;
    return 2.0 * (series->data.n_rows - n_train) * series->n_features * series->spec->n_variants;
}

rl_status rl_check_test_rows_measures(const rl_series *series) {
    double targets[2];
    if ((series->spec->measures & 1u << RL_MEASURE_ZERO_ONE) == 0) return RL_OK;
    if (rl_dataset_two_targets(&series->data, targets)) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `measures`: zero_one is asked for of dataset `%s`, whose targets have not exactly two "
                   "values; expected a table whose target is one of two, like 0 and 1",
                   series->study->path, series->line, series->name);
}

/* The N of a series of a data set: what the study asks for, checked against the rows that there are. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "lay_out.h"

/* The union of everything that a spec asks for, in the order of its parts; N below 1 that ratios and the neighbourhood
 * would give are not asked for. *values [*n] is the caller's. */
static rl_status expand(const rl_n_train_spec *spec, int threshold, double **values, int *n) {
    const int around = spec->around < 0 ? 0 : 2 * spec->around + 1;
    *n = 0;
    RL_TRY(RL_ALLOC(*values, spec->n_values + spec->n_ratios + around));
    for (int i = 0; i < spec->n_values; i++) (*values)[(*n)++] = spec->values[i];
    for (int i = 0; i < spec->n_ratios; i++) (*values)[(*n)++] = fmax(1, round(spec->ratios[i] * threshold));
    for (int d = -spec->around; d <= spec->around; d++)
        if (threshold + d >= 1) (*values)[(*n)++] = (double)threshold + d;
    return RL_OK;
}

static rl_status check_n(const rl_study *study, const rl_series *series, double n) {
    const int most = series->data.n_rows - (series->data.n_test_only > 0 ? series->data.n_test_only : 1);
    const char *name = series->name;
    if (n >= 1 && n <= most) return RL_OK;
    char rows[RL_ROWS_TEXT];
    if (series->data.n_test_only > 0)
        return rl_fail(RL_ERR_INPUT,
                       "%s:%d: key `n_train`: N = %.15g is more than the %d rows of the dataset `%s` that may train; "
                       "expected N from 1 to %d",
                       study->path, series->spec->n_train.line, n, most, name, most);
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `n_train`: N = %.15g leaves no test row of the dataset `%s`, which has %s and %d "
                   "features; expected N from 1 to %d",
                   study->path, series->spec->n_train.line, n, name,
                   rl_rows_text(series->data.n_rows, series->data.n_dropped, rows), series->data.n_features, most);
}

static rl_status make_n_train(const rl_study *study, rl_series *series) {
    double *values = NULL;
    int n = 0, kept = 0;
    rl_status status;
    RL_TRY_GOTO(expand(&series->spec->n_train, rl_dataset_threshold(&series->data), &values, &n), done);
    assert(n > 0); /* an empty n_train is no study */
    RL_TRY_GOTO(RL_ALLOC(series->n_train, n), done);
    for (int i = 0; i < n; i++) {
        RL_TRY_GOTO(check_n(study, series, values[i]), done);
        series->n_train[i] = (int)values[i];
    }
    qsort(series->n_train, (size_t)n, sizeof *series->n_train, rl_compare_ints);
    for (int i = 0; i < n; i++)
        if (kept == 0 || series->n_train[i] != series->n_train[kept - 1]) series->n_train[kept++] = series->n_train[i];
    series->n_n_train = kept;
done:
    rl_free(values);
    return status;
}

/* Which N of the series a key chooses (all of them where it is not there). N of the key that the data set does not have
 * are another data set's. */
static rl_status choose_n_train(const rl_study *study, const rl_series *series, const char *key,
                                const rl_n_train_spec *spec, bool **chosen) {
    double *values = NULL;
    int n = 0, n_chosen = 0;
    rl_status status;
    RL_TRY_GOTO(RL_ALLOC(*chosen, series->n_n_train), done);
    if (spec->line > 0) RL_TRY_GOTO(expand(spec, rl_dataset_threshold(&series->data), &values, &n), done);
    if (n > 0) qsort(values, (size_t)n, sizeof *values, rl_compare_reals);
    for (int i = 0; i < series->n_n_train; i++) {
        const double n_train = series->n_train[i];
        (*chosen)[i] = spec->line == 0 ||
                       (n > 0 && bsearch(&n_train, values, (size_t)n, sizeof *values, rl_compare_reals) != NULL);
        n_chosen += (*chosen)[i];
    }
    if (n_chosen == 0)
        status = rl_fail(RL_ERR_INPUT,
                         "%s:%d: key `%s`: none of them is an N of the dataset `%s`; expected some of its n_train",
                         study->path, spec->line, key, series->name);
done:
    rl_free(values);
    return status;
}

rl_status rl_series_n_train(rl_series *series) {
    const rl_study *study = series->study;
    RL_TRY(make_n_train(study, series));
    const int largest = series->n_train[series->n_n_train - 1];
    series->max_modes = largest < series->n_features ? largest : series->n_features;
    RL_TRY(choose_n_train(study, series, "singular_values", &study->singular_values, &series->sigma_wanted));
    return choose_n_train(study, series, "full_spectra", &study->full_spectra, &series->full);
}

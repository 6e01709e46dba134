/* The methods to compute curves: a table, and how a row of it is chosen. */
#include <string.h>

#include "curves.h"

/* The first that suits a series computes it; the last one suits all. X(name) stands for rl_name_method in name.c. */
#define METHODS(X) X(grid_nested) X(grid_spectra) X(nested) X(bulk) X(updated) X(spectra)

#define DECLARE(name) extern const rl_method rl_##name##_method;
#define ROW(name)     &rl_##name##_method,
METHODS(DECLARE)

static const rl_method *const methods[] = {METHODS(ROW)};
enum { N_METHODS = sizeof methods / sizeof *methods };

const rl_method *rl_method_of(const rl_series *series) {
    int i = 0;
    while (!methods[i]->suits(series)) i++;
    return methods[i];
}

const rl_method *rl_method_find(int number) {
    for (int i = 0; i < N_METHODS; i++)
        if (methods[i]->number == number) return methods[i];
    return NULL;
}

const char *rl_method_text(const rl_method *method) {
    return method->text;
}

int rl_method_number(const rl_method *method) {
    return method->number;
}

bool rl_method_cuts_curves(const rl_method *method) {
    return method->n_apart;
}

/* ---- what several rows ask --------------------------------------------------------------------------------------- */

bool rl_has_need(const rl_series *series, rl_need need) {
    bool some = false;
    for (int v = 0; v < series->spec->n_variants; v++) some |= series->spec->variants[v].ablation->need == need;
    return some;
}

bool rl_needs_rows(const rl_series *series) {
    return rl_has_need(series, RL_NEED_ROWS) || rl_measures_need_test_rows(series->spec->measures);
}

bool rl_wants_left(const rl_series *series) {
    return rl_measures_need_left(series->spec->measures) || rl_has_need(series, RL_NEED_LEFT);
}

int rl_count_filters(const rl_study_dataset *spec) {
    int n = 0;
    for (int v = 0; v < spec->n_variants; v++) n += spec->variants[v].ablation->truncate == NULL;
    return n;
}

static bool is_least_squares(rl_need need) {
    return need == RL_NEED_FIT_TO_Y || need == RL_NEED_FIT_TO_IDEAL;
}

bool rl_may_be_nested(const rl_series *series) {
    const rl_study_dataset *spec = series->spec;
    if (series->study->random == RL_RANDOM_NUMPY) return false;
    if (series->study->full_spectra.line > 0) return true;
    if (spec->producer != RL_PRODUCER_AUTO || spec->keep.modes || spec->measures != 0 || series->n_points > 0)
        return false;
    for (int v = 0; v < spec->n_variants; v++)
        if (!is_least_squares(spec->variants[v].ablation->need)) return false;
    return true;
}

/* What one rank would take by LAPACK, roughly. No prediction but a rule: it stays as it is, so that no study is ever
 * computed by another method than before. */
static size_t lapack_bytes(const rl_series *series) {
    const size_t p = (size_t)series->n_features, n = (size_t)series->n_train[series->n_n_train - 1];
    const size_t k = (size_t)series->max_modes, t = p + 2, v = (size_t)series->spec->n_variants;
    const size_t training = 2 * n * (p + 1), svd = k * (n < p ? n : p) + k * p + 4 * k * k;
    const size_t fits = v * p + p + (n > t ? n : t) + v * (2 * k + t), test = 3 * t * t + t * k;
    const size_t nested = rl_may_be_nested(series) ? 2 * n * (p + 1) + 5 * p * p : 0;
    return (training + svd + fits + test + nested) * sizeof(double) + (size_t)series->data.n_rows * sizeof(int);
}

/* On a process grid where the rows are in blocks, where the study names a producer for one or how many ranks it takes,
 * else where LAPACK would take too much memory of one rank: never a matter of how many ranks there are. */
bool rl_wants_process_grid(const rl_series *series) {
    static const size_t most = (size_t)1 << 30; /* bytes */
    const rl_study_dataset *spec = series->spec;
    if (rl_dataset_in_blocks(&series->data)) return true; /* nowhere else do its rows fit */
    if (spec->producer != RL_PRODUCER_AUTO) return spec->producer != RL_PRODUCER_LAPACK;
    if (spec->ranks_per_case != RL_RANKS_AUTO) return true;
    return series->study->random != RL_RANDOM_NUMPY && lapack_bytes(series) > most;
}

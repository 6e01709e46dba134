/* What predictions without a fit cost: the mean square and the variance of the targets; and whether these are two. */
#include <math.h>

#include "dataset.h"

/* E y and E y^2 need no rows where a linear teacher sees independent features of mean 0 and known variance. */
static rl_target_moments moments_of_teacher(const rl_teacher *teacher) {
    double sum = teacher->noise * teacher->noise;
    for (int j = 0; j < teacher->n_hidden; j++) sum += pow(teacher->scale[j] * teacher->beta[j], 2);
    return (rl_target_moments){sum, sum, "of the population"};
}

/* Rows of one or more repeats, whose targets are drawn again or stand in memory. */
typedef struct target_rows {
    const rl_dataset *data;
    rl_key key;
    int first, n_repeats; /* first: of each repeat */
    double *inputs;       /* [n_inputs]; NULL: y is in memory */
} target_rows;

static double target_at(const target_rows *t, int repeat, int row) {
    double y;
    if (t->inputs == NULL) return t->data->y[row];
    t->data->source->draw(t->data, t->key, (uint32_t)repeat, row, t->inputs, &y);
    return y;
}

/* The mean of (y - about)^power. */
static double mean_power(const target_rows *t, double about, int power) {
    const int n = t->data->n_rows - t->first;
    double sum = 0;
    for (int r = 0; r < t->n_repeats; r++)
        for (int i = t->first; i < t->data->n_rows; i++) {
            const double y = target_at(t, r, i) - about;
            sum += power == 1 ? y : y * y;
        }
    return sum / ((double)n * t->n_repeats);
}

bool rl_dataset_two_targets(const rl_dataset *data, double targets[2]) {
    double low = INFINITY, high = -INFINITY;
    if (data->y == NULL) return false;
    for (int i = 0; i < data->n_rows; i++) {
        low = fmin(low, data->y[i]);
        high = fmax(high, data->y[i]);
    }
    for (int i = 0; i < data->n_rows; i++)
        if (data->y[i] != low && data->y[i] != high) return false;
    targets[0] = low;
    targets[1] = high;
    return low < high;
}

rl_status rl_dataset_target_moments(const rl_dataset *data, uint64_t seed, int n_repeats, rl_target_moments *moments) {
    if (data->fresh && data->teacher.beta != NULL) {
        *moments = moments_of_teacher(&data->teacher);
        return RL_OK;
    }
    const bool has_tests = data->n_test_only > 0, varies = data->fresh && !has_tests;
    target_rows t = {.data = data,
                     .key = rl_key_make(seed, data->name),
                     .first = has_tests ? data->n_rows - data->n_test_only : 0,
                     .n_repeats = varies ? n_repeats : 1};
    if (data->fresh) RL_TRY(RL_ALLOC(t.inputs, data->n_inputs));
    moments->mean_square = mean_power(&t, 0, 2);
    moments->variance = mean_power(&t, mean_power(&t, 0, 1), 2);
    moments->of = has_tests ? "of the rows that are test rows at any N"
                  : varies  ? "of the rows of all repeats"
                            : "of all rows";
    rl_free(t.inputs);
    return RL_OK;
}

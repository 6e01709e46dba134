/* Effective ranks of a table's features, and its largest leverage. */
#include "effective.h"

#include <math.h>

const int rl_left_out[RL_N_LEFT_OUT] = {0, 1, 2, 4};

rl_status rl_effective_create(rl_effective *e, size_t n_p) {
    *e = (rl_effective){0};
    RL_TRY(RL_ALLOC(e->smaller, n_p * RL_N_LEFT_OUT));
    RL_TRY(RL_ALLOC(e->larger, n_p * RL_N_LEFT_OUT));
    return RL_ALLOC(e->leverage, n_p);
}

void rl_effective_destroy(rl_effective *e) {
    rl_free(e->smaller);
    rl_free(e->larger);
    rl_free(e->leverage);
    *e = (rl_effective){0};
}

size_t rl_effective_bytes(size_t n_p) {
    return 2 * rl_alloc_bytes(n_p * RL_N_LEFT_OUT, sizeof(double)) + rl_alloc_bytes(n_p, sizeof(double));
}

void rl_effective_take(rl_effective *e, size_t p, rl_moment_maker *table, const rl_spectrum *s) {
    const bool done = s->status == RL_CELL_DONE;
    for (size_t i = 0; i < RL_N_LEFT_OUT; i++) {
        const int k = rl_left_out[i];
        double sum = 0, squares = 0;
        for (int j = done ? s->rank - 1 : -1; j >= k; j--) {
            const double moment = (s->sigma[j] / s->sigma[k]) * (s->sigma[j] / s->sigma[k]);
            sum += moment;
            squares += moment * moment;
        }
        e->smaller[p * RL_N_LEFT_OUT + i] = sum > 0 ? sum : NAN;
        e->larger[p * RL_N_LEFT_OUT + i] = sum > 0 ? sum * sum / squares : NAN;
    }
    e->leverage[p] = done ? rl_largest_leverage(table, s) : NAN;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

static const array arrays[] = {
    {"left_out", "leading directions of the features that are left out", "left_out", .type = NC_INT, .least = RL_SMALL},
    {"effective_rank", "effective rank r_k", "n_features left_out", .type = NC_DOUBLE, .nan = true,
     .comment = "sum of the second moments along all directions but the k leading ones, over the largest of them "
                "(Bartlett, Long, Lugosi and Tsigler 2020)"},
    {"effective_rank_of_squares", "effective rank R_k", "n_features left_out", .type = NC_DOUBLE, .nan = true,
     .comment = "square of that sum, over the sum of squares"},
    {"leverage_max", "largest leverage of a row, over the mean", "n_features", .type = NC_DOUBLE, .nan = true,
     .comment = "of all rows of the table against each other"},
};

rl_status rl_define_effective(writer *w, const group *g) {
    return rl_define_arrays(w, g, arrays, sizeof arrays / sizeof *arrays);
}

rl_status rl_fill_effective(writer *w, const rl_effective *e) {
    RL_TRY(rl_put_values(w, "left_out", rl_left_out));
    RL_TRY(rl_put_values(w, "effective_rank", e->smaller));
    RL_TRY(rl_put_values(w, "effective_rank_of_squares", e->larger));
    return rl_put_values(w, "leverage_max", e->leverage);
}

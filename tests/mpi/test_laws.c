/* The laws of ../oracle/laws.h at sizes that need a process grid: spectra of fresh student-teacher rows made where they
 * live, by the producers meant for such sizes. */
#include <string.h>

#include "../oracle/laws.h"
#include "report.h"
#include "ridgeless/distributed.h"

enum { SEED = 41, TEST_ROWS = 300, MAX_SPECTRA = 24, MAX_MODES = 800 };
static const double cuts[] = {0.1, 0.5}; /* of sqrt(n) */
static const rl_producer producers[] = {RL_PRODUCER_TWO_STAGE, RL_PRODUCER_PROJECTED};

/* ---- one spectrum --------------------------------------------------------------------------------------------------
 */

/* What is taken of the spectra of one size. The leverages are on rank 0 alone, all else is the same everywhere. */
typedef struct sample {
    int n_train, n_features, n_spectra;
    double leverages[MAX_SPECTRA * TEST_ROWS], projections[MAX_SPECTRA * MAX_MODES];
    double smallest[MAX_SPECTRA], largest[MAX_SPECTRA], log_determinant[MAX_SPECTRA];
    double bias[MAX_SPECTRA], risk[MAX_SPECTRA], kept[2][MAX_SPECTRA], inverse[2][MAX_SPECTRA];
} sample;

/* Test rows, row by row, of all ranks on rank 0. */
static double *gather_rows(const rl_process_grid *grid, const rl_spectrum *s) {
    const size_t n = (size_t)s->n_modes;
    double *mine = numbers((size_t)s->m * n), *all = grid->rank == 0 ? numbers(TEST_ROWS * n) : NULL;
    int *counts = NULL, *places = NULL, count = s->m * s->n_modes;
    for (size_t i = 0; i < (size_t)s->m; i++)
        for (size_t r = 0; r < n; r++) mine[i * n + r] = s->z[r * (size_t)s->ldz + i];
    if (RL_ALLOC(counts, grid->size) != RL_OK || RL_ALLOC(places, grid->size) != RL_OK) MPI_Abort(grid->comm, 1);
    MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, 0, grid->comm);
    for (int i = 1; i < grid->size; i++) places[i] = places[i - 1] + counts[i - 1];
    MPI_Gatherv(mine, count, MPI_DOUBLE, all, counts, places, MPI_DOUBLE, 0, grid->comm);
    rl_free(mine);
    rl_free(counts);
    rl_free(places);
    return all;
}

static void take_test_rows(const rl_process_grid *grid, const rl_spectrum *s, sample *t) {
    double *const sums = t->projections + t->n_spectra * s->n_modes, *rows = gather_rows(grid, s);
    for (int r = 0; r < s->n_modes; r++)
        for (int i = 0; i < s->m; i++) sums[r] += pow(s->z[(size_t)r * (size_t)s->ldz + (size_t)i], 2);
    MPI_Allreduce(MPI_IN_PLACE, sums, s->n_modes, MPI_DOUBLE, MPI_SUM, grid->comm);
    for (int r = 0; r < s->n_modes; r++) sums[r] = gsl_cdf_chisq_P(sums[r], TEST_ROWS);
    if (grid->rank == 0)
        uniform_leverages(rows, s->sigma, TEST_ROWS, s->n_modes, larger_of(s->n_train, s->n_features),
                          t->leverages + t->n_spectra * TEST_ROWS);
    rl_free(rows);
}

static void take_modes(const rl_spectrum *s, const rl_dataset *data, sample *t) {
    const int n = s->n_modes, m = larger_of(s->n_train, s->n_features), k = t->n_spectra;
    const double variance = rl_dataset_residual_variance(data);
    double signal = 0, risk = variance + s->b_outside_sq;
    for (int j = 0; j < s->n_features; j++) signal += data->beta_star[j] * data->beta_star[j];
    for (int r = 0; r < n; r++) {
        risk += pow(s->c[RL_TARGET_Y][r] / s->sigma[r] - s->b_star[r], 2);
        for (int c = 0; c < 2; c++) {
            if (s->sigma[r] < cuts[c] * sqrt(n)) continue;
            t->kept[c][k]++;
            t->inverse[c][k] += 1 / (s->sigma[r] * s->sigma[r]);
        }
    }
    t->smallest[k] = s->sigma[n - 1];
    t->largest[k] = s->sigma[0];
    t->log_determinant[k] = gsl_cdf_ugaussian_P(normal_log_determinant(s->sigma, n, m));
    t->bias[k] = uniform_bias(s->b_outside_sq / signal, s->n_train, s->n_features);
    if (m - n >= 4)
        t->risk[k] = (risk - expected_risk(s->n_train, s->n_features, signal, variance)) /
                     risk_deviation(s->n_train, s->n_features, signal, variance);
}

/* A student of P features whose teacher has 20 more. */
static rl_status load(int n_train, int n_features, rl_dataset *data) {
    const rl_source *source = rl_source_find("student-teacher");
    rl_options options;
    const rl_source_request request = {.name = "laws", .options = &options, .seed = SEED};
    RL_TRY(rl_options_create(&options, source->options, source->n_options));
    const struct {
        const char *key;
        double value;
    } settings[] = {{"rows", n_train + TEST_ROWS},
                    {"features", n_features},
                    {"hidden_features", n_features + 20},
                    {"noise", 4},
                    {"draw", 1}}; /* fresh */
    for (int i = 0; i < 5; i++) options.values[rl_options_find(&options, settings[i].key)].number = settings[i].value;
    const rl_status status = rl_dataset_load(source, &request, data);
    rl_options_destroy(&options);
    return status;
}

static rl_status take_spectrum(const rl_process_grid *grid, const rl_rows *rows, rl_producer producer, sample *t) {
    rl_dataset_case c;
    rl_spectrum_store store = {0};
    rl_spectrum s;
    RL_TRY(rl_dataset_case_create(&c, grid, rows, t->n_train, TEST_ROWS));
    rl_status status = rl_distributed_spectrum(grid, producer, 32, &c.c, &store, &s, NULL);
    if (status == RL_OK && s.status != RL_CELL_DONE) status = rl_fail(RL_ERR_LIBRARY, "status %d", (int)s.status);
    if (status == RL_OK) {
        take_test_rows(grid, &s, t);
        take_modes(&s, rows->dataset, t);
        t->n_spectra++;
    }
    rl_spectrum_store_destroy(&store);
    rl_dataset_case_destroy(&c);
    return status;
}

/* `each` spectra by each producer, of different rows. */
static rl_status take_sample(const rl_process_grid *grid, int n_train, int n_features, int each, sample *t) {
    rl_dataset data;
    rl_rows rows = {0};
    rl_status status;
    *t = (sample){.n_train = n_train, .n_features = n_features};
    RL_TRY(load(n_train, n_features, &data));
    RL_TRY_GOTO(rl_rows_create(&rows, &data, RL_RANDOM_PHILOX, SEED), done);
    for (int i = 0; i < 2 * each; i++) {
        rl_rows_arrange(&rows, (uint32_t)i);
        RL_TRY_GOTO(take_spectrum(grid, &rows, producers[i % 2], t), done);
    }
done:
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&data);
    return status;
}

/* ---- samples against their laws ------------------------------------------------------------------------------------
 */

static void check_likely(report *r, const sample *t, const char *what, double p_value) {
    check(r, p_value > LEVEL, "%d x %d, %d spectra: %s, p = %.3f", t->n_train, t->n_features, t->n_spectra, what,
          p_value);
}

static void check_standard(report *r, const sample *t, const char *what, const double *values) {
    check_likely(r, t, what, normal_p_value(mean_of(values, t->n_spectra) * sqrt(t->n_spectra)));
}

static void check_edges(report *r, sample *t) {
    const int n = smaller_of(t->n_train, t->n_features), m = larger_of(t->n_train, t->n_features);
    bool inside = true;
    for (int k = 0; k < t->n_spectra; k++) {
        inside = inside && inside_edges(t->smallest[k], t->largest[k], n, m, t->n_spectra);
        t->smallest[k] = uniform_smallest(t->smallest[k], t->n_train, t->n_features);
        t->largest[k] = standard_largest(t->largest[k], n, m);
    }
    check(r, inside, "%d x %d: singular values are between the edges", t->n_train, t->n_features);
    check_standard(r, t, "the mean of sigma_max^2", t->largest);
    if (m - n <= 1) check_likely(r, t, "sigma_min", ks_p_value(t->smallest, t->n_spectra));
}

static void check_quarter_circle(report *r, const sample *t) {
    const int n = t->n_train;
    for (int c = 0; c < 2; c++) {
        const double kept = expected_kept(cuts[c], n), inverse = expected_inverse_squares(cuts[c], n);
        check_likely(r, t, c == 0 ? "modes above a low cutoff" : "modes above a high cutoff",
                     student_p_value(t->kept[c], t->n_spectra, kept));
        check_likely(r, t, "their sum of 1 / sigma^2", student_p_value(t->inverse[c], t->n_spectra, inverse));
    }
}

static void check_sample(report *r, const rl_process_grid *grid, int n_train, int n_features, int each) {
    sample *t = NULL;
    if (RL_ALLOC(t, 1) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    const rl_status status = take_sample(grid, n_train, n_features, each, t);
    check(r, status == RL_OK, "%d x %d: spectra on %d x %d ranks%s%s", n_train, n_features, grid->n_rows,
          grid->n_columns, status == RL_OK ? "" : ": ", status == RL_OK ? "" : rl_error_message());
    if (status == RL_OK) {
        const int n = smaller_of(n_train, n_features);
        check_likely(r, t, "leverages of test rows",
                     r->rank == 0 ? ks_p_value(t->leverages, t->n_spectra * TEST_ROWS) : 1);
        check_likely(r, t, "coordinates of test rows", ks_p_value(t->projections, t->n_spectra * n));
        check_likely(r, t, "log determinant", few_p_value(t->log_determinant, t->n_spectra));
        check_edges(r, t);
        if (n_train < n_features) check_likely(r, t, "bias", few_p_value(t->bias, t->n_spectra));
        if (abs(n_train - n_features) >= 100) check_standard(r, t, "risk", t->risk);
        if (n_train == n_features) check_quarter_circle(r, t);
    }
    rl_free(t);
}

int main(int argc, char **argv) {
    report r = begin_report(&argc, &argv);
    rl_process_grid *grid;
    if (rl_process_grid_create(MPI_COMM_WORLD, 0, 0, &grid) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    check_sample(&r, grid, 800, 800, 3);
    check_sample(&r, grid, 795, 800, 1);
    check_sample(&r, grid, 650, 1000, 1);
    check_sample(&r, grid, 900, 700, 1);
    check_sample(&r, grid, 200, 200, 12);
    check_sample(&r, grid, 200, 201, 12);
    rl_process_grid_destroy(grid);
    return end_report(&r);
}

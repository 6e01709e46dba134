/* results: the reduction against NumPy; the results file written, read back and replaced. With the argument
 * `--sample FILE` the program writes the sample results file there instead (for check_results_file.py). */
#include "hand_plan.h"

#include <netcdf.h>
#include <signal.h>
#include <sys/resource.h>
#include <xxhash.h>

#include "../../src/results/internal.h"
#include "../../src/results/sort.h"
#include "../../src/results/spill.h"

/* ---- reduction --------------------------------------------------------------------------------------------------- */

static void assert_close(double got, double expected) {
    if (!(fabs(got - expected) <= 4e-16 * fabs(expected))) fail_msg("got %.17g, expected %.17g", got, expected);
}

/* Expected: NumPy 1.24, a without NaN: mean(a), std(a, ddof=1)/sqrt(len(a)), exp(mean(log(a))),
 * quantile(a, [.05, .25, .5, .75, .95]). */
static void reduce_as_numpy(void **state) {
    (void)state;
    const double a[] = {3.7, 0.2, 41.5, 1e-3, 7.25, 2.5};
    const double b[] = {3.7, NAN, 0.2, 41.5, NAN, 1e-3, 7.25, 2.5, NAN};
    const double quantiles[] = {0.050750000000000003, 0.77499999999999991, 3.1000000000000001, 6.3624999999999998,
                                32.9375};
    double scratch[18];
    for (int with_nan = 0; with_nan < 2; with_nan++) {
        const rl_reduced r = with_nan ? rl_reduce(b, 9, scratch) : rl_reduce(a, 6, scratch);
        assert_int_equal(r.count, 6);
        assert_close(r.mean, 9.1918333333333333);
        assert_close(r.standard_error, 6.5519811274487401);
        assert_close(r.geometric_mean, 0.90697010417236157);
        assert_close(r.median, 3.1000000000000001);
        assert_memory_equal(r.quantile, quantiles, sizeof quantiles); /* bit for bit */
    }
}

static void reduce_odd_count_as_numpy(void **state) {
    (void)state;
    const double a[] = {0.1, 0.7, 0.3, 0.9, 0.5, 0.2, 0.4};
    const double quantiles[] = {0.13, 0.25, 0.40000000000000002, 0.59999999999999998, 0.83999999999999986};
    double scratch[14];
    const rl_reduced r = rl_reduce(a, 7, scratch);
    assert_close(r.mean, 0.44285714285714289);
    assert_close(r.standard_error, 0.10658585374094948);
    assert_close(r.geometric_mean, 0.35815790597564956);
    assert_true(r.median == 0.4);
    assert_memory_equal(r.quantile, quantiles, sizeof quantiles);
}

static void reduce_without_values(void **state) {
    (void)state;
    const double nothing[] = {NAN, NAN};
    double scratch[4];
    for (int n = 0; n <= 2; n++) {
        const rl_reduced r = rl_reduce(nothing, n, scratch);
        assert_int_equal(r.count, 0);
        assert_true(isnan(r.mean) && isnan(r.standard_error) && isnan(r.median) && isnan(r.geometric_mean));
        for (int i = 0; i < RL_N_QUANTILES; i++) assert_true(isnan(r.quantile[i]));
    }
}

static void reduce_one_value(void **state) {
    (void)state;
    const double one[] = {NAN, 2.75};
    double scratch[4];
    const rl_reduced r = rl_reduce(one, 2, scratch);
    assert_int_equal(r.count, 1);
    assert_true(r.mean == 2.75 && r.median == 2.75 && isnan(r.standard_error));
    assert_close(r.geometric_mean, 2.75);
    for (int i = 0; i < RL_N_QUANTILES; i++) assert_true(r.quantile[i] == 2.75);
}

static void reduce_zero_negative_infinite(void **state) {
    (void)state;
    const double zero[] = {4, 0, 9}, negative[] = {4, -1, 9}, infinite[] = {1, INFINITY, 2, INFINITY, 3};
    double scratch[10];
    assert_true(rl_reduce(zero, 3, scratch).geometric_mean == 0);
    assert_true(isnan(rl_reduce(negative, 3, scratch).geometric_mean));
    assert_close(rl_reduce(negative, 3, scratch).mean, 4);
    const rl_reduced r = rl_reduce(infinite, 5, scratch); /* an error that overflowed is large, not absent */
    assert_int_equal(r.count, 5);
    assert_true(r.median == 3 && r.quantile[1] == 2);
    assert_true(isinf(r.mean) && isinf(r.quantile[3]) && isinf(r.quantile[4]) && isinf(r.geometric_mean));
}

/* Sorted whatever the order and number (7919 is prime): the median of a permutation of 0 ... n-1 is (n-1)/2. */
static void reduce_sorts_any_size(void **state) {
    (void)state;
    double values[1000], scratch[2000];
    for (int n = 1; n <= 1000; n = n < 40 ? n + 1 : 2 * n + 1) {
        for (int i = 0; i < n; i++) values[i] = i * 7919 % n;
        const rl_reduced r = rl_reduce(values, n, scratch);
        assert_true(r.median == (n - 1) / 2.0);
        for (int i = 0; i < RL_N_QUANTILES; i++)
            assert_true(fabs(r.quantile[i] - rl_quantiles[i] * (n - 1)) < 1e-12 * n);
        for (int i = 0; i < n; i++) assert_true(values[i] == i * 7919 % n); /* left as they were */
    }
}

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Many orders of magnitude, both signs, equal values, most of them close together beside a few far away, and all alike.
 */
static double drawn_value(int law, uint32_t *state) {
    *state = *state * 1664525u + 1013904223u; /* Numerical Recipes' generator */
    const double u = (*state >> 8) / 16777216.0;
    switch (law) {
        case 0:
            return pow(10, 600 * u - 300);
        case 1:
            return u - 0.5;
        case 2:
            return floor(7 * u);
        case 3:
            return u < 0.01 ? 1e300 : u < 0.02 ? 0 : u < 0.03 ? NAN : 1e-30 * (1 + u);
        case 4:
            return u < 0.1 ? NAN : 5;
        default:
            return u < 0.5 ? -INFINITY : u < 0.6 ? INFINITY : -pow(10, 30 * u);
    }
}

static void sort_as_qsort(void **state) {
    (void)state;
    enum { MOST = 6000 };
    static double values[MOST], expected[MOST], sorted[MOST], room[MOST];
    uint32_t seed = 1;
    for (int law = 0; law < 6; law++)
        for (int n = 3; n <= MOST; n = 3 * n + n % 2) {
            int count = 0;
            for (int i = 0; i < n; i++) {
                values[i] = drawn_value(law, &seed);
                if (!isnan(values[i])) expected[count++] = values[i];
            }
            qsort(expected, (size_t)count, sizeof *expected, compare_doubles);
            rl_sort(values, n, expected[0], expected[count - 1], sorted, room);
            assert_memory_equal(sorted, expected, (size_t)count * sizeof *sorted);
            const int places[] = {0, count / 20, count / 2, count / 2 + (count > 2), count - 1};
            rl_sort_places(values, n, count, expected[0], expected[count - 1], places, 5, sorted, room);
            for (int i = 0; i < 5; i++) assert_true(sorted[places[i]] == expected[places[i]]);
        }
}

/* Against the sum of logarithms in extended precision, with and without values that have no plain exponent. */
static void geometric_means_are_those_of_logarithms(void **state) {
    (void)state;
    enum { N = 3000 };
    static double values[N], scratch[2 * N];
    uint32_t seed = 7;
    for (int tiny = 0; tiny < 2; tiny++) {
        long double logs = 0;
        for (int i = 0; i < N; i++) {
            values[i] = tiny && i % 100 == 0 ? 1e-310 : drawn_value(0, &seed);
            logs += logl((long double)values[i]);
        }
        const double expected = (double)expl(logs / N), got = rl_reduce(values, N, scratch).geometric_mean;
        assert_true(fabs(got / expected - 1) < 1e-14 * (1 + fabs(log(expected))));
    }
}

/* Which of two zeros is the least, the order alone decides: neither may be taken for what is beyond the other. */
static void sort_of_zeros_of_both_signs(void **state) {
    (void)state;
    enum { N = 200 };
    double values[N], scratch[2 * N];
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < N; i++) values[i] = i % 2 == 0 ? 0.0 : -0.0;
        values[N - 1] = sign;
        const rl_reduced r = rl_reduce(values, N, scratch);
        assert_true(r.median == 0 && r.minimum == fmin(sign, 0) && r.maximum == fmax(sign, 0));
        assert_true(scratch[sign < 0 ? 0 : N - 1] == sign);
    }
}

/* ---- spikes ------------------------------------------------------------------------------------------------------ */

/* The 5 % column of the table of the sign test (Dixon and Mood 1946, The statistical sign test, table 1): so many of
 * the less frequent sign at most are significant. */
static void median_interval_is_that_of_the_sign_test(void **state) {
    (void)state;
    static const int n[] = {5, 6, 8, 9, 11, 12, 15, 17, 20, 25, 30, 40, 50, 100};
    static const int most[] = {-1, 0, 0, 1, 1, 2, 3, 4, 5, 7, 9, 13, 17, 39};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) assert_int_equal(rl_median_interval(n[i], 0.05), most[i]);
}

/* Binomial coefficients as whole numbers, added up. */
static void median_interval_is_that_of_exact_sums(void **state) {
    (void)state;
    for (int n = 0; n <= 60; n++) {
        uint64_t coefficient = 1, below = 0;
        int64_t k = -1;
        while (k < n && (double)(below + coefficient) * 60 <= (double)(UINT64_C(1) << n)) {
            below += coefficient;
            k++;
            coefficient = coefficient * (uint64_t)(n - k) / (uint64_t)(k + 1);
        }
        assert_int_equal(rl_median_interval(n, 1.0 / 30), k);
    }
    /* far out: n / 2 - 1/2 less 2.1280 standard deviations, the normal law's point of 1 / 60 */
    assert_int_equal(labs((long)rl_median_interval(1000000, 1.0 / 30) - 498935), 0);
}

static rl_reduced with_interval(double low, double median, double high) {
    return (rl_reduced){.median_low = low, .median = median, .median_high = high};
}

static void spike_is_the_threshold_over_the_larger_flank(void **state) {
    (void)state;
    const rl_reduced at = with_interval(12, 30, 48), flank[] = {with_interval(2, 3, 8), with_interval(4, 5, 6)};
    const rl_spike spike = rl_spike_of(&at, flank, 0);
    assert_true(spike.height == 6 && spike.low == 1.5 && spike.high == 12); /* 30/5, 12/8, 48/4 */
    const rl_reduced few = with_interval(NAN, 30, NAN);
    assert_true(rl_spike_of(&few, flank, 0).height == 6 && isnan(rl_spike_of(&few, flank, 0).low));
    const rl_reduced nothing = with_interval(NAN, NAN, NAN), one_flank[] = {nothing, flank[1]};
    assert_true(isnan(rl_spike_of(&nothing, flank, 0).height) && isnan(rl_spike_of(&at, one_flank, 0).height));
}

static void what_is_zero_but_for_rounding_is_no_spike(void **state) {
    (void)state;
    const rl_reduced exact = with_interval(1e-28, 2e-28, 4e-28), flank[] = {exact, with_interval(1e-29, 1e-29, 1e-29)};
    const rl_reduced error = with_interval(1, 2, 3), some[] = {error, exact};
    assert_true(rl_spike_of(&exact, flank, 0).height == 1);
    assert_true(isnan(rl_spike_of(&exact, flank, 1e-18).height)); /* nothing but rounding anywhere */
    assert_true(rl_spike_of(&exact, some, 1e-18).height == 0 && rl_spike_of(&exact, some, 1e-18).high == 0);
}

/* How often the interval holds the true ratio. Errors are log-normal around 3 at the threshold and 1 and 2 at the
 * flanks, where they spread as `spread` says; at three N of one repeat they have a factor in common. */
static double covered_part(double spread) {
    enum { TRIALS = 4000, N = 20 };
    const double widths[] = {1, spread, spread}, medians[] = {3, 1, 2};
    const rl_key key = rl_key_make(7, "coverage");
    int covered = 0;
    for (int t = 0; t < TRIALS; t++) {
        double values[3][N], normals[4], scratch[2 * N];
        rl_reduced r[3];
        for (int i = 0; i < N; i++) {
            rl_philox_normal_row(key, RL_STREAM_FEATURES, (uint32_t)t, (uint32_t)i, 0, 4, normals);
            for (int k = 0; k < 3; k++) values[k][i] = medians[k] * exp(widths[k] * (normals[3] + normals[k]));
        }
        for (int k = 0; k < 3; k++) r[k] = rl_reduce(values[k], N, scratch);
        const rl_spike spike = rl_spike_of(&r[0], &r[1], 0);
        covered += spike.low <= 1.5 && 1.5 <= spike.high;
    }
    return (double)covered / TRIALS;
}

/* Where the flanks do not spread the interval is that of one median: of 20 values the fifth and the sixteenth miss it
 * with 2 (1 + 20 + 190 + 1140 + 4845) / 2^20 = 0.0118, to five standard errors of 0.0017. */
static void spike_interval_covers_the_ratio_of_the_medians(void **state) {
    (void)state;
    assert_true(fabs(covered_part(0) - (1 - 0.0118)) <= 5 * 0.0017);
    assert_true(covered_part(1) >= 0.9 && covered_part(0.3) >= 0.9);
}

/* ---- results file ------------------------------------------------------------------------------------------------ */

enum { MANY_NUMBERS = 9000 }; /* more than an attribute holds */

#define NC(call) assert_int_equal((call), NC_NOERR)

static void write_results(const fixture *f, rl_journal *journal, const char *remark) {
    rl_provenance provenance = {0};
    const double seconds[] = {0.5, 1.25, 2};
    assert_int_equal(rl_provenance_text(&provenance, "remark", remark), RL_OK);
    assert_int_equal(rl_provenance_text(&provenance, "empty", ""), RL_OK);
    assert_int_equal(rl_provenance_numbers(&provenance, "busy_seconds", seconds, 3), RL_OK);
    assert_int_equal(rl_provenance_numbers(&provenance, "nothing", NULL, 0), RL_OK);
    double *many;
    assert_int_equal(RL_ALLOC(many, MANY_NUMBERS), RL_OK);
    many[MANY_NUMBERS - 1] = 3;
    assert_int_equal(rl_provenance_numbers(&provenance, "many", many, MANY_NUMBERS), RL_OK);
    rl_free(many);
    if (rl_results_write(f->output, &f->plan, journal, &provenance, NULL, NULL) != RL_OK)
        fail_msg("%s", rl_error_message());
    rl_provenance_destroy(&provenance);
    assert_int_equal(provenance.n, 0);
}

static int64_t count_failed(const fixture *f, const rl_journal *journal) {
    return rl_journal_tally(journal, &f->plan, 0, f->plan.n_series).points_failed;
}

/* Appends every curve but 1 (missing altogether) and spoils two spectra of curve 3. */
static rl_journal *sample_journal(const fixture *f) {
    rl_journal *journal = open_journal(f, false);
    for (int64_t i = 0; i < f->plan.n_tasks; i++) {
        const rl_curve_layout l = layout_of(f, i);
        double *curve = make_curve(f, i);
        if (i == 3) {
            curve[l.status + 1] = RL_CELL_NO_CONVERGENCE;
            curve[l.status + 2] = RL_CELL_ZERO_MATRIX;
        }
        if (i != 1) append_numbers(f, journal, i, curve);
        rl_free(curve);
    }
    return journal;
}

static size_t variable_size(int group, int id) {
    int n, dimensions[NC_MAX_VAR_DIMS];
    size_t size = 1, length;
    NC(nc_inq_var(group, id, NULL, NULL, &n, dimensions, NULL));
    for (int d = 0; d < n; d++) {
        NC(nc_inq_dimlen(group, dimensions[d], &length));
        size *= length;
    }
    return size;
}

/* The whole of a variable as doubles; the caller frees it. */
static double *read_variable(int group, const char *name, size_t *size) {
    int id;
    double *values;
    NC(nc_inq_varid(group, name, &id));
    *size = variable_size(group, id);
    assert_int_equal(RL_ALLOC(values, *size), RL_OK);
    NC(nc_get_var_double(group, id, values));
    return values;
}

static int open_group(int file, const char *name) {
    int group;
    NC(nc_inq_grp_ncid(file, name, &group));
    return group;
}

/* Whether the same bits: NaN equals NaN. */
static void assert_same(double got, double expected) {
    if (isnan(got) && isnan(expected)) return;
    if (got != expected) fail_msg("got %.17g, expected %.17g", got, expected);
}

/* What the file must have for entry k (of `entries`) of array `begin` in spectrum i of a curve. */
static double expected_value(const fixture *f, const rl_journal *journal, int64_t task, size_t begin, size_t i,
                             size_t entries, size_t k) {
    const rl_curve_layout l = layout_of(f, task);
    double *curve;
    assert_int_equal(read_curve(f, journal, task, &curve), RL_OK);
    const double value = curve == NULL || curve[l.status + i] != RL_CELL_DONE ? NAN : curve[begin + i * entries + k];
    rl_free(curve);
    return value;
}

/* Every cell, spectrum and mode stands where the dimensions say, bit for bit. */
static void results_hold_every_record(void **state) {
    const fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    int file;
    write_results(f, journal, "once");
    assert_int_equal(count_failed(f, journal), 2);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    for (int g = 0; g < 2; g++) {
        const rl_curve_layout l = rl_curve_layout_of(&f->series[g]);
        const size_t n_n = (size_t)l.n_n_train, modes = (size_t)l.max_modes, variants = (size_t)l.n_variants;
        const struct {
            const char *name;
            size_t begin, entries, by_entry, by_spectrum;
        } arrays[] = {
            {"test_mse", l.test_mse, variants, n_n * REPEATS, 1},
            {"train_mse", l.train_mse, variants, n_n * REPEATS, 1},
            {"sigma_min", l.sigma_min, 1, 0, 1},
            {"sigma_max", l.sigma_max, 1, 0, 1},
            {"test_bias_sq", l.test_bias_sq, 1, 0, 1},
            {"test_bias_mse", l.test_bias_mse, 1, 0, 1},
            {"sigma", l.sigma, modes, 1, modes},
            {"test_projection_rms", l.test_projection_rms, modes, 1, modes},
            {"residual_projection", l.residual_projection, modes, 1, modes},
            {"population_mse", l.population_mse, variants, n_n * REPEATS, 1}, /* beta's alone */
        };
        const int group = open_group(file, g == 0 ? "alpha" : "beta");
        for (size_t a = 0; a < sizeof arrays / sizeof *arrays - (g == 0); a++) {
            size_t size;
            double *values = read_variable(group, arrays[a].name, &size);
            assert_int_equal(size, n_n * REPEATS * arrays[a].entries);
            for (size_t i = 0; i < n_n; i++)
                for (size_t r = 0; r < REPEATS; r++)
                    for (size_t k = 0; k < arrays[a].entries; k++)
                        assert_same(values[k * arrays[a].by_entry + (i * REPEATS + r) * arrays[a].by_spectrum],
                                    expected_value(f, journal, (int64_t)((size_t)g * REPEATS + r), arrays[a].begin, i,
                                                   arrays[a].entries, k));
            rl_free(values);
        }
        int id;
        if (g == 0) assert_int_equal(nc_inq_varid(group, "population_mse", &id), NC_ENOTVAR);
    }
    NC(nc_close(file));
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

static void results_say_why_values_are_absent(void **state) {
    const fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    int file, id;
    size_t size;
    write_results(f, journal, "once");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    const int alpha = open_group(file, "alpha");
    double *status = read_variable(alpha, "status", &size), *rank = read_variable(alpha, "rank", &size);
    double *count = read_variable(alpha, "test_mse_count", &size);
    for (size_t i = 0; i < 4; i++)
        for (size_t r = 0; r < REPEATS; r++) {
            const rl_cell_status expected = r == 1             ? RL_CELL_MISSING
                                            : r == 3 && i == 1 ? RL_CELL_NO_CONVERGENCE
                                            : r == 3 && i == 2 ? RL_CELL_ZERO_MATRIX
                                                               : RL_CELL_DONE;
            assert_true(status[i * REPEATS + r] == expected);
            assert_true(rank[i * REPEATS + r] == (expected == RL_CELL_DONE ? (double)(1 + i % 2) : -1));
        }
    for (size_t s = 0; s < 12; s++) assert_true(count[s] == (s % 4 == 1 || s % 4 == 2 ? 3 : 4));
    int fill;
    double nan = 0;
    NC(nc_inq_varid(alpha, "rank", &id));
    NC(nc_get_att_int(alpha, id, "_FillValue", &fill));
    assert_int_equal(fill, -1);
    NC(nc_inq_varid(alpha, "test_mse", &id));
    NC(nc_get_att_double(alpha, id, "_FillValue", &nan));
    assert_true(isnan(nan));
    rl_free(status);
    rl_free(rank);
    rl_free(count);
    NC(nc_close(file));
}

/* Every reduced variable is rl_reduce over the repeats of the one it is named after. */
static void results_hold_the_reduction(void **state) {
    const fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    int file;
    write_results(f, journal, "once");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    static const char *const names[] = {"test_mse",  "train_mse",    "sigma_min",
                                        "sigma_max", "test_bias_sq", "test_bias_mse"};
    NC(nc_open(f->output, NC_NOWRITE, &file));
    const int alpha = open_group(file, "alpha");
    for (size_t a = 0; a < sizeof names / sizeof *names; a++) {
        size_t size, sets;
        char name[64];
        double scratch[2 * REPEATS], *part[6] = {0};
        static const char *const parts[] = {"mean", "median", "quantile", "standard_error", "geometric_mean", "count"};
        double *values = read_variable(alpha, names[a], &size);
        const int n_parts = a < 2 ? 6 : 3;
        for (int i = 0; i < n_parts; i++) {
            snprintf(name, sizeof name, "%s_%s", names[a], parts[i]);
            part[i] = read_variable(alpha, name, &sets);
            assert_int_equal(sets * REPEATS, i == 2 ? size * RL_N_QUANTILES : size);
        }
        for (size_t s = 0; s < size / REPEATS; s++) {
            const rl_reduced r = rl_reduce(values + s * REPEATS, REPEATS, scratch);
            assert_same(part[0][s], r.mean);
            assert_same(part[1][s], r.median);
            for (size_t q = 0; q < RL_N_QUANTILES; q++) assert_same(part[2][s * RL_N_QUANTILES + q], r.quantile[q]);
            if (n_parts == 3) continue;
            assert_same(part[3][s], r.standard_error);
            assert_same(part[4][s], r.geometric_mean);
            assert_true(part[5][s] == r.count);
        }
        for (int i = 0; i < n_parts; i++) rl_free(part[i]);
        rl_free(values);
    }
    NC(nc_close(file));
}

/* alpha: N = 1, 3, 5 at P = 3, 20 targets of which 3 and -1 are not 0; beta: N = 1, 2, 4 at P = 2, a teacher 7, 8 with
 * noise 0.5. Five repeats are too few for an interval. */
static void results_hold_spikes_and_what_no_fit_costs(void **state) {
    const fixture *f = *state;
    static const double n_train[2][3] = {{3, 1, 5}, {2, 1, 4}}, costs[2][2] = {{0.5, 0.49}, {113.25, 113.25}};
    static const size_t at[2][3] = {{2, 0, 3}, {1, 0, 2}}, n_n[2] = {4, 3}, variants[2] = {3, 1};
    rl_journal *journal = sample_journal(f);
    int file;
    size_t size;
    write_results(f, journal, "once");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    for (size_t g = 0; g < 2; g++) {
        const int group = open_group(file, g == 0 ? "alpha" : "beta");
        double *threshold = read_variable(group, "threshold_n_train", &size);
        double *flank = read_variable(group, "flank_n_train", &size), *null = read_variable(group, "null_mse", &size);
        double *variance = read_variable(group, "target_variance", &size);
        double *median = read_variable(group, "test_mse_median", &size);
        double *height = read_variable(group, "spike_height", &size),
               *low = read_variable(group, "spike_height_low", &size);
        assert_true(threshold[0] == n_train[g][0] && flank[0] == n_train[g][1] && flank[1] == n_train[g][2]);
        assert_close(null[0], costs[g][0]);
        assert_close(variance[0], costs[g][1]);
        for (size_t v = 0; v < variants[g]; v++) {
            const double *m = median + v * n_n[g];
            assert_true(height[v] == m[at[g][0]] / fmax(m[at[g][1]], m[at[g][2]]) && isnan(low[v]));
        }
        double *const all[] = {threshold, flank, null, variance, median, height, low};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) rl_free(all[i]);
    }
    NC(nc_close(file));
}

static void assert_text_attribute(int group, const char *name, const char *expected) {
    char text[4096];
    size_t length;
    NC(nc_inq_attlen(group, NC_GLOBAL, name, &length));
    assert_true(length < sizeof text);
    NC(nc_get_att_text(group, NC_GLOBAL, name, text));
    text[length] = '\0';
    assert_string_equal(text, expected);
}

/* Of a curve that is there in part, the rest is missing in the file. */
static void results_of_part_of_a_curve(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, false);
    double *curve = make_curve(f, 4);
    set_status(f, 4, curve, 0, RL_CELL_MISSING);
    set_status(f, 4, curve, 2, RL_CELL_MISSING);
    append_numbers(f, journal, 4, curve);
    int file;
    size_t size;
    write_results(f, journal, "part");
    assert_int_equal(count_failed(f, journal), 0);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    double *status = read_variable(open_group(file, "alpha"), "status", &size);
    double *errors = read_variable(open_group(file, "alpha"), "test_mse", &size);
    const rl_curve_layout l = rl_curve_layout_of(&f->series[0]);
    for (size_t i = 0; i < 4; i++) {
        assert_true(status[i * REPEATS + 4] == (i % 2 == 1 ? RL_CELL_DONE : RL_CELL_MISSING));
        assert_true(status[i * REPEATS + 3] == RL_CELL_MISSING);
        assert_same(errors[i * REPEATS + 4], i % 2 == 1 ? curve[l.test_mse + i * 3] : NAN);
    }
    NC(nc_close(file));
    rl_free(status);
    rl_free(errors);
    rl_free(curve);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

/* The file is current until the journal has more, or the study says something else. */
static void results_that_are_current(void **state) {
    fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    assert_false(rl_results_are_current(f->output, &f->plan, journal)); /* not there */
    write_results(f, journal, "once");
    assert_true(rl_results_are_current(f->output, &f->plan, journal));
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, false);
    assert_true(rl_results_are_current(f->output, &f->plan, journal));
    char *const title = f->study.title, other[] = "another title";
    f->study.title = other;
    assert_false(rl_results_are_current(f->output, &f->plan, journal));
    f->study.title = title;
    f->study.repeats++;
    assert_false(rl_results_are_current(f->output, &f->plan, journal));
    f->study.repeats--;
    append_curve(f, journal, 1);
    assert_false(rl_results_are_current(f->output, &f->plan, journal));
    write_results(f, journal, "again");
    assert_true(rl_results_are_current(f->output, &f->plan, journal));
    assert_int_equal(truncate(f->output, (off_t)size_of(f->output) / 2), 0);
    assert_false(rl_results_are_current(f->output, &f->plan, journal));
    write_file(f->output, "dear diary", 10);
    assert_false(rl_results_are_current(f->output, &f->plan, journal));
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

static void results_have_coordinates_and_attributes(void **state) {
    const fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    rl_text settings = RL_TEXT_EMPTY;
    int file, id;
    size_t size;
    write_results(f, journal, "once");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    assert_int_equal(rl_study_settings(&f->study, &settings), RL_OK);
    assert_text_attribute(file, "Conventions", "CF-1.10 ACDD-1.3");
    assert_text_attribute(file, "title", "made by hand");
    assert_text_attribute(file, "study_text", f->study.text);
    assert_text_attribute(file, "settings", settings.bytes);
    rl_free(settings.bytes);
    const int provenance = open_group(file, "provenance"), alpha = open_group(file, "alpha");
    assert_text_attribute(provenance, "remark", "once");
    assert_text_attribute(provenance, "empty", "");
    double seconds[3], beta_star[3];
    NC(nc_get_att_double(provenance, NC_GLOBAL, "busy_seconds", seconds));
    assert_true(seconds[0] == 0.5 && seconds[1] == 1.25 && seconds[2] == 2);
    double *many = read_variable(provenance, "many", &size);
    assert_int_equal(size, MANY_NUMBERS);
    assert_true(many[MANY_NUMBERS - 1] == 3 && many[0] == 0);
    rl_free(many);
    assert_text_attribute(alpha, "source", "table");
    assert_text_attribute(alpha, "data_checksum", "0123456789abcdef");
    NC(nc_get_att_double(alpha, NC_GLOBAL, "beta_star", beta_star));
    assert_memory_equal(beta_star, f->beta_star[0], sizeof beta_star);
    static const struct {
        const char *name;
        int n;
        double values[5];
    } coordinates[] = {{"parameter", 3, {NAN, 0.5, 0.25}},
                       {"n_features", 1, {3}},
                       {"n_train", 4, {1, 2, 3, 5}},
                       {"repeat", 5, {0, 1, 2, 3, 4}},
                       {"quantile", 5, {0.05, 0.25, 0.5, 0.75, 0.95}},
                       {"mode", 3, {1, 2, 3}}};
    for (size_t c = 0; c < sizeof coordinates / sizeof *coordinates; c++) {
        double *values = read_variable(alpha, coordinates[c].name, &size);
        assert_int_equal(size, coordinates[c].n);
        for (size_t i = 0; i < size; i++) assert_same(values[i], coordinates[c].values[i]);
        rl_free(values);
    }
    char *labels[3], *ablations[3];
    NC(nc_inq_varid(alpha, "variant", &id));
    NC(nc_get_var_string(alpha, id, labels));
    NC(nc_inq_varid(alpha, "ablation", &id));
    NC(nc_get_var_string(alpha, id, ablations));
    assert_string_equal(labels[0], "none");
    assert_string_equal(labels[2], "cutoff=0.25");
    assert_string_equal(ablations[0], "none");
    assert_string_equal(ablations[1], "cutoff");
    NC(nc_free_string(3, labels));
    NC(nc_free_string(3, ablations));
    NC(nc_close(file));
}

/* Compares all variables of two groups bit for bit. */
static void assert_same_variables(int a, int b) {
    int n, n_b;
    NC(nc_inq_varids(a, &n, NULL));
    NC(nc_inq_varids(b, &n_b, NULL));
    assert_int_equal(n, n_b);
    for (int v = 0; v < n; v++) {
        char name[NC_MAX_NAME + 1];
        nc_type type;
        size_t size, size_b;
        NC(nc_inq_var(a, v, name, &type, NULL, NULL, NULL));
        if (type == NC_STRING) continue;
        double *x = read_variable(a, name, &size), *y = read_variable(b, name, &size_b);
        assert_int_equal(size, size_b);
        assert_memory_equal(x, y, size * sizeof *x);
        rl_free(x);
        rl_free(y);
    }
}

/* Two writings of one journal differ in nothing but the provenance. */
static void results_are_the_same_again(void **state) {
    const fixture *f = *state;
    char first[PATH_LENGTH + 8];
    rl_journal *journal = sample_journal(f);
    int a, b;
    snprintf(first, sizeof first, "%s.first", f->output);
    write_results(f, journal, "once");
    assert_int_equal(rename(f->output, first), 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, true);
    write_results(f, journal, "again");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    NC(nc_open(first, NC_NOWRITE, &a));
    NC(nc_open(f->output, NC_NOWRITE, &b));
    assert_same_variables(open_group(a, "alpha"), open_group(b, "alpha"));
    assert_same_variables(open_group(a, "beta"), open_group(b, "beta"));
    assert_text_attribute(open_group(a, "provenance"), "remark", "once");
    assert_text_attribute(open_group(b, "provenance"), "remark", "again");
    NC(nc_close(a));
    NC(nc_close(b));
}

static void results_without_cells_or_modes(void **state) {
    fixture *f = *state;
    f->specs[0].keep = f->specs[1].keep = (rl_keep){.cells = false};
    rl_journal *journal = sample_journal(f);
    int file, id;
    size_t size;
    write_results(f, journal, "reduced");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    const int alpha = open_group(file, "alpha");
    static const char *const absent[] = {"test_mse", "train_mse", "sigma_min",          "rank",
                                         "sigma",    "mode",      "test_projection_rms"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_int_equal(nc_inq_varid(alpha, absent[i], &id), NC_ENOTVAR);
    assert_int_equal(nc_inq_dimid(alpha, "mode", &id), NC_EBADDIM);
    rl_free(read_variable(alpha, "test_mse_median", &size));
    assert_int_equal(size, 12);
    rl_free(read_variable(alpha, "status", &size));
    assert_int_equal(size, 4 * REPEATS);
    NC(nc_close(file));
}

/* Variables beyond the small size and a study text of the largest size allowed. */
static void results_of_large_parts(void **state) {
    fixture *f = *state;
    enum { MANY = 60, TEXT = 1024 * 1024 };
    f->study.repeats = MANY;
    lay_out_tasks(f);
    rl_free(f->study.text);
    assert_int_equal(rl_alloc(&f->study.text, TEXT + 1, 1), RL_OK);
    memset(f->study.text, 'x', TEXT);
    int many[TEXT / 8]; /* settings as long */
    for (int i = 0; i < TEXT / 8; i++) many[i] = 1000000 + i;
    f->study.singular_values = (rl_n_train_spec){.line = 1, .values = many, .n_values = TEXT / 8, .around = -1};
    write_journal(f, f->plan.n_tasks);
    rl_journal *journal = open_journal(f, true);
    int file;
    size_t size;
    char *text;
    write_results(f, journal, "large");
    assert_int_equal(count_failed(f, journal), 0);
    NC(nc_open(f->output, NC_NOWRITE, &file));
    NC(nc_get_att_string(file, NC_GLOBAL, "study_text", &text));
    assert_string_equal(text, f->study.text);
    NC(nc_free_string(1, &text));
    const int alpha = open_group(file, "alpha");
    const rl_curve_layout l = rl_curve_layout_of(&f->series[0]);
    double *sigma = read_variable(alpha, "sigma", &size);
    for (size_t i = 0; i < 4; i++)
        for (size_t r = 0; r < MANY; r++)
            for (size_t k = 0; k < 3; k++)
                assert_same(sigma[(i * MANY + r) * 3 + k], expected_value(f, journal, (int64_t)r, l.sigma, i, 3, k));
    rl_free(sigma);
    NC(nc_close(file));
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(unlink(f->journal_file), 0);
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_OK);
    many[TEXT / 8 - 1]++;
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_ERR_INPUT);
}

/* However many rows are in memory at one time: one, some, or all; or of all rows some repeats, the others on disk. */
static void results_are_the_same_bytes_in_slabs_of_any_size(void **state) {
    fixture *f = *state;
    const rl_provenance empty = {0};
    const size_t sizes[] = {1, 2000, 5000, 50000, 100000, 200000};
    f->study.repeats = 60;
    lay_out_tasks(f);
    write_journal(f, f->plan.n_tasks - 3);
    rl_journal *journal = open_journal(f, true);
    assert_int_equal(rl_results_write(f->output, &f->plan, journal, &empty, NULL, NULL), RL_OK);
    rl_text whole = content_of(f->output);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (rl_results_write_by(f->output, &f->plan, journal, &empty, sizes[i], NULL, NULL) != RL_OK)
            fail_msg("%s", rl_error_message());
        assert_file_is(f->output, &whole);
    }
    rl_free(whole.bytes);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

/* Rows as they were put, in whatever pieces they are asked for; a bit that has changed is noticed. */
static void spill_gives_back_what_was_put(void **state) {
    enum { N = 600, WIDTH = 3, STRIDE = 5 };
    const fixture *f = *state;
    double rows[N * WIDTH], back[N * STRIDE];
    for (int i = 0; i < N * WIDTH; i++) rows[i] = sin(i);
    for (int broken = 0; broken < 2; broken++) {
        spill s;
        assert_int_equal(rl_spill_create(f->output, 2 * N * WIDTH, &s), RL_OK);
        for (int block = 0; block < 2; block++) assert_int_equal(rl_spill_put(&s, N, WIDTH, rows), RL_OK);
        if (broken) assert_int_equal(pwrite(s.fd, "x", 1, 77), 1);
        for (size_t first = 0, n; first < 2 * N; first += n) {
            n = first % N == 0 ? 400 : 200;
            assert_int_equal(rl_spill_get(&s, first * WIDTH, n, WIDTH, STRIDE, back), RL_OK);
            for (size_t i = 0; i < n && !broken; i++)
                assert_memory_equal(back + i * STRIDE, rows + (first % N + i) * WIDTH, WIDTH * sizeof *rows);
        }
        assert_int_equal(rl_spill_check(&s), broken ? RL_ERR_IO : RL_OK);
        rl_spill_destroy(&s);
    }
}

static size_t files_in_folder(const fixture *f) {
    char pattern[PATH_LENGTH + 8];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*", f->folder);
    if (glob(pattern, 0, NULL, &found) != 0) return 0;
    const size_t n = found.gl_pathc;
    globfree(&found);
    return n;
}

static void results_replace_the_file_whole(void **state) {
    const fixture *f = *state;
    char stale[PATH_LENGTH + 32], kept[PATH_LENGTH + 32];
    rl_journal *journal = sample_journal(f);
    struct stat before, after;
    write_results(f, journal, "once");
    assert_int_equal(files_in_folder(f), 2); /* with the journal */
    const int held = open(f->output, O_RDONLY);
    assert_true(held >= 0 && fstat(held, &before) == 0);
    rl_text old = content_of(f->output);
    snprintf(stale, sizeof stale, "%s.tmp.999999", f->output); /* of a killed process */
    snprintf(kept, sizeof kept, "%s.tmp.mine", f->output);
    write_file(stale, "x", 1);
    write_file(kept, "x", 1);
    write_results(f, journal, "again");
    assert_int_equal(access(stale, F_OK), -1);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(files_in_folder(f), 3);
    assert_int_equal(stat(f->output, &after), 0);
    assert_true(before.st_ino != after.st_ino); /* a reader of the old file keeps the old file, whole */
    rl_text still = RL_TEXT_EMPTY;
    char block[4096];
    for (ssize_t got; (got = read(held, block, sizeof block)) > 0;)
        assert_int_equal(rl_text_append_bytes(&still, block, (size_t)got), RL_OK);
    assert_int_equal(still.length, old.length);
    assert_memory_equal(still.bytes, old.bytes, old.length);
    close(held);
    rl_free(still.bytes);
    rl_free(old.bytes);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

static void results_failing_leave_the_old_file(void **state) {
    const fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    rl_provenance provenance = {0};
    write_results(f, journal, "once");
    rl_text old = content_of(f->output);
    /* A name that NetCDF does not take. */
    assert_int_equal(rl_provenance_text(&provenance, "a/b", "x"), RL_OK);
    assert_int_equal(rl_results_write(f->output, &f->plan, journal, &provenance, NULL, NULL), RL_ERR_LIBRARY);
    assert_message_has("out.nc: nc_put_att_text: NetCDF: Name contains illegal characters");
    rl_provenance_destroy(&provenance);
    assert_file_is(f->output, &old);
    assert_int_equal(files_in_folder(f), 2);
    /* A full disk. */
    struct rlimit saved, limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    limit = saved;
    limit.rlim_cur = 10000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const rl_status status = rl_results_write(f->output, &f->plan, journal, &provenance, NULL, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
    assert_int_equal(status, RL_ERR_IO);
    assert_message_has("out.nc: cannot be written: File too large");
    assert_file_is(f->output, &old);
    assert_int_equal(files_in_folder(f), 2);
    rl_free(old.bytes);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

/* ---- the output path --------------------------------------------------------------------------------------------- */

static void assert_output_refused(const fixture *f, const char *output, const char *message) {
    assert_int_equal(rl_results_check_output(output, &f->plan), RL_ERR_INPUT);
    assert_message_has(message);
}

static void output_that_is_new_or_ours(void **state) {
    fixture *f = *state;
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_OK);
    assert_int_equal(files_in_folder(f), 0); /* trying leaves nothing */
    rl_journal *journal = sample_journal(f);
    write_results(f, journal, "once");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_OK);
    assert_int_equal(unlink(f->journal_file), 0);
    f->study.repeats = 7; /* more repeats are the same study */
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_OK);
    f->study.seed = 7;
    rl_text before = content_of(f->output);
    assert_output_refused(f, f->output, "belongs to another study: seed: 42 there, 7 here");
    assert_file_is(f->output, &before);
    write_journal(f, 0); /* a journal of this study vouches for it */
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_OK);
    rl_free(before.bytes);
}

static void output_that_is_foreign(void **state) {
    const fixture *f = *state;
    int file;
    write_file(f->output, "dear diary", 10);
    rl_text before = content_of(f->output);
    assert_output_refused(f, f->output, "is not NetCDF-4, expected a results file of ridgeless; it is left alone");
    write_journal(f, 0); /* not even with a journal */
    assert_output_refused(f, f->output, "is not NetCDF-4");
    assert_file_is(f->output, &before);
    rl_free(before.bytes);
    assert_int_equal(unlink(f->journal_file), 0);
    NC(nc_create(f->output, NC_NETCDF4 | NC_CLOBBER, &file));
    NC(nc_put_att_text(file, NC_GLOBAL, "title", 5, "other"));
    NC(nc_close(file));
    before = content_of(f->output);
    assert_output_refused(f, f->output, "has no seal of ridgeless at its end: another program wrote or changed it");
    assert_file_is(f->output, &before);
    rl_free(before.bytes);
    assert_int_equal(unlink(f->output), 0);
    assert_int_equal(mkdir(f->output, 0700), 0);
    assert_output_refused(f, f->output, "out.nc: is a directory, expected a results file");
    assert_int_equal(files_in_folder(f), 1);
}

static void output_that_cannot_be_written(void **state) {
    const fixture *f = *state;
    char path[PATH_LENGTH + 32];
    assert_output_refused(f, "", "-o: the name of the results file is empty");
    snprintf(path, sizeof path, "%s/", f->folder);
    assert_output_refused(f, path, "is the name of a directory");
    snprintf(path, sizeof path, "%s/none/out.nc", f->folder);
    assert_output_refused(f, path, "none/out.nc: cannot be written: No such file or directory");
    write_file(f->output, "x", 1);
    snprintf(path, sizeof path, "%s/below.nc", f->output);
    assert_output_refused(f, path, "Not a directory");
    assert_int_equal(unlink(f->output), 0);
    if (geteuid() == 0) return; /* root may write anywhere */
    assert_int_equal(chmod(f->folder, 0500), 0);
    assert_output_refused(f, f->output, "cannot be written: Permission denied");
    assert_int_equal(chmod(f->folder, 0700), 0);
}

/* ---- reading back ------------------------------------------------------------------------------------------------ */

static void shown_is_what_was_written(void **state) {
    const fixture *f = *state;
    rl_journal *journal = sample_journal(f);
    rl_shown shown;
    double values[REPEATS], scratch[2 * REPEATS];
    write_results(f, journal, "once");
    if (rl_results_read(f->output, &shown) != RL_OK) fail_msg("%s", rl_error_message());
    assert_string_equal(shown.title, "made by hand");
    assert_int_equal(strncmp(shown.program, "ridgeless ", 10), 0);
    assert_int_equal(shown.n_datasets, 2);
    const rl_shown_dataset *alpha = &shown.datasets[0], *beta = &shown.datasets[1];
    assert_string_equal(alpha->name, "alpha");
    assert_int_equal(alpha->n_features, 3);
    assert_int_equal(alpha->threshold_n, 3);
    assert_int_equal(alpha->largest_n, 5);
    assert_int_equal(alpha->flank_n[0], 1);
    assert_int_equal(alpha->flank_n[1], 5);
    assert_int_equal(alpha->n_modes, 3);
    assert_true(alpha->null_mse == 0.5 && !alpha->is_older && !alpha->fits_exactly);
    assert_int_equal(alpha->repeats, REPEATS);
    assert_int_equal(alpha->spectra_done, 14);
    assert_int_equal(alpha->spectra_missing, 4);
    assert_int_equal(alpha->spectra_failed, 2);
    assert_int_equal(alpha->n_variants, 3);
    assert_string_equal(alpha->variants[1].label, "cutoff=0.5");
    assert_string_equal(alpha->variants[1].ablation, "cutoff");
    assert_true(alpha->variants[1].parameter == 0.5 && isnan(alpha->variants[0].parameter));
    const rl_curve_layout l = rl_curve_layout_of(&f->series[0]);
    for (size_t v = 0; v < 3; v++) {
        static const size_t at[] = {2, 0, 3}; /* N = 3, 1, 5 */
        double medians[3];
        for (size_t which = 0; which < 3; which++) {
            for (int64_t r = 0; r < REPEATS; r++)
                values[r] = expected_value(f, journal, r, l.test_mse, at[which], 3, v);
            medians[which] = rl_reduce(values, REPEATS, scratch).median;
        }
        const rl_shown_variant *shown_variant = &alpha->variants[v];
        assert_true(shown_variant->threshold_median == medians[0] && shown_variant->role == RL_ROLE_FIT);
        assert_true(shown_variant->flank_median[0] == medians[1] && shown_variant->flank_median[1] == medians[2]);
        assert_true(shown_variant->spike.height == medians[0] / fmax(medians[1], medians[2]));
        assert_true(shown_variant->of_unablated == medians[0] / alpha->variants[0].threshold_median);
    }
    assert_string_equal(beta->name, "beta");
    assert_int_equal(beta->threshold_n, 2);
    assert_int_equal(beta->spectra_done, 15);
    rl_shown_destroy(&shown);
    assert_null(shown.datasets);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

static void shown_of_nothing_done_yet(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, false);
    rl_shown shown;
    write_results(f, journal, "empty");
    assert_int_equal(count_failed(f, journal), 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(rl_results_read(f->output, &shown), RL_OK);
    assert_int_equal(shown.datasets[0].spectra_done, 0);
    assert_int_equal(shown.datasets[0].spectra_missing, 20);
    assert_true(isnan(shown.datasets[0].variants[0].spike.height));
    rl_shown_destroy(&shown);
}

/* ---- damaged files ----------------------------------------------------------------------------------------------- */

enum { SEAL_BYTES = 32 };

/* The bytes of a results file of five curves, whose journal is there. */
static rl_text sealed_file(const fixture *f) {
    rl_journal *journal = sample_journal(f);
    write_results(f, journal, "once");
    assert_int_equal(rl_journal_close(journal), RL_OK);
    return content_of(f->output);
}

static void seal_is_the_checksum_of_the_bytes_before_it(void **state) {
    const fixture *f = *state;
    rl_text whole = sealed_file(f);
    char seal[SEAL_BYTES + 1];
    const size_t length = whole.length - SEAL_BYTES;
    snprintf(seal, sizeof seal, "ridgeless seal %016llx\n", (unsigned long long)XXH3_64bits(whole.bytes, length));
    assert_memory_equal(whole.bytes + length, seal, SEAL_BYTES);
    rl_free(whole.bytes);
}

static void assert_neither_shown_nor_replaced(const fixture *f, const char *message) {
    rl_shown shown;
    rl_text before = content_of(f->output);
    assert_int_equal(rl_results_read(f->output, &shown), RL_ERR_INPUT);
    assert_message_has(message);
    assert_output_refused(f, f->output, message);
    assert_message_has("it is left alone: remove it (the journal has what is done) or choose another -o");
    assert_file_is(f->output, &before);
    rl_free(before.bytes);
}

/* Wherever a bit flips, before the seal or in it, no library sees the file. */
static void damaged_file_is_refused(void **state) {
    const fixture *f = *state;
    const size_t mark = strlen("ridgeless seal "); /* without which there is no seal */
    rl_text whole = sealed_file(f);
    for (size_t i = 8; i < whole.length; i += i + 997 < whole.length - SEAL_BYTES ? 997 : 1) {
        if (i >= whole.length - SEAL_BYTES && i < whole.length - SEAL_BYTES + mark) continue;
        whole.bytes[i] ^= (char)(1 << i % 8);
        write_file(f->output, whole.bytes, whole.length);
        assert_neither_shown_nor_replaced(f, "is damaged: its bytes are not those that were written");
        whole.bytes[i] ^= (char)(1 << i % 8);
    }
    rl_free(whole.bytes);
}

static void file_without_seal_is_shown_but_not_replaced(void **state) {
    const fixture *f = *state;
    rl_shown shown;
    rl_text whole = sealed_file(f);
    for (size_t length = 8; length < whole.length; length += 1009) { /* cut short anywhere */
        write_file(f->output, whole.bytes, length);
        assert_output_refused(f, f->output, "has no seal of ridgeless at its end");
    }
    write_file(f->output, whole.bytes, whole.length - SEAL_BYTES);
    assert_output_refused(f, f->output, "has no seal of ridgeless at its end");
    assert_int_equal(rl_results_read(f->output, &shown), RL_OK);
    assert_int_equal(shown.n_datasets, 2);
    rl_shown_destroy(&shown);
    assert_int_equal(unlink(f->output), 0); /* and once it is gone, the journal has it all */
    assert_int_equal(rl_results_check_output(f->output, &f->plan), RL_OK);
    rl_free(whole.bytes);
}

static rl_status crash(const char *path) {
    (void)path;
    raise(SIGKILL);
    return RL_OK;
}

static rl_status hang(const char *path) {
    (void)path;
    alarm(1);
    sleep(100);
    return RL_OK;
}

static rl_status fail_plainly(const char *path) {
    return rl_fail(RL_ERR_INPUT, "%s: no", path);
}

/* Only that the reader comes back counts; its answer is asked for again, in this process. */
static void trial_tells_whether_a_reader_comes_back(void **state) {
    (void)state;
    assert_int_equal(rl_trial("x.nc", crash), RL_ERR_INPUT);
    assert_message_has("x.nc: is damaged: the NetCDF library crashed on it");
    assert_int_equal(rl_trial("x.nc", hang), RL_ERR_INPUT);
    assert_message_has("x.nc: is damaged: the NetCDF library had not read it after 10 seconds");
    assert_int_equal(rl_trial("x.nc", fail_plainly), RL_OK);
}

/* ---- shown ------------------------------------------------------------------------------------------------------- */

static void assert_not_shown(const char *path, const char *message) {
    rl_shown shown;
    assert_int_equal(rl_results_read(path, &shown), RL_ERR_INPUT);
    assert_message_has(path);
    assert_message_has(message);
    assert_int_equal(shown.n_datasets, 0);
}

/* Overwrites the file with a results file of one group `g`, complete but for what `how` says. */
static void write_spoiled(const char *path, const char *how) {
    int file, group, d[4], id;
    NC(nc_create(path, NC_NETCDF4 | NC_CLOBBER, &file));
    NC(nc_put_att_text(file, NC_GLOBAL, "program", 12, "ridgeless 9\n"));
    NC(nc_put_att_text(file, NC_GLOBAL, "settings", 1, "x"));
    if (strcmp(how, "no title") != 0) NC(nc_put_att_text(file, NC_GLOBAL, "title", 1, "t"));
    NC(nc_def_grp(file, "g", &group));
    static const char *const names[] = {"variant", "n_features", "n_train", "repeat"};
    for (int i = 0; i < (strcmp(how, "no repeat") == 0 ? 3 : 4); i++) NC(nc_def_dim(group, names[i], 2, &d[i]));
    NC(nc_def_var(group, "variant", strcmp(how, "numbers for labels") == 0 ? NC_INT : NC_STRING, 1, &d[0], &id));
    NC(nc_def_var(group, "ablation", NC_STRING, 1, &d[0], &id));
    NC(nc_def_var(group, "parameter", NC_DOUBLE, 1, &d[0], &id));
    NC(nc_def_var(group, "n_features", NC_INT, 1, &d[1], &id));
    NC(nc_def_var(group, "n_train", NC_INT, 1, &d[2], &id));
    NC(nc_def_var(group, "test_mse_median", NC_DOUBLE, strcmp(how, "flat medians") == 0 ? 2 : 3, d, &id));
    if (strcmp(how, "no status") != 0 && strcmp(how, "no repeat") != 0)
        NC(nc_def_var(group, "status", NC_BYTE, 3, &d[1], &id));
    NC(nc_close(file));
}

static void shown_refuses_what_is_not_ours(void **state) {
    const fixture *f = *state;
    rl_shown shown;
    int file;
    assert_not_shown(f->output, "cannot be read: No such file or directory");
    assert_not_shown(f->folder, "is a directory");
    write_file(f->output, "", 0);
    assert_not_shown(f->output, "is not NetCDF-4");
    write_file(f->output, "\211HDF\r\n\032\nand then nothing that makes sense", 40);
    assert_not_shown(f->output, "nc_open");
    NC(nc_create(f->output, NC_CLOBBER, &file)); /* classic format */
    NC(nc_close(file));
    assert_not_shown(f->output, "is not NetCDF-4");
    NC(nc_create(f->output, NC_NETCDF4 | NC_CLOBBER, &file));
    NC(nc_close(file));
    assert_not_shown(f->output, "not a results file of ridgeless");
    write_spoiled(f->output, "not at all"); /* the spoiled ones below fail for their fault alone */
    assert_int_equal(rl_results_read(f->output, &shown), RL_OK);
    rl_shown_destroy(&shown);
    static const char *const faults[][2] = {{"no title", "nc_inq_att"},
                                            {"no repeat", "has no dimension `repeat`"},
                                            {"numbers for labels", "`variant` of group `g` has another shape or type"},
                                            {"flat medians", "`test_mse_median` of group `g` has another shape"},
                                            {"no status", "has no variable `status`"}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        write_spoiled(f->output, faults[i][0]);
        assert_not_shown(f->output, faults[i][1]);
    }
}

/* ---- main -------------------------------------------------------------------------------------------------------- */

static void write_sample(const char *path) {
    void *state;
    set_up(&state);
    fixture *f = state;
    rl_journal *journal = sample_journal(f);
    snprintf(f->output, sizeof f->output, "%s", path);
    write_results(f, journal, "sample");
    rl_journal_close(journal);
    tear_down(&state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--sample") == 0) {
        write_sample(argv[2]);
        return 0;
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduce_as_numpy),
        cmocka_unit_test(reduce_odd_count_as_numpy),
        cmocka_unit_test(reduce_without_values),
        cmocka_unit_test(reduce_one_value),
        cmocka_unit_test(reduce_zero_negative_infinite),
        cmocka_unit_test(reduce_sorts_any_size),
        cmocka_unit_test(sort_as_qsort),
        cmocka_unit_test(sort_of_zeros_of_both_signs),
        cmocka_unit_test(geometric_means_are_those_of_logarithms),
        cmocka_unit_test(median_interval_is_that_of_the_sign_test),
        cmocka_unit_test(median_interval_is_that_of_exact_sums),
        cmocka_unit_test(spike_is_the_threshold_over_the_larger_flank),
        cmocka_unit_test(what_is_zero_but_for_rounding_is_no_spike),
        cmocka_unit_test(spike_interval_covers_the_ratio_of_the_medians),
        TEST(results_hold_every_record),
        TEST(results_hold_spikes_and_what_no_fit_costs),
        TEST(results_say_why_values_are_absent),
        TEST(results_hold_the_reduction),
        TEST(results_of_part_of_a_curve),
        TEST(results_that_are_current),
        TEST(results_have_coordinates_and_attributes),
        TEST(results_are_the_same_again),
        TEST(results_without_cells_or_modes),
        TEST(results_of_large_parts),
        TEST(results_are_the_same_bytes_in_slabs_of_any_size),
        TEST(spill_gives_back_what_was_put),
        TEST(results_replace_the_file_whole),
        TEST(results_failing_leave_the_old_file),
        TEST(output_that_is_new_or_ours),
        TEST(output_that_is_foreign),
        TEST(seal_is_the_checksum_of_the_bytes_before_it),
        TEST(damaged_file_is_refused),
        TEST(file_without_seal_is_shown_but_not_replaced),
        TEST(trial_tells_whether_a_reader_comes_back),
        TEST(output_that_cannot_be_written),
        TEST(shown_is_what_was_written),
        TEST(shown_of_nothing_done_yet),
        TEST(shown_refuses_what_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cost.h"

#include <limits.h>

#include "ridgeless/bulk.h"
#include "ridgeless/histogram.h"
#include "ridgeless/updated.h"

/* The model, with k = min(N, P) and t = min(test rows, P + 2) coordinate rows of the test factor:
 *
 *   drawing fresh rows          about 50 flops a normal number
 *   test factor, once a curve   every row that is ever a test row enters a triangle of order P + 2: 2 (P + 2)^2 a row
 *   QR of X when N > P          2 N P^2 - 2/3 P^3, and 4 N P for each of two targets
 *   SVD of what is left, k x P  6 P k^2 + 20 k^3 with both sides (Golub and Van Loan, 4th ed., figure 8.6.1)
 *   Z = X_test V                2 t P k
 *   filters and Z B             2 t k and about 4 k a variant
 *   a step on the rows          4 N P
 *
 * The nested way instead, for groups of up to 16 sizes that lie within 32 rows:
 *
 *   LQ of the first w rows      4 w P^2, and 8 w P^2 to rotate test rows and population with it
 *   one row into R, N > P       3 P^2
 *   a group's shifted factors   k^3
 *   Lanczos                     20 steps of two solves, k^2 each, for two values; solves of few columns are slow, as if
 *                               there were 10 more
 *   fits and test errors        8 P^2
 *   what calls cost at least    as much as 100,000 flops
 *
 * Row by row, with l - N + P test rows where l is the longest training set:
 *
 *   rows in the LQ's coordinates   4 min(l, P) P (l + 2 P)
 *   one row                     k^3 / 5, as eight share a product, a third faster than decompositions; and 200 k^2
 *   starting anew               26 k^3, and the QR
 *   filters and errors          3 k (2 k + l - N + P) a variant: products of few columns are slow
 *
 * Repeats side by side, each time that new rows come in, at least every P rows:
 *
 *   Jacobi on the k rows          about 4 sweeps of k^2 / 2 pairs: 2 P a scalar product, 6 (P + 3) a rotation of
 *                                 every second pair
 *   Z and errors                  (P + 2)^2 a mode
 *   one row into a test factor    3 (P + 2)^2, twice
 *
 * all as fast as LAPACK goes through some SPEED times fewer flops at these sizes.
 *
 * On a process grid, with t all test rows and k x P turned into k x k where it is far from square:
 *
 *   QR or LQ of X, carried on   4 k^2 (max(N, P) - k) + 4 t k (P - k), half of it when k = N
 *   to bidiagonal form          8/3 k^3 and 4 t k^2
 *   rotations                   6 t k^2
 *   nested: LQ of w rows        4/3 w^3 + 4 (rows - w) w P; a row into R 2 P^2; test errors 2 P a row and size
 *   a size's singular values    150 products and solves of k^2 flops
 */
enum { FLOPS_A_NORMAL = 50, N_QR_TARGETS = 2 };
enum { GROUP = 16, GROUP_SPAN = 32, STEPS = 20, IDLE_COLUMNS = 10, CALLS = 100000 };

/* The nested way must be this much cheaper: the model is a rough one where everything is small, and there the numbers
 * may stay what they have always been, bit for bit. */
static const double clearly = 8;

static double least(double a, double b) {
    return a < b ? a : b;
}

static double spectrum_flops(double n_train, double n_features, double n_test, double n_variants) {
    const double n = n_train, p = n_features, k = least(n, p), t = least(n_test, p + 2);
    const double qr = n > p ? 2 * n * p * p - 2 * p * p * p / 3 + N_QR_TARGETS * 4 * n * p : 0;
    const double svd = 6 * p * k * k + 20 * k * k * k;
    return qr + svd + 2 * t * p * k + (2 * t + 4) * k * n_variants;
}

static double spectra_flops(const rl_grid *grid, int first, int n_sizes) {
    const double n_rows = grid->data.n_rows, p = grid->data.n_features;
    const double steps = rl_steps_on_rows(grid->spec->n_variants, grid->spec->variants);
    double flops = 0;
    for (int i = first; i < first + n_sizes; i++)
        flops += spectrum_flops(grid->n_train[i], p, n_rows - grid->n_train[i], grid->spec->n_variants) +
                 4 * steps * grid->n_train[i] * p;
    return flops;
}

/* The last of the sizes that go side by side with `first`. */
static int end_of_group(const rl_grid *grid, int first) {
    int last = first;
    while (last + 1 < grid->n_n_train && last + 1 - first < GROUP &&
           grid->n_train[last + 1] - grid->n_train[first] <= GROUP_SPAN)
        last++;
    return last;
}

static double nested_flops(const rl_grid *grid) {
    const double p = grid->data.n_features, longest = grid->n_train[grid->n_n_train - 1], wide = least(longest, p);
    double flops = 12 * wide * p * p + 3 * (longest - wide) * p * p;
    for (int first = 0, last; first < grid->n_n_train; first = last + 1) {
        last = end_of_group(grid, first);
        const double k = least(grid->n_train[last], p), members = last + 1 - first;
        flops += k * k * k + 2 * STEPS * 2 * k * k * (members + IDLE_COLUMNS) + members * (8 * p * p + CALLS);
    }
    return flops;
}

static double bulk_flops(const rl_grid *grid) {
    enum { SWEEPS = 4, SPEED = 12 };
    const double p = grid->data.n_features, longest = grid->n_train[grid->n_n_train - 1];
    double flops = longest * 6 * (p + 2) * (p + 2);
    for (int i = 0, taken = 0; i < grid->n_n_train; i++) {
        double k = least(taken, p);
        for (; taken < grid->n_train[i]; k = least(k, p)) {
            const double incoming = least(grid->n_train[i] - taken, 2 * p - k);
            k += incoming;
            taken += (int)incoming;
            flops += SWEEPS * k * k / 2 * (5 * p + 9);
        }
        flops += k * (p + 2) * (p + 2);
    }
    return flops / SPEED;
}

static double updated_flops(const rl_grid *grid) {
    enum { SECULAR = 200, OVERHEAD = 20000 };
    const double p = grid->data.n_features, longest = grid->n_train[grid->n_n_train - 1], v = grid->spec->n_variants;
    double flops =
        2 * (grid->data.n_rows - longest) * (p + 2) * (p + 2) + 4 * least(longest, p) * p * (longest + 2 * p);
    for (int i = 0, since = 0; i < grid->n_n_train; i++) {
        const double n = grid->n_train[i], k = least(n, p);
        const int rows = i == 0 ? INT_MAX : grid->n_train[i] - grid->n_train[i - 1];
        if (rl_updated_anew(rows, &since))
            flops += (n > p ? 2 * n * p * p : 0) + 26 * k * k * k;
        else
            flops += rows * (k / 5 + SECULAR) * k * k;
        flops += 3 * k * v * (2 * k + longest - n + p) + OVERHEAD;
    }
    return flops;
}

/* ---- on process grids ------------------------------------------------------------------------------------------- */

static double grid_spectrum_flops(double n_train, double p, double n_test, double n_variants) {
    const double k = least(n_train, p), m = n_train > p ? n_train : p;
    const double shape = 4 * k * k * (m - k) + (n_train < p ? 4 * n_test * k * (m - k) : 0);
    return shape + 8.0 / 3 * k * k * k + 10 * n_test * k * k + 2 * n_test * k * n_variants;
}

static double grid_nested_flops(const rl_grid *grid) {
    enum { SIGMA_STEPS = 150 };
    const double p = grid->data.n_features, rows = grid->data.n_rows, longest = grid->n_train[grid->n_n_train - 1];
    const double w = least(longest, p);
    double flops = 4.0 / 3 * w * w * w + 4 * (rows - w) * w * p + 2 * (longest - w) * p * p;
    for (int i = 0; i < grid->n_n_train; i++) {
        const double k = least(grid->n_train[i], p);
        flops += 2 * p * rows + (grid->sigma_wanted[i] ? SIGMA_STEPS * k * k : 0);
    }
    return flops;
}

static double grid_flops(const rl_grid *grid, int first, int n_sizes) {
    const double p = grid->data.n_features, rows = grid->data.n_rows;
    double flops = 0;
    if (grid->way == RL_WAY_GRID_NESTED) flops = grid_nested_flops(grid);
    for (int i = first; i < first + n_sizes; i++)
        if (grid->way != RL_WAY_GRID_NESTED || grid->full[i])
            flops += grid_spectrum_flops(grid->n_train[i], p, rows - grid->n_train[i], grid->spec->n_variants);
    return flops;
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static bool wants_grid(const rl_study *study, const rl_grid *grid) {
    const rl_study_dataset *spec = grid->spec;
    if (rl_dataset_in_blocks(&grid->data)) return true; /* nowhere else do its rows fit */
    if (spec->producer != RL_PRODUCER_AUTO) return spec->producer != RL_PRODUCER_LAPACK;
    if (spec->ranks_per_case != RL_RANKS_AUTO) return true;
    const size_t order = (size_t)grid->data.n_rows * sizeof(int);
    return study->random != RL_RANDOM_NUMPY && rl_buffer_bytes(grid) + order > RL_LAPACK_BYTES;
}

static bool is_least_squares(rl_need need) {
    return need == RL_NEED_FIT_TO_Y || need == RL_NEED_FIT_TO_IDEAL;
}

static bool may_be_nested(const rl_study *study, const rl_grid *grid) {
    if (study->random == RL_RANDOM_NUMPY) return false;
    if (study->full_spectra.line > 0) return true;
    if (grid->spec->producer != RL_PRODUCER_AUTO || grid->spec->keep.modes || grid->n_points > 0) return false;
    for (int v = 0; v < grid->spec->n_variants; v++)
        if (!is_least_squares(grid->spec->variants[v].ablation->need)) return false;
    return true;
}

static bool is_cheaper(const rl_study *study, const rl_grid *grid) {
    return study->full_spectra.line > 0 || clearly * nested_flops(grid) < spectra_flops(grid, 0, grid->n_n_train);
}

/* Single modes, and what is moved along one, are as uncertain as the gaps between singular values are narrow: only the
 * published arithmetic itself comes close to published numbers there. Truncated fits agree to eps x condition. */
static bool wants_published_arithmetic(const rl_study *study, const rl_grid *grid) {
    bool truncations = true;
    for (int v = 0; v < grid->spec->n_variants; v++) truncations &= grid->spec->variants[v].ablation->truncate != NULL;
    return study->random == RL_RANDOM_NUMPY && (!truncations || grid->spec->keep.modes);
}

static bool needs_rows(const rl_grid *grid) {
    bool some = false;
    for (int v = 0; v < grid->spec->n_variants; v++) some |= grid->spec->variants[v].ablation->need == RL_NEED_ROWS;
    return some;
}

/* The features are then those of the data set itself, with one best linear model for all repeats. */
static bool goes_side_by_side(const rl_study *study, const rl_grid *grid) {
    if (grid->data.map != NULL || grid->data.beta_star == NULL || grid->data.n_test_only > 0) return false;
    return !wants_published_arithmetic(study, grid) && !needs_rows(grid) && grid->spec->producer == RL_PRODUCER_AUTO &&
           !grid->spec->keep.directions && grid->n_points == 0 && grid->data.n_features <= RL_BULK_FEATURES &&
           bulk_flops(grid) < spectra_flops(grid, 0, grid->n_n_train);
}

/* Where it is clearly cheaper: the model is a rough one, and one spectrum an N is the plainer way. */
static bool goes_row_by_row(const rl_study *study, const rl_grid *grid) {
    return study->random != RL_RANDOM_NUMPY && !needs_rows(grid) && grid->spec->producer == RL_PRODUCER_AUTO &&
           !grid->spec->keep.modes && grid->n_points == 0 &&
           2 * updated_flops(grid) < spectra_flops(grid, 0, grid->n_n_train);
}

void rl_choose_way(const rl_study *study, rl_grid *grid) {
    const int producer = grid->spec->producer;
    const bool nested = may_be_nested(study, grid);
    grid->way = nested ? RL_WAY_NESTED : RL_WAY_SPECTRA; /* what the bytes of the buffers depend on */
    if (wants_grid(study, grid)) {
        grid->way = nested ? RL_WAY_GRID_NESTED : RL_WAY_GRID_SPECTRA;
        grid->producer = producer == RL_PRODUCER_AUTO ? RL_PRODUCER_TWO_STAGE : (rl_producer)producer;
    } else {
        if (nested && !is_cheaper(study, grid)) grid->way = RL_WAY_SPECTRA;
        if (grid->way == RL_WAY_SPECTRA && goes_side_by_side(study, grid)) grid->way = RL_WAY_BULK;
        if (grid->way == RL_WAY_SPECTRA && goes_row_by_row(study, grid)) grid->way = RL_WAY_UPDATED;
        grid->producer = RL_PRODUCER_LAPACK;
    }
    const bool some = study->full_spectra.line > 0;
    for (int i = 0; i < grid->n_n_train; i++) grid->full[i] = some && grid->full[i] && grid->way != RL_WAY_SPECTRA;
}

bool rl_way_on_grid(rl_way way) {
    return way == RL_WAY_GRID_SPECTRA || way == RL_WAY_GRID_NESTED;
}

const char *rl_way_text(rl_way way) {
    static const char *const texts[] = {[RL_WAY_SPECTRA] = "full spectra",
                                        [RL_WAY_NESTED] = "nested factorization",
                                        [RL_WAY_GRID_SPECTRA] = "full spectra on process grids",
                                        [RL_WAY_GRID_NESTED] = "nested factorization on process grids",
                                        [RL_WAY_BULK] = "full spectra, repeats side by side",
                                        [RL_WAY_UPDATED] = "full spectra, updated row by row"};
    return texts[way];
}

/* The features of a repeat, and least squares on all rows; those that no repeat changes are made once, which is next to
 * nothing. */
static double made_flops(const rl_dataset *data) {
    const double n = data->n_rows, p = data->n_features, k = least(n, p);
    if (data->map == NULL || !(data->fresh || rl_map_varies(data->map, data->map_options))) return 0;
    return 2 * n * p * data->n_inputs + 2 * n * k * p + 4.0 / 3 * k * k * p;
}

double rl_curve_flops(const rl_grid *grid, int first, int n_sizes) {
    const rl_dataset *data = &grid->data;
    const double n_rows = data->n_rows, p = data->n_features;
    const double drawn = data->fresh ? FLOPS_A_NORMAL * n_rows * (data->teacher.n_hidden + 1.0) : 0;
    const double made = made_flops(data);
    if (rl_way_on_grid(grid->way)) return drawn + made + grid_flops(grid, first, n_sizes);
    const double test = 2 * (n_rows - grid->n_train[first]) * (p + 2) * (p + 2);
    if (grid->way == RL_WAY_BULK) return drawn + (data->fresh ? test : 0) + bulk_flops(grid);
    if (grid->way == RL_WAY_SPECTRA) return drawn + made + test + spectra_flops(grid, first, n_sizes);
    if (grid->way == RL_WAY_UPDATED) return drawn + made + updated_flops(grid);
    double full = 0;
    for (int i = first; i < first + n_sizes; i++) full += grid->full[i] ? spectra_flops(grid, i, 1) : 0;
    return drawn + made + test + nested_flops(grid) + full;
}

size_t rl_buffer_bytes(const rl_grid *grid) {
    const size_t p = (size_t)grid->data.n_features, n = (size_t)grid->n_train[grid->n_n_train - 1];
    const size_t k = (size_t)grid->max_modes, t = p + 2, v = (size_t)grid->spec->n_variants;
    const size_t training = 2 * n * (p + 1);           /* the rows, and the copy that the factorization destroys */
    const size_t nested = 2 * n * (p + 1) + 5 * p * p; /* LQ or QR, fits; triangles, Gram matrices, rotated rows */
    const size_t svd = k * (n < p ? n : p) + k * p + 4 * k * k; /* U, V, and dgesdd's own work */
    const size_t rows = v * p + p + (n > t ? n : t);            /* parameters of each variant */
    const size_t test = 3 * t * t + t * k;                      /* triangle, block of incoming rows, Z */
    const size_t fits = v * (2 * k + t);                        /* beta and residual of each variant, and Z B */
    const rl_bulk_design design = {.n_features = (int)p,
                                   .n_n_train = grid->n_n_train,
                                   .n_train = grid->n_train,
                                   .has_population = true,
                                   .wants_spectra = true};
    const size_t bulk =
        grid->way == RL_WAY_BULK ? rl_bulk_bytes(&design, RL_BULK_LANES) + RL_BULK_LANES * rl_record_bytes(grid) : 0;
    const size_t updated = grid->way == RL_WAY_UPDATED
                               ? rl_updated_bytes((int)p, grid->n_n_train, grid->n_train) + v * (n + k) * sizeof(double)
                               : 0;
    return (training + svd + rows + test + fits + (grid->way == RL_WAY_NESTED ? nested : 0)) * sizeof(double) + bulk +
           updated;
}

size_t rl_record_bytes(const rl_grid *grid) {
    enum { CELL_ARRAYS = 4, SPECTRUM_ARRAYS = 6, MODE_ARRAYS = 3 };
    const size_t n = (size_t)grid->n_n_train;
    size_t doubles = CELL_ARRAYS * n * (size_t)grid->spec->n_variants + SPECTRUM_ARRAYS * n;
    doubles += n * (size_t)grid->spec->n_variants * (size_t)grid->n_points;
    if (grid->spec->keep.modes) doubles += MODE_ARRAYS * n * (size_t)grid->max_modes;
    if (grid->spec->keep.directions) doubles += n * (size_t)grid->max_modes * (size_t)grid->data.n_features;
    return doubles * sizeof(double);
}

/* As numbers usually spread: over some tens of doublings. */
size_t rl_summary_bytes(const rl_grid *grid) {
    enum { DOUBLINGS = 32, WAITING = 64 };
    const size_t histogram = DOUBLINGS * RL_BUCKETS_PER_DOUBLING * sizeof(uint32_t) + 0x800 * sizeof(uint16_t);
    const size_t record = rl_record_bytes(grid);
    return grid->spec->keep.summary ? record / sizeof(double) * histogram + WAITING * record : 0;
}

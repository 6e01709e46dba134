#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "../lapack.h"
#include "source.h"

void rl_dataset_destroy(rl_dataset *dataset) {
    rl_free(dataset->name);
    rl_free(dataset->origin);
    rl_free(dataset->x);
    rl_free(dataset->y);
    rl_free(dataset->beta_star);
    rl_free(dataset->teacher.beta);
    rl_free(dataset->teacher.scale);
    rl_free(dataset->deviations);
    rl_free(dataset->axes);
    rl_table_file_destroy(&dataset->file);
    *dataset = (rl_dataset){0};
}

bool rl_dataset_in_blocks(const rl_dataset *dataset) {
    return dataset->file.path != NULL;
}

double rl_dataset_residual_variance(const rl_dataset *dataset) {
    const rl_teacher *teacher = &dataset->teacher;
    assert(teacher->beta != NULL);
    double sum = teacher->noise * teacher->noise;
    for (int j = dataset->n_features; j < teacher->n_hidden; j++) {
        const double part = teacher->scale[j] * teacher->beta[j];
        sum += part * part;
    }
    return sum;
}

const double *rl_dataset_scale(const rl_dataset *dataset) {
    return dataset->fresh && !dataset->teacher.isotropic ? dataset->teacher.scale : NULL;
}

/* ---- least squares on all rows ---------------------------------------------------------------------------------- */

/* Buffers of it. Columns are scaled by powers of two to about the same length: exact, and columns of very different
 * units then cost no accuracy. */
typedef struct solver {
    int n, p, k;   /* k = min(n, p) */
    int *exponent; /* [p]: column j is a's column times 2^exponent */
    double *a;     /* [n, p], column-major */
    double *r;     /* [k, p], column-major: the triangle, then its own pivoted one */
    double *b;     /* [max(n, p)] */
    double *tau, *work;
    int *pivot; /* [p], from 1 */
    int n_work;
} solver;

static void solver_destroy(solver *s) {
    rl_free(s->exponent);
    rl_free(s->a);
    rl_free(s->r);
    rl_free(s->b);
    rl_free(s->tau);
    rl_free(s->work);
    rl_free(s->pivot);
}

static rl_status solver_create(solver *s, int n, int p) {
    const int k = n < p ? n : p, most = INT_MAX / 128;
    if (p > most)
        return rl_fail(RL_ERR_INPUT, "%d features; expected at most %d, for which LAPACK can count its work space", p,
                       most);
    *s = (solver){.n = n, .p = p, .k = k, .n_work = 2 * p + 64 * (p + 66)}; /* enough for blocks of 64 */
    RL_TRY(RL_ALLOC(s->exponent, p));
    RL_TRY(RL_ALLOC(s->a, (size_t)n * (size_t)p));
    RL_TRY(RL_ALLOC(s->r, (size_t)k * (size_t)p));
    RL_TRY(RL_ALLOC(s->b, n > p ? n : p));
    RL_TRY(RL_ALLOC(s->tau, k));
    RL_TRY(RL_ALLOC(s->work, s->n_work));
    return RL_ALLOC(s->pivot, p);
}

/* e with 2^e about the Euclidean length of a column; 0 for a zero one. Its largest entry comes first, as the square may
 * overflow. */
static int length_exponent(int n, const double *column, size_t stride) {
    double largest = 0, sum = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(column[(size_t)i * stride]));
    if (largest == 0) return 0;
    for (int i = 0; i < n; i++) {
        const double ratio = column[(size_t)i * stride] / largest;
        sum += ratio * ratio;
    }
    int e_largest, e_sum;
    frexp(largest, &e_largest);
    frexp(sqrt(sum), &e_sum);
    return e_largest + e_sum;
}

static void solver_fill(solver *s, const rl_dataset *dataset) {
    const size_t p = (size_t)s->p, n = (size_t)s->n;
    for (size_t j = 0; j < p; j++) {
        s->exponent[j] = length_exponent(s->n, dataset->x + j, p);
        for (size_t i = 0; i < n; i++) s->a[i + j * n] = ldexp(dataset->x[i * p + j], -s->exponent[j]);
    }
    memcpy(s->b, dataset->y, sizeof(double) * n);
}

static rl_status check_info(const char *routine, int info) {
    if (info == 0) return RL_OK;
    return rl_fail(RL_ERR_LIBRARY, "LAPACK %s: info = %d", routine, info);
}

static rl_status apply_transposed_q(solver *s, int rows, const double *reflectors, int ld) {
    const int one = 1;
    int info;
    dormqr_("L", "T", &rows, &one, &s->k, reflectors, &ld, s->tau, s->b, &s->n, s->work, &s->n_work, &info, 1, 1);
    return check_info("dormqr", info);
}

/* QR of a, then QR with column pivoting of its triangle, which alone is small; b becomes Q^T y. */
static rl_status solver_factor(solver *s) {
    int info;
    dgeqrf_(&s->n, &s->p, s->a, &s->n, s->tau, s->work, &s->n_work, &info);
    RL_TRY(check_info("dgeqrf", info));
    RL_TRY(apply_transposed_q(s, s->n, s->a, s->n));
    const size_t k = (size_t)s->k, n = (size_t)s->n;
    for (size_t j = 0; j < (size_t)s->p; j++)
        for (size_t i = 0; i < k; i++) s->r[i + j * k] = i <= j ? s->a[i + j * n] : 0;
    dgeqp3_(&s->k, &s->p, s->r, &s->k, s->pivot, s->tau, s->work, &s->n_work, &info);
    RL_TRY(check_info("dgeqp3", info));
    return apply_transposed_q(s, s->k, s->r, s->k);
}

static int solver_rank(const solver *s) {
    const int longest = s->n > s->p ? s->n : s->p;
    const double tolerance = longest * 0x1p-52 * fabs(s->r[0]);
    int rank = 0;
    while (rank < s->k && fabs(s->r[(size_t)rank * (size_t)(s->k + 1)]) > tolerance) rank++;
    return rank;
}

static void solve_full_rank(solver *s, double *beta) {
    const int one = 1;
    dtrsv_("U", "N", "N", &s->p, s->r, &s->k, s->b, &one, 1, 1, 1);
    for (int j = 0; j < s->p; j++) beta[s->pivot[j] - 1] = ldexp(s->b[j], -s->exponent[s->pivot[j] - 1]);
}

/* Of all solutions of the first `rank` rows of the triangle, the shortest in the data's own units: the rows are put
 * back into those, in place of `a`. */
static rl_status solve_minimum_norm(solver *s, int rank, double *beta) {
    const int one = 1, ldb = s->n > s->p ? s->n : s->p;
    const size_t ld = (size_t)rank;
    for (int j = 0; j < s->p; j++) {
        const int column = s->pivot[j] - 1;
        for (int i = 0; i < rank; i++)
            s->a[(size_t)i + (size_t)column * ld] =
                i <= j ? ldexp(s->r[(size_t)i + (size_t)j * (size_t)s->k], s->exponent[column]) : 0;
    }
    int info;
    dgels_("N", &rank, &s->p, &one, s->a, &rank, s->b, &ldb, s->work, &s->n_work, &info, 1);
    RL_TRY(check_info("dgels", info));
    memcpy(beta, s->b, sizeof(double) * (size_t)s->p);
    return RL_OK;
}

static rl_status solve(solver *s, const rl_dataset *dataset) {
    solver_fill(s, dataset);
    RL_TRY(solver_factor(s));
    const int rank = solver_rank(s);
    if (rank == s->p)
        solve_full_rank(s, dataset->beta_star);
    else if (rank > 0) /* else all features are zero, and so is beta_star */
        RL_TRY(solve_minimum_norm(s, rank, dataset->beta_star));
    for (int j = 0; j < s->p; j++)
        if (!isfinite(dataset->beta_star[j]))
            return rl_fail(RL_ERR_INPUT, "dataset `%s`: least squares on all rows overflows, expected smaller numbers",
                           dataset->name);
    return RL_OK;
}

static rl_status compute_beta_star(rl_dataset *dataset, rl_random_kind random) {
    RL_TRY(RL_ALLOC(dataset->beta_star, dataset->n_features));
    if (rl_dataset_in_blocks(dataset)) return RL_OK;
    if (dataset->fresh) {
        memcpy(dataset->beta_star, dataset->teacher.beta, sizeof(double) * (size_t)dataset->n_features);
        return RL_OK;
    }
    bool done = false;
    if (random == RL_RANDOM_NUMPY) RL_TRY(rl_published_beta_star(dataset, dataset->beta_star, &done));
    if (done) return RL_OK;
    solver s;
    rl_status status = solver_create(&s, dataset->n_rows, dataset->n_features);
    if (status == RL_OK) status = solve(&s, dataset);
    solver_destroy(&s);
    return status;
}

/* ---- checksum ---------------------------------------------------------------------------------------------------- */

/* Rows not yet read, a slab after the other, into the hash. */
static rl_status hash_slabs(rl_table_blocks *blocks, const rl_dataset *dataset, double *slab, XXH3_state_t *hash) {
    const size_t row_bytes = sizeof(double) * (size_t)dataset->n_features;
    const int64_t n = dataset->n_rows, height = rl_table_blocks_height(blocks);
    for (int64_t first = 0; first < n; first += height) {
        const int64_t count = height < n - first ? height : n - first;
        RL_TRY(rl_table_blocks_read(blocks, (int)first, (int)count, slab));
        XXH3_64bits_update(hash, slab, (size_t)count * row_bytes);
    }
    return RL_OK;
}

/* The hash of the features in the file, which are found finite on the way. */
static rl_status hash_file(const rl_dataset *dataset, uint64_t seed, uint64_t *sum) {
    rl_table_blocks *blocks;
    double *slab = NULL;
    RL_TRY(rl_table_blocks_open_as(dataset, RL_ERR_INPUT, &blocks));
    rl_status status = RL_ALLOC(slab, (size_t)rl_table_blocks_height(blocks) * (size_t)dataset->n_features);
    XXH3_state_t *hash = XXH3_createState();
    if (status == RL_OK && hash == NULL) status = rl_fail(RL_ERR_MEMORY, "out of memory for a checksum");
    if (status == RL_OK) {
        XXH3_64bits_reset_withSeed(hash, seed);
        status = hash_slabs(blocks, dataset, slab, hash);
        *sum = XXH3_64bits_digest(hash);
    }
    XXH3_freeState(hash);
    rl_free(slab);
    rl_table_blocks_close(blocks);
    return status;
}

static uint64_t hash_teacher(const rl_teacher *teacher, uint64_t seed) {
    const size_t n_hidden = (size_t)teacher->n_hidden;
    const uint64_t of_beta = XXH3_64bits_withSeed(teacher->beta, sizeof(double) * n_hidden, seed);
    const uint64_t of_noise = XXH3_64bits_withSeed(&teacher->noise, sizeof teacher->noise, of_beta);
    return teacher->isotropic ? of_noise : XXH3_64bits_withSeed(teacher->scale, sizeof(double) * n_hidden, of_noise);
}

/* Each part's hash is the seed of the next one's. */
static rl_status compute_checksum(rl_dataset *dataset) {
    const size_t p = (size_t)dataset->n_features, n = (size_t)dataset->n_rows;
    const int64_t sizes[] = {dataset->n_rows, dataset->n_features, dataset->fresh ? dataset->teacher.n_hidden : 0};
    const uint64_t seed = XXH3_64bits(sizes, sizeof sizes);
    if (dataset->fresh) {
        dataset->checksum = hash_teacher(&dataset->teacher, seed);
        return RL_OK;
    }
    uint64_t of_x;
    if (rl_dataset_in_blocks(dataset))
        RL_TRY(hash_file(dataset, seed, &of_x));
    else
        of_x = XXH3_64bits_withSeed(dataset->x, sizeof(double) * n * p, seed);
    dataset->checksum = XXH3_64bits_withSeed(dataset->y, sizeof(double) * n, of_x);
    return RL_OK;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static rl_status check_finite(const rl_dataset *dataset) {
    const size_t p = (size_t)dataset->n_features, n = (size_t)dataset->n_rows;
    for (size_t i = 0; !dataset->fresh && i < n; i++) {
        if (!isfinite(dataset->y[i]))
            return rl_fail(RL_ERR_INPUT, "dataset `%s` (%s): the target of row %zu is not finite", dataset->name,
                           dataset->origin, i + 1);
        for (size_t j = 0; dataset->x != NULL && j < p; j++) /* else looked at when the checksum is made */
            if (!isfinite(dataset->x[i * p + j]))
                return rl_fail(RL_ERR_INPUT, "dataset `%s` (%s): feature %zu of row %zu is not finite", dataset->name,
                               dataset->origin, j + 1, i + 1);
    }
    return RL_OK;
}

static rl_status load(const rl_source *source, const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(rl_strdup(&dataset->name, request->name));
    RL_TRY(source->load(request, dataset));
    if (dataset->n_rows < 2)
        return rl_fail(RL_ERR_INPUT, "dataset `%s` (%s): %d row, expected at least 2", dataset->name, dataset->origin,
                       dataset->n_rows);
    RL_TRY(check_finite(dataset));
    RL_TRY(compute_beta_star(dataset, request->random));
    return compute_checksum(dataset);
}

rl_status rl_dataset_load(const rl_source *source, const rl_source_request *request, rl_dataset *dataset) {
    *dataset = (rl_dataset){0};
    const rl_status status = load(source, request, dataset);
    if (status != RL_OK) rl_dataset_destroy(dataset);
    return status;
}

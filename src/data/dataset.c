/* Datasets: what one owns, what is known of its rows, and how a source makes one. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../checksum.h"
#include "../numbers.h"
#include "dataset.h"
#include "tables/table_blocks.h"

/* ---- what a dataset owns ----------------------------------------------------------------------------------------- */

static size_t text_bytes(const char *text) {
    return text != NULL ? strlen(text) + 1 : 0;
}

void rl_dataset_arrays(rl_dataset *d, rl_dataset_array arrays[RL_DATASET_ARRAYS]) {
    const size_t rows = (size_t)d->n_rows, features = (size_t)d->n_features, hidden = (size_t)d->teacher.n_hidden;
    const rl_dataset_array all[RL_DATASET_ARRAYS] = {
        {&d->name, text_bytes(d->name), 1},
        {&d->origin, text_bytes(d->origin), 1},
        {&d->file.path, text_bytes(d->file.path), 1},
        {&d->file.layout, text_bytes(d->file.layout), 1},
        {&d->feature_names, d->n_feature_names, 1},
        {&d->x, rows * features, sizeof *d->x},
        {&d->y, rows, sizeof *d->y},
        {&d->beta_star, features, sizeof *d->beta_star},
        {&d->scale, features, sizeof *d->scale},
        {&d->deviations, features, sizeof *d->deviations},
        {&d->axes, features * features, sizeof *d->axes},
        {&d->view_ranks, (size_t)d->n_views, sizeof *d->view_ranks},
        {&d->teacher.beta, hidden, sizeof *d->teacher.beta},
        {&d->teacher.scale, hidden, sizeof *d->teacher.scale},
        {&d->function.drawn, (size_t)d->function.n_drawn, sizeof *d->function.drawn},
        {&d->file.rows, rows, sizeof *d->file.rows},
    };
    memcpy(arrays, all, sizeof all);
}

static void *array_at(const rl_dataset_array *array) {
    void *items;
    memcpy(&items, array->pointer, sizeof items); /* the pointer may have any type */
    return items;
}

size_t rl_dataset_bytes(const rl_dataset *dataset) {
    rl_dataset_array arrays[RL_DATASET_ARRAYS];
    rl_dataset same = *dataset;
    size_t bytes = 0;
    rl_dataset_arrays(&same, arrays);
    for (int i = RL_DATASET_TEXTS; i < RL_DATASET_ARRAYS; i++)
        if (array_at(&arrays[i]) != NULL) bytes += rl_alloc_bytes(arrays[i].count, arrays[i].size);
    return bytes;
}

void rl_dataset_destroy(rl_dataset *dataset) {
    rl_dataset_array arrays[RL_DATASET_ARRAYS];
    rl_dataset_arrays(dataset, arrays);
    for (int i = 0; i < RL_DATASET_ARRAYS; i++) rl_free(array_at(&arrays[i]));
    *dataset = (rl_dataset){0};
}

/* ---- names of features ------------------------------------------------------------------------------------------- */

/* Each feature has two texts: what a message calls it, and what a study file does. */
static rl_status append_names(const rl_columns *columns, const int *features, int n, rl_text *names) {
    char name[RL_COLUMN_TEXT];
    for (int j = 0; j < n; j++) {
        rl_column_text(columns, features[j], name);
        RL_TRY(rl_text_append_bytes(names, name, strlen(name) + 1));
        RL_TRY(rl_column_append(columns, features[j], names));
        RL_TRY(rl_text_append_bytes(names, "", 1));
    }
    return RL_OK;
}

static const char *skip_texts(const char *texts, int n) {
    for (int i = 0; i < n; i++) texts += strlen(texts) + 1;
    return texts;
}

rl_status rl_dataset_name_features(rl_dataset *dataset, const rl_columns *columns, const int *features, int n) {
    rl_text names = RL_TEXT_EMPTY;
    rl_status status = append_names(columns, features, n, &names);
    if (status == RL_OK) status = RL_ALLOC(dataset->feature_names, names.length);
    if (status == RL_OK) {
        memcpy(dataset->feature_names, names.bytes, names.length);
        dataset->n_feature_names = names.length;
    }
    rl_free(names.bytes);
    return status;
}

const char *rl_feature_text(const rl_dataset *dataset, int j, char text[RL_FEATURE_TEXT]) {
    const bool made = dataset->map != NULL && dataset->map != rl_feature_maps[0];
    const int input = j - dataset->intercept;
    const char *name = made ? NULL : dataset->feature_names;
    snprintf(text, RL_FEATURE_TEXT, "feature %d", input + 1);
    if (name != NULL) snprintf(text, RL_FEATURE_TEXT, "%s", skip_texts(name, 2 * input));
    if (input < 0) snprintf(text, RL_FEATURE_TEXT, "the intercept");
    return text;
}

const char *rl_feature_key(const rl_dataset *dataset, int j) {
    return dataset->feature_names != NULL ? skip_texts(dataset->feature_names, 2 * j + 1) : NULL;
}

/* ---- what is known of it ----------------------------------------------------------------------------------------- */

bool rl_dataset_in_blocks(const rl_dataset *dataset) {
    return dataset->file.path != NULL;
}

int rl_dataset_file_row(const rl_dataset *dataset, int row) {
    return dataset->file.rows != NULL ? dataset->file.rows[row] : row;
}

double rl_dataset_residual_variance(const rl_dataset *dataset) {
    const rl_teacher *teacher = &dataset->teacher;
    assert(teacher->beta != NULL);
    double sum = teacher->noise * teacher->noise;
    for (int j = dataset->n_inputs; j < teacher->n_hidden; j++) {
        const double part = teacher->scale[j] * teacher->beta[j];
        sum += part * part;
    }
    return sum;
}

const double *rl_dataset_scale(const rl_dataset *dataset) {
    if (!rl_dataset_design_known(dataset) || dataset->teacher.isotropic) return NULL;
    return dataset->scale != NULL ? dataset->scale : dataset->teacher.scale;
}

int rl_dataset_steps(const rl_dataset *dataset, int steps[RL_MOST_STEPS]) {
    const double *const scale = dataset->teacher.scale;
    int n = 0;
    if (scale == NULL || dataset->teacher.isotropic || dataset->map != NULL) return 0;
    for (int j = 1; j < dataset->n_inputs; j++) {
        if (scale[j] > scale[j - 1]) return 0;
        if (scale[j] > scale[j - 1] / 3) continue;
        if (n == RL_MOST_STEPS) return 0;
        steps[n++] = j + dataset->intercept;
    }
    return n;
}

bool rl_dataset_varies(const rl_dataset *dataset) {
    return dataset->fresh || (dataset->map != NULL && rl_map_varies(dataset->map, dataset->map_options));
}

int rl_dataset_threshold(const rl_dataset *dataset) {
    const int rank = dataset->rank, p = dataset->n_features;
    const bool told = rank > 0 && rank < p && (dataset->fresh || rank < dataset->n_rows);
    return told ? rank : p;
}

bool rl_dataset_design_known(const rl_dataset *dataset) {
    return dataset->fresh && dataset->beta_star != NULL;
}

/* ---- rows that miss a value -------------------------------------------------------------------------------------- */

static rl_status number_rows(rl_dataset *d) {
    RL_TRY(RL_ALLOC(d->file.rows, d->n_rows));
    for (int i = 0; i < d->n_rows; i++) d->file.rows[i] = i;
    return RL_OK;
}

/* Closes the gaps, and returns how many rows are left. */
static int close_gaps(rl_dataset *d, const bool *missing) {
    const size_t p = (size_t)d->n_features;
    int n = 0;
    for (int i = 0; i < d->n_rows; i++) {
        if (missing[i]) continue;
        d->y[n] = d->y[i];
        if (d->file.rows != NULL) d->file.rows[n] = d->file.rows[i];
        if (d->x != NULL && n < i) memcpy(d->x + (size_t)n * p, d->x + (size_t)i * p, p * sizeof *d->x);
        n++;
    }
    return n;
}

rl_status rl_dataset_leave_out(rl_dataset *d, const bool *missing) {
    if (memchr(missing, true, (size_t)d->n_rows) == NULL) return RL_OK;
    if (rl_dataset_in_blocks(d) && d->file.rows == NULL) RL_TRY(number_rows(d));
    const int n = close_gaps(d, missing);
    d->n_dropped += d->n_rows - n;
    d->n_rows = n;
    if (n == 0)
        return rl_fail(RL_ERR_INPUT, "%s: no row is left: each of the %d has a missing value", d->origin, d->n_dropped);
    RL_TRY(RL_GROW(d->y, n, n));
    if (d->file.rows != NULL) RL_TRY(RL_GROW(d->file.rows, n, n));
    const size_t n_features = (size_t)n * (size_t)d->n_features;
    return d->x != NULL ? RL_GROW(d->x, n_features, n_features) : RL_OK;
}

/* ---- least squares on all rows ---------------------------------------------------------------------------------- */

int rl_rank_of_law(const rl_dataset *dataset) {
    const double *const scale = rl_dataset_scale(dataset);
    const int p = dataset->n_features;
    double largest = 0;
    int rank = 0;
    if (scale == NULL) return p;
    for (int j = 0; j < p; j++) largest = fmax(largest, scale[j]);
    for (int j = 0; j < p; j++) rank += scale[j] > rl_rank_tolerance(dataset->n_rows, p) * largest;
    return rank;
}

static rl_status compute_beta_star(rl_dataset *dataset, rl_random_kind random) {
    dataset->rank = dataset->n_features;
    if (dataset->fresh && dataset->source->law != RL_INPUTS_NORMAL) return RL_OK; /* each repeat makes its own */
    RL_TRY(RL_ALLOC(dataset->beta_star, dataset->n_features));
    dataset->rank = rl_rank_of_law(dataset);
    if (rl_dataset_in_blocks(dataset)) return RL_OK;
    if (dataset->fresh) {
        memcpy(dataset->beta_star + dataset->intercept, dataset->teacher.beta, /* the teacher has no offset */
               sizeof(double) * (size_t)dataset->n_inputs);
        return RL_OK;
    }
    rl_best_fit fit = {.beta = dataset->beta_star};
    RL_TRY(rl_least_squares(dataset->name, dataset->n_rows, dataset->n_features, dataset->x, dataset->y, &fit));
    dataset->rank = fit.rank;
    dataset->scales_apart = fit.scales_apart;
    if (random != RL_RANDOM_NUMPY || dataset->rank < dataset->n_features) return RL_OK;
    return rl_published_beta_star(dataset);
}

/* ---- checksum ---------------------------------------------------------------------------------------------------- */

static uint64_t hash_sizes(const rl_dataset *dataset) {
    const int64_t sizes[] = {dataset->n_rows, dataset->n_features, dataset->fresh ? dataset->teacher.n_hidden : 0};
    return XXH3_64bits_withSeed(sizes, sizeof sizes, dataset->intercept);
}

/* All rows of a file that is read slab by slab. */
typedef struct file_reader {
    rl_table_blocks *blocks;
    double *slab;  /* [height of a slab, n_features] */
    bool *missing; /* [height]: rows of the slab that are left out, before it is read or because of what is in it */
    bool *lost;    /* [n_rows]: the latter, among all rows of the dataset */
    XXH3_state_t *hash;
} file_reader;

static rl_status open_reader(const rl_dataset *dataset, file_reader *r) {
    RL_TRY(rl_table_blocks_open_as(dataset, RL_ERR_INPUT, &r->blocks));
    const size_t height = (size_t)rl_table_blocks_height(r->blocks);
    RL_TRY(RL_ALLOC(r->slab, height * (size_t)dataset->n_features));
    RL_TRY(RL_ALLOC(r->missing, height));
    RL_TRY(RL_ALLOC(r->lost, dataset->n_rows));
    r->hash = XXH3_createState();
    return r->hash != NULL ? RL_OK : rl_fail(RL_ERR_MEMORY, "out of memory for a checksum");
}

static void close_reader(file_reader *r) {
    XXH3_freeState(r->hash);
    rl_free(r->lost);
    rl_free(r->missing);
    rl_free(r->slab);
    rl_table_blocks_close(r->blocks);
}

/* Reads a slab into the hash, without the rows that miss a value. *next: the dataset's row that follows it. */
static rl_status hash_slab(const rl_dataset *dataset, file_reader *r, int first, int count, int *next) {
    const size_t p = (size_t)dataset->n_features;
    const int before = *next;
    for (int i = 0; i < count; i++) {
        r->missing[i] = *next == dataset->n_rows || rl_dataset_file_row(dataset, *next) != first + i;
        if (!r->missing[i]) ++*next;
    }
    RL_TRY(rl_table_blocks_read(r->blocks, first, count, r->slab));
    RL_TRY(rl_table_blocks_sift(r->blocks, first, count, r->slab, r->missing));
    for (int i = before; i < *next; i++) {
        const int row = rl_dataset_file_row(dataset, i) - first;
        r->lost[i] = r->missing[row];
        if (!r->lost[i]) XXH3_64bits_update(r->hash, r->slab + (size_t)row * p, p * sizeof *r->slab);
    }
    return RL_OK;
}

static rl_status hash_slabs(const rl_dataset *dataset, file_reader *r, uint64_t *sum) {
    const int64_t n = (int64_t)dataset->n_rows + dataset->n_dropped, height = rl_table_blocks_height(r->blocks);
    int next = 0;
    XXH3_64bits_reset_withSeed(r->hash, hash_sizes(dataset));
    for (int64_t first = 0; first < n; first += height)
        RL_TRY(hash_slab(dataset, r, (int)first, (int)rl_smaller(height, n - first), &next));
    *sum = XXH3_64bits_digest(r->hash);
    return RL_OK;
}

/* The hash of the features in the file. Rows that turn out to miss a value are left out of the dataset; as its sizes
 * are hashed first, all is hashed again then. */
static rl_status hash_file(rl_dataset *dataset, uint64_t *sum) {
    const int n_before = dataset->n_rows;
    file_reader r = {0};
    rl_status status = open_reader(dataset, &r);
    if (status == RL_OK) status = hash_slabs(dataset, &r, sum);
    if (status == RL_OK) status = rl_dataset_leave_out(dataset, r.lost);
    if (status == RL_OK && dataset->n_rows < n_before) status = hash_slabs(dataset, &r, sum);
    close_reader(&r);
    return status;
}

static uint64_t hash_teacher(const rl_teacher *teacher, uint64_t seed) {
    const size_t n_hidden = (size_t)teacher->n_hidden;
    const uint64_t of_beta = XXH3_64bits_withSeed(teacher->beta, sizeof(double) * n_hidden, seed);
    const uint64_t of_noise = XXH3_64bits_withSeed(&teacher->noise, sizeof teacher->noise, of_beta);
    return teacher->isotropic ? of_noise : XXH3_64bits_withSeed(teacher->scale, sizeof(double) * n_hidden, of_noise);
}

static uint64_t hash_function(const rl_function *f, uint64_t seed) {
    const double numbers[] = {f->which, f->low, f->high, f->noise, f->equispaced};
    const uint64_t of_numbers = XXH3_64bits_withSeed(numbers, sizeof numbers, seed);
    return XXH3_64bits_withSeed(f->drawn, sizeof(double) * (size_t)f->n_drawn, of_numbers);
}

/* The hash of each part is the seed of the next part's hash. */
static rl_status compute_checksum(rl_dataset *dataset) {
    const uint64_t seed = hash_sizes(dataset);
    if (dataset->fresh) {
        dataset->checksum = dataset->teacher.beta != NULL ? hash_teacher(&dataset->teacher, seed)
                                                          : hash_function(&dataset->function, seed);
        return RL_OK;
    }
    uint64_t of_x;
    if (rl_dataset_in_blocks(dataset))
        RL_TRY(hash_file(dataset, &of_x));
    else
        of_x = XXH3_64bits_withSeed(dataset->x, sizeof(double) * (size_t)dataset->n_rows * (size_t)dataset->n_features,
                                    seed);
    dataset->checksum = XXH3_64bits_withSeed(dataset->y, sizeof(double) * (size_t)dataset->n_rows, of_x);
    return RL_OK;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* Numbers of which it can be computed: the largest in magnitude is within limits, or 0. */
typedef struct limits {
    double least, most;
    const char *made; /* of such numbers, which would leave the range of doubles */
} limits;
static const limits of_features = {0x1p-1000, 0x1p1000, "singular values"},
                    of_targets = {0x1p-500, 0x1p500, "squared errors"};

/* The first that is not finite, or else the first of the largest. */
static size_t find_largest(size_t n, const double *values) {
    size_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) return i;
        if (fabs(values[i]) > fabs(values[largest])) largest = i;
    }
    return largest;
}

/* `what` is the number's name, after its data set's. */
static rl_status check_number(const rl_dataset *d, const char *what, double value, const limits *l) {
    const double size = fabs(value);
    if (!isfinite(value)) return rl_fail(RL_ERR_INPUT, "dataset `%s` (%s): %s is not finite", d->name, d->origin, what);
    if (size > l->most)
        return rl_fail(RL_ERR_INPUT,
                       "dataset `%s` (%s): %s is %.2g: %s of such numbers overflow; expected at most %.0e, in a larger "
                       "unit",
                       d->name, d->origin, what, value, l->made, l->most);
    if (size > 0 && size < l->least)
        return rl_fail(RL_ERR_INPUT,
                       "dataset `%s` (%s): %s is %.2g, and no other is larger: %s of such numbers underflow; expected "
                       "at least %.0e, in a smaller unit",
                       d->name, d->origin, what, value, l->made, l->least);
    return RL_OK;
}

/* The largest target over the largest feature is the size of a coefficient, but for the condition. */
static rl_status check_units(const rl_dataset *d, double y, double x) {
    enum { LEAST = -1000, MOST = 900 }; /* a singular value that counts may be 2^52 times smaller than the largest */
    const int apart = x != 0 && y != 0 ? ilogb(y) - ilogb(x) : 0;
    if (apart >= LEAST && apart <= MOST) return RL_OK;
    return rl_fail(
        RL_ERR_INPUT,
        "dataset `%s` (%s): targets of up to %.2g beside features of up to %.2g: coefficients of such numbers "
        "%s; expected units nearer to each other",
        d->name, d->origin, fabs(y), fabs(x), apart < 0 ? "underflow" : "overflow");
}

/* Features in a file are read, and checked, for the checksum. */
static rl_status check_rows(const rl_dataset *d) {
    char what[RL_FEATURE_TEXT + 32], name[RL_FEATURE_TEXT];
    const size_t p = (size_t)d->n_features, n = (size_t)d->n_rows;
    if (d->fresh) return RL_OK;
    const size_t row = find_largest(n, d->y);
    snprintf(what, sizeof what, "the target of row %zu", row + 1);
    RL_TRY(check_number(d, what, d->y[row], &of_targets));
    if (d->x == NULL) return RL_OK;
    const size_t at = find_largest(n * p, d->x);
    snprintf(what, sizeof what, "%s of row %zu", rl_feature_text(d, (int)(at % p), name), at / p + 1);
    RL_TRY(check_number(d, what, d->x[at], &of_features));
    return check_units(d, d->y[row], d->x[at]);
}

static rl_status load_dataset(const rl_source *source, const rl_source_request *request, rl_dataset *dataset) {
    char rows[RL_ROWS_TEXT];
    dataset->source = source;
    RL_TRY(rl_strdup(&dataset->name, request->name));
    RL_TRY(source->load(request, dataset));
    dataset->n_inputs = dataset->n_features;
    if (request->intercept) RL_TRY(rl_add_intercept(dataset));
    RL_TRY(compute_checksum(dataset)); /* and of a table in blocks finds the rows that miss a value */
    if (dataset->n_rows < 2)
        return rl_fail(RL_ERR_INPUT, "dataset `%s` (%s): %s, expected at least 2", dataset->name, dataset->origin,
                       rl_rows_text(dataset->n_rows, dataset->n_dropped, rows));
    RL_TRY(check_rows(dataset));
    return compute_beta_star(dataset, request->random);
}

rl_status rl_dataset_load(const rl_source *source, const rl_source_request *request, rl_dataset *dataset) {
    *dataset = (rl_dataset){0};
    const rl_status status = load_dataset(source, request, dataset);
    if (status != RL_OK) rl_dataset_destroy(dataset);
    return status;
}

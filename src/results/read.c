/* What `show` prints of a results file, read back. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"

/* One group of the file, of a data set or an autoencoder: what `show` needs of its arrays. */
struct rl_shown_group {
    int id;
    char name[NC_MAX_NAME + 1];
    size_t most_bytes;                               /* that a variable of a file of this size can have */
    size_t n_variants, n_p, n_n, n_repeats, n_steps; /* p: P of a data set, m of an autoencoder */
    char **labels, **ablations, **roles;             /* [n_variants], NetCDF's; roles NULL: an older file */
    double *parameters;                              /* [n_variants] */
    int *p, *n;                                      /* [n_p], [n_n] */
    int *threshold; /* [n_p]: the N where the threshold is; P where the file does not say */
    bool scales_apart;
    bool intercept;
    double *medians;  /* [n_variants, n_p, n_n] of a data set */
    double *means[3]; /* the same, of all errors that there are; else NULL */
    /* Of data sets, and NULL in older files; modes_kept also where no variant leaves modes out. */
    double *modes_kept;                 /* [n_variants, n_p, n_n] */
    double *spike[3];                   /* [n_variants, n_p]: height, low, high */
    double *null_mse, *target_variance; /* [n_p] */
    double *effective[2], *leverage;    /* [n_p, RL_N_LEFT_OUT], [n_p] */
    int *threshold_n, *flank_n;         /* [n_p], [n_p, RL_N_FLANKS]; below 1: none */
    double *losses;                     /* [n_p, n_n, n_repeats, n_steps] of an autoencoder */
    double *scratch;                    /* [3 n_repeats] of an autoencoder */
    signed char *status;                /* [n_p, n_n, n_repeats]; NULL of a summary */
    int *status_count;                  /* [n_p, n_n, RL_N_STATUSES] of a summary; else NULL */
};
typedef struct rl_shown_group group;

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* DEFLATE packs at most 1032 bytes into one (zlib's technical details). */
static const size_t best_compression = 1032;

static rl_status find_dimension(const rl_nc *file, const group *g, const char *name, int *id, size_t *length) {
    if (nc_inq_dimid(g->id, name, id) != NC_NOERR || nc_inq_dimlen(g->id, *id, length) != NC_NOERR || *length == 0)
        return rl_fail(RL_ERR_INPUT, "%s: group `%s` has no dimension `%s`, expected a results file of ridgeless",
                       file->path, g->name, name);
    return RL_OK;
}

/* Finds a variable that has exactly the dimensions that are named, with blanks between, and this type: nothing else
 * fits the buffers. *count: of its values. */
static rl_status find_variable(const rl_nc *file, const group *g, const char *name, nc_type type,
                               const char *dimensions, int *id, size_t *count) {
    nc_type stored;
    int n_stored, n = 0, stored_dimensions[NC_MAX_VAR_DIMS], dimension;
    char dimension_name[16];
    bool fits = true, too_large = false;
    if (nc_inq_varid(g->id, name, id) != NC_NOERR)
        return rl_fail(RL_ERR_INPUT, "%s: group `%s` has no variable `%s`, expected a results file of ridgeless",
                       file->path, g->name, name);
    RL_NC(file, nc_inq_var(g->id, *id, NULL, &stored, &n_stored, stored_dimensions, NULL));
    *count = 1;
    for (int end; sscanf(dimensions, "%15s%n", dimension_name, &end) == 1; dimensions += end, n++) {
        size_t length;
        RL_TRY(find_dimension(file, g, dimension_name, &dimension, &length));
        fits = fits && n < n_stored && stored_dimensions[n] == dimension;
        too_large = too_large || __builtin_mul_overflow(*count, length, count);
    }
    if (!fits || n != n_stored || stored != type)
        return rl_fail(RL_ERR_INPUT,
                       "%s: variable `%s` of group `%s` has another shape or type than ridgeless gives it", file->path,
                       name, g->name);
    if (!too_large && *count <= g->most_bytes / rl_nc_type_size(type)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: variable `%s` of group `%s` is larger than the file can hold", file->path, name,
                   g->name);
}

/* Reads a whole variable into *values, allocated here. *count (NULL: not asked for): of its values. */
static rl_status read_values(const rl_nc *file, const group *g, const char *name, nc_type type, const char *dimensions,
                             void *values, size_t *count) {
    int id;
    size_t n;
    void *memory;
    RL_TRY(find_variable(file, g, name, type, dimensions, &id, &n));
    if (count != NULL) *count = n;
    RL_TRY(rl_alloc(&memory, n, rl_nc_type_size(type)));
    memcpy(values, &memory, sizeof memory); /* the caller's from here on, also when reading fails */
    RL_NC(file, nc_get_var(g->id, id, memory));
    return RL_OK;
}

/* The same where there is such a variable; else *values stays NULL. */
static rl_status read_newer(const rl_nc *file, const group *g, const char *name, nc_type type, const char *dimensions,
                            void *values) {
    int id;
    if (nc_inq_varid(g->id, name, &id) != NC_NOERR) return RL_OK;
    return read_values(file, g, name, type, dimensions, values, NULL);
}

/* Attributes of a data set: files of thousands of P do not have them. */
static rl_status read_thresholds(group *g) {
    size_t length;
    nc_type type;
    RL_TRY(RL_ALLOC(g->threshold, g->n_p));
    const bool told = nc_inq_att(g->id, NC_GLOBAL, "threshold", &type, &length) == NC_NOERR && type == NC_INT &&
                      length == g->n_p && nc_get_att_int(g->id, NC_GLOBAL, "threshold", g->threshold) == NC_NOERR;
    for (size_t p = 0; p < g->n_p; p++)
        if (!told || g->threshold[p] < 1 || g->threshold[p] > g->p[p]) g->threshold[p] = g->p[p];
    g->scales_apart = nc_inq_att(g->id, NC_GLOBAL, "scales_apart", &type, &length) == NC_NOERR;
    return RL_OK;
}

static rl_status read_spikes(const rl_nc *file, group *g) {
    static const char *const of_spike[] = {"spike_height", "spike_height_low", "spike_height_high"};
    size_t n_flanks = RL_N_FLANKS;
    int id;
    RL_TRY(read_newer(file, g, "role", NC_STRING, "variant", &g->roles));
    RL_TRY(read_newer(file, g, "modes_kept_median", NC_DOUBLE, "variant n_features n_train", &g->modes_kept));
    for (int i = 0; i < 3; i++) RL_TRY(read_newer(file, g, of_spike[i], NC_DOUBLE, "variant n_features", &g->spike[i]));
    RL_TRY(read_newer(file, g, "null_mse", NC_DOUBLE, "n_features", &g->null_mse));
    RL_TRY(read_newer(file, g, "target_variance", NC_DOUBLE, "n_features", &g->target_variance));
    RL_TRY(read_newer(file, g, "threshold_n_train", NC_INT, "n_features", &g->threshold_n));
    RL_TRY(read_newer(file, g, "flank_n_train", NC_INT, "n_features flank", &g->flank_n));
    if (g->flank_n != NULL) RL_TRY(find_dimension(file, g, "flank", &id, &n_flanks));
    if (n_flanks == RL_N_FLANKS) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: group `%s` has %zu flanks, expected %d", file->path, g->name, n_flanks,
                   RL_N_FLANKS);
}

static rl_status read_effective_ranks(const rl_nc *file, group *g) {
    static const char *const names[] = {"effective_rank", "effective_rank_of_squares"};
    size_t n = RL_N_LEFT_OUT;
    int id;
    for (int i = 0; i < 2; i++)
        RL_TRY(read_newer(file, g, names[i], NC_DOUBLE, "n_features left_out", &g->effective[i]));
    RL_TRY(read_newer(file, g, "leverage_max", NC_DOUBLE, "n_features", &g->leverage));
    if (g->effective[0] != NULL || g->effective[1] != NULL) RL_TRY(find_dimension(file, g, "left_out", &id, &n));
    if (n == RL_N_LEFT_OUT) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: group `%s` has %zu effective ranks for each P, expected %d", file->path, g->name,
                   n, RL_N_LEFT_OUT);
}

/* A summary has no repeats, but says how many there were. */
static rl_status read_status_counts(const rl_nc *file, group *g) {
    size_t n_statuses, length;
    nc_type type;
    int repeats, id;
    RL_TRY(find_dimension(file, g, "status", &id, &n_statuses));
    const bool fits = n_statuses == RL_N_STATUSES &&
                      nc_inq_att(g->id, NC_GLOBAL, "n_repeats", &type, &length) == NC_NOERR && type == NC_INT &&
                      length == 1 && nc_get_att_int(g->id, NC_GLOBAL, "n_repeats", &repeats) == NC_NOERR && repeats > 0;
    if (!fits)
        return rl_fail(RL_ERR_INPUT,
                       "%s: group `%s` has not the statuses and `n_repeats` that ridgeless gives a summary", file->path,
                       g->name);
    g->n_repeats = (size_t)repeats;
    return read_values(file, g, "status_count", NC_INT, "n_features n_train status", &g->status_count, NULL);
}

static rl_status read_dataset(const rl_nc *file, group *g) {
    static const char *const means[] = {"test_mse_mean", "train_mse_mean", "population_mse_mean"};
    int id;
    RL_TRY(read_values(file, g, "variant", NC_STRING, "variant", &g->labels, &g->n_variants));
    for (size_t i = 0; i < g->n_variants; i++)
        if (g->labels[i] != NULL) rl_make_printable(g->labels[i]);
    RL_TRY(read_values(file, g, "ablation", NC_STRING, "variant", &g->ablations, NULL));
    RL_TRY(read_values(file, g, "parameter", NC_DOUBLE, "variant", &g->parameters, NULL));
    RL_TRY(read_values(file, g, "n_features", NC_INT, "n_features", &g->p, &g->n_p));
    RL_TRY(read_values(file, g, "test_mse_median", NC_DOUBLE, "variant n_features n_train", &g->medians, NULL));
    RL_TRY(read_thresholds(g));
    for (int i = 0; i < 3; i++)
        RL_TRY(read_newer(file, g, means[i], NC_DOUBLE, "variant n_features n_train", &g->means[i]));
    RL_TRY(read_spikes(file, g));
    RL_TRY(read_effective_ranks(file, g));
    g->intercept = nc_inq_attid(g->id, NC_GLOBAL, "intercept", &id) == NC_NOERR;
    if (nc_inq_varid(g->id, "status_count", &id) == NC_NOERR) return read_status_counts(file, g);
    RL_TRY(find_dimension(file, g, "repeat", &id, &g->n_repeats));
    return read_values(file, g, "status", NC_BYTE, "n_features n_train repeat", &g->status, NULL);
}

static rl_status read_autoencoder(const rl_nc *file, group *g) {
    int id;
    RL_TRY(find_dimension(file, g, "repeat", &id, &g->n_repeats));
    RL_TRY(find_dimension(file, g, "step", &id, &g->n_steps));
    RL_TRY(read_values(file, g, "n_hidden", NC_INT, "n_hidden", &g->p, &g->n_p));
    RL_TRY(read_values(file, g, "test_relative_loss", NC_DOUBLE, "n_hidden n_train repeat step", &g->losses, NULL));
    RL_TRY(read_values(file, g, "status", NC_BYTE, "n_hidden n_train repeat", &g->status, NULL));
    return RL_ALLOC(g->scratch, 3 * g->n_repeats);
}

static bool is_autoencoder(const rl_nc *file, const group *g) {
    char *kind = NULL;
    const bool is = rl_nc_get_text(file, g->id, "kind", &kind) == RL_OK && strcmp(kind, RL_AUTOENCODER_KIND) == 0;
    rl_free(kind);
    return is;
}

/* The group `provenance` stays empty. */
static rl_status read_group(const rl_nc *file, size_t most_bytes, group *g) {
    g->most_bytes = most_bytes;
    RL_NC(file, nc_inq_grpname(g->id, g->name));
    if (strcmp(g->name, "provenance") == 0) return RL_OK;
    RL_TRY(read_values(file, g, "n_train", NC_INT, "n_train", &g->n, &g->n_n));
    return is_autoencoder(file, g) ? read_autoencoder(file, g) : read_dataset(file, g);
}

static void free_texts(char **texts, size_t n) {
    if (texts != NULL) nc_free_string(n, texts);
    rl_free(texts);
}

static void release_group(group *g) {
    free_texts(g->labels, g->n_variants);
    free_texts(g->ablations, g->n_variants);
    free_texts(g->roles, g->n_variants);
    void *const arrays[] = {g->parameters,
                            g->p,
                            g->n,
                            g->medians,
                            g->modes_kept,
                            g->spike[0],
                            g->spike[1],
                            g->spike[2],
                            g->null_mse,
                            g->target_variance,
                            g->losses,
                            g->scratch,
                            g->status,
                            g->status_count,
                            g->threshold_n,
                            g->flank_n,
                            g->threshold,
                            g->means[0],
                            g->means[1],
                            g->means[2],
                            g->effective[0],
                            g->effective[1],
                            g->leverage};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
}

/* ---- what is shown of a data set --------------------------------------------------------------------------------- */

/* Repeats of one (P, N) that have a status; and of all N at one P. */
static int64_t count_status_at(const group *g, size_t p, size_t n, int status) {
    const size_t set = p * g->n_n + n;
    int64_t count = 0;
    if (g->status_count != NULL) return g->status_count[set * RL_N_STATUSES + (size_t)status];
    for (size_t r = 0; r < g->n_repeats; r++) count += g->status[set * g->n_repeats + r] == status;
    return count;
}

static int64_t count_status(const group *g, size_t p, int status) {
    int64_t count = 0;
    for (size_t n = 0; n < g->n_n; n++) count += count_status_at(g, p, n, status);
    return count;
}

/* Whether the study has the N at this P. */
static bool is_asked(const group *g, size_t p, size_t n) {
    return count_status_at(g, p, n, RL_CELL_NOT_ASKED) == 0;
}

/* The index of the N nearest to `wanted`, the smaller of two; and of the largest. */
static size_t nearest_index(const group *g, size_t p, long wanted) {
    size_t nearest = g->n_n;
    for (size_t i = 0; i < g->n_n; i++)
        if (is_asked(g, p, i) && (nearest == g->n_n || labs(g->n[i] - wanted) < labs(g->n[nearest] - wanted)))
            nearest = i;
    return nearest < g->n_n ? nearest : 0;
}

static size_t largest_index(const group *g, size_t p) {
    size_t i = g->n_n - 1;
    while (i > 0 && !is_asked(g, p, i)) i--;
    return i;
}

/* The N at the threshold, as far as the study has one; else the nearest. */
static size_t threshold_index(const group *g, size_t p) {
    const bool known = g->threshold_n != NULL && g->threshold_n[p] > 0;
    return nearest_index(g, p, known ? g->threshold_n[p] : g->threshold[p]);
}

/* 0: there is none. */
static int flank_n(const group *g, size_t p, size_t flank) {
    const int n = g->flank_n != NULL ? g->flank_n[p * RL_N_FLANKS + flank] : 0;
    return n > 0 && g->n[nearest_index(g, p, n)] == n ? n : 0;
}

/* Older files have no roles, but the names of ablations. */
static rl_role role_of(const group *g, size_t v) {
    const char *word = g->roles != NULL ? g->roles[v] : NULL;
    for (int role = 0; word != NULL && role < RL_N_ROLES; role++)
        if (strcmp(word, rl_role_words[role]) == 0) return (rl_role)role;
    const rl_ablation *ablation = g->ablations[v] != NULL ? rl_ablation_find(g->ablations[v]) : NULL;
    return ablation != NULL ? ablation->role : RL_ROLE_FACTOR;
}

static double number_at(const double *values, size_t i) {
    return values != NULL ? values[i] : NAN;
}

static const char *label_of(const group *g, size_t v) {
    return g->labels[v] == NULL ? "" : g->labels[v];
}

static void show_variant(const group *g, size_t p, size_t v, const rl_shown_dataset *d, rl_shown_variant *shown) {
    const size_t at = v * g->n_p + p, threshold = threshold_index(g, p);
    const double *medians = g->medians + at * g->n_n;
    *shown = (rl_shown_variant){
        .label = label_of(g, v),
        .ablation = g->ablations[v] == NULL ? "" : g->ablations[v],
        .role = role_of(g, v),
        .parameter = g->parameters[v],
        .threshold_median = medians[threshold],
        .largest_median = medians[largest_index(g, p)],
        .of_unablated = NAN,
        .modes_kept = number_at(g->modes_kept, at * g->n_n + threshold),
        .spike = {number_at(g->spike[0], at), number_at(g->spike[1], at), number_at(g->spike[2], at)}};
    for (size_t f = 0; f < RL_N_FLANKS; f++)
        shown->flank_median[f] = d->flank_n[f] > 0 ? medians[nearest_index(g, p, d->flank_n[f])] : NAN;
}

/* Errors at the threshold as multiples of that of the unablated fit, where that is more than rounding. */
static void compare_variants(rl_shown_dataset *d) {
    const rl_shown_variant *end = d->variants + d->n_variants, *none = d->variants;
    const double zero = isnan(d->null_mse) ? 0 : RL_ZERO_PART * d->null_mse;
    while (none < end && none->role != RL_ROLE_FIT) none++;
    if (none == end || isnan(none->threshold_median)) return;
    d->fits_exactly = none->threshold_median <= zero;
    const double unablated = none->threshold_median;
    for (int v = 0; v < d->n_variants && !d->fits_exactly; v++) {
        const double median = d->variants[v].threshold_median;
        d->variants[v].of_unablated = median <= zero ? 0 : median / unablated;
    }
}

/* 0 where there is no such attribute. */
static int read_count(const group *g, const char *name) {
    nc_type type;
    size_t length;
    int count = 0;
    if (nc_inq_att(g->id, NC_GLOBAL, name, &type, &length) != NC_NOERR || type != NC_INT || length != 1) return 0;
    return nc_get_att_int(g->id, NC_GLOBAL, name, &count) == NC_NOERR ? count : 0;
}

static rl_overflow count_overflow(const group *g, size_t p) {
    rl_overflow overflow = {0};
    for (size_t k = 0; k < 3 * g->n_variants * g->n_n; k++) {
        const size_t i = k / (g->n_variants * g->n_n), v = k / g->n_n % g->n_variants, n = k % g->n_n;
        const rl_overflow place = {
            .dataset = g->name, .variant = label_of(g, v), .n_features = g->p[p], .n_train = g->n[n]};
        if (g->means[i] != NULL) rl_overflow_count(&overflow, g->means[i][(v * g->n_p + p) * g->n_n + n], place);
    }
    return overflow;
}

static rl_status show_dataset(const group *g, size_t p, rl_shown_dataset *shown) {
    const int threshold = g->n[threshold_index(g, p)];
    *shown = (rl_shown_dataset){
        .name = g->name,
        .n_features = g->p[p],
        .n_rows = read_count(g, "n_rows"),
        .n_dropped = read_count(g, "n_rows_dropped"),
        .threshold = g->threshold[p],
        .intercept = g->intercept,
        .threshold_n = threshold,
        .flank_n = {flank_n(g, p, 0), flank_n(g, p, 1)},
        .n_modes = threshold < g->threshold[p] ? threshold : g->threshold[p],
        .largest_n = g->n[largest_index(g, p)],
        .null_mse = number_at(g->null_mse, p),
        .target_variance = number_at(g->target_variance, p),
        .leverage_max = number_at(g->leverage, p),
        .scales_apart = g->scales_apart,
        .has_places = g->threshold_n != NULL && g->threshold_n[p] > 0 && flank_n(g, p, 0) > 0 && flank_n(g, p, 1) > 0,
        .is_older = g->spike[0] == NULL,
        .repeats = (int)g->n_repeats,
        .spectra_done = count_status(g, p, RL_CELL_DONE),
        .spectra_missing = count_status(g, p, RL_CELL_MISSING),
        .spectra_failed = count_status(g, p, RL_CELL_NO_CONVERGENCE) + count_status(g, p, RL_CELL_ZERO_MATRIX),
        .overflow = count_overflow(g, p),
        .n_variants = (int)g->n_variants};
    for (size_t i = 0; i < RL_N_LEFT_OUT; i++) {
        shown->effective_rank[i] = number_at(g->effective[0], p * RL_N_LEFT_OUT + i);
        shown->effective_rank_of_squares[i] = number_at(g->effective[1], p * RL_N_LEFT_OUT + i);
    }
    RL_TRY(RL_ALLOC(shown->variants, g->n_variants));
    for (size_t v = 0; v < g->n_variants; v++) show_variant(g, p, v, shown, &shown->variants[v]);
    compare_variants(shown);
    return RL_OK;
}

/* ---- what is shown of an autoencoder ----------------------------------------------------------------------------- */

/* Over the repeats, of the last step. */
static double median_loss(const group *g, size_t m, size_t t) {
    const double *last = g->losses + (m * g->n_n + t) * g->n_repeats * g->n_steps + g->n_steps - 1;
    for (size_t r = 0; r < g->n_repeats; r++) g->scratch[r] = last[r * g->n_steps];
    return rl_reduce(g->scratch, (int)g->n_repeats, g->scratch + g->n_repeats).median;
}

static void show_autoencoder(const group *g, size_t m, rl_shown_autoencoder *shown) {
    *shown = (rl_shown_autoencoder){.name = g->name,
                                    .n_hidden = g->p[m],
                                    .repeats = (int)g->n_repeats,
                                    .trainings_done = count_status(g, m, RL_TRAINING_DONE),
                                    .trainings_missing = count_status(g, m, RL_TRAINING_MISSING),
                                    .trainings_diverged = count_status(g, m, RL_TRAINING_DIVERGED),
                                    .n_train_at_largest = g->n[0],
                                    .largest_n_train = g->n[g->n_n - 1],
                                    .largest_loss = NAN};
    for (size_t t = 0; t < g->n_n; t++) {
        shown->last_loss = median_loss(g, m, t);
        if (isnan(shown->last_loss) || shown->last_loss <= shown->largest_loss) continue;
        shown->largest_loss = shown->last_loss;
        shown->n_train_at_largest = g->n[t];
    }
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static rl_status read_groups(const rl_nc *file, rl_shown *shown) {
    struct stat size;
    int n, *ids;
    if (stat(file->path, &size) != 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", file->path, strerror(errno));
    RL_NC(file, nc_inq_grps(file->id, &n, NULL));
    RL_TRY(RL_ALLOC(shown->groups, n));
    RL_TRY(RL_ALLOC(ids, n));
    const int code = nc_inq_grps(file->id, NULL, ids);
    rl_status status = code == NC_NOERR ? RL_OK : rl_nc_fail(file, code, "nc_inq_grps");
    for (; status == RL_OK && shown->n_groups < n; shown->n_groups++) {
        group *g = &shown->groups[shown->n_groups];
        g->id = ids[shown->n_groups];
        status = read_group(file, (size_t)size.st_size * best_compression, g);
    }
    rl_free(ids);
    return status;
}

/* An entry for each P or m. */
static rl_status show_groups(rl_shown *shown) {
    const group *const end = shown->groups + shown->n_groups;
    size_t n_datasets = 0, n_autoencoders = 0;
    for (const group *g = shown->groups; g < end; g++) *(g->losses == NULL ? &n_datasets : &n_autoencoders) += g->n_p;
    RL_TRY(RL_ALLOC(shown->datasets, n_datasets));
    RL_TRY(RL_ALLOC(shown->autoencoders, n_autoencoders));
    for (const group *g = shown->groups; g < end; g++)
        for (size_t p = 0; p < g->n_p; p++)
            if (g->losses == NULL)
                RL_TRY(show_dataset(g, p, &shown->datasets[shown->n_datasets++]));
            else
                show_autoencoder(g, p, &shown->autoencoders[shown->n_autoencoders++]);
    return RL_OK;
}

static rl_status read_file(const rl_nc *file, rl_shown *shown) {
    RL_TRY(rl_nc_get_text(file, file->id, "title", &shown->title));
    RL_TRY(rl_nc_get_text(file, file->id, "program", &shown->program));
    rl_make_printable(shown->title);
    rl_make_printable(shown->program);
    RL_TRY(read_groups(file, shown));
    return show_groups(shown);
}

static rl_status read_path(const char *path, rl_shown *shown) {
    rl_nc file;
    RL_TRY(rl_nc_open_ours(path, &file));
    const rl_status status = read_file(&file, shown);
    nc_close(file.id);
    if (status != RL_OK) rl_shown_destroy(shown);
    return status;
}

static rl_status read_and_forget(const char *path) {
    rl_shown shown = {0};
    const rl_status status = read_path(path, &shown);
    rl_shown_destroy(&shown);
    return status;
}

rl_status rl_results_read(const char *path, rl_shown *shown) {
    bool sealed;
    *shown = (rl_shown){0};
    RL_TRY(rl_nc_check_seal(path, &sealed));
    if (!sealed) RL_TRY(rl_trial(path, read_and_forget));
    return read_path(path, shown);
}

void rl_shown_destroy(rl_shown *shown) {
    for (int i = 0; i < shown->n_datasets; i++) rl_free(shown->datasets[i].variants);
    for (int i = 0; i < shown->n_groups; i++) release_group(&shown->groups[i]);
    rl_free(shown->groups);
    rl_free(shown->autoencoders);
    rl_free(shown->datasets);
    rl_free(shown->title);
    rl_free(shown->program);
    *shown = (rl_shown){0};
}

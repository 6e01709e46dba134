/* What `show` prints of a results file, read back. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"

/* The group of one dataset, opened. */
typedef struct group {
    int id;
    char name[NC_MAX_NAME + 1];
    int variant, n_features, n_train, repeat; /* dimension ids; of a summary, `repeat` is that of statuses */
    size_t n_variants, n_p, n_n, n_repeats;
    char **labels, **ablations; /* [n_variants], NetCDF's */
    double *parameters;         /* [n_variants] */
    int *p, *n;                 /* [n_p], [n_n] */
    double *medians;            /* [n_variants, n_p, n_n] */
    signed char *status;        /* [n_p, n_n, n_repeats]; NULL of a summary */
    int *status_count;          /* [n_p, n_n, RL_N_STATUSES] of a summary; else NULL */
    size_t most_bytes;          /* that a variable of a file of this size can have */
} group;

/* DEFLATE packs at most 1032 bytes into one (zlib's technical details). */
static const size_t best_compression = 1032;

/* Finds a variable that has exactly these dimensions and this type: nothing else fits the buffers. */
static rl_status find_variable(const rl_nc *file, const group *g, const char *name, nc_type type, int n,
                               const int *dimensions, int *id) {
    nc_type stored;
    int n_stored, stored_dimensions[NC_MAX_VAR_DIMS];
    if (nc_inq_varid(g->id, name, id) != NC_NOERR)
        return rl_fail(RL_ERR_INPUT, "%s: group `%s` has no variable `%s`, expected a results file of ridgeless",
                       file->path, g->name, name);
    RL_NC(file, nc_inq_var(g->id, *id, NULL, &stored, &n_stored, stored_dimensions, NULL));
    bool fits = stored == type && n_stored == n;
    for (int d = 0; fits && d < n; d++) fits = stored_dimensions[d] == dimensions[d];
    if (fits) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: variable `%s` of group `%s` has another shape or type than ridgeless gives it",
                   file->path, name, g->name);
}

/* Reads a whole variable into *values, allocated here. */
static rl_status read_values(const rl_nc *file, const group *g, const char *name, nc_type type, int n,
                             const int *dimensions, void *values) {
    int id;
    size_t count = 1, length;
    void *memory;
    RL_TRY(find_variable(file, g, name, type, n, dimensions, &id));
    for (int d = 0; d < n; d++) {
        RL_NC(file, nc_inq_dimlen(g->id, dimensions[d], &length));
        if (__builtin_mul_overflow(count, length, &count) || count > g->most_bytes / rl_nc_type_size(type))
            return rl_fail(RL_ERR_INPUT, "%s: variable `%s` of group `%s` is larger than the file can hold", file->path,
                           name, g->name);
    }
    RL_TRY(rl_alloc(&memory, count, rl_nc_type_size(type)));
    memcpy(values, &memory, sizeof memory); /* the caller's from here on, also when reading fails */
    RL_NC(file, nc_get_var(g->id, id, memory));
    return RL_OK;
}

static rl_status find_dimension(const rl_nc *file, const group *g, const char *name, int *id, size_t *length) {
    if (nc_inq_dimid(g->id, name, id) != NC_NOERR || nc_inq_dimlen(g->id, *id, length) != NC_NOERR || *length == 0)
        return rl_fail(RL_ERR_INPUT, "%s: group `%s` has no dimension `%s`, expected a results file of ridgeless",
                       file->path, g->name, name);
    return RL_OK;
}

/* A summary has no repeats, but says how many there were. */
static bool is_summary(const group *g) {
    int id;
    return nc_inq_varid(g->id, "status_count", &id) == NC_NOERR;
}

static rl_status read_status_counts(const rl_nc *file, group *g) {
    size_t n_statuses, length;
    nc_type type;
    int repeats;
    RL_TRY(find_dimension(file, g, "status", &g->repeat, &n_statuses));
    const bool fits = n_statuses == RL_N_STATUSES &&
                      nc_inq_att(g->id, NC_GLOBAL, "n_repeats", &type, &length) == NC_NOERR && type == NC_INT &&
                      length == 1 && nc_get_att_int(g->id, NC_GLOBAL, "n_repeats", &repeats) == NC_NOERR && repeats > 0;
    if (!fits)
        return rl_fail(RL_ERR_INPUT,
                       "%s: group `%s` has not the statuses and `n_repeats` that ridgeless gives a summary", file->path,
                       g->name);
    g->n_repeats = (size_t)repeats;
    const int dimensions[] = {g->n_features, g->n_train, g->repeat};
    return read_values(file, g, "status_count", NC_INT, 3, dimensions, &g->status_count);
}

static rl_status read_statuses(const rl_nc *file, group *g) {
    if (is_summary(g)) return read_status_counts(file, g);
    RL_TRY(find_dimension(file, g, "repeat", &g->repeat, &g->n_repeats));
    const int dimensions[] = {g->n_features, g->n_train, g->repeat};
    return read_values(file, g, "status", NC_BYTE, 3, dimensions, &g->status);
}

static rl_status read_group(const rl_nc *file, group *g) {
    RL_TRY(find_dimension(file, g, "variant", &g->variant, &g->n_variants));
    RL_TRY(find_dimension(file, g, "n_features", &g->n_features, &g->n_p));
    RL_TRY(find_dimension(file, g, "n_train", &g->n_train, &g->n_n));
    const int cells[] = {g->variant, g->n_features, g->n_train};
    RL_TRY(read_values(file, g, "variant", NC_STRING, 1, &g->variant, &g->labels));
    RL_TRY(read_values(file, g, "ablation", NC_STRING, 1, &g->variant, &g->ablations));
    RL_TRY(read_values(file, g, "parameter", NC_DOUBLE, 1, &g->variant, &g->parameters));
    RL_TRY(read_values(file, g, "n_features", NC_INT, 1, &g->n_features, &g->p));
    RL_TRY(read_values(file, g, "n_train", NC_INT, 1, &g->n_train, &g->n));
    RL_TRY(read_values(file, g, "test_mse_median", NC_DOUBLE, 3, cells, &g->medians));
    return read_statuses(file, g);
}

static void free_texts(char **texts, size_t n) {
    if (texts != NULL) nc_free_string(n, texts);
    rl_free(texts);
}

static void destroy_group(group *g) {
    free_texts(g->labels, g->n_variants);
    free_texts(g->ablations, g->n_variants);
    rl_free(g->parameters);
    rl_free(g->p);
    rl_free(g->n);
    rl_free(g->medians);
    rl_free(g->status);
    rl_free(g->status_count);
}

/* ---- what is shown ----------------------------------------------------------------------------------------------- */

/* Repeats of one (P, N) that have a status. */
static int64_t count_status(const group *g, size_t p, size_t n, rl_cell_status status) {
    const size_t set = p * g->n_n + n;
    int64_t count = 0;
    if (g->status_count != NULL) return g->status_count[set * RL_N_STATUSES + status];
    for (size_t r = 0; r < g->n_repeats; r++) count += g->status[set * g->n_repeats + r] == (int)status;
    return count;
}

/* Whether the study has the N at this P. */
static bool is_asked(const group *g, size_t p, size_t n) {
    return count_status(g, p, n, RL_CELL_NOT_ASKED) == 0;
}

/* The index of the N nearest to P, the smaller of two; and of the largest. */
static size_t threshold_index(const group *g, size_t p) {
    size_t nearest = g->n_n;
    for (size_t i = 0; i < g->n_n; i++)
        if (is_asked(g, p, i) &&
            (nearest == g->n_n || labs((long)g->n[i] - g->p[p]) < labs((long)g->n[nearest] - g->p[p])))
            nearest = i;
    return nearest < g->n_n ? nearest : 0;
}

static size_t largest_index(const group *g, size_t p) {
    size_t i = g->n_n - 1;
    while (i > 0 && !is_asked(g, p, i)) i--;
    return i;
}

static void count_spectra(const group *g, size_t p, rl_shown_dataset *shown) {
    for (size_t n = 0; n < g->n_n; n++) {
        shown->spectra_done += count_status(g, p, n, RL_CELL_DONE);
        shown->spectra_missing += count_status(g, p, n, RL_CELL_MISSING);
        shown->spectra_failed += count_status(g, p, n, RL_CELL_NO_CONVERGENCE);
        shown->spectra_failed += count_status(g, p, n, RL_CELL_ZERO_MATRIX);
    }
}

static rl_status show_variant(const group *g, size_t p, size_t v, size_t threshold, rl_shown_variant *shown) {
    const double *medians = g->medians + (v * g->n_p + p) * g->n_n;
    shown->parameter = g->parameters[v];
    shown->threshold_median = medians[threshold];
    shown->largest_median = medians[largest_index(g, p)];
    shown->spike = shown->threshold_median / shown->largest_median;
    RL_TRY(rl_strdup(&shown->label, g->labels[v] == NULL ? "" : g->labels[v]));
    return rl_strdup(&shown->ablation, g->ablations[v] == NULL ? "" : g->ablations[v]);
}

/* One entry a (dataset, P). */
static rl_status show_dataset(const group *g, size_t p, rl_shown_dataset *shown) {
    const size_t threshold = threshold_index(g, p);
    shown->n_features = g->p[p];
    shown->threshold_n = g->n[threshold];
    shown->largest_n = g->n[largest_index(g, p)];
    shown->repeats = (int)g->n_repeats;
    count_spectra(g, p, shown);
    RL_TRY(rl_strdup(&shown->name, g->name));
    RL_TRY(RL_ALLOC(shown->variants, g->n_variants));
    for (size_t v = 0; v < g->n_variants; v++) {
        shown->n_variants++; /* before it is filled, so that a half-filled one is released */
        RL_TRY(show_variant(g, p, v, threshold, &shown->variants[v]));
    }
    return RL_OK;
}

static rl_status show_group(const group *g, rl_shown *shown) {
    rl_shown_dataset *datasets;
    const size_t before = (size_t)shown->n_datasets;
    RL_TRY(RL_ALLOC(datasets, before + g->n_p));
    if (before > 0) memcpy(datasets, shown->datasets, before * sizeof *datasets);
    rl_free(shown->datasets);
    shown->datasets = datasets;
    for (size_t p = 0; p < g->n_p; p++) {
        shown->n_datasets++;
        RL_TRY(show_dataset(g, p, &datasets[before + p]));
    }
    return RL_OK;
}

/* ---- autoencoders ------------------------------------------------------------------------------------------------ */

/* The group of one autoencoder, opened. */
typedef struct training_group {
    group g; /* what is common: id, name, and limits */
    int n_hidden, n_train, repeat, step;
    size_t n_m, n_t, n_repeats, n_steps;
    int *m, *t;
    double *losses;      /* [n_m, n_t, n_repeats, n_steps] */
    signed char *status; /* [n_m, n_t, n_repeats] */
} training_group;

static rl_status read_trainings(const rl_nc *file, training_group *t) {
    RL_TRY(find_dimension(file, &t->g, "n_hidden", &t->n_hidden, &t->n_m));
    RL_TRY(find_dimension(file, &t->g, "n_train", &t->n_train, &t->n_t));
    RL_TRY(find_dimension(file, &t->g, "repeat", &t->repeat, &t->n_repeats));
    RL_TRY(find_dimension(file, &t->g, "step", &t->step, &t->n_steps));
    const int dimensions[] = {t->n_hidden, t->n_train, t->repeat, t->step};
    RL_TRY(read_values(file, &t->g, "n_hidden", NC_INT, 1, &t->n_hidden, &t->m));
    RL_TRY(read_values(file, &t->g, "n_train", NC_INT, 1, &t->n_train, &t->t));
    RL_TRY(read_values(file, &t->g, "test_relative_loss", NC_DOUBLE, 4, dimensions, &t->losses));
    return read_values(file, &t->g, "status", NC_BYTE, 3, dimensions, &t->status);
}

/* Over the repeats, of the last step. */
static double median_loss(const training_group *t, size_t set, double *values) {
    for (size_t r = 0; r < t->n_repeats; r++) values[r] = t->losses[((set * t->n_repeats) + r + 1) * t->n_steps - 1];
    return rl_reduce(values, (int)t->n_repeats, values + t->n_repeats).median;
}

static void count_trainings(const training_group *t, size_t m, rl_shown_autoencoder *shown) {
    const size_t n = t->n_t * t->n_repeats;
    for (size_t i = m * n; i < (m + 1) * n; i++) {
        if (t->status[i] == RL_TRAINING_DONE)
            shown->trainings_done++;
        else if (t->status[i] == RL_TRAINING_MISSING)
            shown->trainings_missing++;
        else
            shown->trainings_diverged++;
    }
}

static rl_status show_hidden(const training_group *t, size_t m, double *values, rl_shown_autoencoder *shown) {
    *shown = (rl_shown_autoencoder){.n_hidden = t->m[m],
                                    .repeats = (int)t->n_repeats,
                                    .n_train_at_largest = t->t[0],
                                    .largest_n_train = t->t[t->n_t - 1],
                                    .largest_loss = NAN};
    count_trainings(t, m, shown);
    for (size_t i = 0; i < t->n_t; i++) {
        shown->last_loss = median_loss(t, m * t->n_t + i, values);
        if (!(shown->last_loss > shown->largest_loss) && !isnan(shown->largest_loss)) continue;
        if (isnan(shown->last_loss)) continue;
        shown->largest_loss = shown->last_loss;
        shown->n_train_at_largest = t->t[i];
    }
    return rl_strdup(&shown->name, t->g.name);
}

static rl_status append_hidden(const training_group *t, double *values, rl_shown *shown) {
    rl_shown_autoencoder *grown;
    const size_t before = (size_t)shown->n_autoencoders;
    RL_TRY(RL_ALLOC(grown, before + t->n_m));
    if (before > 0) memcpy(grown, shown->autoencoders, before * sizeof *grown);
    rl_free(shown->autoencoders);
    shown->autoencoders = grown;
    for (size_t m = 0; m < t->n_m; m++) {
        shown->n_autoencoders++;
        RL_TRY(show_hidden(t, m, values, &grown[before + m]));
    }
    return RL_OK;
}

static rl_status show_trainings(const rl_nc *file, const group *g, rl_shown *shown) {
    training_group t = {.g = *g};
    double *values = NULL;
    rl_status status = read_trainings(file, &t);
    if (status == RL_OK) status = RL_ALLOC(values, 2 * t.n_repeats);
    if (status == RL_OK) status = append_hidden(&t, values, shown);
    rl_free(values);
    rl_free(t.m);
    rl_free(t.t);
    rl_free(t.losses);
    rl_free(t.status);
    return status;
}

static bool is_autoencoder(const rl_nc *file, int id) {
    char *kind = NULL;
    nc_type type;
    size_t length;
    if (nc_inq_att(id, NC_GLOBAL, "kind", &type, &length) != NC_NOERR) return false;
    const bool is = rl_nc_get_text(file, id, "kind", &kind) == RL_OK && strcmp(kind, RL_AUTOENCODER_KIND) == 0;
    rl_free(kind);
    return is;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static rl_status read_and_show(const rl_nc *file, int id, rl_shown *shown) {
    group g = {.id = id};
    struct stat size;
    if (stat(file->path, &size) != 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", file->path, strerror(errno));
    g.most_bytes = (size_t)size.st_size * best_compression;
    RL_NC(file, nc_inq_grpname(id, g.name));
    if (strcmp(g.name, "provenance") == 0) return RL_OK;
    if (is_autoencoder(file, id)) return show_trainings(file, &g, shown);
    rl_status status = read_group(file, &g);
    if (status == RL_OK) status = show_group(&g, shown);
    destroy_group(&g);
    return status;
}

static rl_status read_file(const rl_nc *file, rl_shown *shown) {
    int n, *ids;
    rl_status status;
    RL_TRY(rl_nc_get_text(file, file->id, "title", &shown->title));
    RL_TRY(rl_nc_get_text(file, file->id, "program", &shown->program));
    RL_NC(file, nc_inq_grps(file->id, &n, NULL));
    RL_TRY(RL_ALLOC(ids, n));
    const int code = nc_inq_grps(file->id, NULL, ids);
    status = code == NC_NOERR ? RL_OK : rl_nc_fail(file, code, "nc_inq_grps");
    for (int i = 0; status == RL_OK && i < n; i++) status = read_and_show(file, ids[i], shown);
    rl_free(ids);
    return status;
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
    for (int i = 0; i < shown->n_datasets; i++) {
        rl_shown_dataset *dataset = &shown->datasets[i];
        for (int v = 0; v < dataset->n_variants; v++) {
            rl_free(dataset->variants[v].label);
            rl_free(dataset->variants[v].ablation);
        }
        rl_free(dataset->variants);
        rl_free(dataset->name);
    }
    for (int i = 0; i < shown->n_autoencoders; i++) rl_free(shown->autoencoders[i].name);
    rl_free(shown->autoencoders);
    rl_free(shown->datasets);
    rl_free(shown->title);
    rl_free(shown->program);
    *shown = (rl_shown){0};
}

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "ridgeless/plan.h"

#define MAX_CURVES INT64_C(10000000) /* a plan names every curve in the memory of every rank */

/* ---- the N of one dataset -------------------------------------------------------------------------------------- */

/* The union of everything that a spec asks for, in the order of its parts; N below 1 that ratios and the neighbourhood
 * would give are not asked for. *sizes [*n] is the caller's. */
static rl_status expand(const rl_n_train_spec *spec, int p, double **sizes, int *n) {
    const int around = spec->around < 0 ? 0 : 2 * spec->around + 1;
    *n = 0;
    RL_TRY(RL_ALLOC(*sizes, spec->n_values + spec->n_ratios + around));
    for (int i = 0; i < spec->n_values; i++) (*sizes)[(*n)++] = spec->values[i];
    for (int i = 0; i < spec->n_ratios; i++) (*sizes)[(*n)++] = fmax(1, round(spec->ratios[i] * p));
    for (int d = -spec->around; d <= spec->around; d++)
        if (p + d >= 1) (*sizes)[(*n)++] = (double)p + d;
    return RL_OK;
}

static rl_status check_n(const rl_study *study, const rl_grid *grid, double n) {
    const int most = grid->data.n_rows - (grid->data.n_test_only > 0 ? grid->data.n_test_only : 1);
    const char *name = grid->spec->name;
    if (n >= 1 && n <= most) return RL_OK;
    if (grid->data.n_test_only > 0)
        return rl_fail(RL_ERR_INPUT,
                       "%s:%d: key `n_train`: N = %.15g is more than the %d rows of the dataset `%s` that may train; "
                       "expected N from 1 to %d",
                       study->path, grid->spec->n_train.line, n, most, name, most);
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `n_train`: N = %.15g leaves no test row of the dataset `%s`, which has %d rows and %d "
                   "features; expected N from 1 to %d",
                   study->path, grid->spec->n_train.line, n, name, grid->data.n_rows, grid->data.n_features, most);
}

static rl_status make_n_train(const rl_study *study, rl_grid *grid) {
    double *sizes = NULL;
    int n = 0, kept = 0;
    rl_status status;
    RL_TRY_GOTO(expand(&grid->spec->n_train, grid->data.n_features, &sizes, &n), done);
    assert(n > 0); /* an empty n_train is no study */
    RL_TRY_GOTO(RL_ALLOC(grid->n_train, n), done);
    for (int i = 0; i < n; i++) {
        RL_TRY_GOTO(check_n(study, grid, sizes[i]), done);
        grid->n_train[i] = (int)sizes[i];
    }
    qsort(grid->n_train, (size_t)n, sizeof *grid->n_train, rl_compare_ints);
    for (int i = 0; i < n; i++)
        if (kept == 0 || grid->n_train[i] != grid->n_train[kept - 1]) grid->n_train[kept++] = grid->n_train[i];
    grid->n_n_train = kept;
done:
    rl_free(sizes);
    return status;
}

/* Which of the grid's sizes a key chooses (all of them where it is not there). Its sizes that the dataset does not have
 * are another dataset's. */
static rl_status choose_sizes(const rl_study *study, const rl_grid *grid, const char *key, const rl_n_train_spec *spec,
                              bool **chosen) {
    double *sizes = NULL;
    int n = 0, n_chosen = 0;
    rl_status status;
    RL_TRY_GOTO(RL_ALLOC(*chosen, grid->n_n_train), done);
    if (spec->line > 0) RL_TRY_GOTO(expand(spec, grid->data.n_features, &sizes, &n), done);
    if (n > 0) qsort(sizes, (size_t)n, sizeof *sizes, rl_compare_reals);
    for (int i = 0; i < grid->n_n_train; i++) {
        const double size = grid->n_train[i];
        (*chosen)[i] =
            spec->line == 0 || (n > 0 && bsearch(&size, sizes, (size_t)n, sizeof *sizes, rl_compare_reals) != NULL);
        n_chosen += (*chosen)[i];
    }
    if (n_chosen == 0)
        status = rl_fail(RL_ERR_INPUT,
                         "%s:%d: key `%s`: none of them is an N of the dataset `%s`; expected some of its n_train",
                         study->path, spec->line, key, grid->spec->name);
done:
    rl_free(sizes);
    return status;
}

/* ---- laying out ------------------------------------------------------------------------------------------------- */

/* What needs the training rows of a case on one rank. */
static rl_status check_rows_on_one_rank(const rl_study *study, const rl_grid *grid) {
    const char *what = grid->n_points > 0 ? "`keep: predictions`" : NULL;
    char ablation[80];
    for (int v = 0; v < grid->spec->n_variants && what == NULL; v++) {
        const rl_ablation *a = grid->spec->variants[v].ablation;
        if (a->need != RL_NEED_ROWS) continue;
        snprintf(ablation, sizeof ablation, "the ablation `%.60s`", a->name);
        what = ablation;
    }
    if (what == NULL || !rl_way_on_grid(grid->way)) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: dataset `%s`: %s needs the training rows on one rank, and its cases are for process grids; "
                   "expected smaller ones, or `producer: lapack` and no `ranks_per_case`",
                   study->path, grid->spec->line, grid->spec->name, what);
}

static rl_status check_directions(const rl_study *study, const rl_grid *grid) {
    const char *problem = NULL;
    if (!grid->spec->keep.directions) return RL_OK;
    if (grid->data.n_features > RL_DIRECTIONS_LIMIT) problem = "has too many features for that";
    if (grid->spec->n_features.n_values > 1) problem = "has several numbers of features";
    if (grid->way != RL_WAY_SPECTRA) problem = "is not computed by full spectra on one rank";
    if (problem == NULL) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `keep`: directions are asked for of dataset `%s`, which %s; expected a dataset of at "
                   "most %d features computed by LAPACK at every N",
                   study->path, grid->spec->line, grid->spec->name, problem, RL_DIRECTIONS_LIMIT);
}

/* A span should take no longer than some seconds, and its histograms fewer bytes than its values: a power of two about
 * as large as the work on a million repeats of one feature. By P alone, so that journals can be gone on with. */
static int longest_span(const rl_grid *grid) {
    enum { LONGEST = 1 << 14, WORK = 1 << 21 };
    const double p = grid->data.n_features;
    int span = LONGEST;
    while (span > 1 && span * p * p > WORK) span /= 2;
    return span;
}

static rl_status check_summary(const rl_study *study, const rl_grid *grid) {
    if (!grid->spec->keep.summary || !rl_way_on_grid(grid->way)) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `keep`: a summary is asked for of dataset `%s`, whose cases are for process grids; "
                   "expected smaller ones, or `producer: lapack` and no `ranks_per_case`",
                   study->path, grid->spec->line, grid->spec->name);
}

static rl_status make_grid(const rl_study *study, rl_grid *grid) {
    RL_TRY(make_n_train(study, grid));
    const int largest = grid->n_train[grid->n_n_train - 1];
    grid->max_modes = largest < grid->data.n_features ? largest : grid->data.n_features;
    RL_TRY(choose_sizes(study, grid, "singular_values", &study->singular_values, &grid->sigma_wanted));
    RL_TRY(choose_sizes(study, grid, "full_spectra", &study->full_spectra, &grid->full));
    if (grid->spec->producer == RL_PRODUCER_LAPACK && rl_dataset_in_blocks(&grid->data))
        return rl_fail(RL_ERR_INPUT,
                       "%s:%d: dataset `%s`: `producer: lapack` needs all rows on one rank, and its table is read in "
                       "blocks; expected another producer, or `load: whole`",
                       study->path, grid->spec->line, grid->spec->name);
    if (grid->spec->keep.predictions) grid->n_points = grid->data.n_test_only;
    rl_choose_way(study, grid);
    RL_TRY(check_rows_on_one_rank(study, grid));
    RL_TRY(check_summary(study, grid));
    grid->n_parts = grid->way == RL_WAY_GRID_SPECTRA ? grid->n_n_train : 1;
    grid->longest_span = grid->spec->keep.summary ? longest_span(grid) : 1;
    return check_directions(study, grid);
}

int rl_span_end(int first, int longest) {
    enum { SHARE = 8 };
    int span = RL_SHORTEST_SPAN;
    while (span <= first / (2 * SHARE)) span *= 2;
    return first + (span < longest ? span : longest);
}

/* Curves that all repeats of a grid make. */
static int64_t count_curves(const rl_study *study, const rl_grid *grid) {
    int64_t spans = 0;
    if (grid->longest_span == 1) return (int64_t)study->repeats * grid->n_parts;
    for (int first = 0; first < study->repeats; first = rl_span_end(first, grid->longest_span)) spans++;
    return spans;
}

static rl_status count(const rl_study *study, rl_plan *plan) {
    bool overflow = false;
    for (int i = 0; i < plan->n_grids; i++) {
        const rl_grid *grid = &plan->grids[i];
        const int64_t curves = count_curves(study, grid), repeated = (int64_t)study->repeats * grid->n_parts;
        int64_t spectra, cells;
        overflow |= __builtin_mul_overflow((int64_t)study->repeats, grid->n_n_train, &spectra);
        overflow |= __builtin_add_overflow(plan->n_repeated, repeated, &plan->n_repeated);
        overflow |= __builtin_mul_overflow(spectra, grid->spec->n_variants, &cells);
        overflow |= __builtin_add_overflow(plan->n_curves, curves, &plan->n_curves);
        overflow |= __builtin_add_overflow(plan->n_spectra, spectra, &plan->n_spectra);
        overflow |= __builtin_add_overflow(plan->n_cells, cells, &plan->n_cells);
    }
    if (!overflow && plan->n_curves <= MAX_CURVES) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s: key `repeats`: %d repeats of %d datasets are too many; expected at most %lld "
                   "curves (one a dataset, P and repeat; of `keep: summary` one a span of repeats)",
                   study->path, study->repeats, plan->n_datasets, (long long)MAX_CURVES);
}

/* Of the grid's curves, up to `end`; those of one part cost the same, repeat by repeat. */
static void set_costs(rl_plan *plan, int i, int64_t end) {
    const rl_grid *grid = &plan->grids[i];
    for (int64_t curve = grid->first_curve; curve < end; curve++) {
        const rl_curve *c = &plan->curves[curve], *before = c - grid->n_parts;
        plan->cost[curve] = curve < grid->first_curve + grid->n_parts
                                ? c->n_repeats * rl_curve_flops(grid, c->first_size, c->n_sizes)
                                : plan->cost[curve - grid->n_parts] / before->n_repeats * c->n_repeats;
    }
}

/* All parts of a repeat, or of a span of them. */
static void add_curves(rl_plan *plan, int i, rl_repeats repeats, int64_t *curve) {
    const rl_grid *grid = &plan->grids[i];
    const int per_part = grid->n_n_train / grid->n_parts;
    for (int part = 0; part < grid->n_parts; part++)
        plan->curves[(*curve)++] = (rl_curve){.grid = i,
                                              .repeat = repeats.first,
                                              .first_size = part * per_part,
                                              .n_sizes = per_part,
                                              .n_repeats = repeats.n};
}

static rl_status make_curves(const rl_study *study, rl_plan *plan) {
    RL_TRY(RL_ALLOC(plan->curves, plan->n_curves));
    RL_TRY(RL_ALLOC(plan->cost, plan->n_curves));
    int64_t curve = 0;
    for (int i = 0; i < plan->n_grids; i++) {
        rl_grid *grid = &plan->grids[i];
        grid->first_curve = curve;
        for (int first = 0, end; first < study->repeats; first = end) {
            end = grid->spec->keep.summary ? rl_span_end(first, grid->longest_span) : first + 1;
            end = end < study->repeats ? end : study->repeats;
            add_curves(plan, i, (rl_repeats){first, end - first}, &curve);
        }
        set_costs(plan, i, curve);
    }
    return RL_OK;
}

/* All datasets, the list of curves, and the largest buffers and record: a rank computes one curve at a time. What a
 * case on a process grid takes depends on its ranks: see rl_predict_curve. */
static size_t predict_memory(const rl_plan *plan) {
    size_t shared = (size_t)plan->n_curves * (sizeof *plan->curves + sizeof *plan->cost), largest = 0;
    for (int i = 0; i < plan->n_grids; i++) {
        const rl_grid *grid = &plan->grids[i];
        const size_t buffers = rl_way_on_grid(grid->way) ? 0 : rl_buffer_bytes(grid);
        const size_t own = buffers + rl_rows_bytes(&grid->data) + rl_record_bytes(grid) + rl_summary_bytes(grid);
        if (own > largest) largest = own;
    }
    for (int i = 0; i < plan->n_datasets; i++) shared += rl_dataset_bytes(&plan->datasets[i]);
    return shared + largest;
}

static const rl_study_dataset *find_spec(const rl_study *study, const char *name) {
    for (int i = 0; i < study->n_datasets; i++)
        if (strcmp(study->datasets[i].name, name) == 0) return &study->datasets[i];
    return NULL;
}

/* A grid for each P of the dataset. */
static rl_status make_views(const rl_study *study, const rl_study_dataset *spec, const rl_dataset *data,
                            rl_plan *plan) {
    const int n = spec->n_features.n_values;
    for (int i = 0; i < (n > 0 ? n : 1); i++) {
        rl_grid *grid = &plan->grids[plan->n_grids];
        const rl_view_request request = {.map = spec->map,
                                         .options = &spec->map_options,
                                         .n_features = n > 0 ? spec->n_features.values[i] : 0,
                                         .index = i};
        const rl_status status = rl_dataset_view(data, &request, &grid->data);
        if (status != RL_OK) return rl_fail(status, "%s:%d: %s", study->path, spec->line, rl_error_message());
        grid->spec = spec;
        plan->n_grids++;
    }
    return RL_OK;
}

/* From datasets that are there. */
static rl_status lay_out(const rl_study *study, rl_plan *plan) {
    size_t n = 0;
    for (int i = 0; i < study->n_datasets; i++) n += (size_t)study->datasets[i].n_features.n_values + 1;
    RL_TRY(RL_ALLOC(plan->grids, n));
    for (int i = 0; i < plan->n_datasets; i++)
        RL_TRY(make_views(study, find_spec(study, plan->datasets[i].name), &plan->datasets[i], plan));
    bool points = false, asked = false;
    for (int i = 0; i < plan->n_grids; i++) {
        RL_TRY(make_grid(study, &plan->grids[i]));
        points |= plan->grids[i].n_points > 0;
        asked |= plan->grids[i].spec->keep.predictions;
    }
    if (asked && !points)
        return rl_fail(RL_ERR_INPUT,
                       "%s: key `keep`: got predictions, and no dataset has test points; expected one of the source "
                       "`function`",
                       study->path);
    RL_TRY(count(study, plan));
    RL_TRY(make_curves(study, plan));
    plan->memory_per_rank = predict_memory(plan);
    return RL_OK;
}

/* ---- datasets -------------------------------------------------------------------------------------------------- */

/* The folder of the study file, "." when its path has none; owned by the caller. */
static rl_status folder_of(const char *path, char **folder) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return rl_strdup(folder, ".");
    RL_TRY(rl_strdup(folder, path));
    (*folder)[slash == path ? 1 : slash - path] = '\0';
    return RL_OK;
}

/* How to get what is missing, once a source. */
static rl_status append_advice(const rl_study *study, const bool *missing, rl_text *message) {
    for (int i = 0; i < study->n_datasets; i++) {
        const rl_source *source = study->datasets[i].source;
        bool told = !missing[i] || source->how_to_get == NULL;
        for (int j = 0; j < i; j++) told |= missing[j] && study->datasets[j].source == source;
        if (!told) RL_TRY(rl_text_append(message, "; %s: %s", source->name, source->how_to_get));
    }
    return RL_OK;
}

static rl_status append_missing(const rl_study *study, const rl_data_path *path, const bool *missing,
                                rl_text *message) {
    bool first = true;
    for (int i = 0; i < study->n_datasets; i++) {
        const rl_study_dataset *dataset = &study->datasets[i];
        const char *file = NULL;
        if (!missing[i] || rl_source_available(dataset->source, path, &file)) continue;
        RL_TRY(rl_text_append(message, "%s`%s` of the dataset `%s` (line %d)", first ? "" : ", ", file, dataset->name,
                              dataset->line));
        first = false;
    }
    RL_TRY(rl_text_append(message, "; looked in"));
    first = true;
    for (int i = 0; i < path->n_folders; i++) {
        if (path->folders[i] == NULL) continue;
        RL_TRY(rl_text_append(message, "%s %s", first ? "" : ",", path->folders[i]));
        first = false;
    }
    return RL_OK;
}

/* The advice comes last: it is what may be cut when the message grows too long. */
static rl_status fail_missing(const rl_study *study, const rl_data_path *path, const bool *missing, bool others) {
    const char *way_out = others ? "; --skip-missing runs the other datasets" : "";
    rl_text message = RL_TEXT_EMPTY;
    rl_status status;
    RL_TRY_GOTO(rl_text_append(&message, "%s: missing data files: ", study->path), out);
    RL_TRY_GOTO(append_missing(study, path, missing, &message), out);
    RL_TRY_GOTO(rl_text_append(&message, "%s", way_out), out);
    RL_TRY_GOTO(append_advice(study, missing, &message), out);
    status = rl_fail(RL_ERR_INPUT, "%s", message.bytes);
out:
    rl_free(message.bytes);
    return status;
}

static rl_status fail_unknown(const rl_study *study, const char *name) {
    rl_text names = RL_TEXT_EMPTY;
    rl_status status;
    for (int i = 0; i < study->n_datasets; i++)
        RL_TRY_GOTO(rl_text_append(&names, "%s%s", i == 0 ? "" : ", ", study->datasets[i].name), out);
    for (int i = 0; i < study->n_autoencoders; i++)
        RL_TRY_GOTO(rl_text_append(&names, "%s%s", names.length == 0 ? "" : ", ", study->autoencoders[i].name), out);
    status = rl_fail(RL_ERR_INPUT, "%s: has no dataset `%s`; expected one of %s", study->path, name, names.bytes);
out:
    rl_free(names.bytes);
    return status;
}

/* wanted[i]: whether dataset i is asked for. */
static rl_status choose_datasets(const rl_study *study, const rl_plan_options *options, bool *wanted, int *n_wanted) {
    *n_wanted = 0;
    for (int i = 0; i < options->n_datasets; i++) {
        const rl_study_dataset *spec = find_spec(study, options->datasets[i]);
        if (spec == NULL && rl_find_autoencoder(study, options->datasets[i]) >= 0) continue;
        if (spec == NULL) return fail_unknown(study, options->datasets[i]);
        wanted[spec - study->datasets] = true;
    }
    for (int i = 0; i < study->n_datasets; i++) {
        wanted[i] |= options->n_datasets == 0;
        *n_wanted += wanted[i];
    }
    return RL_OK;
}

/* missing[i]: whether dataset i is wanted and a file of it is not there; it is not wanted any more then. */
static rl_status check_files(const rl_study *study, const rl_plan_options *options, bool *wanted, bool *missing) {
    int n_wanted, n_missing = 0;
    RL_TRY(choose_datasets(study, options, wanted, &n_wanted));
    for (int i = 0; i < study->n_datasets; i++) {
        const char *file = NULL;
        missing[i] = wanted[i] && !rl_source_available(study->datasets[i].source, options->path, &file);
        n_missing += missing[i];
        wanted[i] &= !missing[i];
        if (missing[i] && options->skip_missing)
            rl_warn("dataset `%s` is left out: `%s` is missing", study->datasets[i].name, file);
    }
    if (n_missing == 0 || (options->skip_missing && n_missing < n_wanted)) return RL_OK;
    return fail_missing(study, options->path, missing, n_missing < n_wanted);
}

static rl_status load_datasets(const rl_study *study, const rl_plan_options *options, const char *base_folder,
                               rl_plan *plan) {
    bool *wanted; /* and behind it which of them are missing */
    RL_TRY(RL_ALLOC(wanted, 2 * study->n_datasets));
    rl_status status = check_files(study, options, wanted, wanted + study->n_datasets);
    for (int i = 0; i < study->n_datasets && status == RL_OK; i++) {
        const rl_study_dataset *spec = &study->datasets[i];
        if (!wanted[i]) continue;
        const rl_source_request request = {.name = spec->name,
                                           .options = &spec->options,
                                           .path = options->path,
                                           .base_folder = base_folder,
                                           .random = study->random,
                                           .seed = study->seed,
                                           .n_views = spec->n_features.n_values,
                                           .n_repeats = study->repeats};
        status = rl_dataset_load(spec->source, &request, &plan->datasets[plan->n_datasets]);
        if (status == RL_ERR_INPUT || status == RL_ERR_MEMORY)
            rl_fail(status, "%s:%d: %s", study->path, spec->line, rl_error_message());
        plan->n_datasets += status == RL_OK;
    }
    rl_free(wanted);
    return status;
}

/* The autoencoders that are asked for. */
static rl_status choose_trainings(const rl_study *study, const rl_plan_options *options, rl_plan *plan) {
    bool *wanted = NULL;
    RL_TRY(RL_ALLOC(wanted, study->n_autoencoders));
    for (int i = 0; i < study->n_autoencoders; i++) wanted[i] = options->n_datasets == 0;
    for (int i = 0; i < options->n_datasets; i++) {
        const int found = rl_find_autoencoder(study, options->datasets[i]);
        if (found >= 0) wanted[found] = true;
    }
    const rl_status status = rl_plan_trainings(plan, wanted);
    rl_free(wanted);
    return status;
}

static rl_status begin(const rl_study *study, rl_plan *plan) {
    *plan = (rl_plan){.study = study};
    return RL_ALLOC(plan->datasets, study->n_datasets);
}

rl_status rl_plan_create(const rl_study *study, const rl_plan_options *options, rl_plan *plan) {
    char *folder = NULL;
    rl_status status;
    RL_TRY_GOTO(begin(study, plan), out);
    RL_TRY_GOTO(folder_of(study->path, &folder), out);
    RL_TRY_GOTO(load_datasets(study, options, folder, plan), out);
    RL_TRY_GOTO(lay_out(study, plan), out);
    status = choose_trainings(study, options, plan);
out:
    rl_free(folder);
    if (status != RL_OK) rl_plan_destroy(plan);
    return status;
}

/* ---- datasets that are in memory ------------------------------------------------------------------------------- */

/* They get the order of the study. */
static rl_status take_datasets(const rl_study *study, rl_dataset *datasets, int n, rl_plan *plan) {
    for (int i = 0; i < n; i++)
        if (find_spec(study, datasets[i].name) == NULL)
            return rl_fail(RL_ERR_INPUT, "%s: has no dataset `%s`; expected one of the study's", study->path,
                           datasets[i].name);
    for (int i = 0; i < study->n_datasets; i++)
        for (int j = 0; j < n; j++) {
            if (datasets[j].name == NULL || strcmp(datasets[j].name, study->datasets[i].name) != 0) continue;
            datasets[j].source = study->datasets[i].source; /* an address of this process */
            plan->datasets[plan->n_datasets++] = datasets[j];
            datasets[j] = (rl_dataset){0};
            break;
        }
    if (plan->n_datasets > 0 || study->n_autoencoders > 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: no dataset is there; expected at least one", study->path);
}

rl_status rl_plan_create_with(const rl_study *study, rl_dataset *datasets, int n, rl_plan *plan) {
    rl_status status = begin(study, plan);
    if (status == RL_OK) status = take_datasets(study, datasets, n, plan);
    if (status == RL_OK) status = lay_out(study, plan);
    for (int i = 0; i < n; i++) rl_dataset_destroy(&datasets[i]); /* a failure leaves some behind */
    if (status != RL_OK) rl_plan_destroy(plan);
    return status;
}

void rl_curve_text(const rl_plan *plan, int64_t curve, char *text, size_t size) {
    const rl_curve *c = &plan->curves[curve];
    const rl_grid *g = &plan->grids[c->grid];
    const int first = g->n_train[c->first_size], last = g->n_train[c->first_size + c->n_sizes - 1];
    char range[24] = "", repeats[24] = "";
    if (c->n_sizes > 1) snprintf(range, sizeof range, " ... %d", last);
    if (c->n_repeats > 1) snprintf(repeats, sizeof repeats, " ... %d", c->repeat + c->n_repeats - 1);
    snprintf(text, size, "`%s`, P = %d, repeat %d%s, N = %d%s", g->data.name, g->data.n_features, c->repeat, repeats,
             first, range);
}

/* The span of a grid that has a repeat: the last one that begins at or before it. */
static int64_t find_span(const rl_plan *plan, int grid, int repeat) {
    int64_t low = plan->grids[grid].first_curve;
    int64_t high = grid + 1 < plan->n_grids ? plan->grids[grid + 1].first_curve : plan->n_curves;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        *(plan->curves[middle].repeat <= repeat ? &low : &high) = middle;
    }
    return low;
}

int64_t rl_plan_curve(const rl_plan *plan, int grid, int repeat, int i_n) {
    const rl_grid *g = &plan->grids[grid];
    if (g->spec->keep.summary) return find_span(plan, grid, repeat);
    return g->first_curve + (int64_t)repeat * g->n_parts + (g->n_parts > 1 ? i_n : 0);
}

int rl_plan_end_of_dataset(const rl_plan *plan, int first) {
    int end = first + 1;
    while (end < plan->n_grids && plan->grids[end].spec == plan->grids[first].spec) end++;
    return end;
}

void rl_plan_destroy(rl_plan *plan) {
    for (int i = 0; i < plan->n_grids; i++) {
        rl_free(plan->grids[i].n_train);
        rl_free(plan->grids[i].sigma_wanted);
        rl_free(plan->grids[i].full);
    }
    for (int i = 0; i < plan->n_datasets; i++) rl_dataset_destroy(&plan->datasets[i]);
    rl_free(plan->datasets);
    rl_free(plan->grids);
    rl_free(plan->curves);
    rl_free(plan->cost);
    rl_free(plan->training_grids);
    rl_free(plan->trainings);
    *plan = (rl_plan){0};
}

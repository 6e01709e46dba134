#include <math.h>
#include <stdio.h>

#include "cli.h"
#include "ridgeless/distributed.h"

/* A rank is worth starting while it takes off at least this part of the time. */
static const double worth = 0.7; /* of the time on half as many ranks */
enum { MOST_RANKS = 16384 };

/* What a data set's curves take on a number of ranks. */
typedef struct grid_estimate {
    int fewest, ranks_per_case, n_groups; /* of process grids; 1, 1, 0 without */
    int64_t curves_left;                  /* of the plan: spans as they are computed */
    double seconds_left;                  /* on all ranks */
    double seconds_case;                  /* the costliest curve */
    double bytes;                         /* a rank, of its case */
} grid_estimate;

typedef struct estimate {
    const rl_settings *settings;
    const rl_plan *plan;
    const rl_journal *journal; /* NULL: nothing is done */
    rl_rates rates;
    char *rates_source;
    double bytes_per_rank; /* that there are */
    double flops, seconds_left, seconds_on_fewest, memory;
    int64_t done;            /* curves, one a repeat */
    int ranks;               /* planned for */
    double seconds_training; /* the trainings that are left, on all ranks */
    int64_t trainings_done;
    grid_estimate *grids; /* [n_grids] */
} estimate;

/* ---- one data set ------------------------------------------------------------------------------------------------ */

static int64_t end_of(const rl_plan *plan, int grid) {
    return grid + 1 < plan->n_grids ? plan->grids[grid + 1].first_curve : plan->n_curves;
}

static bool is_done(const estimate *e, int64_t curve) {
    return rl_journal_has(e->journal, curve);
}

/* Curves of one part cost the same, repeat by repeat: as many predictions as parts. */
static rl_status add_seconds(estimate *e, int grid, grid_estimate *g) {
    const rl_grid *of = &e->plan->grids[grid];
    double *seconds = NULL;
    RL_TRY(RL_ALLOC(seconds, of->n_parts));
    for (int part = 0; part < of->n_parts; part++) {
        const int64_t curve = of->first_curve + part;
        const rl_curve_cost cost = rl_predict_curve(e->plan, curve, g->ranks_per_case, &e->rates);
        seconds[part] = cost.seconds / e->plan->curves[curve].n_repeats;
        g->bytes = fmax(g->bytes, cost.bytes);
    }
    for (int64_t i = of->first_curve; i < end_of(e->plan, grid); i++) {
        const double whole = seconds[(i - of->first_curve) % of->n_parts] * e->plan->curves[i].n_repeats;
        g->seconds_case = fmax(g->seconds_case, whole);
        if (!is_done(e, i)) g->seconds_left += whole;
    }
    rl_free(seconds);
    return RL_OK;
}

/* Groups side by side take at least the time of the costliest case. */
static void share_seconds(grid_estimate *g, int ranks) {
    const int64_t teams = g->n_groups > 0 ? g->n_groups : ranks;
    if (g->curves_left == 0) return;
    g->seconds_left =
        fmax(g->seconds_left / (double)(teams < g->curves_left ? teams : g->curves_left), g->seconds_case);
}

static rl_status estimate_grid(estimate *e, int grid, int ranks, grid_estimate *g) {
    const rl_grid *of = &e->plan->grids[grid];
    *g = (grid_estimate){.fewest = 1, .ranks_per_case = 1};
    for (int64_t i = of->first_curve; i < end_of(e->plan, grid); i++) g->curves_left += !is_done(e, i);
    if (rl_way_on_grid(of->way)) {
        RL_TRY(rl_fewest_ranks(e->plan->study, of, e->bytes_per_rank, &g->fewest));
        RL_TRY(
            rl_choose_ranks_per_case(e->plan->study, of, g->curves_left, ranks, e->bytes_per_rank, &g->ranks_per_case));
        g->n_groups = ranks / g->ranks_per_case;
    }
    RL_TRY(add_seconds(e, grid, g));
    share_seconds(g, ranks);
    return RL_OK;
}

/* ---- trainings --------------------------------------------------------------------------------------------------- */

static int ranks_of_training(const rl_study_autoencoder *a, int ranks) {
    return a->ranks_per_case == RL_RANKS_ALL ? ranks : a->ranks_per_case == RL_RANKS_AUTO ? 1 : a->ranks_per_case;
}

/* Groups side by side; no sooner than the longest training. */
static void estimate_trainings(estimate *e, int ranks) {
    double longest = 0;
    e->seconds_training = 0;
    e->trainings_done = 0;
    for (int64_t i = 0; i < e->plan->n_trainings; i++) {
        const int wanted = ranks_of_training(e->plan->training_grids[e->plan->trainings[i].grid].spec, ranks);
        const int group = wanted < ranks ? wanted : ranks;
        if (rl_journal_training_status(e->journal, i) != RL_TRAINING_MISSING) {
            e->trainings_done++;
            continue;
        }
        const double seconds = rl_predict_training(e->plan, i, group, &e->rates);
        longest = fmax(longest, seconds);
        e->seconds_training += seconds / (ranks / group);
    }
    e->seconds_training = fmax(e->seconds_training, longest);
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

/* Process grids come one data set after the other, and all else together. */
static rl_status estimate_on(estimate *e, int ranks) {
    e->ranks = ranks;
    e->seconds_left = e->memory = 0;
    for (int i = 0; i < e->plan->n_grids; i++) {
        RL_TRY(estimate_grid(e, i, ranks, &e->grids[i]));
        e->seconds_left += e->grids[i].seconds_left;
        if (rl_way_on_grid(e->plan->grids[i].way)) e->memory = fmax(e->memory, e->grids[i].bytes);
    }
    e->memory += (double)e->plan->memory_per_rank;
    estimate_trainings(e, ranks);
    e->seconds_left += e->seconds_training;
    return RL_OK;
}

/* The fewest ranks that the study can do with. */
static rl_status fewest_ranks(const estimate *e, int *ranks) {
    *ranks = 1;
    for (int i = 0; i < e->plan->n_grids; i++) {
        const rl_grid *g = &e->plan->grids[i];
        int fewest = g->spec->ranks_per_case;
        if (!rl_way_on_grid(g->way)) continue;
        if (fewest <= 0) RL_TRY(rl_fewest_ranks(e->plan->study, g, e->bytes_per_rank, &fewest));
        if (fewest > *ranks) *ranks = fewest;
    }
    for (int i = 0; i < e->plan->n_training_grids; i++)
        if (e->plan->training_grids[i].spec->ranks_per_case > *ranks)
            *ranks = e->plan->training_grids[i].spec->ranks_per_case;
    return RL_OK;
}

/* Twice as many ranks, as long as that pays. */
static rl_status find_ranks(estimate *e) {
    int ranks;
    RL_TRY(fewest_ranks(e, &ranks));
    RL_TRY(estimate_on(e, ranks));
    e->seconds_on_fewest = e->seconds_left;
    for (double before = e->seconds_left; ranks <= MOST_RANKS / 2; ranks *= 2, before = e->seconds_left) {
        RL_TRY(estimate_on(e, 2 * ranks));
        if (!(before > 1) || !(e->seconds_left < worth * before)) break;
    }
    return estimate_on(e, ranks);
}

static rl_status estimate_plan(estimate *e) {
    for (int64_t i = 0; i < e->plan->n_curves; i++) e->flops += e->plan->cost[i];
    e->done = rl_journal_tally(e->journal, e->plan, -1).curves_done;
    for (int64_t i = 0; i < e->plan->n_trainings; i++) {
        const rl_autoencoder model = rl_training_model(e->plan, i);
        e->flops += rl_training_flops(&model);
    }
    RL_TRY(RL_ALLOC(e->grids, e->plan->n_grids));
    RL_TRY(rl_rates_find(e->settings->rates, &e->rates, &e->rates_source));
    e->bytes_per_rank = rl_node_memory(e->settings) / e->rates.cores;
    if (e->settings->ranks > 0) {
        RL_TRY(estimate_on(e, e->settings->ranks));
        e->seconds_on_fewest = e->seconds_left;
        return RL_OK;
    }
    return find_ranks(e);
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

static void print_groups(const rl_grid *g, const grid_estimate *e) {
    char seconds[32], memory[32];
    int rows, columns;
    rl_process_grid_shape(e->ranks_per_case, &rows, &columns);
    printf(
        "  %-18s by %s; %d group(s) of %d rank(s), %d x %d; %s and %s a rank for the largest case; at least %d "
        "rank(s)\n",
        "", rl_producer_name(g->producer), e->n_groups, e->ranks_per_case, rows, columns,
        rl_time_text(e->seconds_case, seconds), rl_bytes_text(e->bytes, memory), e->fewest);
}

/* "N = 1 ... 39 (39 values)", of all P together. */
static void print_sizes(const rl_grid *grids, int n) {
    int first = grids->n_train[0], last = 0, fewest = grids->n_n_train, most = 0;
    for (const rl_grid *g = grids; g < grids + n; g++) {
        first = g->n_train[0] < first ? g->n_train[0] : first;
        last = g->n_train[g->n_n_train - 1] > last ? g->n_train[g->n_n_train - 1] : last;
        fewest = g->n_n_train < fewest ? g->n_n_train : fewest;
        most = g->n_n_train > most ? g->n_n_train : most;
    }
    printf("N = %d ... %d (%d", first, last, fewest);
    if (most > fewest) printf(" to %d", most);
    printf(" values), ");
}

/* A data set: n grids, one for each P. */
static void print_dataset(const rl_grid *grids, const grid_estimate *estimates, int n, int repeats) {
    const rl_dataset *data = &grids->data;
    printf("  %-18s P = %d", data->name, data->n_features);
    if (n > 1) printf(" ... %d (%d values)", grids[n - 1].data.n_features, n);
    if (data->map != NULL) printf(" by %s", data->map->name);
    printf(", ");
    print_sizes(grids, n);
    printf("%d variants, %d repeats; %d rows%s", grids->spec->n_variants, repeats, data->n_rows,
           data->fresh ? " drawn anew for each repeat" : "");
    if (grids->spec->keep.summary) printf("; summaries of at most %d repeats", grids->longest_span);
    for (int i = 0; i < n; i++) /* the way may change with P */
        if (i == 0 || grids[i].way != grids[i - 1].way) {
            printf("; %s", rl_way_text(grids[i].way));
            if (i > 0) printf(" from P = %d", grids[i].data.n_features);
        }
    printf("\n");
    for (int i = 0; i < n; i++)
        if (rl_way_on_grid(grids[i].way)) print_groups(&grids[i], &estimates[i]);
}

static void print_autoencoder(const rl_study_autoencoder *a, int ranks, int repeats) {
    const int last = a->n_train.n_values - 1;
    printf("  %-18s autoencoder, n = %d, m = %d", a->name, a->model.n_features, a->hidden[0]);
    if (a->n_hidden > 1) printf(" ... %d (%d values)", a->hidden[a->n_hidden - 1], a->n_hidden);
    printf(", T = %d ... %d (%d values), %d repeats; %d steps; %d rank(s) a training\n", a->n_train.values[0],
           a->n_train.values[last], last + 1, repeats, a->model.steps, ranks_of_training(a, ranks));
}

static void print_text(const rl_prepared *p, const estimate *e) {
    const rl_plan *plan = &p->plan;
    const bool found = e->settings->ranks == 0;
    char memory[32], time_text[32];
    printf("%s\n", p->study.title);
    for (int g = 0, end; g < plan->n_grids; g = end) {
        end = rl_plan_end_of_dataset(plan, g);
        print_dataset(&plan->grids[g], &e->grids[g], end - g, p->study.repeats);
    }
    for (int i = 0; i < plan->n_training_grids; i++)
        print_autoencoder(plan->training_grids[i].spec, e->ranks, p->study.repeats);
    if (plan->n_grids > 0)
        printf("cells            %lld\nspectra          %lld\ncurves           %lld, of which %lld are done\n",
               (long long)plan->n_cells, (long long)plan->n_spectra, (long long)plan->n_repeated, (long long)e->done);
    if (plan->n_trainings > 0)
        printf("trainings        %lld, of which %lld are done\n", (long long)plan->n_trainings,
               (long long)e->trainings_done);
    printf("flops            %.3g\nmemory a rank    %s\n", e->flops, rl_bytes_text(e->memory, memory));
    printf("estimated time   %s on %d rank(s)", rl_time_text(e->seconds_left, time_text), e->ranks);
    if (found && e->seconds_on_fewest > e->seconds_left)
        printf(", %s on the fewest that do", rl_time_text(e->seconds_on_fewest, time_text));
    if (found) printf("\nranks worth using %d", e->ranks);
    printf("\nrates            %s\nresults file     %s\n", e->rates_source, p->output);
}

static json_t *grid_json(const rl_grid *g, const grid_estimate *e) {
    json_t *n_train = json_array();
    for (int n = 0; n < g->n_n_train; n++) json_array_append_new(n_train, json_integer(g->n_train[n]));
    json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:o}", "name", g->data.name, "way", rl_way_text(g->way),
                               "rows", g->data.n_rows, "n_features", g->data.n_features, "variants",
                               g->spec->n_variants, "seconds", e->seconds_left, "n_train", n_train);
    if (object != NULL && g->data.map != NULL) json_object_set_new(object, "map", json_string(g->data.map->name));
    if (object == NULL || !rl_way_on_grid(g->way)) return object;
    json_object_set_new(object, "producer", json_string(rl_producer_name(g->producer)));
    json_object_set_new(object, "ranks_per_case", json_integer(e->ranks_per_case));
    json_object_set_new(object, "fewest_ranks_per_case", json_integer(e->fewest));
    json_object_set_new(object, "groups", json_integer(e->n_groups));
    json_object_set_new(object, "seconds_of_largest_case", json_real(e->seconds_case));
    json_object_set_new(object, "bytes_per_rank_of_largest_case", json_real(e->bytes));
    return object;
}

static json_t *autoencoder_json(const rl_study_autoencoder *a, int ranks) {
    json_t *hidden = json_array(), *n_train = json_array();
    for (int i = 0; i < a->n_hidden; i++) json_array_append_new(hidden, json_integer(a->hidden[i]));
    for (int i = 0; i < a->n_train.n_values; i++) json_array_append_new(n_train, json_integer(a->n_train.values[i]));
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o}", "name", a->name, "n_features", a->model.n_features, "steps",
                     a->model.steps, "ranks_per_case", ranks_of_training(a, ranks), "hidden", hidden, "n_train",
                     n_train);
}

static rl_status print_json(const rl_prepared *p, const estimate *e) {
    const rl_plan *plan = &p->plan;
    json_t *datasets = json_array();
    for (int i = 0; i < plan->n_grids; i++) json_array_append_new(datasets, grid_json(&plan->grids[i], &e->grids[i]));
    json_t *root =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:i, s:i, s:s, s:o}", "title",
                  p->study.title, "output", p->output, "cells", (json_int_t)plan->n_cells, "spectra",
                  (json_int_t)plan->n_spectra, "curves", (json_int_t)plan->n_repeated, "curves_done",
                  (json_int_t)e->done, "repeats", p->study.repeats, "flops", e->flops, "memory_per_rank_bytes",
                  e->memory, "seconds", e->seconds_left, "seconds_on_fewest_ranks", e->seconds_on_fewest, "ranks",
                  e->ranks, "ranks_worth_using", e->ranks, "rates", e->rates_source, "datasets", datasets);
    json_t *autoencoders = json_array();
    for (int i = 0; i < plan->n_training_grids; i++)
        json_array_append_new(autoencoders, autoencoder_json(plan->training_grids[i].spec, e->ranks));
    json_object_set_new(root, "trainings", json_integer(plan->n_trainings));
    json_object_set_new(root, "trainings_done", json_integer(e->trainings_done));
    json_object_set_new(root, "seconds_of_trainings", json_real(e->seconds_training));
    json_object_set_new(root, "autoencoders", autoencoders);
    return rl_print_json(root);
}

static rl_status print_sbatch(const rl_prepared *p, const estimate *e) {
    rl_job_needs needs = {.ranks = e->ranks,
                          .cores = e->rates.cores,
                          .seconds = e->seconds_left,
                          .bytes = e->memory,
                          .node_bytes = rl_node_memory(e->settings)};
    for (int i = 0; i < p->plan.n_grids; i++)
        if (e->grids[i].curves_left > 0) needs.seconds_case = fmax(needs.seconds_case, e->grids[i].seconds_case);
    return rl_print_sbatch(e->settings, p->output, &needs);
}

static rl_status print(const rl_prepared *p, const estimate *e) {
    if (e->settings->sbatch) return print_sbatch(p, e);
    if (e->settings->json) return print_json(p, e);
    print_text(p, e);
    return RL_OK;
}

rl_status rl_command_plan(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_prepared p = {0};
    rl_journal *journal = NULL;
    if (settings->sbatch && settings->json)
        return rl_fail(RL_ERR_INPUT, "plan: --sbatch and --json do not go together; expected one of them");
    rl_status status = rl_prepare(settings, 0, &p);
    if (status == RL_OK) status = rl_journal_open(p.output, &p.plan, true, &journal);
    estimate e = {.settings = settings, .plan = &p.plan, .journal = journal};
    if (status == RL_OK) status = estimate_plan(&e);
    if (status == RL_OK) status = print(&p, &e);
    rl_free(e.rates_source);
    rl_free(e.grids);
    if (journal != NULL) rl_journal_close(journal);
    rl_prepared_destroy(&p);
    return status;
}

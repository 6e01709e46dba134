/* What `plan` says to people: the study, what of it is done, a table of ranks, and what to do. */
#include <stdio.h>
#include <string.h>

#include "plan.h"
#include "ridgeless/distributed.h"

/* ---- the study --------------------------------------------------------------------------------------------------- */

/* The kind of work says it where there are no methods. */
const char *rl_how_computed(const rl_series *series) {
    return series->method != NULL ? rl_method_text(series->method) : series->kind->name;
}

rl_grid_shape rl_planned_shape(const rl_series *series, int ranks) {
    rl_grid_shape shape = series->spec->grid;
    if (shape.rows == 0) rl_process_grid_shape(ranks, &shape.rows, &shape.columns);
    return shape;
}

/* How ranks share large training sets. */
static void print_groups(const rl_series *series, const rl_series_estimate *s) {
    char seconds[32], memory[32];
    const rl_grid_shape grid = rl_planned_shape(series, s->ranks);
    printf("  %-18s each training set is on %d rank%s", "", s->ranks, rl_plural(s->ranks));
    if (s->ranks > 1) printf(", a process grid of %d x %d", grid.rows, grid.columns);
    if (s->n_groups > 1) printf("; %d such groups work at the same time", s->n_groups);
    printf("; producer: %s\n", rl_producer_name(series->producer));
    printf("  %-18s the largest training set takes %s and %s per rank, and needs at least %d rank%s\n", "",
           rl_time_text(s->seconds_case, seconds), rl_bytes_text(s->bytes, memory), s->fewest, rl_plural(s->fewest));
}

/* "N = 1 ... 39 (39 values)", or "N = 7"; so many values where each P has its own. */
static void print_range(const char *name, int first, int last, int fewest, int most) {
    char number[RL_N_TRAIN_TEXT];
    printf("%s = %s", name, rl_n_train_text(first, number));
    if (last == first) return;
    printf(" ... %s (%d", rl_n_train_text(last, number), fewest);
    if (most > fewest) printf(" to %d", most);
    printf(" value%s)", rl_plural(most));
}

/* Of all P together. */
static void print_n_train(const rl_series *series, int n) {
    int first = series->n_train[0], last = 0, fewest = series->n_n_train, most = 0;
    for (const rl_series *s = series; s < series + n; s++) {
        first = s->n_train[0] < first ? s->n_train[0] : first;
        last = s->n_train[s->n_n_train - 1] > last ? s->n_train[s->n_n_train - 1] : last;
        fewest = s->n_n_train < fewest ? s->n_n_train : fewest;
        most = s->n_n_train > most ? s->n_n_train : most;
    }
    print_range("N", first, last, fewest, most);
}

/* A data set: n series, one for each P. */
static void print_dataset(const rl_series *series, const rl_series_estimate *estimates, int n) {
    const rl_dataset *data = &series->data;
    char repeats[32], rows[RL_ROWS_TEXT], features[RL_FEATURES_TEXT];
    printf("  %-18s %s", data->name,
           rl_features_text(series->n_features, series[n - 1].n_features, n, data->intercept, features));
    if (data->map != NULL) printf(" by %s", data->map->name);
    printf(", ");
    print_n_train(series, n);
    printf(", %d ablation%s, %s repeat%s; %s%s", series->spec->n_variants, rl_plural(series->spec->n_variants),
           rl_count_text(series->study->repeats, repeats), rl_plural(series->study->repeats),
           rl_rows_text(data->n_rows, data->n_dropped, rows), data->fresh ? " drawn anew for each repeat" : "");
    if (series->spec->keep.summary)
        printf("; summaries of at most %s repeats", rl_count_text(series->longest_span, repeats));
    for (int i = 0; i < n; i++) /* the method may change with P */
        if (i == 0 || series[i].method != series[i - 1].method) {
            printf("; %s", rl_how_computed(&series[i]));
            if (i > 0) printf(" from P = %d", series[i].n_features);
        }
    printf("\n");
    char rank[RL_RANK_TEXT];
    if (rl_series_rank_text(series, n, rank)[0] != '\0') printf("  %-18s %s\n", "", rank);
    if (data->scales_apart) printf("  %-18s " RL_SCALES_APART "\n", "");
    for (int i = 0; i < n; i++)
        if (series[i].on_grid) print_groups(&series[i], &estimates[i]);
}

/* An autoencoder: n series, one for each m. */
static void print_autoencoder(const rl_series *series, const rl_series_estimate *estimates, int n) {
    const rl_autoencoder *model = &series->autoencoder->model;
    char repeats[32], steps[32];
    printf("  %-18s autoencoder, n = %d, ", series->name, model->n_features);
    print_range("m", series[0].n_features, series[n - 1].n_features, n, n);
    printf(", ");
    print_range("T", series->n_train[0], series->n_train[series->n_n_train - 1], series->n_n_train, series->n_n_train);
    printf(", %s repeat%s; %s steps; %d rank%s per training\n", rl_count_text(series->study->repeats, repeats),
           rl_plural(series->study->repeats), rl_count_text(model->steps, steps), estimates->ranks,
           rl_plural(estimates->ranks));
}

int64_t rl_count_cells(const rl_answer *answer) {
    return rl_plan_count(&answer->prepared->plan, NULL, 0, answer->outlook.n_of_data).cells;
}

static void print_done(const char *pieces, const rl_tally *t) {
    char n[32], done[32];
    printf("%-16s %s, of which %s are done\n", pieces, rl_count_text(t->pieces, n), rl_count_text(t->done, done));
}

static void print_study(const rl_answer *a) {
    const rl_plan *plan = &a->prepared->plan;
    char n[32], of[32];
    printf("%s\n", a->prepared->study.title);
    for (int i = 0, end; i < plan->n_series; i = end) {
        end = rl_plan_end_of_group(plan, i);
        (i < a->outlook.n_of_data ? print_dataset : print_autoencoder)(&plan->series[i], &a->estimate->series[i],
                                                                       end - i);
    }
    if (a->outlook.n_of_data > 0) {
        printf("errors           %s, of %s training set%s\n", rl_count_text(rl_count_cells(a), n),
               rl_count_text(a->curves.points, of), rl_plural(a->curves.points));
        print_done("curves", &a->curves);
    }
    if (a->trainings.pieces > 0) print_done("trainings", &a->trainings);
    const char *output = a->prepared->output;
    printf("results file     %s\nrates            %s%s\n", output != NULL ? output : "-o FILE names it",
           a->rates_source,
           strcmp(a->rates_source, RL_RATES_SHIPPED) != 0
               ? ""
               : "; `ridgeless bench calibrate` measures those of this machine");
}

/* ---- ranks ------------------------------------------------------------------------------------------------------- */

static void print_choice(const rl_estimate *e, const char *remark) {
    char seconds[32], memory[32];
    printf("%8d %8d %14s %18s   %s\n", e->ranks, e->nodes, rl_time_text(e->seconds, seconds),
           rl_bytes_text(e->bytes, memory), remark);
}

static const char *remark_on(const rl_answer *a, int i) {
    const rl_estimate *e = &a->advice.choices[i];
    if (i == a->advice.best) return "advised";
    if (i == 0 && e->ranks > 1) return "the fewest that do";
    return e->ranks == a->outlook.nodes.cores ? "all cores of one node" : "";
}

static void print_choices(const rl_answer *a) {
    const rl_advice *advice = &a->advice;
    bool told = a->asked.ranks == 0;
    printf("\n%8s %8s %14s %18s\n", "ranks", "nodes", "estimated time", "memory per rank");
    for (int i = 0; i < advice->n; i++) {
        if (!told && a->asked.ranks < advice->choices[i].ranks) print_choice(&a->asked, "asked for");
        told |= a->asked.ranks <= advice->choices[i].ranks;
        if (a->asked.ranks == advice->choices[i].ranks)
            print_choice(&a->asked, "asked for");
        else
            print_choice(&advice->choices[i], remark_on(a, i));
    }
    if (!told) print_choice(&a->asked, "asked for");
}

/* "1 rank", "12 ranks, the fewest that do", "64 ranks on 2 nodes" */
static rl_status append_ranks(const rl_advice *advice, const rl_estimate *e, rl_text *text) {
    const bool fewest = e->ranks > 1 && e->ranks == advice->choices[0].ranks;
    RL_TRY(rl_text_append(text, "%d rank%s", e->ranks, rl_plural(e->ranks)));
    if (e->nodes > 1) RL_TRY(rl_text_append(text, " on %d nodes", e->nodes));
    return fewest ? rl_text_append(text, ", the fewest that do") : RL_OK;
}

/* Why no more: what the largest choice would take. */
static rl_status append_reason(const rl_advice *advice, const rl_estimate *best, rl_text *text) {
    const rl_estimate *most = &advice->choices[advice->n - 1];
    const char *enough = best->nodes > 1 ? "this is fast enough" : "one node is fast enough";
    char seconds[32];
    if (most->ranks > best->ranks && most->seconds >= best->seconds)
        return rl_text_append(text, "; more ranks gain nothing.");
    if (advice->reason == RL_NOTHING_GAINED) return rl_text_append(text, "; more ranks gain little.");
    if (most->ranks == best->ranks) return rl_text_append(text, "; %s.", enough);
    return rl_text_append(text, "; %d ranks on %d nodes would take %s, but %s.", most->ranks, most->nodes,
                          rl_time_text(most->seconds, seconds), enough);
}

rl_status rl_advise_in_words(const rl_advice *advice, rl_text *text) {
    const rl_estimate *best = &advice->choices[advice->best], *fewer = &advice->choices[advice->on_node];
    char seconds[32];
    if (best->computing <= 0) return rl_text_append(text, "Everything is computed; nothing to run.");
    RL_TRY(rl_text_append(text, "Use "));
    RL_TRY(append_ranks(advice, best, text));
    RL_TRY(rl_text_append(text, ": it takes %s", rl_time_text(best->seconds, seconds)));
    rl_time_text(fewer->seconds, seconds);
    if (best != fewer && fewer->nodes == 1) RL_TRY(rl_text_append(text, ", on one node %s", seconds));
    if (best != fewer && fewer->nodes > 1) RL_TRY(rl_text_append(text, ", on %d ranks %s", fewer->ranks, seconds));
    return append_reason(advice, best, text);
}

void rl_print_plan_text(const rl_answer *answer) {
    rl_text text = RL_TEXT_EMPTY;
    print_study(answer);
    if (answer->estimate->computing > 0) print_choices(answer);
    if (rl_advise_in_words(&answer->advice, &text) == RL_OK) printf("\n%s\n", text.bytes);
    rl_free(text.bytes);
}

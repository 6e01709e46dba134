#include <math.h>
#include <stdio.h>

#include "cli.h"

/* What a core reaches on spectra of a few tens of rows, in the plan's flops: measured with `ridgeless bench study` on
 * one core of an AMD EPYC at 2.4 GHz. Larger spectra go faster, so the estimate errs on the long side. */
static const double flops_per_second = 1.0e9;

/* A rank is worth starting for this much work, and only while every rank has curves enough to level the end. */
static const double seconds_worth_a_rank = 0.5;
enum { CURVES_WORTH_A_RANK = 8 };

typedef struct estimate {
    double flops, seconds_left; /* on one rank */
    int64_t done, ranks;
} estimate;

static estimate estimate_plan(const rl_plan *plan, const rl_journal *journal) {
    estimate e = {0};
    double left = 0;
    for (int64_t i = 0; i < plan->n_curves; i++) {
        const bool done = journal != NULL && rl_journal_record(journal, i) != NULL;
        e.flops += plan->cost[i];
        left += done ? 0 : plan->cost[i];
        e.done += done;
    }
    e.seconds_left = left / flops_per_second;
    e.ranks =
        (int64_t)fmin((double)(plan->n_curves - e.done) / CURVES_WORTH_A_RANK, e.seconds_left / seconds_worth_a_rank);
    if (e.ranks < 1) e.ranks = 1;
    return e;
}

static void print_grid(const rl_grid *g, int repeats) {
    const int last = g->n_train[g->n_n_train - 1];
    printf("  %-18s P = %d, N = %d ... %d (%d values), %d variants, %d repeats; %d rows%s; %s\n", g->data.name,
           g->data.n_features, g->n_train[0], last, g->n_n_train, g->spec->n_variants, repeats, g->data.n_rows,
           g->data.fresh ? " drawn anew for each repeat" : "", rl_way_text(g->way));
}

static void print_text(const rl_prepared *p, const estimate *e) {
    const rl_plan *plan = &p->plan;
    char memory[32], one[32], many[32];
    printf("%s\n", p->study.title);
    for (int g = 0; g < plan->n_grids; g++) print_grid(&plan->grids[g], p->study.repeats);
    printf("cells            %lld\nspectra          %lld\ncurves           %lld, of which %lld are done\n",
           (long long)plan->n_cells, (long long)plan->n_spectra, (long long)plan->n_curves, (long long)e->done);
    printf("flops            %.3g\nmemory a rank    %s\n", e->flops,
           rl_bytes_text((double)plan->memory_per_rank, memory));
    printf("estimated time   %s on 1 rank", rl_time_text(e->seconds_left, one));
    if (e->ranks > 1)
        printf(", %s on %lld", rl_time_text(e->seconds_left / (double)e->ranks, many), (long long)e->ranks);
    printf("\nranks worth using %lld\nresults file     %s\n", (long long)e->ranks, p->output);
}

static rl_status print_json(const rl_prepared *p, const estimate *e) {
    const rl_plan *plan = &p->plan;
    json_t *datasets = json_array();
    for (int i = 0; i < plan->n_grids; i++) {
        const rl_grid *g = &plan->grids[i];
        json_t *n_train = json_array();
        for (int n = 0; n < g->n_n_train; n++) json_array_append_new(n_train, json_integer(g->n_train[n]));
        json_array_append_new(
            datasets, json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "name", g->data.name, "way", rl_way_text(g->way),
                                "rows", g->data.n_rows, "n_features", g->data.n_features, "variants",
                                g->spec->n_variants, "n_train", n_train));
    }
    json_t *root =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:f, s:I, s:f, s:I, s:o}", "title", p->study.title, "output",
                  p->output, "cells", (json_int_t)plan->n_cells, "spectra", (json_int_t)plan->n_spectra, "curves",
                  (json_int_t)plan->n_curves, "curves_done", (json_int_t)e->done, "repeats", p->study.repeats, "flops",
                  e->flops, "memory_per_rank_bytes", (json_int_t)plan->memory_per_rank, "seconds_on_one_rank",
                  e->seconds_left, "ranks_worth_using", (json_int_t)e->ranks, "datasets", datasets);
    return rl_print_json(root);
}

rl_status rl_command_plan(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_prepared p = {0};
    rl_journal *journal = NULL;
    rl_status status = rl_prepare(settings, 0, &p);
    if (status == RL_OK) status = rl_journal_open(p.output, &p.plan, true, &journal);
    if (status == RL_OK) {
        const estimate e = estimate_plan(&p.plan, journal);
        if (settings->json)
            status = print_json(&p, &e);
        else
            print_text(&p, &e);
    }
    if (journal != NULL) rl_journal_close(journal);
    rl_prepared_destroy(&p);
    return status;
}

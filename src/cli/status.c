#include <stdio.h>

#include "cli.h"

/* Finished curves of a grid; the plan's curves stand dataset by dataset. */
static int64_t count_done(const rl_plan *plan, const rl_journal *journal, int grid, int64_t *total) {
    int64_t done = 0;
    *total = 0;
    for (int64_t i = 0; i < plan->n_curves; i++) {
        if (plan->curves[i].grid != grid) continue;
        ++*total;
        if (journal != NULL && rl_journal_record(journal, i) != NULL) done++;
    }
    return done;
}

static void print_text(const rl_prepared *p, const rl_journal *journal) {
    const int64_t done = journal != NULL ? rl_journal_count(journal) : 0, total = p->plan.n_curves;
    printf("%s: %lld of %lld curves done, %lld missing\n", p->output, (long long)done, (long long)total,
           (long long)(total - done));
    for (int g = 0; g < p->plan.n_grids; g++) {
        int64_t curves;
        const int64_t finished = count_done(&p->plan, journal, g, &curves);
        printf("  %-20s %lld of %lld\n", p->plan.grids[g].data.name, (long long)finished, (long long)curves);
    }
}

static rl_status print_json(const rl_prepared *p, const rl_journal *journal) {
    json_t *datasets = json_array();
    for (int g = 0; g < p->plan.n_grids; g++) {
        int64_t curves;
        const int64_t finished = count_done(&p->plan, journal, g, &curves);
        json_array_append_new(datasets, json_pack("{s:s, s:I, s:I}", "name", p->plan.grids[g].data.name, "curves",
                                                  (json_int_t)curves, "done", (json_int_t)finished));
    }
    const int64_t done = journal != NULL ? rl_journal_count(journal) : 0;
    json_t *root = json_pack("{s:s, s:I, s:I, s:o}", "output", p->output, "curves", (json_int_t)p->plan.n_curves,
                             "done", (json_int_t)done, "datasets", datasets);
    return rl_print_json(root);
}

rl_status rl_command_status(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_prepared p = {0};
    rl_journal *journal = NULL;
    rl_status status = rl_prepare(settings, 0, &p);
    if (status == RL_OK) status = rl_journal_open(p.output, &p.plan, true, &journal);
    if (status == RL_OK && settings->json)
        status = print_json(&p, journal);
    else if (status == RL_OK)
        print_text(&p, journal);
    if (journal != NULL) rl_journal_close(journal);
    rl_prepared_destroy(&p);
    return status;
}

#include <stdio.h>

#include "cli.h"

/* The parts of a tally that are not always there. */
static void print_rest(const rl_tally *t) {
    if (t->curves_begun > 0) printf(", %lld in part", (long long)t->curves_begun);
    if (t->spectra_failed > 0)
        printf("; %lld of %lld spectra failed", (long long)t->spectra_failed, (long long)t->spectra);
    printf("\n");
}

static void print_text(const rl_prepared *p, const rl_journal *journal) {
    const rl_tally all = rl_journal_tally(journal, &p->plan, -1);
    printf("%s: %lld of %lld curves done, %lld missing", p->output, (long long)all.curves_done, (long long)all.curves,
           (long long)(all.curves - all.curves_done - all.curves_begun));
    print_rest(&all);
    for (int g = 0; g < p->plan.n_grids; g = rl_plan_end_of_dataset(&p->plan, g)) {
        const rl_tally t = rl_journal_tally(journal, &p->plan, g);
        printf("  %-20s %lld of %lld", p->plan.grids[g].data.name, (long long)t.curves_done, (long long)t.curves);
        print_rest(&t);
    }
}

/* The object takes the tally in. */
static json_t *add_tally(json_t *object, const rl_tally *t) {
    if (object == NULL) return NULL;
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"curves", t->curves},
                   {"done", t->curves_done},
                   {"in_part", t->curves_begun},
                   {"spectra", t->spectra},
                   {"spectra_done", t->spectra_done},
                   {"spectra_missing", t->spectra_missing},
                   {"spectra_failed", t->spectra_failed}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(object, numbers[i].key, json_integer(numbers[i].value));
    return object;
}

static rl_status print_json(const rl_prepared *p, const rl_journal *journal) {
    json_t *datasets = json_array();
    for (int g = 0; g < p->plan.n_grids; g = rl_plan_end_of_dataset(&p->plan, g)) {
        const rl_tally t = rl_journal_tally(journal, &p->plan, g);
        json_array_append_new(datasets, add_tally(json_pack("{s:s}", "name", p->plan.grids[g].data.name), &t));
    }
    const rl_tally all = rl_journal_tally(journal, &p->plan, -1);
    return rl_print_json(add_tally(json_pack("{s:s, s:o}", "output", p->output, "datasets", datasets), &all));
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

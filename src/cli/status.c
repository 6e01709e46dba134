#include <stdio.h>

#include "cli.h"

/* The parts of a tally that are not always there. */
static void print_rest(const rl_tally *t) {
    if (t->curves_begun > 0) printf(", %lld in part", (long long)t->curves_begun);
    if (t->spectra_failed > 0)
        printf("; %lld of %lld spectra failed", (long long)t->spectra_failed, (long long)t->spectra);
    printf("\n");
}

static void print_trainings(const rl_training_tally *t) {
    printf("%lld of %lld trainings done", (long long)t->done, (long long)t->trainings);
    if (t->begun > 0) printf(", %lld begun", (long long)t->begun);
    if (t->diverged > 0) printf("; %lld diverged", (long long)t->diverged);
    printf("\n");
}

/* The steps that trainings under way have taken. */
static void print_begun(const rl_plan *plan, const rl_journal *journal, int grid) {
    enum { MOST = 20 };
    int shown = 0;
    for (int64_t i = 0; i < plan->n_trainings && shown < MOST; i++) {
        char text[200];
        const int step = rl_journal_training_step(journal, i);
        if (step < 0 || plan->trainings[i].grid != grid) continue;
        rl_training_text(plan, i, text, sizeof text);
        printf("    %s: step %d of %d\n", text, step, plan->training_grids[grid].spec->model.steps);
        shown++;
    }
}

static void print_autoencoders(const rl_prepared *p, const rl_journal *journal) {
    for (int g = 0; g < p->plan.n_training_grids; g++) {
        const rl_training_tally t = rl_journal_tally_trainings(journal, &p->plan, g);
        printf("  %-20s ", p->plan.training_grids[g].spec->name);
        print_trainings(&t);
        print_begun(&p->plan, journal, g);
    }
}

static void print_text(const rl_prepared *p, const rl_journal *journal) {
    const rl_tally all = rl_journal_tally(journal, &p->plan, -1);
    printf("%s:", p->output);
    if (all.curves > 0)
        printf(" %lld of %lld curves done, %lld missing", (long long)all.curves_done, (long long)all.curves,
               (long long)(all.curves - all.curves_done - all.curves_begun));
    print_rest(&all);
    for (int g = 0; g < p->plan.n_grids; g = rl_plan_end_of_dataset(&p->plan, g)) {
        const rl_tally t = rl_journal_tally(journal, &p->plan, g);
        printf("  %-20s %lld of %lld", p->plan.grids[g].data.name, (long long)t.curves_done, (long long)t.curves);
        print_rest(&t);
    }
    print_autoencoders(p, journal);
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

static json_t *autoencoders_json(const rl_prepared *p, const rl_journal *journal) {
    json_t *list = json_array();
    for (int g = 0; g < p->plan.n_training_grids; g++) {
        const rl_training_tally t = rl_journal_tally_trainings(journal, &p->plan, g);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", p->plan.training_grids[g].spec->name, "trainings",
                            (json_int_t)t.trainings, "done", (json_int_t)t.done, "begun", (json_int_t)t.begun,
                            "missing", (json_int_t)t.missing, "diverged", (json_int_t)t.diverged));
    }
    return list;
}

static rl_status print_json(const rl_prepared *p, const rl_journal *journal) {
    json_t *datasets = json_array();
    for (int g = 0; g < p->plan.n_grids; g = rl_plan_end_of_dataset(&p->plan, g)) {
        const rl_tally t = rl_journal_tally(journal, &p->plan, g);
        json_array_append_new(datasets, add_tally(json_pack("{s:s}", "name", p->plan.grids[g].data.name), &t));
    }
    const rl_tally all = rl_journal_tally(journal, &p->plan, -1);
    json_t *autoencoders = autoencoders_json(p, journal);
    return rl_print_json(add_tally(
        json_pack("{s:s, s:o, s:o}", "output", p->output, "datasets", datasets, "autoencoders", autoencoders), &all));
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

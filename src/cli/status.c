/* The command `status`: what of a study is done, by its journal. */
#include <stdio.h>

#include "cli.h"

/* Behind the last series of data sets; those of autoencoders come after them. */
static int end_of_data(const rl_plan *plan) {
    int end = 0;
    while (end < plan->n_series && plan->series[end].spec != NULL) end++;
    return end;
}

/* "12 of 100". */
static void print_part(int64_t n, int64_t of) {
    char part[32], whole[32];
    printf("%s of %s", rl_count_text(n, part), rl_count_text(of, whole));
}

/* The parts of a tally of curves that are not always there. */
static void print_rest(const rl_series *series, const rl_tally *t) {
    char n[32];
    if (t->begun > 0) printf(", %s partly done", rl_count_text(t->begun, n));
    if (t->points_failed > 0) {
        printf("; ");
        print_part(t->points_failed, t->points);
        printf(" %s failed", series->kind->points);
    }
    printf("\n");
}

/* The steps that work under way has taken. */
static void print_begun(const rl_plan *plan, const rl_journal *journal, int first, int end) {
    enum { MOST = 20 };
    int shown = 0;
    for (int s = first; s < end; s++)
        for (int i = 0; i < plan->series[s].n_n_train; i++)
            for (int repeat = 0; repeat < plan->study->repeats && shown < MOST; repeat++) {
                const int64_t task = rl_plan_task(plan, s, repeat, i);
                const int step = rl_journal_step(journal, task);
                char text[200];
                if (step < 0) continue;
                rl_plan_text(plan, task, text, sizeof text);
                printf("    %s: step %d of %d\n", text, step, plan->series[s].autoencoder->model.steps);
                shown++;
            }
}

static void print_group(const rl_prepared *p, const rl_journal *journal, int first, int end) {
    const rl_series *series = &p->plan.series[first];
    const rl_tally t = rl_journal_tally(journal, &p->plan, first, end);
    char n[32];
    printf("  %-20s ", series->name);
    if (series->spec != NULL) {
        print_part(t.done, t.pieces);
        print_rest(series, &t);
        return;
    }
    print_part(t.points_done, t.points);
    printf(" %s done", series->kind->points);
    if (t.begun > 0) printf(", %s begun", rl_count_text(t.begun, n));
    if (t.points_failed > 0) printf("; %s diverged", rl_count_text(t.points_failed, n));
    printf("\n");
    print_begun(&p->plan, journal, first, end);
}

static void print_text(const rl_prepared *p, const rl_journal *journal) {
    const rl_plan *plan = &p->plan;
    const rl_tally all = rl_journal_tally(journal, plan, 0, end_of_data(plan));
    char n[32];
    printf("%s:", p->output);
    if (all.pieces > 0) {
        printf(" ");
        print_part(all.done, all.pieces);
        printf(" %s done, %s missing", plan->series->kind->pieces, rl_count_text(all.pieces - all.done - all.begun, n));
    }
    print_rest(plan->series, &all);
    for (int first = 0, end; first < plan->n_series; first = end) {
        end = rl_plan_end_of_group(plan, first);
        print_group(p, journal, first, end);
    }
    if (all.pieces > 0 && plan->series->kind->piece_gloss != NULL) printf("(%s)\n", plan->series->kind->piece_gloss);
}

/* The object takes in the tally of curves. */
static json_t *add_tally(json_t *object, const rl_tally *t) {
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"curves", t->pieces},
                   {"done", t->done},
                   {"in_part", t->begun},
                   {"spectra", t->points},
                   {"spectra_done", t->points_done},
                   {"spectra_missing", t->points_missing},
                   {"spectra_failed", t->points_failed}};
    for (size_t i = 0; object != NULL && i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(object, numbers[i].key, json_integer(numbers[i].value));
    return object;
}

/* An entry for each group of series [first, end). */
static json_t *groups_json(const rl_plan *plan, const rl_journal *journal, int first, int end) {
    json_t *list = json_array();
    for (int behind; first < end; first = behind) {
        behind = rl_plan_end_of_group(plan, first);
        const rl_series *series = &plan->series[first];
        const rl_tally t = rl_journal_tally(journal, plan, first, behind);
        json_array_append_new(
            list, series->spec != NULL
                      ? add_tally(json_pack("{s:s}", "name", series->name), &t)
                      : json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", series->name, "trainings",
                                  (json_int_t)t.points, "done", (json_int_t)t.points_done, "begun", (json_int_t)t.begun,
                                  "missing", (json_int_t)t.points_missing, "diverged", (json_int_t)t.points_failed));
    }
    return list;
}

static rl_status print_json(const rl_prepared *p, const rl_journal *journal) {
    const rl_plan *plan = &p->plan;
    const int of_data = end_of_data(plan);
    const rl_tally all = rl_journal_tally(journal, plan, 0, of_data);
    json_t *datasets = groups_json(plan, journal, 0, of_data);
    json_t *autoencoders = groups_json(plan, journal, of_data, plan->n_series);
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

/* The command `plan`: what a study takes, in time, memory and ranks, and what of it is done. */
#include "plan.h"

#include <math.h>
#include <string.h>

/* done[i]: nothing is missing of task i. */
static rl_status list_done(const rl_plan *plan, const rl_journal *journal, bool **done) {
    RL_TRY(RL_ALLOC(*done, plan->n_tasks));
    for (int64_t i = 0; i < plan->n_tasks; i++) (*done)[i] = rl_journal_has(journal, plan, i);
    return RL_OK;
}

/* A node is like this machine, or has as many cores as were busy where the rates were measured, unless Slurm says what
 * its nodes are, or the rates are those of a typical one. */
static rl_nodes find_nodes(const rl_settings *settings, const rl_answer *a, const rl_partition *partition) {
    const int here = rl_context_processors(), there = a->rates.cores;
    const bool typical = strcmp(a->rates_source, RL_RATES_CLUSTER_SOURCE) == 0;
    rl_nodes nodes = {.cores = here > there && !typical ? here : there, .bytes = rl_node_memory(settings)};
    if (typical && settings->memory == 0) nodes.bytes = RL_RATES_CLUSTER_BYTES;
    if (partition->cores > 0) nodes.cores = partition->cores;
    if (partition->cores > 0 && settings->memory == 0) nodes.bytes = partition->node_bytes;
    return nodes;
}

static rl_status make_outlook(const rl_journal *journal, rl_nodes nodes, rl_answer *a) {
    const rl_plan *plan = &a->prepared->plan;
    bool *done = NULL;
    rl_status status = list_done(plan, journal, &done);
    if (status == RL_OK) status = rl_outlook_create(plan, done, &a->rates, nodes, &a->outlook);
    if (status == RL_OK) status = rl_find_overheads(plan, journal, a->outlook.n_records, &a->outlook.overheads);
    rl_free(done);
    return status;
}

/* Too few ranks are refused before it is looked for better ones. */
static rl_status make_answer(const rl_journal *journal, const rl_partition *partition, rl_answer *a) {
    const rl_plan *plan = &a->prepared->plan;
    RL_TRY(rl_rates_find(a->settings->rates, &a->rates, &a->rates_source));
    RL_TRY(make_outlook(journal, find_nodes(a->settings, a, partition), a));
    for (int64_t i = 0; i < plan->n_tasks; i++) a->flops += plan->tasks[i].flops;
    a->curves = rl_journal_tally(journal, plan, 0, a->outlook.n_of_data);
    a->trainings = rl_journal_tally(journal, plan, a->outlook.n_of_data, plan->n_series);
    if (a->settings->ranks > 0) RL_TRY(rl_estimate_create(&a->outlook, a->settings->ranks, &a->asked));
    RL_TRY(rl_advise(&a->outlook, &a->advice));
    a->estimate = a->settings->ranks > 0 ? &a->asked : &a->advice.choices[a->advice.best];
    return RL_OK;
}

/* Work that can be left and gone on with need not end in one go. Without --ranks one node is asked for, or as few as
 * will do. */
static rl_status print_sbatch(const rl_answer *a, const rl_partition *partition) {
    const rl_estimate *e = a->settings->ranks > 0 ? &a->asked : &a->advice.choices[a->advice.on_node];
    rl_job_needs needs = {.ranks = e->ranks,
                          .nodes = e->nodes,
                          .seconds = e->seconds,
                          .bytes = e->bytes,
                          .other_bytes = e->other_bytes,
                          .node_bytes = a->outlook.nodes.bytes};
    const rl_plan *plan = &a->prepared->plan;
    for (int i = 0; i < plan->n_series; i++)
        if (e->series[i].n_remaining > 0 && !plan->series[i].kind->restorable)
            needs.seconds_case = fmax(needs.seconds_case, e->series[i].seconds_case);
    return rl_print_sbatch(a->settings, a->prepared->output, &needs, partition);
}

static rl_status answer_plan(rl_settings *settings, const rl_prepared *p) {
    rl_answer a = {.settings = settings, .prepared = p};
    rl_partition partition = {0};
    rl_journal *journal = NULL;
    rl_status status = settings->sbatch ? rl_slurm_partition(settings->partition, &partition) : RL_OK;
    if (status == RL_OK && p->output != NULL) status = rl_journal_open(p->output, &p->plan, true, &journal);
    if (status == RL_OK) status = make_answer(journal, &partition, &a);
    if (status == RL_OK && settings->sbatch)
        status = print_sbatch(&a, &partition);
    else if (status == RL_OK && settings->scaling)
        status = rl_print_scaling(&a);
    else if (status == RL_OK && settings->json)
        status = rl_print_plan_json(&a);
    else if (status == RL_OK)
        rl_print_plan_text(&a);
    rl_estimate_destroy(&a.asked);
    rl_advice_destroy(&a.advice);
    rl_outlook_destroy(&a.outlook);
    rl_free(a.rates_source);
    if (journal != NULL) rl_journal_close(journal);
    return status;
}

rl_status rl_command_plan(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_prepared p = {0};
    if (settings->sbatch && (settings->json || settings->compare != NULL))
        return rl_fail(RL_ERR_INPUT, "plan: --sbatch and --%s do not go together; expected one of them",
                       settings->json ? "json" : "compare");
    if (settings->scaling && (settings->sbatch || settings->compare != NULL || settings->ranks > 0))
        return rl_fail(RL_ERR_INPUT, "plan: --scaling and --%s do not go together; expected one of them",
                       settings->sbatch            ? "sbatch"
                       : settings->compare != NULL ? "compare"
                                                   : "ranks");
    if (settings->partition != NULL && !settings->sbatch)
        return rl_fail(RL_ERR_INPUT, "plan: --partition is of the batch script; expected --sbatch, too");
    rl_status status = rl_prepare(settings, 0, &p);
    if (status == RL_OK) status = settings->compare != NULL ? rl_compare_plan(settings, &p) : answer_plan(settings, &p);
    rl_prepared_destroy(&p);
    return status;
}

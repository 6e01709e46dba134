/* What people should know of a journal that another study has begun, or one with more repeats. */
#include <stdio.h>
#include <string.h>

#include "journal.h"

/* What reaches beyond the study's repeats is of no use to it; what it would have served may be there otherwise. */
static void tell_what_is_cut_off(const rl_journal *journal) {
    const rl_plan *plan = journal->plan;
    rl_tally t = {0};
    for (int s = 0; s < plan->n_series && journal->reaches_beyond; s++)
        if (plan->series[s].longest_span > 1)
            rl_places_add_to_tally(journal, plan, rl_plan_end_of_tasks(plan, s) - 1, &t);
    if (t.pieces > t.done)
        rl_warn(
            "%s: has records that reach beyond the study's %d repeats; what was counted together cannot be taken "
            "apart: they are left alone, and %lld repeats are computed again",
            journal->path, plan->study->repeats, (long long)(t.pieces - t.done));
}

static void tell_of_repeats(const rl_journal *journal) {
    const int repeats = journal->plan->study->repeats;
    char there[32], asked[32], first[64] = "the first one is";
    if (journal->most_repeats <= repeats) return;
    if (repeats > 1) snprintf(first, sizeof first, "the first %s are", rl_count_text(repeats, asked));
    rl_info("the journal holds %s repeats, the study asks for %s: %s written",
            rl_count_text(journal->most_repeats, there), rl_count_text(repeats, asked), first);
}

/* Names of data sets and autoencoders that the study does not ask for. */
static void tell_of_others(const rl_journal *journal) {
    const rl_text *others = &journal->others;
    for (size_t at = 0; at < others->length; at += strlen(others->bytes + at) + 1)
        rl_info("the journal also has `%s`, which the study does not ask for: it stays there", others->bytes + at);
}

/* Of the first series of a group for which something is there that is of no use, and something missing. */
static void tell_of_unused(const rl_journal *journal, int first, int end) {
    const rl_plan *plan = journal->plan;
    for (int s = first; s < end; s++) {
        const rl_series *series = &plan->series[s];
        const rl_verdict *v = &journal->unused[s];
        const rl_tally t = rl_journal_tally(journal, plan, s, s + 1);
        if (v->unused <= RL_UNUSED_SILENTLY || t.points_missing == 0) continue;
        if (v->unused == RL_UNUSED_ABLATION)
            rl_info("`%s`: curves in the journal are without `%s`, and are computed again", series->name,
                    series->spec->variants[v->missing].label);
        else if (v->unused == RL_UNUSED_KEPT)
            rl_info("`%s`: curves in the journal are without what `keep` asks for, and are computed again",
                    series->name);
        else
            rl_info(
                "`%s`: curves in the journal came by another method than these ablations have, whose numbers are "
                "others in the last digits; they are computed again",
                series->name);
        return;
    }
}

void rl_journal_tell(const rl_journal *journal) {
    const rl_plan *plan = journal->plan;
    tell_what_is_cut_off(journal);
    tell_of_repeats(journal);
    tell_of_others(journal);
    for (int first = 0, end; first < plan->n_series; first = end) {
        end = rl_plan_end_of_group(plan, first);
        tell_of_unused(journal, first, end);
    }
}

/* What people should know of the arithmetic: numbers of two of them agree to rounding, not to the bit. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* ---- before a run ------------------------------------------------------------------------------------------------ */

static const double worth_a_word = 1e11; /* operations, which take the slowest kernels a minute */

static bool goes_through_blas(const rl_plan *plan, const rl_todo *todo) {
    for (int64_t i = 0; i < todo->n; i++)
        if (rl_series_by_blas(&plan->series[plan->tasks[todo->items[i].task].series])) return true;
    return false;
}

/* "ranks 0-3, 6" */
static rl_status append_ranks(rl_text *text, const rl_arithmetics *a, int which, int n_ranks) {
    int n = 0;
    for (int rank = 0; rank < n_ranks; rank++) n += a->of[rank] == which;
    RL_TRY(rl_text_append(text, "rank%s ", rl_plural(n)));
    for (int first = 0, end; first < n_ranks; first = end) {
        for (end = first; end < n_ranks && a->of[end] == which; end++) continue;
        if (end == first) {
            end++;
            continue;
        }
        n -= end - first;
        RL_TRY(rl_text_append(text, "%d", first));
        if (end - first > 1) RL_TRY(rl_text_append(text, "-%d", end - 1));
        if (n > 0) RL_TRY(rl_text_append(text, ", "));
    }
    return RL_OK;
}

static rl_status warn_of_ranks(const rl_arithmetics *a, int n_ranks) {
    enum { MOST = 4 };
    rl_text text = RL_TEXT_EMPTY;
    rl_status status = RL_OK;
    for (int i = 0; i < a->n && i < MOST && status == RL_OK; i++) {
        if (i > 0) status = rl_text_append(&text, ", ");
        if (status == RL_OK) status = append_ranks(&text, a, i, n_ranks);
        if (status == RL_OK) status = rl_text_append(&text, " with %s", a->texts[i]);
    }
    if (status == RL_OK && a->n > MOST) status = rl_text_append(&text, ", others with %d more", a->n - MOST);
    if (status == RL_OK)
        rl_warn(
            "ranks compute with several arithmetics, %s: their numbers agree to rounding, not to the bit, and the same "
            "command may give other bits",
            text.bytes);
    rl_free(text.bytes);
    return status;
}

static bool is_among(const rl_arithmetics *a, const char *text) {
    int i = 0;
    while (i < a->n && strcmp(a->texts[i], text) != 0) i++;
    return i < a->n || strcmp(text, RL_ARITHMETIC_UNKNOWN) == 0;
}

/* Of what the journal has, the arithmetic of the most spectra that this run has not; NULL: it has all. */
static const char *find_other(const rl_arithmetic_uses *uses, const rl_arithmetics *now) {
    const rl_arithmetic_use *most = NULL;
    for (int i = 0; i < uses->n; i++)
        if (!is_among(now, uses->list[i].arithmetic) && (most == NULL || uses->list[i].points > most->points))
            most = &uses->list[i];
    return most != NULL ? most->arithmetic : NULL;
}

void rl_tell_kernels(void) {
    const char *faster = rl_context_faster_kernels();
    if (faster != NULL)
        rl_warn(
            "OpenBLAS does not know this processor, and its kernels for an older one may take several times as long: "
            "set OPENBLAS_CORETYPE=%s for all ranks; numbers then agree to rounding, not to the bit",
            faster);
}

static double operations_by_blas(const rl_plan *plan, const rl_todo *todo) {
    double flops = 0;
    for (int64_t i = 0; i < todo->n; i++) {
        const rl_task *task = &plan->tasks[todo->items[i].task];
        if (rl_series_by_blas(&plan->series[task->series])) flops += task->flops;
    }
    return flops;
}

rl_status rl_tell_arithmetic(const rl_plan *plan, const rl_todo *todo, const rl_journal *journal,
                             const rl_arithmetics *now, int n_ranks) {
    rl_arithmetic_uses uses;
    if (!goes_through_blas(plan, todo)) return RL_OK;
    if (operations_by_blas(plan, todo) > worth_a_word) rl_tell_kernels();
    if (now->n > 1) RL_TRY(warn_of_ranks(now, n_ranks));
    RL_TRY(rl_journal_uses(journal, &uses));
    const char *other = find_other(&uses, now);
    if (other != NULL)
        rl_warn("begun with %s, goes on with %s: values agree to rounding, not to the bit", other, now->texts[0]);
    rl_journal_uses_destroy(&uses);
    return RL_OK;
}

/* ---- after it ---------------------------------------------------------------------------------------------------- */

static rl_status add_uses(const rl_arithmetic_uses *uses, double *points, rl_text *names, rl_provenance *p) {
    for (int i = 0; i < uses->n; i++) {
        RL_TRY(rl_text_append(names, "%s%s", i > 0 ? "; " : "", uses->list[i].arithmetic));
        points[i] = (double)uses->list[i].points;
    }
    RL_TRY(rl_provenance_text(p, "arithmetic", names->bytes));
    return rl_provenance_numbers(p, "arithmetic_spectra", points, uses->n);
}

rl_status rl_add_arithmetic(const rl_journal *journal, rl_provenance *provenance) {
    rl_arithmetic_uses uses;
    rl_text names = RL_TEXT_EMPTY;
    double *points = NULL;
    RL_TRY(rl_journal_uses(journal, &uses));
    rl_status status = RL_ALLOC(points, uses.n);
    if (status == RL_OK && uses.n > 0) status = add_uses(&uses, points, &names, provenance);
    rl_free(points);
    rl_free(names.bytes);
    rl_journal_uses_destroy(&uses);
    return status;
}

rl_status rl_arithmetic_json(const rl_journal *journal, json_t **list) {
    rl_arithmetic_uses uses;
    RL_TRY(rl_journal_uses(journal, &uses));
    *list = json_array();
    for (int i = 0; i < uses.n; i++)
        json_array_append_new(*list, json_pack("{s:s, s:I}", "name", uses.list[i].arithmetic, "spectra",
                                               (json_int_t)uses.list[i].points));
    rl_journal_uses_destroy(&uses);
    return RL_OK;
}

/* ---- between two files ------------------------------------------------------------------------------------------- */

bool rl_arithmetics_differ(const rl_comparison *c) {
    const char *const *of = (const char *const *)c->arithmetics;
    if (c->n_differences == 0 || of[0] == NULL || of[1] == NULL) return false;
    return strcmp(of[0], of[1]) != 0 || strstr(of[0], "; ") != NULL;
}

void rl_print_arithmetics(const char *const paths[2], const rl_comparison *c) {
    if (!rl_arithmetics_differ(c)) return;
    for (int f = 0; f < 2; f++) printf("%s was computed with %s\n", paths[f], c->arithmetics[f]);
    printf("numbers of two arithmetics agree to rounding, not to the bit\n");
}

/* Studies that share a journal: what the records that one left are to another. */
#include <string.h>

#include "journal.h"

rl_status rl_settings_declare(rl_settings_list *settings, int number, const char *text, const char *arithmetic) {
    RL_TRY(RL_GROW(settings->list, settings->n, settings->n + 1));
    rl_declared *d = &settings->list[settings->n++];
    *d = (rl_declared){.number = number, .own = strcmp(text, settings->own) == 0};
    RL_TRY(rl_strdup(&d->text, text));
    return arithmetic != NULL && *arithmetic != '\0' ? rl_strdup(&d->arithmetic, arithmetic) : RL_OK;
}

/* A number stands for what was declared last under it. */
static rl_declared *find_declared(const rl_settings_list *settings, int number) {
    for (int i = settings->n - 1; i >= 0; i--)
        if (settings->list[i].number == number) return &settings->list[i];
    return NULL;
}

static bool has_arithmetic(const rl_declared *d, const char *arithmetic) {
    if (d->arithmetic == NULL || arithmetic == NULL) return d->arithmetic == arithmetic;
    return strcmp(d->arithmetic, arithmetic) == 0;
}

int rl_settings_find_own(const rl_settings_list *settings, const char *arithmetic) {
    for (int i = settings->n - 1; i >= 0; i--) {
        const rl_declared *d = &settings->list[i];
        if (d->own && has_arithmetic(d, arithmetic) && d == find_declared(settings, d->number)) return d->number;
    }
    return -1;
}

void rl_settings_destroy(rl_settings_list *settings, int n_series) {
    for (int i = 0; i < settings->n; i++) {
        rl_declared *d = &settings->list[i];
        for (int s = 0; d->verdicts != NULL && s < n_series; s++) rl_free(d->verdicts[s].variants);
        rl_free(d->verdicts);
        rl_free(d->text);
        rl_free(d->arithmetic);
    }
    rl_free(settings->list);
    rl_free(settings->own);
    *settings = (rl_settings_list){0};
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

static rl_unused what_is_missing(const rl_series *series, const rl_former *former) {
    const rl_keep *had = &former->spec.keep, *wanted = &series->spec->keep;
    if (had->summary != wanted->summary) return RL_UNUSED_KEPT;
    if (wanted->modes > had->modes || wanted->directions > had->directions || wanted->predictions > had->predictions)
        return RL_UNUSED_KEPT;
    if ((series->spec->measures & ~former->spec.measures) != 0) return RL_UNUSED_KEPT;
    if (former->missing >= 0) return RL_UNUSED_ABLATION;
    return former->is_known && rl_series_takes(series, former) ? RL_UNUSED_NOT : RL_UNUSED_METHOD;
}

/* What the study says in the place of RL_SETTINGS_WAY would make other numbers of its own ablations. */
static bool has_other_way(const rl_series *series, const rl_former *former) {
    rl_former same = *former;
    same.spec.variants = series->spec->variants;
    same.spec.n_variants = series->spec->n_variants;
    same.spec.keep = series->spec->keep;
    same.spec.measures = series->spec->measures;
    return !rl_series_takes(series, &same);
}

static rl_status judge_data_set(const char *have, const char *want, const rl_series *series, rl_verdict *v) {
    rl_former former;
    rl_status status = rl_former_read(series->spec, have, want, &former);
    if (status == RL_OK) {
        v->other_way = has_other_way(series, &former);
        v->unused = what_is_missing(series, &former);
        v->missing = former.missing;
        v->n_variants = former.spec.n_variants;
        v->variants = former.places;
        former.places = NULL;
    }
    rl_former_destroy(&former);
    return status;
}

static rl_status judge(const rl_settings_list *settings, const rl_plan *plan, const rl_declared *d,
                       const rl_series *series, rl_verdict *v) {
    bool agree = true;
    if (d->own) return RL_OK;
    if (!rl_settings_have(d->text, series->name)) {
        v->unused = RL_UNUSED_SILENTLY;
        return RL_OK;
    }
    RL_TRY(rl_settings_agree(plan->study, series->name, RL_SETTINGS_DATA, d->text, settings->own, &agree));
    v->other_data = !agree;
    return agree && series->spec != NULL ? judge_data_set(d->text, settings->own, series, v) : RL_OK;
}

const rl_declared *rl_settings_declared(const rl_settings_list *settings, int number) {
    return find_declared(settings, number);
}

rl_status rl_settings_judge(const rl_settings_list *settings, const rl_plan *plan, int number, int series,
                            const rl_verdict **verdict) {
    rl_declared *d = find_declared(settings, number);
    *verdict = NULL;
    if (d == NULL) return RL_OK;
    if (d->verdicts == NULL) RL_TRY(RL_ALLOC(d->verdicts, plan->n_series));
    rl_verdict *v = &d->verdicts[series];
    if (!v->known) RL_TRY(judge(settings, plan, d, &plan->series[series], v));
    v->known = true;
    *verdict = v;
    return RL_OK;
}

void rl_verdict_apply(const rl_verdict *verdict, rl_record *record) {
    record->variants = verdict->variants;
    record->n_variants = verdict->n_variants;
}

rl_status rl_settings_refuse(const rl_settings_list *settings, const char *path, const rl_plan *plan, int number) {
    const rl_declared *d = find_declared(settings, number);
    RL_TRY(rl_settings_compare(path, plan->study, RL_SETTINGS_DATA, d->text, settings->own));
    RL_TRY(rl_settings_compare(path, plan->study, RL_SETTINGS_WAY, d->text, settings->own));
    return rl_settings_compare(path, plan->study, RL_SETTINGS_ALL, d->text, settings->own);
}

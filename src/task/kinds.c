/* The table of kinds, and what is asked of the kind of a series. */
#include <string.h>

#include "../kinds.h"
#include "ridgeless/task.h"

#define DECLARE(name) extern const rl_kind rl_##name##_kind;
#define ROW(name)     &rl_##name##_kind,
RL_KINDS(DECLARE)

const rl_kind *const rl_kinds[] = {RL_KINDS(ROW) NULL};

const rl_kind *rl_kind_find(uint32_t number) {
    for (const rl_kind *const *kind = rl_kinds; *kind != NULL; kind++)
        if ((*kind)->number == number) return *kind;
    return NULL;
}

const rl_kind *rl_kind_of(const rl_series *series) {
    const rl_kind *const *kind = rl_kinds;
    while (!(*kind)->suits(series)) kind++;
    return *kind;
}

const rl_kind *rl_kind_noun(const rl_kind *kind) {
    const rl_kind *const *noun = rl_kinds;
    while (strcmp((*noun)->pieces, kind->pieces) != 0) noun++;
    return *noun;
}

bool rl_kind_is_point(const rl_kind *kind) {
    return strcmp(kind->piece, kind->point) == 0;
}

rl_count rl_series_count(const rl_series *series) {
    const int64_t repeats = series->study->repeats, points = repeats * series->n_n_train;
    return (rl_count){.pieces = repeats * series->n_parts,
                      .points = points,
                      .cells = points * (series->spec != NULL ? series->spec->n_variants : 1)};
}

void rl_task_text(const rl_series *series, const rl_task *task, char *text, size_t size) {
    series->kind->text(series, task, text, size);
}

double rl_kept_bytes(const rl_series *series, const rl_task *task) {
    return series->kind->kept_bytes != NULL ? series->kind->kept_bytes(series, task) : 0;
}

int rl_most_together(const rl_series *series) {
    return series->kind->together != NULL ? series->kind->together(series) : 1;
}

size_t rl_worker_bytes(const rl_series *series) {
    return series->kind->bytes(series);
}

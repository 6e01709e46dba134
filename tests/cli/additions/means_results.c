/* The group of a fourth kind of work, for the test of additions: one mean for each K and stream. */
#include <math.h>
#include <string.h>

#include "writer.h"

static size_t count_means(const group *g) {
    return (size_t)g->series->n_n_train * (size_t)g->series->study->repeats;
}

static rl_status measure_means(const writer *w, group *g) {
    (void)w;
    g->n_values = count_means(g);
    return RL_OK;
}

static rl_status define_means(writer *w, group *g) {
    const dimension dimensions[] = {{"k", (size_t)g->series->n_n_train}, {"stream", (size_t)g->series->study->repeats}};
    static const array arrays[] = {{"k", "how many numbers", "k", .type = NC_INT},
                                   {"mean", "mean of the first k numbers", "k stream", .type = NC_DOUBLE, .nan = true}};
    RL_TRY(rl_begin_group(w, g, dimensions, 2));
    return rl_define_arrays(w, g, arrays, 2);
}

static rl_status take_means(const taken *t, const rl_record *record, const int *target, bool *sound) {
    *sound = record->length == (size_t)record->n * sizeof(double);
    for (int k = 0; k < record->n && *sound; k++)
        if (target[k] >= 0)
            memcpy(&t->w->values[target[k] * t->series->study->repeats + t->task->repeats.first],
                   (const double *)record->content + k, sizeof(double));
    return RL_OK;
}

static rl_status fill_means(writer *w, group *g) {
    RL_TRY(rl_put_values(w, "k", g->series->n_train));
    for (size_t i = 0; i < count_means(g); i++) w->values[i] = NAN;
    RL_TRY(rl_read_group(w, g, (rl_range){0, g->series->study->repeats}, take_means, NULL));
    return rl_put_values(w, "mean", w->values);
}

const rl_group_writer rl_means_writer = {.measure = measure_means, .define = define_means, .fill = fill_means};

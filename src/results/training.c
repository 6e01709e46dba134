/* The group of an autoencoder: what its trainings have left, an array over (n_hidden, n_train, repeat) for each field
 * of a training's record. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../numbers.h"
#include "writer.h"

/* An array of a training's record. */
typedef struct field {
    const char *name, *long_name, *comment; /* comment may be NULL */
    const char *dimensions;                 /* of one training's */
    size_t offset;                          /* of its size_t in rl_training_layout */
    bool relative;                          /* to predicting nothing: times n */
    bool of_examples;                       /* of which smaller training sets have fewer */
} field;

#define ARRAY(member) offsetof(rl_training_layout, member)
static const char measured[] = "measured";
static const char relative_to[] =
    "measured; the mean squared distance of inputs of unit length, which is 1 where nothing is predicted";
static const char at_the_end[] =
    "measured at the end: |v|^2 / sum over all w of (w . v / |v|)^2 (Henighan et al. 2023)";
static const field fields[] = {
    {"status", "status of the training", NULL, "", .offset = ARRAY(status)},
    {"train_mse", "mean squared error over training examples and features", measured, "step",
     .offset = ARRAY(train_mse)},
    {"test_mse", "mean squared error over fresh examples and features", measured, "step", .offset = ARRAY(test_mse)},
    {"train_relative_loss", "training loss relative to predicting nothing", relative_to, "step",
     .offset = ARRAY(train_mse), .relative = true},
    {"test_relative_loss", "loss on fresh examples relative to predicting nothing", relative_to, "step",
     .offset = ARRAY(test_mse), .relative = true},
    {"feature_dimension", "fractional dimension of the features' embeddings", at_the_end, "feature",
     .offset = ARRAY(feature_dimension)},
    {"example_dimension", "fractional dimension of the training examples' hidden vectors", at_the_end, "example",
     .offset = ARRAY(example_dimension), .of_examples = true},
    {"feature_embedding", "embedding of the features: columns of W", measured, "component feature",
     .offset = ARRAY(feature_embedding)},
    {"example_embedding", "hidden vectors of the training examples: W x", measured, "component example",
     .offset = ARRAY(example_embedding), .of_examples = true},
};
enum { STATUS = 0 /* the first field */, N_FIELDS = sizeof fields / sizeof *fields, COMPONENTS = 2 };

typedef struct trainings {
    size_t n_sets;            /* (n_hidden, n_train, repeat) */
    size_t n_examples;        /* of the largest training set */
    extent extents[N_FIELDS]; /* of each field: a row is one training's; none: left out, as there are no embeddings */
} trainings;

static void destroy_trainings(void *state) {
    rl_free(state);
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

static bool has_embeddings(const group *g) {
    const rl_study_autoencoder *a = g->series->autoencoder;
    bool any = false;
    for (int m = 0; m < a->n_hidden; m++) any |= a->hidden[m] == COMPONENTS;
    return any;
}

/* Numbers of a field for each training; 0: it is left out. */
static size_t width_of(const group *g, const trainings *t, const field *f) {
    const rl_autoencoder *model = &g->series->autoencoder->model;
    size_t width = 1;
    if (strstr(f->dimensions, "step") != NULL) width *= (size_t)rl_training_layout_of(model).n_records;
    if (strstr(f->dimensions, "component") != NULL) width *= has_embeddings(g) ? COMPONENTS : 0;
    if (strstr(f->dimensions, "feature") != NULL) width *= (size_t)model->n_features;
    if (strstr(f->dimensions, "example") != NULL) width *= t->n_examples;
    return width;
}

static rl_status measure_trainings(const writer *w, group *g) {
    const rl_series *s = g->series;
    trainings *t;
    RL_TRY(RL_ALLOC(t, 1));
    g->state = t;
    t->n_sets = (size_t)g->n_series * (size_t)s->n_n_train * (size_t)s->study->repeats;
    for (int i = 0; i < s->n_n_train; i++) {
        const rl_autoencoder model = rl_training_model(s, i);
        t->n_examples = rl_larger(t->n_examples, (size_t)rl_training_examples(&model));
    }
    for (int f = 0; f < N_FIELDS; f++) {
        const size_t width = width_of(g, t, &fields[f]);
        t->extents[f] = (extent){width > 0 ? t->n_sets : 0, width};
    }
    g->n_slab = rl_slab_room(w, t->extents, N_FIELDS);
    return RL_OK;
}

static rl_status begin_trainings(writer *w, group *g, const trainings *t) {
    const rl_series *s = g->series;
    const rl_study_autoencoder *a = s->autoencoder;
    const dimension dimensions[] = {{"n_hidden", (size_t)g->n_series},
                                    {"n_train", (size_t)s->n_n_train},
                                    {"repeat", (size_t)s->study->repeats},
                                    {"step", (size_t)rl_training_layout_of(&a->model).n_records},
                                    {"component", has_embeddings(g) ? COMPONENTS : 0},
                                    {"feature", (size_t)a->model.n_features},
                                    {"example", t->n_examples}};
    return rl_begin_group(w, g, dimensions, sizeof dimensions / sizeof *dimensions);
}

static rl_status describe_model(const writer *w, const group *g) {
    const rl_autoencoder *m = &g->series->autoencoder->model;
    const char *const texts[][2] = {{"kind", RL_AUTOENCODER_KIND},
                                    {"model", "x' = ReLU(W^T W x + b), by full-batch AdamW"},
                                    {"schedule", rl_learning_schedule_name(m->schedule)},
                                    {"loss", rl_loss_name(m->loss)},
                                    {"initialization", rl_initialization_name(m->initialization)},
                                    {"precision", rl_precision_name(m->precision)},
                                    {"references",
                                     "Henighan et al. 2023, Superposition, Memorization, and Double Descent, "
                                     "Transformer Circuits Thread, "
                                     "https://transformer-circuits.pub/2023/toy-double-descent"}};
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"n_features", m->n_features},
                   {"sparsity", m->sparsity},
                   {"n_test", m->n_test},
                   {"batch", m->batch},
                   {"steps", m->steps},
                   {"warm_up", m->warm_up},
                   {"learning_rate", m->learning_rate},
                   {"weight_decay", m->weight_decay},
                   {"epsilon", m->epsilon}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, texts[i][0], texts[i][1]));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        RL_NC(&w->file, nc_put_att_double(g->id, NC_GLOBAL, numbers[i].name, NC_DOUBLE, 1, &numbers[i].value));
    return RL_OK;
}

/* Examples that there are not are fill values, which shrink well. A chunk is one training's, or a part of it. */
static rl_status define_field(writer *w, const group *g, int f) {
    static const signed char flags[] = {RL_TRAINING_DONE, RL_TRAINING_MISSING, RL_TRAINING_DIVERGED};
    const int before = w->n_variables;
    char dimensions[64];
    snprintf(dimensions, sizeof dimensions, "n_hidden n_train repeat %s", fields[f].dimensions);
    RL_TRY(rl_define_array(w, g,
                           &(array){.name = fields[f].name,
                                    .long_name = fields[f].long_name,
                                    .dimensions = dimensions,
                                    .type = f == STATUS ? NC_BYTE : NC_DOUBLE,
                                    .least = fields[f].of_examples ? 8 * RL_SMALL : 0,
                                    .apart = 3,
                                    .comment = fields[f].comment,
                                    .original = true,
                                    .nan = f != STATUS,
                                    .in_parts = true}));
    if (w->n_variables == before) return RL_OK;
    return f == STATUS ? rl_put_flags(w, flags, sizeof flags, RL_TRAINING_STATUS_MEANINGS) : RL_OK;
}

static rl_status define_trainings(writer *w, group *g) {
    static const array coordinates[] = {
        {"n_hidden", "hidden dimensions m", "n_hidden", .type = NC_INT, .original = true},
        {"n_train", "training examples T", "n_train", .type = NC_INT, .original = true,
         .comment = "2147483647: infinite, each step drew others"},
        {"repeat", "repeat: inputs and weights to start from, drawn anew", "repeat", .type = NC_INT, .original = true},
        {"step", "steps of AdamW taken", "step", .type = NC_INT, .original = true},
    };
    RL_TRY(begin_trainings(w, g, g->state));
    RL_TRY(describe_model(w, g));
    RL_TRY(rl_define_arrays(w, g, coordinates, sizeof coordinates / sizeof *coordinates));
    for (int f = 0; f < N_FIELDS; f++) RL_TRY(define_field(w, g, f));
    return RL_OK;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

/* A training's part of a field, from its record, into its place. */
static void place_field(const trainings *t, const part *q, const rl_autoencoder *model, const double *record,
                        size_t set) {
    const field *f = &fields[q->array];
    const rl_training_layout layout = rl_training_layout_of(model);
    const size_t row = f->of_examples ? t->n_examples : q->width;
    const size_t there = f->of_examples ? (size_t)rl_training_examples(model) : q->width;
    const double factor = f->relative ? model->n_features : 1;
    double *values = q->values + (set - q->first) * q->width;
    size_t begin;
    memcpy(&begin, (const char *)&layout + f->offset, sizeof begin);
    for (size_t i = 0; i < q->width / row; i++)
        for (size_t k = 0; k < there; k++) values[i * row + k] = factor * record[begin + i * there + k];
}

static rl_status take_training(const taken *at, const rl_record *record, const int *target, bool *sound) {
    const trainings *t = at->g->state;
    const slab *s = at->state;
    if (record->step != RL_FINISHED) return RL_OK;
    const int i = at->task->n_train.first + target[0];
    const rl_autoencoder model = rl_training_model(at->series, i);
    const rl_training_layout layout = rl_training_layout_of(&model);
    const size_t n_train = (size_t)at->series->n_n_train, repeats = (size_t)at->series->study->repeats;
    const size_t set = (at->p * n_train + (size_t)i) * repeats + (size_t)at->task->repeats.first;
    *sound = record->length == layout.length * sizeof(double);
    for (const part *q = s->parts; *sound && q < s->parts + s->n; q++) {
        const bool of_others = fields[q->array].offset >= ARRAY(feature_embedding) && !layout.has_embeddings;
        if (!of_others && set >= q->first && set < q->first + q->n) place_field(t, q, &model, record->content, set);
    }
    return RL_OK;
}

static rl_status fill_coordinates(writer *w, const group *g) {
    int *steps = w->stored;
    RL_TRY(rl_put_values(w, "n_hidden", g->series->autoencoder->hidden));
    RL_TRY(rl_put_values(w, "n_train", g->series->n_train));
    RL_TRY(rl_put_indices(w, "repeat", 0));
    for (size_t i = 0; i < w->variables[w->n_filled].count; i++)
        steps[i] = rl_recorded_step(&g->series->autoencoder->model, (int)i);
    return rl_put_values(w, "step", steps);
}

/* Statuses become bytes in their place. */
static rl_status put_part(writer *w, const part *q) {
    signed char *statuses = (signed char *)q->values;
    for (size_t i = 0; q->array == STATUS && i < q->n; i++) statuses[i] = (signed char)q->values[i];
    return rl_put_rows(w, fields[q->array].name, q->width, q->n, q->values);
}

static rl_status fill_trainings(writer *w, group *g) {
    const trainings *t = g->state;
    slab s = {0};
    RL_TRY(fill_coordinates(w, g));
    while (rl_next_slab(w, t->extents, N_FIELDS, &s)) {
        for (const part *q = s.parts; q < s.parts + s.n; q++)
            for (size_t i = 0; i < q->n * q->width; i++) q->values[i] = q->array == STATUS ? RL_TRAINING_MISSING : NAN;
        RL_TRY(rl_read_group(w, g, (rl_range){0, g->series->study->repeats}, take_training, &s));
        for (const part *q = s.parts; q < s.parts + s.n; q++) RL_TRY(put_part(w, q));
    }
    return RL_OK;
}

const rl_group_writer rl_training_writer = {measure_trainings, define_trainings, fill_trainings, destroy_trainings};

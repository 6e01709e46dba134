/* The groups of autoencoders in a results file: a group an autoencoder, with what its trainings have left. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "writer.h"

typedef enum along { N_HIDDEN, TRAIN_SIZE, REPEATS, STEP, COMPONENT, OF_FEATURES, EXAMPLE, N_ALONG } along;
static const char *const along_names[N_ALONG] = {"n_hidden",  "n_train", "repeat", "step",
                                                 "component", "feature", "example"};
enum { COMPONENTS = 2, SETS = 3, INNER = 2, LEAST_PACKED = 4096, CHUNK = 1 << 17 };

typedef struct training_group {
    const rl_training_grid *grid;
    int id, dimensions[N_ALONG];
    size_t lengths[N_ALONG];
} training_group;

/* What trainings leave: an array of their record over (n_hidden, n_train, repeat) and `inner`. */
typedef struct training_field {
    const char *name, *long_name, *comment; /* comment may be NULL */
    nc_type type;
    int n_inner;
    along inner[INNER];
    size_t offset;   /* of its size_t in rl_training_layout */
    bool relative;   /* to predicting nothing: times n */
    bool embeddings; /* present where one of n_hidden has them */
} training_field;

#define ARRAY(member) offsetof(rl_training_layout, member)
static const char measured[] = "measured";
static const char relative_to[] =
    "measured; the mean squared distance of inputs of unit length, which is 1 where nothing is predicted";
static const char dimension_comment[] =
    "measured at the end: |v|^2 / sum over all w of (w . v / |v|)^2 (Henighan et al. 2023)";
static const training_field fields[] = {
    {"status", "status of the training", NULL, NC_BYTE, 0, {0}, ARRAY(status), false, false},
    {"train_mse",
     "mean squared error over training examples and features",
     measured,
     NC_DOUBLE,
     1,
     {STEP},
     ARRAY(train_mse),
     false,
     false},
    {"test_mse",
     "mean squared error over fresh examples and features",
     measured,
     NC_DOUBLE,
     1,
     {STEP},
     ARRAY(test_mse),
     false,
     false},
    {"train_relative_loss",
     "training loss relative to predicting nothing",
     relative_to,
     NC_DOUBLE,
     1,
     {STEP},
     ARRAY(train_mse),
     true,
     false},
    {"test_relative_loss",
     "loss on fresh examples relative to predicting nothing",
     relative_to,
     NC_DOUBLE,
     1,
     {STEP},
     ARRAY(test_mse),
     true,
     false},
    {"feature_dimension",
     "fractional dimension of the features' embeddings",
     dimension_comment,
     NC_DOUBLE,
     1,
     {OF_FEATURES},
     ARRAY(feature_dimension),
     false,
     false},
    {"example_dimension",
     "fractional dimension of the training examples' hidden vectors",
     dimension_comment,
     NC_DOUBLE,
     1,
     {EXAMPLE},
     ARRAY(example_dimension),
     false,
     false},
    {"feature_embedding",
     "embedding of the features: columns of W",
     measured,
     NC_DOUBLE,
     2,
     {COMPONENT, OF_FEATURES},
     ARRAY(feature_embedding),
     false,
     true},
    {"example_embedding",
     "hidden vectors of the training examples: W x",
     measured,
     NC_DOUBLE,
     2,
     {COMPONENT, EXAMPLE},
     ARRAY(example_embedding),
     false,
     true},
};
enum { N_FIELDS = sizeof fields / sizeof *fields, COORDINATES = 4 };
static_assert(N_FIELDS + COORDINATES <= RL_TRAINING_VARIABLES, "there is room for every variable");

static bool has_embeddings(const rl_study_autoencoder *a) {
    for (int i = 0; i < a->n_hidden; i++)
        if (a->hidden[i] == COMPONENTS) return true;
    return false;
}

static bool is_present(const training_group *g, const training_field *f) {
    return !f->embeddings || has_embeddings(g->grid->spec);
}

static training_group group_of(const rl_plan *plan, int grid) {
    const rl_training_grid *of = &plan->training_grids[grid];
    const rl_study_autoencoder *a = of->spec;
    return (training_group){
        .grid = of,
        .lengths = {(size_t)a->n_hidden, (size_t)a->n_train.n_values, (size_t)plan->study->repeats,
                    (size_t)rl_training_layout_of(&a->model).n_records, COMPONENTS, (size_t)a->model.n_features,
                    (size_t)a->n_train.values[a->n_train.n_values - 1]}};
}

static size_t n_sets(const training_group *g) {
    return g->lengths[N_HIDDEN] * g->lengths[TRAIN_SIZE] * g->lengths[REPEATS];
}

/* Values of a field in one training's place. */
static size_t width_of(const training_group *g, const training_field *f) {
    size_t width = 1;
    for (int i = 0; i < f->n_inner; i++) width *= g->lengths[f->inner[i]];
    return width;
}

static size_t largest_of(size_t a, size_t b) {
    return a > b ? a : b;
}

size_t rl_training_values(const rl_plan *plan) {
    size_t largest = 0;
    for (int i = 0; i < plan->n_training_grids; i++) {
        const training_group g = group_of(plan, i);
        for (int f = 0; f < N_FIELDS; f++) largest = largest_of(largest, n_sets(&g) * width_of(&g, &fields[f]));
        for (int d = 0; d < COORDINATES; d++) largest = largest_of(largest, g.lengths[d]);
    }
    return largest;
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

static variable *next_defined(writer *w, const training_group *g, const char *name, nc_type type) {
    variable *v = &w->variables[w->n_variables++];
    *v = (variable){.in = g->grid->spec->name, .group = g->id, .type = type, .count = 1, .original = true};
    snprintf(v->name, sizeof v->name, "%s", name);
    return v;
}

static rl_status put_text(const writer *w, const variable *v, const char *name, const char *text) {
    return text == NULL ? RL_OK : rl_nc_put_text(&w->file, v->group, v->id, name, text);
}

static rl_status define_coordinates(writer *w, const training_group *g) {
    static const char *const long_names[COORDINATES] = {"hidden dimensions m", "training examples T",
                                                        "repeat: inputs and weights to start from, drawn anew",
                                                        "steps of AdamW taken"};
    for (int d = 0; d < COORDINATES; d++) {
        variable *v = next_defined(w, g, along_names[d], NC_INT);
        v->count = g->lengths[d];
        RL_NC(&w->file, nc_def_var(g->id, v->name, NC_INT, 1, &g->dimensions[d], &v->id));
        RL_TRY(put_text(w, v, "long_name", long_names[d]));
        RL_TRY(put_text(w, v, "units", "1"));
    }
    return RL_OK;
}

/* Examples that smaller training sets do not have are fill values, which shrink well. A chunk is one training's, or a
 * part of it. */
static rl_status pack(const writer *w, const variable *v, int n, const size_t *lengths) {
    size_t chunk[SETS + INNER], room = CHUNK;
    if (v->count < LEAST_PACKED) return RL_OK;
    for (int d = n - 1; d >= 0; d--) {
        chunk[d] = d < SETS ? 1 : lengths[d] < room ? lengths[d] : room;
        room = room / chunk[d] > 0 ? room / chunk[d] : 1;
    }
    RL_NC(&w->file, nc_def_var_chunking(v->group, v->id, NC_CHUNKED, chunk));
    RL_NC(&w->file, nc_def_var_deflate(v->group, v->id, 1, 1, 1));
    return RL_OK;
}

static rl_status define_field(writer *w, const training_group *g, const training_field *f) {
    static const signed char flags[] = {RL_TRAINING_DONE, RL_TRAINING_MISSING, RL_TRAINING_DIVERGED};
    int ids[SETS + INNER], n = 0;
    size_t lengths[SETS + INNER];
    const double nan = NAN;
    variable *v = next_defined(w, g, f->name, f->type);
    for (int d = 0; d < SETS + f->n_inner; d++, n++) {
        const along direction = d < SETS ? (along)d : f->inner[d - SETS];
        ids[n] = g->dimensions[direction];
        lengths[n] = g->lengths[direction];
        v->count *= lengths[n];
    }
    RL_NC(&w->file, nc_def_var(g->id, v->name, v->type, n, ids, &v->id));
    RL_TRY(put_text(w, v, "long_name", f->long_name));
    RL_TRY(put_text(w, v, "units", "1"));
    RL_TRY(put_text(w, v, "comment", f->comment));
    if (f->type == NC_DOUBLE) {
        RL_NC(&w->file, nc_def_var_fill(v->group, v->id, NC_FILL, &nan));
        return f->inner[f->n_inner - 1] == EXAMPLE ? pack(w, v, n, lengths) : RL_OK;
    }
    RL_NC(&w->file, nc_put_att_schar(v->group, v->id, "flag_values", NC_BYTE, sizeof flags, flags));
    return put_text(w, v, "flag_meanings", RL_TRAINING_STATUS_MEANINGS);
}

static rl_status describe(const writer *w, const training_group *g) {
    const rl_autoencoder *m = &g->grid->spec->model;
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"n_features", m->n_features},
                   {"sparsity", m->sparsity},
                   {"n_test", m->n_test},
                   {"steps", m->steps},
                   {"warm_up", m->warm_up},
                   {"learning_rate", m->learning_rate},
                   {"weight_decay", m->weight_decay}};
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "kind", RL_AUTOENCODER_KIND));
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "model", "x' = ReLU(W^T W x + b), by full-batch AdamW"));
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "schedule", rl_learning_schedule_name(m->schedule)));
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "references",
                          "Henighan et al. 2023, Superposition, Memorization, and Double Descent, Transformer "
                          "Circuits Thread, https://transformer-circuits.pub/2023/toy-double-descent"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        RL_NC(&w->file, nc_put_att_double(g->id, NC_GLOBAL, numbers[i].name, NC_DOUBLE, 1, &numbers[i].value));
    return RL_OK;
}

static rl_status define_group(writer *w, int grid) {
    training_group g = group_of(w->plan, grid);
    RL_NC(&w->file, nc_def_grp(w->file.id, g.grid->spec->name, &g.id));
    for (int d = 0; d < N_ALONG; d++) {
        if (d == COMPONENT && !has_embeddings(g.grid->spec)) continue;
        RL_NC(&w->file, nc_def_dim(g.id, along_names[d], g.lengths[d], &g.dimensions[d]));
    }
    RL_TRY(describe(w, &g));
    RL_TRY(define_coordinates(w, &g));
    for (int f = 0; f < N_FIELDS; f++)
        if (is_present(&g, &fields[f])) RL_TRY(define_field(w, &g, &fields[f]));
    return RL_OK;
}

rl_status rl_define_trainings(writer *w) {
    for (int i = 0; i < w->plan->n_training_grids; i++) RL_TRY(define_group(w, i));
    return RL_OK;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static rl_status fill_coordinates(writer *w, const training_group *g) {
    const rl_study_autoencoder *a = g->grid->spec;
    int *numbers = w->stored;
    RL_TRY(rl_put_values(w, along_names[N_HIDDEN], a->hidden));
    RL_TRY(rl_put_values(w, along_names[TRAIN_SIZE], a->n_train.values));
    for (size_t i = 0; i < g->lengths[REPEATS]; i++) numbers[i] = (int)i;
    RL_TRY(rl_put_values(w, along_names[REPEATS], numbers));
    for (size_t i = 0; i < g->lengths[STEP]; i++) numbers[i] = rl_recorded_step(&a->model, (int)i);
    return rl_put_values(w, along_names[STEP], numbers);
}

/* One training's part of a field, from its record, into its place. */
static void place(const training_group *g, const training_field *f, const rl_autoencoder *model, const double *record,
                  double *place) {
    const rl_training_layout l = rl_training_layout_of(model);
    const bool ragged = f->n_inner > 0 && f->inner[f->n_inner - 1] == EXAMPLE;
    const size_t width = width_of(g, f), row = ragged ? g->lengths[EXAMPLE] : width;
    const size_t there = ragged ? (size_t)model->n_train : width;
    const double factor = f->relative ? model->n_features : 1;
    size_t begin;
    memcpy(&begin, (const char *)&l + f->offset, sizeof begin);
    if (f->embeddings && !l.has_embeddings) return;
    for (size_t i = 0; i < width / row; i++)
        for (size_t k = 0; k < there; k++) place[i * row + k] = factor * record[begin + i * there + k];
}

/* All fields of the group at once, so that every record is read once. */
static rl_status gather(writer *w, const training_group *g, double **values) {
    double *record = NULL;
    for (size_t i = 0; i < n_sets(g); i++) {
        const int64_t training = g->grid->first + (int64_t)i;
        const rl_autoencoder model = rl_training_model(w->plan, training);
        values[0][i] = rl_journal_training_status(w->journal, training);
        if (values[0][i] == RL_TRAINING_MISSING) continue;
        w->n_failed += values[0][i] == RL_TRAINING_DIVERGED;
        RL_TRY(RL_ALLOC(record, rl_training_layout_of(&model).length));
        const rl_status status = rl_journal_read_training(w->journal, training, record);
        for (int f = 1; status == RL_OK && f < N_FIELDS; f++)
            if (is_present(g, &fields[f]))
                place(g, &fields[f], &model, record, values[f] + i * width_of(g, &fields[f]));
        rl_free(record);
        RL_TRY(status);
    }
    return RL_OK;
}

static rl_status put_field(writer *w, const training_group *g, const training_field *f, const double *values) {
    if (f->type == NC_DOUBLE) return rl_put_values(w, f->name, values);
    signed char *bytes = w->stored;
    for (size_t i = 0; i < n_sets(g); i++) bytes[i] = (signed char)values[i];
    return rl_put_values(w, f->name, bytes);
}

static rl_status fill_group(writer *w, const training_group *g) {
    double *values[N_FIELDS] = {NULL};
    rl_status status;
    RL_TRY(fill_coordinates(w, g));
    for (int f = 0; f < N_FIELDS; f++) {
        const size_t n = is_present(g, &fields[f]) ? n_sets(g) * width_of(g, &fields[f]) : 0;
        RL_TRY_GOTO(RL_ALLOC(values[f], n), done);
        for (size_t i = 0; i < n; i++) values[f][i] = NAN;
    }
    RL_TRY_GOTO(gather(w, g, values), done);
    for (int f = 0; f < N_FIELDS; f++)
        if (is_present(g, &fields[f])) RL_TRY_GOTO(put_field(w, g, &fields[f], values[f]), done);
done:
    for (int f = 0; f < N_FIELDS; f++) rl_free(values[f]);
    return status;
}

rl_status rl_fill_trainings(writer *w) {
    for (int i = 0; i < w->plan->n_training_grids; i++) {
        const training_group g = group_of(w->plan, i);
        RL_TRY(fill_group(w, &g));
    }
    return RL_OK;
}

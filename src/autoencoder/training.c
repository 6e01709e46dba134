/* A training: making one, its steps, its record, saving and restoring it, and what it takes. */
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/autoencoder.h"
#include "ridgeless/half_planes.h"

struct rl_training {
    rl_autoencoder model;
    rl_example_share share;
    rl_key key; /* of what is drawn */
    uint32_t repeat;
    rl_sparse_rows train, test; /* inputs of this share */
    int first_train;            /* index of its first training example */
    int step;                   /* steps taken so far */
    bool ended;
    rl_training_status status;
    int64_t n_parameters;                /* with the zeros that pad each row */
    double *parameters, *first, *second; /* [n_parameters]: W and b, and AdamW's moments */
    double *sums;                        /* [n_parameters + 2]: gradient, loss, work of half-planes */
    double *train_mse, *test_mse;        /* [n_records]; NaN: not yet there */
    double *gram;                        /* [n_hidden, n_hidden] */
    rl_autoencoder_buffers buffers;
    rl_half_planes planes; /* where `has_planes`; else all zero */
    double *planted;       /* [n_parameters]: under which the tree was planted */
    bool is_planted;       /* in the life of this step */
    bool by_planes;        /* what the steps of this life go by */
};

/* A tree is planted at every so many steps. Its first step goes by half-planes, and the others of its life by whatever
 * is cheaper by that step's work. With fewer examples a tree never pays. */
enum { LIFE = 16, LEAST_EXAMPLES = 128 };

static bool has_planes(const rl_autoencoder *model) {
    return model->n_hidden == RL_PLANE && model->precision == RL_PRECISION_DOUBLE && model->n_train != RL_INFINITE &&
           model->n_train >= LEAST_EXAMPLES;
}

/* ---- layout ------------------------------------------------------------------------------------------------------ */

enum { SHOWN = 2 }; /* embeddings are kept of trainings with so many hidden dimensions */

rl_training_layout rl_training_layout_of(const rl_autoencoder *model) {
    const size_t n = (size_t)model->n_features, examples = (size_t)rl_training_examples(model);
    rl_training_layout l = {.has_embeddings = model->n_hidden == SHOWN, .status = 0, .train_mse = 1};
    l.n_records = model->steps / model->record_every + 1 + (model->steps % model->record_every != 0);
    l.test_mse = l.train_mse + (size_t)l.n_records;
    l.feature_dimension = l.test_mse + (size_t)l.n_records;
    l.example_dimension = l.feature_dimension + n;
    l.feature_embedding = l.length = l.example_dimension + examples;
    l.example_embedding = l.feature_embedding + SHOWN * n;
    if (l.has_embeddings) l.length += SHOWN * (n + examples);
    return l;
}

static int n_records(const rl_autoencoder *model) {
    return rl_training_layout_of(model).n_records;
}

int rl_recorded_step(const rl_autoencoder *model, int i) {
    return i == n_records(model) - 1 ? model->steps : i * model->record_every;
}

/* The index of the record that is taken at a step; -1: none is. */
static int record_of(const rl_autoencoder *model, int step) {
    if (step == model->steps) return n_records(model) - 1;
    return step % model->record_every == 0 ? step / model->record_every : -1;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static int first_of(const rl_example_share *share, int n, int index) {
    return (int)((int64_t)n * index / share->count);
}

static bool is_fresh(const rl_training *t) {
    return t->model.n_train == RL_INFINITE;
}

static rl_status draw_inputs(rl_training *t) {
    const rl_example_share *s = &t->share;
    const int test = first_of(s, t->model.n_test, s->index), test_end = first_of(s, t->model.n_test, s->index + 1);
    const int n = rl_training_examples(&t->model), end = first_of(s, n, s->index + 1);
    t->first_train = first_of(s, n, s->index);
    RL_TRY(rl_inputs_draw(&t->model, t->key, t->repeat, is_fresh(t) ? RL_INPUTS_FRESH : RL_INPUTS_TRAIN,
                          (uint32_t)t->first_train, end - t->first_train, &t->train));
    return rl_inputs_draw(&t->model, t->key, t->repeat, RL_INPUTS_TEST, (uint32_t)test, test_end - test, &t->test);
}

/* Those of the step, where that has its own. */
static rl_status draw_fresh_inputs(rl_training *t) {
    const uint32_t first = (uint32_t)t->step * (uint32_t)t->model.batch + (uint32_t)t->first_train;
    return is_fresh(t) ? rl_inputs_redraw(&t->model, t->key, t->repeat, RL_INPUTS_FRESH, first, &t->train) : RL_OK;
}

const char *rl_initialization_name(rl_initialization initialization) {
    return initialization == RL_START_UNIFORM ? "uniform" : "normal";
}

static void draw_uniform_row(rl_key key, uint32_t repeat, uint32_t row, int n, double *weights) {
    for (int j = 0; j < n; j++)
        weights[j] = 2 * rl_philox_uniform(key, RL_STREAM_WEIGHTS, repeat, row, (uint32_t)j) - 1;
}

static void draw_weights(rl_training *t) {
    const int n = t->model.n_features, m = t->model.n_hidden;
    const bool uniform = t->model.initialization == RL_START_UNIFORM;
    const double size = sqrt((uniform ? 6.0 : 2.0) / (n + m)); /* of the numbers drawn: half a range, or a deviation */
    for (int k = 0; k < m; k++) {
        double *row = t->parameters + (size_t)k * (size_t)rl_parameter_stride(n);
        if (uniform)
            draw_uniform_row(t->key, t->repeat, (uint32_t)k, n, row);
        else
            rl_philox_normal_row(t->key, RL_STREAM_WEIGHTS, t->repeat, (uint32_t)k, 0, n, row);
        for (int j = 0; j < n; j++) row[j] *= size;
    }
}

static void list_training_arrays(rl_arena *arena, void *object) {
    rl_training *const t = object;
    RL_TAKE_REALS(arena, t->n_parameters, &t->parameters, &t->first, &t->second);
    RL_TAKE(arena, t->sums, t->n_parameters + 2);
    RL_TAKE(arena, t->gram, (int64_t)t->model.n_hidden * t->model.n_hidden);
    RL_TAKE_REALS(arena, n_records(&t->model), &t->train_mse, &t->test_mse);
    rl_autoencoder_list_buffers(arena, &t->buffers);
    if (has_planes(&t->model)) RL_TAKE(arena, t->planted, t->n_parameters);
}

static rl_training training_sizes(const rl_autoencoder *model, const rl_example_share *share) {
    return (rl_training){
        .model = *model,
        .share = *share,
        .n_parameters = ((int64_t)model->n_hidden + 1) * rl_parameter_stride(model->n_features),
        .buffers = {.n_hidden = model->n_hidden,
                    .precision = model->precision,
                    .n_rows = rl_ceiling(rl_larger(rl_training_examples(model), model->n_test), share->count)}};
}

/* No row is expected to have more entries: some six standard deviations above their mean. */
static int64_t usual_longest(const rl_autoencoder *model) {
    const double mean = model->n_features * (1 - model->sparsity);
    return (int64_t)fmin(ceil(mean + 6 * sqrt(mean) + 6), model->n_features);
}

static rl_half_planes planes_sizes(const rl_autoencoder *model, int n_rows, int64_t n_entries, int64_t longest) {
    return (rl_half_planes){.n_features = model->n_features,
                            .max_rows = n_rows,
                            .max_entries = rl_half_planes_room(n_rows, n_entries, longest)};
}

static rl_status make_planes(rl_training *t) {
    const int64_t *const start = t->train.start;
    int64_t longest = usual_longest(&t->model);
    for (int i = 0; i < t->train.n_rows; i++) longest = rl_larger(longest, start[i + 1] - start[i]);
    t->planes = planes_sizes(&t->model, t->train.n_rows, t->train.capacity, longest);
    return rl_arrays_create(&t->planes, rl_half_planes_list);
}

rl_status rl_training_create(const rl_autoencoder *model, rl_key key, uint32_t repeat, const rl_example_share *share,
                             rl_training **training) {
    rl_training sizes = training_sizes(model, share);
    sizes.key = key;
    sizes.repeat = repeat;
    *training = NULL;
    RL_TRY(RL_OBJECT_CREATE(training, &sizes, list_training_arrays));
    rl_training *const t = *training;
    for (int i = 0; i < n_records(model); i++) t->train_mse[i] = t->test_mse[i] = NAN;
    draw_weights(t);
    rl_status status = draw_inputs(t);
    if (status == RL_OK && has_planes(model)) status = make_planes(t);
    if (status != RL_OK) {
        rl_training_destroy(t);
        *training = NULL;
    }
    return status;
}

void rl_training_destroy(rl_training *training) {
    if (training == NULL) return;
    rl_sparse_rows_destroy(&training->train);
    rl_sparse_rows_destroy(&training->test);
    rl_free(training->planes.nodes); /* the first array: all of them */
    rl_free(training);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* Makes sums[n] those over all shares of the examples. */
static rl_status add_up_shares(const rl_training *t, double *sums, int64_t n) {
    return t->share.count > 1 ? t->share.add_up(t->share.state, sums, n) : RL_OK;
}

static void plant(rl_training *t) {
    rl_half_planes_plant(&t->planes, t->planted, &t->train);
    t->is_planted = true;
}

static bool begins_life(const rl_training *t) {
    return has_planes(&t->model) && (t->step % LIFE == 0 || !t->is_planted);
}

static rl_status loss_and_gradient(rl_training *t) {
    const bool begins = begins_life(t);
    double *const loss = &t->sums[t->n_parameters], *const work = loss + 1;
    *work = 0;
    RL_TRY(draw_fresh_inputs(t));
    if (begins) {
        memcpy(t->planted, t->parameters, (size_t)t->n_parameters * sizeof *t->planted);
        plant(t);
    }
    if (begins || t->by_planes)
        rl_half_planes_gradient(&t->planes, t->parameters, loss, t->sums, work);
    else
        rl_autoencoder_gradient(t->parameters, &t->train, &t->buffers, loss, t->sums);
    RL_TRY(add_up_shares(t, t->sums, t->n_parameters + 2));
    if (begins) t->by_planes = *work < (double)t->model.n_train * t->model.n_features / 8;
    return RL_OK;
}

/* Parameters are checked too: those that are not finite can have outputs that are. */
static rl_status record_losses(rl_training *t, int record) {
    const double outputs = t->model.n_features, train = t->sums[t->n_parameters];
    double test;
    rl_autoencoder_gradient(t->parameters, &t->test, &t->buffers, &test, NULL);
    RL_TRY(add_up_shares(t, &test, 1));
    if (!isfinite(train) || !isfinite(test) || !rl_all_finite(t->parameters, (size_t)t->n_parameters)) {
        t->status = RL_TRAINING_DIVERGED;
        t->ended = true;
        return RL_OK;
    }
    t->train_mse[record] = train / (rl_training_examples(&t->model) * outputs);
    t->test_mse[record] = test / (t->model.n_test * outputs);
    return RL_OK;
}

rl_status rl_training_advance(rl_training *t, int steps, bool *ended) {
    for (int i = 0; i < steps && !t->ended; i++) {
        const int record = record_of(&t->model, t->step);
        RL_TRY(loss_and_gradient(t));
        if (record >= 0) RL_TRY(record_losses(t, record));
        if (t->step == t->model.steps)
            t->ended = true;
        else if (!t->ended)
            rl_adamw_step(&t->model, ++t->step, t->n_parameters, t->parameters, t->first, t->second, t->sums);
    }
    *ended = t->ended;
    return RL_OK;
}

int rl_training_step(const rl_training *training) {
    return training->step;
}

/* ---- fractional dimensions --------------------------------------------------------------------------------------- */

/* n vectors of m components each: component k of vector i is values[k * by_component + i * by_vector]. */
typedef struct vectors {
    int m, n;
    const double *values;
    size_t by_component, by_vector;
} vectors;

static double component(const vectors *v, int i, int k) {
    return v->values[(size_t)k * v->by_component + (size_t)i * v->by_vector];
}

/* Adds the sum over i of v_i v_i^T to gram[m, m]. */
static void add_gram(const vectors *v, double *gram) {
    for (int i = 0; i < v->n; i++)
        for (int k = 0; k < v->m; k++)
            for (int l = 0; l < v->m; l++) gram[k * v->m + l] += component(v, i, k) * component(v, i, l);
}

/* The fractional dimension of a vector v: |v|^2 / sum over j of (v . v_j / |v|)^2 = |v|^4 / (v . G v), where G is the
 * sum of v_j v_j^T over all vectors. 0 for a vector of length zero. */
static double dimension_of(const vectors *v, int i, const double *gram) {
    double square = 0, shared = 0;
    for (int k = 0; k < v->m; k++) {
        double product = 0;
        for (int l = 0; l < v->m; l++) product += gram[k * v->m + l] * component(v, i, l);
        square += component(v, i, k) * component(v, i, k);
        shared += product * component(v, i, k);
    }
    return shared > 0 ? square * square / shared : 0;
}

static rl_status make_dimensions(const rl_training *t, const vectors *v, bool shared, double *dimensions) {
    const int64_t n = (int64_t)v->m * v->m;
    memset(t->gram, 0, (size_t)n * sizeof *t->gram);
    add_gram(v, t->gram);
    if (shared) RL_TRY(add_up_shares(t, t->gram, n));
    for (int i = 0; i < v->n; i++) dimensions[i] = dimension_of(v, i, t->gram);
    return RL_OK;
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static rl_status record_features(const rl_training *t, const rl_training_layout *l, double *record) {
    const size_t stride = (size_t)rl_parameter_stride(t->model.n_features), n = (size_t)t->model.n_features;
    const vectors w = {t->model.n_hidden, t->model.n_features, t->parameters, stride, 1};
    for (int k = 0; l->has_embeddings && k < SHOWN; k++)
        memcpy(record + l->feature_embedding + (size_t)k * n, t->parameters + (size_t)k * stride, n * sizeof *record);
    return make_dimensions(t, &w, false, record + l->feature_dimension);
}

/* Writes what this share has of its own examples and zeros for the others. Adding up fills those. */
static rl_status record_examples(rl_training *t, const rl_training_layout *l, double *record) {
    const int m = t->model.n_hidden, first = t->first_train;
    const size_t all = (size_t)rl_training_examples(&t->model);
    double loss, *const dimensions = record + l->example_dimension;
    rl_autoencoder_gradient(t->parameters, &t->train, &t->buffers, &loss, NULL); /* makes W x */
    const vectors h = {m, t->train.n_rows, t->buffers.hidden, 1, (size_t)m};
    memset(dimensions, 0, all * sizeof *record);
    RL_TRY(make_dimensions(t, &h, true, dimensions + first));
    RL_TRY(add_up_shares(t, dimensions, (int64_t)all));
    if (!l->has_embeddings) return RL_OK;
    double *const embedding = record + l->example_embedding;
    memset(embedding, 0, SHOWN * all * sizeof *record);
    for (int k = 0; k < SHOWN; k++)
        for (int i = 0; i < h.n; i++) embedding[(size_t)k * all + (size_t)(first + i)] = component(&h, i, k);
    return add_up_shares(t, embedding, SHOWN * (int64_t)all);
}

rl_status rl_training_record(rl_training *t, double *record) {
    const rl_training_layout l = rl_training_layout_of(&t->model);
    for (size_t i = 0; i < l.length; i++) record[i] = NAN;
    record[l.status] = t->status;
    memcpy(record + l.train_mse, t->train_mse, (size_t)l.n_records * sizeof *record);
    memcpy(record + l.test_mse, t->test_mse, (size_t)l.n_records * sizeof *record);
    if (t->status != RL_TRAINING_DONE) return RL_OK;
    RL_TRY(record_features(t, &l, record));
    return record_examples(t, &l, record);
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

/* A state holds the step, the losses so far, and the rows of parameters and of both moments, each without the zeros
 * that pad it; where half-planes are in use, what the steps go by and the rows of the parameters planted. */
enum { STATE_STEP, STATE_LOSSES, STATE_ARRAYS = 3 };
enum { UNPLANTED, BY_OUTPUTS, BY_PLANES };

static int64_t n_rows(const rl_autoencoder *model) {
    return (int64_t)model->n_hidden + 1;
}

static size_t length_of_rows(const rl_autoencoder *model) {
    return (size_t)n_rows(model) * (size_t)model->n_features;
}

static size_t length_without_planes(const rl_autoencoder *model) {
    return STATE_LOSSES + 2 * (size_t)n_records(model) + STATE_ARRAYS * length_of_rows(model);
}

size_t rl_training_state_length(const rl_autoencoder *model) {
    return length_without_planes(model) + (has_planes(model) ? 1 + length_of_rows(model) : 0);
}

bool rl_training_takes_state(const rl_autoencoder *model, size_t length) {
    return length == rl_training_state_length(model) || length == length_without_planes(model);
}

/* Copies the rows of an array, without what pads them. Returns what lies behind them. */
static double *save_rows(const rl_autoencoder *model, const double *array, double *state) {
    const size_t n = (size_t)model->n_features;
    for (int64_t row = 0; row < n_rows(model); row++, state += n)
        memcpy(state, array + row * rl_parameter_stride(model->n_features), n * sizeof *state);
    return state;
}

static const double *restore_rows(const rl_autoencoder *model, const double *state, double *array) {
    const size_t n = (size_t)model->n_features;
    for (int64_t row = 0; row < n_rows(model); row++, state += n)
        memcpy(array + row * rl_parameter_stride(model->n_features), state, n * sizeof *state);
    return state;
}

void rl_training_save(const rl_training *t, double *state) {
    const double *const arrays[STATE_ARRAYS] = {t->parameters, t->first, t->second};
    const size_t losses = (size_t)n_records(&t->model);
    state[STATE_STEP] = t->step;
    memcpy(state + STATE_LOSSES, t->train_mse, losses * sizeof *state);
    memcpy(state + STATE_LOSSES + losses, t->test_mse, losses * sizeof *state);
    double *next = state + STATE_LOSSES + 2 * losses;
    for (int a = 0; a < STATE_ARRAYS; a++) next = save_rows(&t->model, arrays[a], next);
    if (!has_planes(&t->model)) return;
    *next++ = !t->is_planted ? UNPLANTED : t->by_planes ? BY_PLANES : BY_OUTPUTS;
    save_rows(&t->model, t->planted, next);
}

/* The tree of the step's life once more. Without one a life begins at this step. */
static void restore_planes(rl_training *t, const double *state) {
    t->is_planted = t->by_planes = false;
    if (*state != BY_OUTPUTS && *state != BY_PLANES) return;
    t->by_planes = *state == BY_PLANES;
    t->is_planted = true;
    restore_rows(&t->model, state + 1, t->planted);
    if (t->by_planes) plant(t);
}

rl_status rl_training_restore(rl_training *t, const double *state, size_t length) {
    double *const arrays[STATE_ARRAYS] = {t->parameters, t->first, t->second};
    const size_t losses = (size_t)n_records(&t->model), behind = STATE_LOSSES + 2 * losses;
    const double step = state[STATE_STEP];
    if (!rl_training_takes_state(&t->model, length) || !(step >= 0 && step <= t->model.steps && step == floor(step)) ||
        !rl_all_finite(state + behind, length - behind))
        return rl_fail(RL_ERR_INPUT, "what was saved of a training is none of at most %d steps", t->model.steps);
    t->step = (int)step;
    memcpy(t->train_mse, state + STATE_LOSSES, losses * sizeof *state);
    memcpy(t->test_mse, state + STATE_LOSSES + losses, losses * sizeof *state);
    const double *next = state + behind;
    for (int a = 0; a < STATE_ARRAYS; a++) next = restore_rows(&t->model, next, arrays[a]);
    if (length > length_without_planes(&t->model)) restore_planes(t, next);
    return RL_OK;
}

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

/* Outputs of a step per feature. What half-planes take is that of so many, measured at n = 2,000 and 10,000 from T =
 * 200 to 500,000, to a quarter (T = 1,000, where vectors gather in few directions, takes the least of it): a part for
 * planting and the tree's first nodes, one for the leaves that a line cuts, which go with the root of all leaves, and
 * one for the inputs. */
static double outputs_of_step(const rl_autoencoder *model) {
    const double dense = rl_training_examples(model), first_nodes = 20, input = 7.5, example = 0.0057;
    const double cut = 3.6 * sqrt(dense), inputs = dense * (input * (1 - model->sparsity) + example);
    return has_planes(model) ? fmin(dense, first_nodes + cut + inputs) : dense;
}

/* Where a training begins, lines go through the middle of all vectors and cut many leaves: in the first fifty steps
 * that takes the time of four dense ones. */
static double outputs_of_start(const rl_autoencoder *model) {
    const double fifty = 50, dense_steps = 4 * fmin(1, model->steps / fifty);
    return has_planes(model) ? dense_steps * rl_training_examples(model) : 0;
}

double rl_training_draws(const rl_autoencoder *model) {
    const double n = model->n_features, by_words = ceil(n / 4), steps = model->steps + 1.0;
    const double fresh = steps * model->batch * (n * (1 - model->sparsity) + 1);
    const double once = -expm1(n * log1p(-(1 - model->sparsity))); /* a row of zeros alone is drawn again */
    const double rows = (model->n_test + (model->n_train == RL_INFINITE ? 0.0 : model->n_train)) / once;
    return rows * by_words + (model->n_train == RL_INFINITE ? fresh : 0);
}

double rl_outputs_flops(const rl_autoencoder *model) {
    return (double)model->n_features * rl_training_examples(model) * (6.0 * model->n_hidden + 4);
}

double rl_training_flops(const rl_autoencoder *model) {
    const double features = (double)model->n_features, m = model->n_hidden;
    const double records = rl_training_layout_of(model).n_records;
    const double of_float = 0.67, adamw = 80; /* for each parameter: a root and two divisions take as long as more */
    const double floats = model->precision == RL_PRECISION_FLOAT ? of_float : 1;
    const double outputs = ((double)model->steps + 1) * outputs_of_step(model) + outputs_of_start(model);
    return features * (floats * outputs * (6 * m + 4) + floats * records * model->n_test * (2 * m + 4) +
                       (double)model->steps * (m + 1) * adamw);
}

size_t rl_training_bytes(const rl_autoencoder *model, int count) {
    rl_training sizes = training_sizes(model, &(rl_example_share){.count = count});
    const int train = rl_ceiling(rl_training_examples(model), count);
    rl_half_planes planes = planes_sizes(model, train, rl_sparse_rows_capacity(model, train), usual_longest(model));
    return RL_OBJECT_BYTES(&sizes, list_training_arrays) + rl_sparse_rows_bytes(model, train) +
           rl_sparse_rows_bytes(model, rl_ceiling(model->n_test, count)) +
           (has_planes(model) ? rl_arrays_bytes(&planes, rl_half_planes_list) : 0);
}

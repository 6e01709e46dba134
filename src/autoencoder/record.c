/* The record of a finished training, and what a training takes. */
#include <math.h>
#include <string.h>

#include "training.h"

enum { SHOWN = 2 }; /* embeddings are kept of trainings with so many hidden dimensions */

rl_training_layout rl_training_layout_of(const rl_autoencoder *model) {
    const size_t n = (size_t)model->n_features, examples = (size_t)model->n_train;
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
    if (shared) RL_TRY(rl_training_add_up(t, t->gram, n));
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
    const size_t all = (size_t)t->model.n_train;
    double loss, *const dimensions = record + l->example_dimension;
    RL_TRY(rl_autoencoder_gradient(m, t->parameters, &t->train, &t->buffers, &loss, NULL)); /* makes W x */
    const vectors h = {m, t->train.n_rows, t->buffers.hidden, 1, (size_t)m};
    memset(dimensions, 0, all * sizeof *record);
    RL_TRY(make_dimensions(t, &h, true, dimensions + first));
    RL_TRY(rl_training_add_up(t, dimensions, (int64_t)all));
    if (!l->has_embeddings) return RL_OK;
    double *const embedding = record + l->example_embedding;
    memset(embedding, 0, SHOWN * all * sizeof *record);
    for (int k = 0; k < SHOWN; k++)
        for (int i = 0; i < h.n; i++) embedding[(size_t)k * all + (size_t)(first + i)] = component(&h, i, k);
    return rl_training_add_up(t, embedding, SHOWN * (int64_t)all);
}

rl_status rl_training_record(rl_training *training, double *record) {
    rl_training *const t = training;
    const rl_training_layout l = rl_training_layout_of(&t->model);
    for (size_t i = 0; i < l.length; i++) record[i] = NAN;
    record[l.status] = t->status;
    memcpy(record + l.train_mse, t->train_mse, (size_t)l.n_records * sizeof *record);
    memcpy(record + l.test_mse, t->test_mse, (size_t)l.n_records * sizeof *record);
    if (t->status != RL_TRAINING_DONE) return RL_OK;
    RL_TRY(record_features(t, &l, record));
    return record_examples(t, &l, record);
}

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

double rl_training_flops(const rl_autoencoder *model) {
    const double outputs = (double)model->n_features, m = model->n_hidden;
    const double records = rl_training_layout_of(model).n_records;
    return outputs * (((double)model->steps + 1) * model->n_train * (6 * m + 4) +
                      records * model->n_test * (2 * m + 4) + (double)model->steps * (m + 1) * 14);
}

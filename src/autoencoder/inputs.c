/* Sparse random inputs. */
#include <math.h>
#include <string.h>

#include "ridgeless/autoencoder.h"

enum { WORDS = 4 }; /* of a Philox block */

/* All that the inputs of a set depend on. */
typedef struct source {
    rl_key key;
    uint32_t repeat;
    rl_stream pattern, values;
    int n_features;
    uint64_t threshold; /* a feature is not zero where its random word is less than this */
} source;

static source source_of(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set) {
    const bool train = set == RL_INPUTS_TRAIN;
    const double threshold = round((1 - model->sparsity) * 0x1p32);
    return (source){.key = key,
                    .repeat = repeat,
                    .pattern = train ? RL_STREAM_TRAIN_PATTERN : RL_STREAM_TEST_PATTERN,
                    .values = train ? RL_STREAM_TRAIN_VALUES : RL_STREAM_TEST_VALUES,
                    .n_features = model->n_features,
                    .threshold = (uint64_t)fmax(threshold, 1)};
}

static rl_status grow_rows(rl_sparse_rows *rows, int64_t used, int64_t wanted) {
    int32_t *column = NULL;
    double *value = NULL;
    if (wanted <= rows->capacity) return RL_OK;
    const int64_t capacity = wanted > 2 * rows->capacity ? wanted : 2 * rows->capacity;
    rl_status status = RL_ALLOC(column, capacity);
    if (status == RL_OK) status = RL_ALLOC(value, capacity);
    if (status != RL_OK) {
        rl_free(column);
        return status;
    }
    if (used > 0) {
        memcpy(column, rows->column, (size_t)used * sizeof *column);
        memcpy(value, rows->value, (size_t)used * sizeof *value);
    }
    rl_free(rows->column);
    rl_free(rows->value);
    rows->column = column;
    rows->value = value;
    rows->capacity = capacity;
    return RL_OK;
}

/* Draws which features are not zero, in one attempt. Returns how many there are. */
static int draw_pattern(const source *s, uint32_t index, uint32_t attempt, int32_t *columns) {
    const uint32_t blocks = ((uint32_t)s->n_features + WORDS - 1) / WORDS;
    int n = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t block[WORDS];
        rl_philox(s->key, s->pattern, s->repeat, index, attempt * blocks + i, block);
        for (int word = 0; word < WORDS; word++) {
            const int32_t j = (int32_t)i * WORDS + word;
            if (block[word] < s->threshold && j < s->n_features) columns[n++] = j;
        }
    }
    return n;
}

/* Draws one row into columns[n_features] and values[n_features]. Returns how many entries it has. */
static int draw_row(const source *s, uint32_t index, int32_t *columns, double *values) {
    int n = 0;
    double squares = 0;
    for (uint32_t attempt = 0; n == 0; attempt++) n = draw_pattern(s, index, attempt, columns);
    for (int i = 0; i < n; i++) {
        values[i] = rl_philox_uniform(s->key, s->values, s->repeat, index, (uint32_t)columns[i]);
        squares += values[i] * values[i];
    }
    const double length = sqrt(squares);
    for (int i = 0; i < n; i++) values[i] /= length;
    return n;
}

rl_status rl_inputs_draw(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set, int first,
                         int count, rl_sparse_rows *rows) {
    const source s = source_of(model, key, repeat, set);
    *rows = (rl_sparse_rows){.n_rows = count, .n_columns = model->n_features};
    RL_TRY(RL_ALLOC(rows->start, (int64_t)count + 1));
    for (int i = 0; i < count; i++) {
        const int64_t at = rows->start[i];
        RL_TRY(grow_rows(rows, at, at + model->n_features));
        rows->start[i + 1] = at + draw_row(&s, (uint32_t)(first + i), rows->column + at, rows->value + at);
    }
    return RL_OK;
}

void rl_sparse_rows_destroy(rl_sparse_rows *rows) {
    rl_free(rows->start);
    rl_free(rows->column);
    rl_free(rows->value);
    *rows = (rl_sparse_rows){0};
}

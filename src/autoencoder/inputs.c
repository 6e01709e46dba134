/* Sparse random inputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../numbers.h"
#include "ridgeless/autoencoder.h"

enum { WORDS = 4 }; /* of a Philox block */

int rl_training_examples(const rl_autoencoder *model) {
    return model->n_train == RL_INFINITE ? model->batch : model->n_train;
}

const char *rl_n_train_text(int n_train, char buffer[RL_N_TRAIN_TEXT]) {
    if (n_train == RL_INFINITE)
        snprintf(buffer, RL_N_TRAIN_TEXT, "inf");
    else
        snprintf(buffer, RL_N_TRAIN_TEXT, "%d", n_train);
    return buffer;
}

/* All that the inputs of a set depend on. */
typedef struct source {
    rl_key key;
    uint32_t repeat;
    rl_input_set set;
    rl_stream pattern, values;
    int n_features;
    uint64_t threshold; /* a feature is not zero where its random word is less than this */
    double zero;        /* the probability of a zero, where inputs are drawn by those */
} source;

/* How many of the 2^32 words make a feature non-zero. */
static double nonzero_words(const rl_autoencoder *model) {
    return fmax(round((1 - model->sparsity) * 0x1p32), 1);
}

static source source_of(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set) {
    const bool train = set == RL_INPUTS_TRAIN;
    return (source){.key = key,
                    .repeat = repeat,
                    .set = set,
                    .pattern = train ? RL_STREAM_TRAIN_PATTERN : RL_STREAM_TEST_PATTERN,
                    .values = train ? RL_STREAM_TRAIN_VALUES : RL_STREAM_TEST_VALUES,
                    .n_features = model->n_features,
                    .threshold = (uint64_t)nonzero_words(model),
                    .zero = model->sparsity};
}

static void list_rows_arrays(rl_arena *arena, void *object) {
    rl_sparse_rows *const rows = object;
    RL_TAKE(arena, rows->start, (size_t)rows->n_rows + 1);
    RL_TAKE(arena, rows->column, rows->capacity);
    RL_TAKE(arena, rows->value, rows->capacity);
}

/* Empty rows with room for their entries: the mean number of these, eight standard deviations and the row that is being
 * drawn, or all that there can be. That many rows never have more; if they do, grow_rows makes room. */
static rl_sparse_rows rows_sizes(const rl_autoencoder *model, int count) {
    const double n = model->n_features, probability = nonzero_words(model) * 0x1p-32;
    const double mean = count * n * probability / -expm1(n * log1p(-probability)); /* no row is of zeros alone */
    const double usual = ceil(mean + 8 * sqrt(mean)) + n;
    return (rl_sparse_rows){
        .n_rows = count, .n_columns = model->n_features, .capacity = (int64_t)fmin(usual, count * n)};
}

size_t rl_sparse_rows_bytes(const rl_autoencoder *model, int count) {
    rl_sparse_rows sizes = rows_sizes(model, count);
    return rl_arrays_bytes(&sizes, list_rows_arrays);
}

int64_t rl_sparse_rows_capacity(const rl_autoencoder *model, int count) {
    return rows_sizes(model, count).capacity;
}

/* Makes room for at least `wanted` entries, of which `used` are there. */
static rl_status grow_rows(rl_sparse_rows *rows, int64_t used, int64_t wanted) {
    rl_sparse_rows grown = *rows;
    if (wanted <= rows->capacity) return RL_OK;
    grown.capacity = rl_larger(wanted, 2 * rows->capacity);
    RL_TRY(rl_arrays_create(&grown, list_rows_arrays));
    memcpy(grown.start, rows->start, ((size_t)rows->n_rows + 1) * sizeof *rows->start);
    memcpy(grown.column, rows->column, (size_t)used * sizeof *rows->column);
    memcpy(grown.value, rows->value, (size_t)used * sizeof *rows->value);
    rl_free(rows->start);
    *rows = grown;
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

static int draw_by_words(const source *s, uint32_t index, uint32_t attempt, int32_t *columns, double *values) {
    const int n = draw_pattern(s, index, attempt, columns);
    for (int i = 0; i < n; i++)
        values[i] = rl_philox_uniform(s->key, s->values, s->repeat, index, (uint32_t)columns[i]);
    return n;
}

static int draw_by_misses(const source *s, uint32_t index, uint32_t attempt, int32_t *columns, double *values) {
    const uint32_t first = attempt * ((uint32_t)s->n_features + 1);
    double column = -1;
    for (int n = 0;; n++) {
        double value;
        column += 1 + rl_philox_misses(s->key, RL_STREAM_FRESH_INPUTS, s->repeat, index, first + (uint32_t)n, s->zero,
                                       &value);
        if (column >= s->n_features) return n;
        columns[n] = (int32_t)column;
        values[n] = value;
    }
}

/* Draws one row into columns[n_features] and values[n_features]. Returns how many entries it has. */
static int draw_row(const source *s, uint32_t index, int32_t *columns, double *values) {
    int n = 0;
    double squares = 0;
    for (uint32_t attempt = 0; n == 0; attempt++)
        n = (s->set == RL_INPUTS_FRESH ? draw_by_misses : draw_by_words)(s, index, attempt, columns, values);
    for (int i = 0; i < n; i++) squares += values[i] * values[i];
    const double length = sqrt(squares);
    for (int i = 0; i < n; i++) values[i] /= length;
    return n;
}

rl_status rl_inputs_redraw(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set, uint32_t first,
                           rl_sparse_rows *rows) {
    const source s = source_of(model, key, repeat, set);
    for (int i = 0; i < rows->n_rows; i++) {
        const int64_t at = rows->start[i];
        RL_TRY(grow_rows(rows, at, at + model->n_features));
        rows->start[i + 1] = at + draw_row(&s, first + (uint32_t)i, rows->column + at, rows->value + at);
    }
    return RL_OK;
}

rl_status rl_inputs_draw(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set, uint32_t first,
                         int count, rl_sparse_rows *rows) {
    *rows = rows_sizes(model, count);
    RL_TRY(rl_arrays_create(rows, list_rows_arrays));
    return rl_inputs_redraw(model, key, repeat, set, first, rows);
}

void rl_sparse_rows_destroy(rl_sparse_rows *rows) {
    rl_free(rows->start); /* the first array: all of them */
    *rows = (rl_sparse_rows){0};
}

#include "source.h"

/* The linear teacher of the paper: features and teacher are independent standard normal numbers, and the student sees
 * the first of the hidden features. The published run drew them from numpy.random.RandomState(0). */

enum { CHUNK = 64 };

void rl_teacher_row(const rl_teacher *teacher, rl_key key, uint32_t repeat, uint32_t row, int n_features, double *x,
                    double *y) {
    double hidden[CHUNK], sum = 0;
    for (int first = 0; first < teacher->n_hidden; first += CHUNK) {
        const int count = teacher->n_hidden - first < CHUNK ? teacher->n_hidden - first : CHUNK;
        rl_philox_normal_row(key, RL_STREAM_FEATURES, repeat, row, (uint32_t)first, count, hidden);
        for (int j = 0; j < count; j++) {
            sum += hidden[j] * teacher->beta[first + j];
            if (first + j < n_features) x[first + j] = hidden[j];
        }
    }
    if (teacher->noise > 0) sum += teacher->noise * rl_philox_normal(key, RL_STREAM_NOISE, repeat, row, 0);
    *y = sum;
}

static void draw_philox(rl_dataset *dataset, rl_key key) {
    const size_t p = (size_t)dataset->n_features;
    for (int i = 0; i < dataset->n_rows; i++)
        rl_teacher_row(&dataset->teacher, key, 0, (uint32_t)i, dataset->n_features, dataset->x + (size_t)i * p,
                       &dataset->y[i]);
}

/* One generator's first draws, in the published order: hidden features row by row, teacher, noise. */
static rl_status draw_numpy(rl_dataset *dataset) {
    const int n = dataset->n_rows, p = dataset->n_features, n_hidden = dataset->teacher.n_hidden;
    double *hidden, *const beta = dataset->teacher.beta;
    RL_TRY(RL_ALLOC(hidden, (size_t)n * (size_t)n_hidden));
    rl_mt19937 generator;
    rl_mt19937_seed(&generator, 0);
    for (size_t i = 0; i < (size_t)n * (size_t)n_hidden; i++) hidden[i] = rl_mt19937_normal(&generator);
    for (int j = 0; j < n_hidden; j++) beta[j] = rl_mt19937_normal(&generator);
    for (int i = 0; i < n; i++) {
        const double *row = hidden + (size_t)i * (size_t)n_hidden;
        double sum = 0;
        for (int j = 0; j < n_hidden; j++) sum += row[j] * beta[j];
        if (dataset->teacher.noise > 0) sum += dataset->teacher.noise * rl_mt19937_normal(&generator);
        dataset->y[i] = sum;
        for (int j = 0; j < p; j++) dataset->x[(size_t)i * (size_t)p + (size_t)j] = row[j];
    }
    rl_free(hidden);
    return RL_OK;
}

static rl_status describe(const rl_source_request *request, rl_dataset *dataset) {
    rl_text text = RL_TEXT_EMPTY;
    rl_status status = rl_text_append(&text, "%s rows drawn by ", dataset->fresh ? "fresh" : "a pool of");
    if (status == RL_OK && request->random == RL_RANDOM_NUMPY)
        status = rl_text_append(&text, "numpy.random.RandomState(0)");
    else if (status == RL_OK)
        status = rl_text_append(&text, "Philox4x32-10, seed %llu", (unsigned long long)request->seed);
    dataset->origin = text.bytes;
    return status;
}

static rl_status check(const rl_source_request *request) {
    const int features = rl_options_integer(request->options, "features");
    const int hidden = rl_options_integer(request->options, "hidden_features");
    if (features > hidden)
        return rl_source_key_fail(request, "features",
                                  "%d is more than the %d of `hidden_features`, expected at most that", features,
                                  hidden);
    if (rl_options_get(request->options, "draw")->number != 0 && request->random == RL_RANDOM_NUMPY)
        return rl_source_key_fail(request, "draw", "`fresh` rows need `random: philox`, expected `pool` with numpy");
    return RL_OK;
}

static rl_status load(const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(check(request));
    const rl_key key = rl_key_make(request->seed, request->name);
    dataset->n_rows = rl_options_integer(request->options, "rows");
    dataset->n_features = rl_options_integer(request->options, "features");
    dataset->fresh = rl_options_get(request->options, "draw")->number != 0;
    rl_teacher *teacher = &dataset->teacher;
    teacher->n_hidden = rl_options_integer(request->options, "hidden_features");
    teacher->noise = rl_options_real(request->options, "noise");
    RL_TRY(RL_ALLOC(teacher->beta, teacher->n_hidden));
    RL_TRY(describe(request, dataset));
    if (!dataset->fresh) {
        RL_TRY(RL_ALLOC(dataset->x, (size_t)dataset->n_rows * (size_t)dataset->n_features));
        RL_TRY(RL_ALLOC(dataset->y, dataset->n_rows));
    }
    if (request->random == RL_RANDOM_NUMPY) return draw_numpy(dataset);
    rl_philox_normal_row(key, RL_STREAM_TEACHER, 0, 0, 0, teacher->n_hidden, teacher->beta);
    if (!dataset->fresh) draw_philox(dataset, key);
    return RL_OK;
}

static const rl_option_spec options[] = {
    {.key = "rows",
     .type = RL_OPTION_INTEGER,
     .minimum = 2,
     .maximum = 1e9,
     .default_number = 1000,
     .help = "rows of the pool, or of each repeat when fresh"},
    {.key = "features",
     .type = RL_OPTION_INTEGER,
     .minimum = 1,
     .maximum = 1e6,
     .default_number = 20,
     .help = "features that the student sees"},
    {.key = "hidden_features",
     .type = RL_OPTION_INTEGER,
     .minimum = 1,
     .maximum = 1e6,
     .default_number = 30,
     .help = "features of the teacher, at least those of the student"},
    {.key = "noise",
     .type = RL_OPTION_REAL,
     .minimum = 0,
     .maximum = 1e100,
     .default_number = 0,
     .help = "standard deviation of the target's noise"},
    {.key = "draw",
     .type = RL_OPTION_CHOICE,
     .default_text = "pool",
     .choices = "pool|fresh",
     .help = "one pool of rows split anew for each repeat, or fresh rows for each"},
};

const rl_source rl_source_student_teacher = {
    .name = "student-teacher",
    .summary = "linear teacher on standard normal features, of which the student sees some",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load,
};

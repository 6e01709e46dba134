/* The source `student-teacher`: the linear teacher of the paper. Features and teacher are independent standard normal
 * numbers, and the student sees the first of the hidden features. The published run drew them from
 * numpy.random.RandomState(0). Other designs give each feature a standard deviation of its own, or leave most of the
 * teacher zero: with several scales, each is learned where there are as many rows as features of it and those before.
 */
#include <math.h>

#include "../../numbers.h"
#include "source.h"

enum { CHUNK = 64 };

typedef enum design { DESIGN_ISOTROPIC, DESIGN_SPIKED, DESIGN_POWER_LAW, DESIGN_SCALES } design;

/* Draws one row by Philox: x[n_features], which are the first of the hidden features, and *y. */
static void teacher_row(const rl_teacher *teacher, rl_key key, uint32_t repeat, uint32_t row, int n_features, double *x,
                        double *y) {
    double hidden[CHUNK], sum = 0;
    for (int first = 0; first < teacher->n_hidden; first += CHUNK) {
        const int count = rl_smaller(teacher->n_hidden - first, CHUNK);
        rl_philox_normal_row(key, RL_STREAM_FEATURES, repeat, row, (uint32_t)first, count, hidden);
        for (int j = 0; j < count; j++) {
            hidden[j] *= teacher->scale[first + j];
            sum += hidden[j] * teacher->beta[first + j];
            if (first + j < n_features) x[first + j] = hidden[j];
        }
    }
    if (teacher->noise > 0) sum += teacher->noise * rl_philox_normal(key, RL_STREAM_NOISE, repeat, row, 0);
    *y = sum;
}

static void draw_row(const rl_dataset *dataset, rl_key key, uint32_t repeat, int row, double *inputs, double *y) {
    teacher_row(&dataset->teacher, key, repeat, (uint32_t)row, dataset->n_inputs, inputs, y);
}

static void draw_philox(rl_dataset *dataset, rl_key key) {
    const size_t p = (size_t)dataset->n_features;
    for (int i = 0; i < dataset->n_rows; i++)
        teacher_row(&dataset->teacher, key, 0, (uint32_t)i, dataset->n_features, dataset->x + (size_t)i * p,
                    &dataset->y[i]);
}

/* The first draws of one generator, in the published order: hidden features row by row, teacher, noise. */
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

static rl_status check_options(const rl_source_request *request) {
    const int features = rl_options_integer(request->options, "features");
    const int hidden = rl_options_integer(request->options, "hidden_features");
    if (features > hidden)
        return rl_source_key_fail(request, "features",
                                  "%d is more than the %d of `hidden_features`, expected at most that", features,
                                  hidden);
    if (request->random != RL_RANDOM_NUMPY) return RL_OK;
    if (rl_options_get(request->options, "draw")->number != 0)
        return rl_source_key_fail(request, "draw", "`fresh` rows need `random: philox`, expected `pool` with numpy");
    if (rl_options_get(request->options, "design")->number != DESIGN_ISOTROPIC)
        return rl_source_key_fail(request, "design", "needs `random: philox`, expected `isotropic` with numpy");
    if (rl_options_integer(request->options, "teacher_nonzeros") > 0)
        return rl_source_key_fail(request, "teacher_nonzeros", "needs `random: philox`, expected 0 with numpy");
    return RL_OK;
}

/* Item i of the list `key`. */
static rl_status read_item(const rl_source_request *request, const char *key, int i, double *value) {
    const char *text = rl_options_get(request->options, key)->list[i];
    if (rl_parse_real(text, value) && *value > 0) return RL_OK;
    return rl_source_key_fail(request, key, "`%.40s`; expected numbers above 0", text);
}

/* Sets the standard deviations `scales`, of so many features each, and multiplies the teacher's weights on them. */
static rl_status make_scales(const rl_source_request *request, rl_teacher *teacher) {
    const int n = rl_options_get(request->options, "scales")->n_list;
    const int n_weights = rl_options_get(request->options, "scale_weights")->n_list;
    double value, count, weight = 1, total = 0;
    if (n == 0 || rl_options_get(request->options, "scale_features")->n_list != n)
        return rl_source_key_fail(request, n == 0 ? "scales" : "scale_features",
                                  "`design: scales` needs `scales` and `scale_features`, lists of as many numbers");
    if (n_weights != 0 && n_weights != n)
        return rl_source_key_fail(request, "scale_weights", "%d numbers; expected one for each of the %d `scales`",
                                  n_weights, n);
    for (int i = 0; i < n; i++) {
        RL_TRY(read_item(request, "scales", i, &value));
        RL_TRY(read_item(request, "scale_features", i, &count));
        if (n_weights != 0) RL_TRY(read_item(request, "scale_weights", i, &weight));
        if (count != floor(count)) return rl_source_key_fail(request, "scale_features", "expected whole numbers");
        for (int j = (int)fmin(total, teacher->n_hidden); j < teacher->n_hidden && j < total + count; j++) {
            teacher->scale[j] = value;
            teacher->beta[j] *= weight;
        }
        total += count;
    }
    if (total == teacher->n_hidden) return RL_OK;
    return rl_source_key_fail(request, "scale_features", "they add up to %.6g; expected the %d of `hidden_features`",
                              total, teacher->n_hidden);
}

/* Sets the standard deviations of the features; a teacher that was drawn gets its weights on them. */
static rl_status make_design(const rl_source_request *request, rl_teacher *teacher) {
    const rl_options *const options = request->options;
    const design kind = (design)rl_options_get(options, "design")->number;
    const int spikes = rl_options_integer(options, "spikes");
    teacher->isotropic = kind == DESIGN_ISOTROPIC;
    RL_TRY(RL_ALLOC(teacher->scale, teacher->n_hidden));
    for (int j = 0; j < teacher->n_hidden; j++) {
        teacher->scale[j] = 1;
        if (kind == DESIGN_SPIKED && j < spikes) teacher->scale[j] = rl_options_real(options, "spike_scale");
        if (kind == DESIGN_POWER_LAW) teacher->scale[j] = pow(j + 1, -rl_options_real(options, "exponent"));
    }
    return kind == DESIGN_SCALES ? make_scales(request, teacher) : RL_OK;
}

/* Which coordinates of a sparse teacher stay is told by the row order of a repeat that no study has. */
static rl_status thin_teacher(const rl_options *options, rl_key key, rl_teacher *teacher) {
    const int kept = rl_options_integer(options, "teacher_nonzeros");
    int *order = NULL;
    if (kept == 0 || kept >= teacher->n_hidden) return RL_OK;
    RL_TRY(RL_ALLOC(order, teacher->n_hidden));
    rl_philox_permutation(key, UINT32_MAX, teacher->n_hidden, teacher->n_hidden, order);
    for (int i = kept; i < teacher->n_hidden; i++) teacher->beta[order[i]] = 0;
    rl_free(order);
    return RL_OK;
}

static rl_status load_student_teacher(const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(check_options(request));
    const rl_key key = rl_key_make(request->seed, request->name);
    dataset->n_rows = rl_options_integer(request->options, "rows");
    dataset->n_features = rl_options_integer(request->options, "features");
    dataset->fresh = rl_options_get(request->options, "draw")->number != 0;
    rl_teacher *teacher = &dataset->teacher;
    teacher->n_hidden = rl_options_integer(request->options, "hidden_features");
    teacher->noise = rl_options_real(request->options, "noise");
    RL_TRY(RL_ALLOC(teacher->beta, teacher->n_hidden));
    if (request->random != RL_RANDOM_NUMPY) {
        rl_philox_normal_row(key, RL_STREAM_TEACHER, 0, 0, 0, teacher->n_hidden, teacher->beta);
        RL_TRY(thin_teacher(request->options, key, teacher));
    }
    RL_TRY(make_design(request, teacher));
    RL_TRY(rl_source_describe_draws(request, dataset));
    if (!dataset->fresh) {
        RL_TRY(RL_ALLOC(dataset->x, (size_t)dataset->n_rows * (size_t)dataset->n_features));
        RL_TRY(RL_ALLOC(dataset->y, dataset->n_rows));
    }
    if (request->random == RL_RANDOM_NUMPY) return draw_numpy(dataset);
    if (!dataset->fresh) draw_philox(dataset, key);
    return RL_OK;
}

static const rl_option_spec options[] = {
    RL_INTEGER_SPEC("rows", 2, 1e9, 1000, "rows of the pool, or of each repeat when fresh"),
    RL_INTEGER_SPEC("features", 1, 1e6, 20, "features that the student sees"),
    RL_INTEGER_SPEC("hidden_features", 1, 1e6, 30, "features of the teacher, at least those of the student"),
    RL_REAL_SPEC("noise", 0, 1e100, 0, "standard deviation of the target's noise"),
    RL_CHOICE_SPEC("draw", "pool", "pool|fresh", "one pool of rows split anew for each repeat, or fresh rows for each"),
    RL_CHOICE_SPEC(
        "design", "isotropic", "isotropic|spiked|power-law|scales",
        "standard deviations of the features: all 1; `spike_scale` for the first `spikes`; j^-exponent for the j-th; "
        "`scales`, each of so many `scale_features`"),
    RL_INTEGER_SPEC("spikes", 1, 1e6, 1, "features that stand out of a spiked design"),
    RL_REAL_SPEC("spike_scale", 1e-100, 1e100, 10, "standard deviation of those"),
    RL_REAL_SPEC("exponent", 0, 20, 1, "of the power law"),
    RL_INTEGER_SPEC("teacher_nonzeros", 0, 1e6, 0,
                    "coordinates of the teacher that are not zero, at random places; 0: all"),
    {.key = "scales", .type = RL_OPTION_TEXT_LIST, .later = true, .help = "standard deviations, numbers above 0"},
    {.key = "scale_features",
     .type = RL_OPTION_TEXT_LIST,
     .later = true,
     .help = "how many features have each of them"},
    {.key = "scale_weights",
     .type = RL_OPTION_TEXT_LIST,
     .later = true,
     .help = "standard deviations of the teacher's weights on each of them; none: all 1"},
};

const rl_source rl_source_student_teacher = {
    .name = "student-teacher",
    .summary = "linear teacher on normal features, of which the student sees some",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_student_teacher,
    .law = RL_INPUTS_NORMAL,
    .draw = draw_row,
};

/* Study files: parsed, told as settings, and laid out as a plan. Files that the study names are not read: every table
 * is one of 40 rows made here. */
#include "fuzz.h"
#include "ridgeless/plan.h"

enum { N_ROWS = 40, N_FEATURES = 6, MOST_DATASETS = 20, MOST_REPEATS = 50, MOST_DRAWN = 4000, MOST_VIEWS = 20 };

static rl_status make_table(const char *name, rl_dataset *dataset) {
    dataset->n_rows = N_ROWS;
    dataset->n_features = dataset->n_inputs = N_FEATURES;
    RL_TRY(rl_strdup(&dataset->name, name));
    RL_TRY(rl_strdup(&dataset->origin, "made here"));
    RL_TRY(RL_ALLOC(dataset->x, N_ROWS * N_FEATURES));
    RL_TRY(RL_ALLOC(dataset->y, N_ROWS));
    RL_TRY(RL_ALLOC(dataset->beta_star, N_FEATURES));
    for (int i = 0; i < N_ROWS * N_FEATURES; i++) dataset->x[i] = (i * 7 % 11) - 5;
    for (int i = 0; i < N_ROWS; i++) dataset->y[i] = i % 5;
    return RL_OK;
}

/* What is drawn is drawn where it is small. */
static bool is_small_teacher(const rl_study_dataset *spec) {
    if (strcmp(spec->source->name, "student-teacher") != 0) return false;
    const double hidden = rl_options_real(&spec->options, "hidden_features");
    return hidden * rl_options_real(&spec->options, "rows") <= MOST_DRAWN &&
           rl_options_real(&spec->options, "features") <= MOST_DRAWN;
}

static bool is_small(const rl_study_dataset *spec) {
    if (strcmp(spec->source->name, "function") == 0)
        return rl_options_real(&spec->options, "rows") + rl_options_real(&spec->options, "test_points") <= MOST_DRAWN;
    if (strcmp(spec->source->name, "sphere") == 0)
        return rl_options_real(&spec->options, "rows") * rl_options_real(&spec->options, "inputs") <= MOST_DRAWN;
    return is_small_teacher(spec);
}

static rl_status make_dataset(const rl_study *study, const rl_study_dataset *spec, rl_dataset *dataset) {
    const rl_source_request request = {
        .name = spec->name,
        .options = &spec->options,
        .random = study->random,
        .seed = study->seed,
        .n_views = spec->n_features.n_values < MOST_VIEWS ? spec->n_features.n_values : MOST_VIEWS,
        .n_repeats = study->repeats < MOST_REPEATS ? study->repeats : MOST_REPEATS,
        .intercept = spec->intercept};
    if (is_small(spec)) return rl_dataset_load(spec->source, &request, dataset);
    return make_table(spec->name, dataset);
}

static void check_training(const rl_series *series) {
    for (int i = 0; i < series->n_n_train; i += 1 + series->n_n_train / MOST_DRAWN) {
        const rl_autoencoder model = rl_training_model(series, i);
        const rl_training_layout l = rl_training_layout_of(&model);
        FUZZ_REQUIRE(l.length < INT32_MAX && rl_recorded_step(&model, l.n_records - 1) == model.steps);
    }
}

static void check_plan(const rl_plan *plan) {
    int64_t n_pieces = 0, counted = 0;
    char text[200];
    for (int i = 0; i < plan->n_series; i++) {
        n_pieces += rl_series_count(&plan->series[i]).pieces;
        if (plan->series[i].autoencoder != NULL) check_training(&plan->series[i]);
    }
    for (int64_t i = 0; i < plan->n_tasks; i++) {
        const rl_task *task = &plan->tasks[i];
        counted += task->repeats.n;
        FUZZ_REQUIRE(task->flops > 0);
        FUZZ_REQUIRE(rl_plan_task(plan, task->series, task->repeats.first, task->n_train.first) == i);
        FUZZ_REQUIRE(rl_predict_task(plan, i, 2, &rl_rates_default).seconds > 0);
        rl_plan_text(plan, i, text, sizeof text);
    }
    FUZZ_REQUIRE(n_pieces == counted);
}

static void lay_out(rl_study *study) {
    rl_dataset datasets[MOST_DATASETS] = {0};
    rl_plan plan;
    rl_status status = RL_OK;
    if (study->n_datasets > MOST_DATASETS) return;
    if (study->repeats > MOST_REPEATS) study->repeats = MOST_REPEATS;
    int n = 0;
    for (; n < study->n_datasets && status == RL_OK; n++)
        status = make_dataset(study, &study->datasets[n], &datasets[n]);
    if (status == RL_OK) {
        status = rl_plan_create_with(study, datasets, n, NULL, &plan);
        if (status == RL_OK) {
            check_plan(&plan);
            rl_plan_destroy(&plan);
        }
    }
    fuzz_check_answer(status);
    for (int i = 0; i < n; i++) rl_dataset_destroy(&datasets[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rl_study study;
    rl_text text = RL_TEXT_EMPTY, settings = RL_TEXT_EMPTY;
    if (memchr(data, 0, size) != NULL) return 0; /* the program refuses such a file before it is parsed */
    FUZZ_REQUIRE(rl_text_append_bytes(&text, data, size) == RL_OK);
    const rl_status status = rl_study_parse("study.yaml", text.bytes, &study);
    fuzz_check_answer(status);
    if (status == RL_OK) {
        FUZZ_REQUIRE(rl_study_settings(&study, &settings) == RL_OK && settings.length > 0);
        lay_out(&study);
        rl_study_destroy(&study);
    } else {
        FUZZ_REQUIRE(strncmp(rl_error_message(), "study.yaml:", 11) == 0);
    }
    rl_free(settings.bytes);
    rl_free(text.bytes);
    return 0;
}

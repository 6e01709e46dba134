/* What commands begin with: the study, its plan, and what a run may use. */
#include <math.h>
#include <string.h>

#include "../netcdf_call.h"
#include "cli.h"

/* dir/paper.yaml -> paper.nc, of one data set paper-diabetes.nc: the results go where the user is, not where the study
 * lies. */
static rl_status default_output(const rl_settings *settings, const char *study_path, char **output) {
    size_t length;
    const char *name = rl_file_stem(study_path, &length);
    rl_text text = RL_TEXT_EMPTY;
    rl_status status = rl_text_append_bytes(&text, name, length);
    for (int i = 0; status == RL_OK && i < settings->n_datasets; i++)
        status = rl_text_append(&text, "-%s", settings->datasets[i]);
    if (status == RL_OK) status = rl_text_append(&text, ".nc");
    *output = text.bytes;
    return status;
}

static bool is_results_file(const char *path) {
    char begin[RL_NC_SIGNATURE];
    size_t got;
    return rl_read_beginning(path, RL_ERR_INPUT, "a study", sizeof begin, begin, &got) == RL_OK &&
           rl_nc_is_netcdf4(begin, got);
}

static rl_status read_study(const char *path, rl_study *study) {
    rl_text text = RL_TEXT_EMPTY;
    char word[RL_SHELL_WORD];
    RL_TRY(rl_check_name(path, ".yaml"));
    if (is_results_file(path))
        return rl_fail(RL_ERR_INPUT, "%s: is a results file, expected a study; try: ridgeless show %s", path,
                       rl_shell_word(path, word));
    rl_status status = rl_read_file(path, RL_STUDY_FILE_LIMIT, &text);
    if (status == RL_OK && strlen(text.bytes) != text.length)
        status = rl_fail(RL_ERR_INPUT, "%s: holds a zero byte; expected a YAML text", path);
    if (status == RL_OK) status = rl_study_parse(path, text.bytes, study);
    rl_free(text.bytes);
    return status;
}

rl_status rl_prepare(const rl_settings *settings, int argument, rl_prepared *prepared) {
    const char *path = settings->arguments[argument];
    rl_data_path data = {0};
    RL_TRY(read_study(path, &prepared->study));
    if (settings->repeats > 0) prepared->study.repeats = settings->repeats;
    if (settings->output != NULL)
        RL_TRY(rl_strdup(&prepared->output, settings->output));
    else
        RL_TRY(default_output(settings, path, &prepared->output));
    rl_status status = rl_data_path_create(&data, settings->data);
    const rl_plan_options options = {.path = &data,
                                     .skip_missing = settings->skip_missing,
                                     .datasets = settings->datasets,
                                     .n_datasets = settings->n_datasets};
    if (status == RL_OK) status = rl_plan_create(&prepared->study, &options, &prepared->plan);
    rl_data_path_destroy(&data);
    return status;
}

void rl_prepared_destroy(rl_prepared *prepared) {
    rl_plan_destroy(&prepared->plan);
    rl_study_destroy(&prepared->study);
    rl_free(prepared->output);
    *prepared = (rl_prepared){0};
}

double rl_node_memory(const rl_settings *settings) {
    const double bytes = settings->memory > 0 ? (double)settings->memory : (double)rl_memory_available();
    return bytes > 0 ? bytes : INFINITY; /* the system does not say */
}

static rl_status make_run_settings(const rl_settings *settings, const rl_context *context, rl_run_settings *run) {
    int ranks_of_node = 1;
    RL_TRY(rl_context_node_size(context, &ranks_of_node));
    double least = -rl_node_memory(settings) / ranks_of_node;
    RL_TRY(rl_context_largest(context, &least, 1));
    *run = (rl_run_settings){.schedule = settings->schedule,
                             .bytes_per_rank = -least,
                             .seconds_left = settings->time_left - (rl_seconds() - settings->started)};
    char *source = NULL;
    const bool needed = context->rank == 0 && isfinite(run->seconds_left);
    const rl_status status = needed ? rl_rates_find(NULL, &run->rates, &source) : RL_OK;
    rl_free(source);
    return rl_context_agree(context, status);
}

rl_status rl_share_prepared(const rl_settings *settings, const rl_context *context, rl_prepared *prepared,
                            rl_run_settings *run) {
    RL_TRY(rl_parallel_share_plan(context, &prepared->study, &prepared->plan));
    RL_TRY(rl_parallel_complete_plan(context, &prepared->plan));
    RL_TRY(make_run_settings(settings, context, run));
    rl_context_tell_crowd(context);
    return RL_OK;
}

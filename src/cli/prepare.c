/* What commands begin with: the study, its plan, and what a run may use. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

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

/* A study that comes through a pipe, or from wherever standard input does: it can be read once, and has neither a name
 * nor a folder. Messages call it so; NULL: it is a file. */
static const char *name_of_stream(const char *path) {
    static const char *const inputs[] = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};
    struct stat status;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(path, inputs[i]) == 0) return "standard input";
    const bool is_file = strncmp(path, "/dev/fd/", strlen("/dev/fd/")) != 0 &&
                         (stat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
    return is_file ? NULL : "pipe";
}

static rl_status read_text(const char *path, rl_text *text) {
    char word[RL_SHELL_WORD];
    const char *stream = name_of_stream(path);
    if (stream != NULL && strcmp(stream, "standard input") == 0)
        return rl_read_standard_input(RL_STUDY_FILE_LIMIT, text);
    if (stream == NULL) RL_TRY(rl_check_name(path, ".yaml"));
    if (stream == NULL && is_results_file(path))
        return rl_fail(RL_ERR_INPUT, "%s: is a results file, expected a study; try: ridgeless show %s", path,
                       rl_shell_word(path, word));
    return rl_read_file(path, RL_STUDY_FILE_LIMIT, text);
}

static rl_status read_study(const char *path, rl_study *study) {
    const char *stream = name_of_stream(path), *name = stream != NULL ? stream : path;
    rl_text text = RL_TEXT_EMPTY;
    rl_status status = read_text(path, &text);
    if (status == RL_OK && strlen(text.bytes) != text.length)
        status = rl_fail(RL_ERR_INPUT, "%s: holds a zero byte; expected a YAML text", name);
    if (status == RL_OK) status = rl_study_parse(name, text.bytes, study);
    rl_free(text.bytes);
    return status;
}

/* Of a study without a name, nothing is there yet that `plan` and `bench` would look at. */
static rl_status name_output(const rl_settings *settings, const char *path, char **output) {
    const char *stream = name_of_stream(path);
    if (settings->output != NULL) return rl_strdup(output, settings->output);
    if (stream == NULL) return default_output(settings, path, output);
    if ((settings->command & (RL_PLAN | RL_BENCH)) != 0 || settings->sleeps) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: the study has no name, and so the results file has none; expected -o FILE, too",
                   stream);
}

static rl_status check_sharing(const rl_settings *settings) {
    if (settings->chunk == 0 || settings->schedule == RL_SCHEDULE_DYNAMIC) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "--chunk: under the %s schedule each rank knows all its tasks from the start; expected --schedule "
                   "dynamic",
                   rl_schedule_name(settings->schedule));
}

rl_status rl_prepare(const rl_settings *settings, int argument, rl_prepared *prepared) {
    const char *path = settings->arguments[argument];
    rl_data_path data = {0};
    RL_TRY(check_sharing(settings));
    if (settings->sbatch && name_of_stream(path) != NULL)
        return rl_fail(RL_ERR_INPUT, "plan: --sbatch: the job is to read the study, too; expected the name of a file");
    RL_TRY(name_output(settings, path, &prepared->output));
    RL_TRY(read_study(path, &prepared->study));
    if (settings->repeats > 0) prepared->study.repeats = settings->repeats;
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
                             .order = settings->order,
                             .chunk = settings->chunk,
                             .sleeps = settings->sleeps,
                             .keep_times = settings->timeline != NULL,
                             .bytes_per_rank = -least,
                             .seconds_left = settings->time_left - (rl_seconds() - settings->started)};
    char *source = NULL;
    const bool needed = context->rank == 0 && (isfinite(run->seconds_left) || settings->sleeps);
    const rl_status status = needed ? rl_rates_find(NULL, &run->rates, &source) : RL_OK;
    rl_free(source);
    return rl_context_agree(context, status);
}

rl_status rl_share_prepared(const rl_settings *settings, const rl_context *context, rl_prepared *prepared,
                            rl_run_settings *run) {
    RL_TRY(rl_parallel_share_plan(context, &prepared->study, &prepared->plan));
    if (!settings->sleeps) RL_TRY(rl_parallel_complete_plan(context, &prepared->plan));
    RL_TRY(make_run_settings(settings, context, run));
    rl_context_tell_crowd(context);
    return RL_OK;
}

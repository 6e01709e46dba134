/* The table of sources, and what they share: finding their files, and messages about their keys. */
#include "source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const rl_source *const rl_sources[] = {&rl_source_student_teacher,
                                       &rl_source_gaussian,
                                       &rl_source_california,
                                       &rl_source_diabetes,
                                       &rl_source_who,
                                       &rl_source_who_fixed,
                                       &rl_source_csv,
                                       &rl_source_netcdf,
                                       &rl_source_function,
                                       &rl_source_sphere,
                                       NULL};

const rl_source *rl_source_find(const char *name) {
    for (const rl_source *const *source = rl_sources; *source != NULL; source++)
        if (strcmp((*source)->name, name) == 0) return *source;
    return NULL;
}

bool rl_source_available(const rl_source *source, const rl_data_path *path, const char **missing) {
    *missing = NULL;
    for (const char *const *file = source->files; file != NULL && *file != NULL; file++) {
        char *found = NULL;
        if (rl_data_path_find(path, *file, &found) != RL_OK) {
            *missing = *file;
            return false;
        }
        rl_free(found);
    }
    return true;
}

rl_status rl_source_locate(const rl_source *source, const rl_source_request *request, const char *file, char **path) {
    const rl_status status = rl_data_path_find(request->path, file, path);
    if (status != RL_ERR_INPUT) return status;
    return rl_fail(status, "dataset `%s`: %s; %s", request->name, rl_error_message(), source->how_to_get);
}

rl_status rl_source_key_fail(const rl_source_request *request, const char *key, const char *format, ...) {
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    const int line = rl_options_get(request->options, key)->line;
    if (line == 0) return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `%s`: %s", request->name, key, reason);
    return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `%s` (line %d): %s", request->name, key, line, reason);
}

rl_status rl_source_standardize(const rl_source_request *request, rl_dataset *dataset) {
    const rl_standardize how = (rl_standardize)rl_options_get(request->options, "standardize")->number;
    return rl_standardize_features(how, RL_ROUNDING_OF_DOUBLES, dataset);
}

rl_status rl_source_describe_draws(const rl_source_request *request, rl_dataset *dataset) {
    const char *kind = dataset->fresh ? "fresh" : "a pool of";
    rl_text text = RL_TEXT_EMPTY;
    const rl_status status = request->random == RL_RANDOM_NUMPY
                                 ? rl_text_append(&text, "%s rows drawn by numpy.random.RandomState(0)", kind)
                                 : rl_text_append(&text, "%s rows drawn by Philox4x32-10, seed %llu", kind,
                                                  (unsigned long long)request->seed);
    dataset->origin = text.bytes;
    return status;
}

rl_status rl_source_locate_named(const rl_source_request *request, char **path) {
    const char *file = rl_options_text(request->options, "file");
    if (file[0] == '/') return rl_strdup(path, file);
    if (request->base_folder != NULL) {
        rl_text beside = RL_TEXT_EMPTY;
        RL_TRY(rl_text_append(&beside, "%s/%s", request->base_folder, file));
        struct stat status;
        if (stat(beside.bytes, &status) == 0 || errno != ENOENT) { /* the reader says what is wrong with it */
            *path = beside.bytes;
            return RL_OK;
        }
        rl_free(beside.bytes);
    }
    const rl_status status = rl_data_path_find(request->path, file, path);
    if (status != RL_ERR_INPUT) return status;
    if (request->base_folder == NULL) return rl_source_key_fail(request, "file", "%s", rl_error_message());
    return rl_source_key_fail(request, "file", "%s, nor beside the study file", rl_error_message());
}

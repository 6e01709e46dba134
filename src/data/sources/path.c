/* The folders in which data files are looked for. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ridgeless/data.h"

/* Adds a folder that is not there already. NULL and "" are none. */
static rl_status add_folder(rl_data_path *path, const char *folder) {
    if (folder == NULL || *folder == '\0') return RL_OK;
    for (int i = 0; i < path->n_folders; i++)
        if (strcmp(path->folders[i], folder) == 0) return RL_OK;
    RL_TRY(rl_strdup(&path->folders[path->n_folders], folder));
    path->n_folders++;
    return RL_OK;
}

rl_status rl_data_path_create(rl_data_path *path, const char *option) {
    *path = (rl_data_path){0};
    char beside[RL_PATH_ROOM];
    rl_status status;
    RL_TRY_GOTO(add_folder(path, option), failed);
    RL_TRY_GOTO(add_folder(path, getenv("RIDGELESS_DATA")), failed);
    if (rl_path_beside_program("share/ridgeless/data", beside)) RL_TRY_GOTO(add_folder(path, beside), failed);
    RL_TRY_GOTO(add_folder(path, RL_DATA_FOLDER), failed);
    RL_TRY_GOTO(add_folder(path, RL_SOURCE_DATA_FOLDER), failed);
    return RL_OK;
failed:
    rl_data_path_destroy(path);
    return status;
}

void rl_data_path_destroy(rl_data_path *path) {
    for (int i = 0; i < path->n_folders; i++) rl_free(path->folders[i]);
    *path = (rl_data_path){0};
}

static rl_status fail_missing(const rl_data_path *path, const char *file) {
    rl_text folders = RL_TEXT_EMPTY;
    rl_status status = RL_OK;
    for (int i = 0; i < path->n_folders && status == RL_OK; i++)
        status = rl_text_append(&folders, "%s%s", i == 0 ? "" : ", ", path->folders[i]);
    if (status == RL_OK) status = rl_fail(RL_ERR_INPUT, "%s: not found in %s", file, folders.bytes);
    rl_free(folders.bytes);
    return status;
}

rl_status rl_data_path_find(const rl_data_path *path, const char *file, char **found) {
    for (int i = 0; i < path->n_folders; i++) {
        rl_text candidate = RL_TEXT_EMPTY;
        RL_TRY(rl_text_append(&candidate, "%s/%s", path->folders[i], file));
        struct stat status;
        if (stat(candidate.bytes, &status) == 0 && S_ISREG(status.st_mode)) {
            *found = candidate.bytes;
            return RL_OK;
        }
        rl_free(candidate.bytes);
    }
    return fail_missing(path, file);
}

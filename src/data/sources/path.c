/* The folders in which data files are looked for. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ../share/ridgeless/data seen from the program's folder, so that a moved installation still finds its data. */
static rl_status add_beside_program(rl_data_path *path) {
    static const char beside[] = "/share/ridgeless/data";
    char program[4096 + sizeof beside];
    const ssize_t length = readlink("/proc/self/exe", program, 4096);
    if (length <= 0) return RL_OK;
    program[length] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL) return RL_OK;
        *slash = '\0';
    }
    return add_folder(path, strcat(program, beside));
}

rl_status rl_data_path_create(rl_data_path *path, const char *option) {
    *path = (rl_data_path){0};
    rl_status status;
    RL_TRY_GOTO(add_folder(path, option), failed);
    RL_TRY_GOTO(add_folder(path, getenv("RIDGELESS_DATA")), failed);
    RL_TRY_GOTO(add_beside_program(path), failed);
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

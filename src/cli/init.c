/* `init`: writes jobs/first-study.yaml, which the build puts into the program line by line, with the lines filled in
 * that a table of the user's own has of its own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

static const char *const template_lines[] = {
#include "first-study.yaml.inc"
};
enum { N_LINES = sizeof template_lines / sizeof *template_lines };

/* How the line begins in whose place a part comes. */
static const char *const begins[RL_INIT_PARTS] = {[RL_INIT_TITLE] = "title:",
                                                  [RL_INIT_REPEATS] = "repeats:",
                                                  [RL_INIT_N_TRAIN] = "n_train:",
                                                  [RL_INIT_CUTOFF] = "  - cutoff:",
                                                  [RL_INIT_LEADING_MODES] = "  - leading_modes:",
                                                  [RL_INIT_DATASETS] = "  - diabetes"};

static rl_status append_lines(const rl_text parts[RL_INIT_PARTS], rl_text *content) {
    for (int i = 0; i < N_LINES; i++) {
        int part = 0;
        while (part < RL_INIT_PARTS && strncmp(template_lines[i], begins[part], strlen(begins[part])) != 0) part++;
        const bool filled = part < RL_INIT_PARTS && parts[part].length > 0;
        RL_TRY(rl_text_append(content, "%s%s", filled ? parts[part].bytes : template_lines[i], filled ? "" : "\n"));
        if (filled && part == RL_INIT_DATASETS) return RL_OK;
    }
    return RL_OK;
}

/* Where figures.py is: installed beside the program, or in the sources that it was built from. */
static bool find_figures(char path[RL_PATH_ROOM]) {
    if (rl_path_beside_program("share/ridgeless/analysis/figures.py", path) && access(path, R_OK) == 0) return true;
    snprintf(path, RL_PATH_ROOM, "%s", RL_SOURCE_ANALYSIS_FOLDER "/figures.py");
    return access(path, R_OK) == 0;
}

/* A file that is there is left as it is. */
static rl_status write_new_file(const char *path, const rl_text *content) {
    FILE *file = fopen(path, "wx");
    if (file == NULL && errno == EEXIST)
        return rl_fail(RL_ERR_INPUT,
                       "%s: is there already, and is left as it is; give another name: ridgeless init NAME", path);
    if (file == NULL) return rl_fail(RL_ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    const bool written = fwrite(content->bytes, 1, content->length, file) == content->length;
    if (fclose(file) == 0 && written) return RL_OK;
    const rl_status status = rl_fail(RL_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    remove(path);
    return status;
}

static void print_next(const char *path) {
    char word[RL_SHELL_WORD], figures[RL_PATH_ROOM], results[RL_PATH_ROOM];
    size_t length;
    const char *stem = rl_file_stem(path, &length);
    snprintf(results, sizeof results, "%.*s.nc", (int)length, stem);
    printf("Next:\n  ridgeless run %s\n", rl_shell_word(path, word));
    printf("  ridgeless show %s\n", rl_shell_word(results, word));
    if (!find_figures(figures)) return;
    printf("  /usr/bin/python3 %s", rl_shell_word(figures, word));
    printf(" %s\n", rl_shell_word(results, word));
}

/* `summary` is empty where there is no table. */
static void print_study(const char *path, const rl_settings *settings, const rl_text *summary) {
    const char *table = settings->csv;
    printf("%s: a %s%s, to be read and changed.\n", path, table != NULL ? "study of " : "first study",
           table != NULL ? table : "");
    if (summary->length > 0) rl_print_wrapped(summary->bytes, 0, 0);
    print_next(path);
}

static rl_status fill_parts(const rl_settings *settings, const char *path, rl_text parts[RL_INIT_PARTS],
                            rl_text *summary) {
    rl_init_table table;
    rl_status status = rl_init_table_create(&table, settings->csv, settings->target);
    if (status == RL_OK) status = rl_init_fill(&table, settings->csv, path, parts);
    if (status == RL_OK) status = rl_init_summarize(&table, path, summary);
    rl_init_table_destroy(&table);
    return status;
}

static rl_status write_study(const char *path, const rl_settings *settings) {
    rl_text parts[RL_INIT_PARTS] = {0}, content = RL_TEXT_EMPTY, summary = RL_TEXT_EMPTY;
    rl_status status = settings->csv != NULL ? fill_parts(settings, path, parts, &summary) : RL_OK;
    if (status == RL_OK) status = append_lines(parts, &content);
    if (status == RL_OK) status = write_new_file(path, &content);
    if (status == RL_OK) print_study(path, settings, &summary);
    for (int i = 0; i < RL_INIT_PARTS; i++) rl_free(parts[i].bytes);
    rl_free(content.bytes);
    rl_free(summary.bytes);
    return status;
}

rl_status rl_command_init(rl_settings *settings, const rl_context *context) {
    (void)context;
    const char *name = settings->arguments[0] != NULL ? settings->arguments[0] : "my-study";
    rl_text path = RL_TEXT_EMPTY;
    if (settings->target != NULL && settings->csv == NULL)
        return rl_fail(RL_ERR_INPUT, "--target: needs --csv FILE, the table that has the column");
    rl_status status = rl_text_append(&path, "%s%s", name, rl_is_study_name(name) ? "" : ".yaml");
    if (status == RL_OK) status = write_study(path.bytes, settings);
    rl_free(path.bytes);
    return status;
}

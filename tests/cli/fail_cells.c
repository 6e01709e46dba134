/* Makes spectra in a journal ones that failed, as a record that comes later: fail_cells STUDY OUTPUT (TASK N
 * STATUS)... No study can be trusted to make LAPACK fail. */
#include <stdio.h>
#include <stdlib.h>

#include "ridgeless/results.h"

static rl_status fail_cell(const rl_plan *plan, rl_journal *journal, char **words) {
    const int64_t index = atoll(words[0]);
    const rl_task *task = &plan->tasks[index];
    const rl_series *series = &plan->series[task->series];
    const rl_curve_layout l = rl_curve_layout_of(series);
    double *curve = NULL;
    char *room = NULL;
    RL_TRY(RL_ALLOC(curve, l.length));
    RL_TRY(RL_ALLOC(room, rl_curve_record_bytes(series)));
    for (int i = 0; i < l.n_n_train; i++) rl_curve_clear(&l, i, curve);
    curve[l.status + (size_t)atoi(words[1])] = atoi(words[2]);
    const rl_record record = rl_curve_record(series, task, curve, room);
    const rl_status status = rl_journal_append(journal, index, &record);
    rl_free(curve);
    rl_free(room);
    return status;
}

static rl_status fail_cells(const char *study_path, const char *output, int n, char **words) {
    rl_text text = RL_TEXT_EMPTY;
    rl_study study = {0};
    rl_data_path path = {0};
    rl_plan plan = {0};
    rl_journal *journal = NULL;
    rl_status status;
    RL_TRY_GOTO(rl_read_file(study_path, RL_STUDY_FILE_LIMIT, &text), done);
    RL_TRY_GOTO(rl_study_parse(study_path, text.bytes, &study), done);
    RL_TRY_GOTO(rl_data_path_create(&path, NULL), done);
    RL_TRY_GOTO(rl_plan_create(&study, &(rl_plan_options){.path = &path}, &plan), done);
    RL_TRY_GOTO(rl_journal_open(output, &plan, false, &journal), done);
    for (int i = 0; i + 2 < n && status == RL_OK; i += 3) status = fail_cell(&plan, journal, words + i);
done:
    if (journal != NULL) rl_journal_close(journal);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
    rl_data_path_destroy(&path);
    rl_free(text.bytes);
    return status;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    const rl_status status = fail_cells(argv[1], argv[2], argc - 3, argv + 3);
    if (status != RL_OK) fprintf(stderr, "fail_cells: %s\n", rl_error_message());
    return rl_exit_status(status);
}

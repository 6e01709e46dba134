/* `plan --sbatch`: jobs/many-nodes.sbatch, which the build puts into the program line by line, with the lines that are
 * there to be edited filled in for a study. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const char *const template_lines[] = {
#include "many-nodes.sbatch.inc"
};
enum { N_LINES = sizeof template_lines / sizeof *template_lines };

/* Predictions are good to some ten percent on a quiet node. */
static const double time_margin = 1.5, memory_margin = 1.25;
static const double library_bytes = 256.0 * (1 << 20); /* that MPI, BLAS and NetCDF may take more there than here */
enum { LEAST_MINUTES = 10, START_MINUTES = 5, DAY = 24 * 60 };
enum { SLURM_EARLY = 60, LEAST_LEAD = 120 }; /* seconds; the signal may come a minute early */
enum { LEAST_RESTARTS = 20 };

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static double round_up(double value, double step) {
    return ceil(value / step) * step;
}

/* That the longest piece of work, which must end in one go, needs. */
static double least_minutes(const rl_job_needs *needs) {
    return 2 * time_margin * needs->seconds_case / 60 + START_MINUTES;
}

/* Of the whole study with a margin, but no longer than a day, as schedulers like it, unless one case needs more, nor
 * than the partition allows: the rest is done by the next start. */
static double job_minutes(const rl_job_needs *needs, const rl_partition *partition) {
    const double whole = time_margin * needs->seconds / 60 + START_MINUTES;
    const double minutes = fmax(LEAST_MINUTES, fmin(whole, fmax(least_minutes(needs), DAY)));
    const double rounded = round_up(minutes, minutes <= 60 ? 10 : minutes <= DAY / 2 ? 30 : 60);
    return partition->cores > 0 ? fmin(rounded, floor(partition->seconds / 60)) : rounded;
}

/* Time for a case that has begun to end in, as far as that leaves most of the job's time to work. */
static double lead_seconds(const rl_job_needs *needs, double minutes) {
    const double lead = SLURM_EARLY + time_margin * needs->seconds_case;
    return floor(fmax(LEAST_LEAD, fmin(round_up(lead, 30), minutes * 60 / 4)));
}

static double restarts(const rl_job_needs *needs, double minutes) {
    return fmax(LEAST_RESTARTS, ceil(2 * time_margin * needs->seconds / (60 * minutes)));
}

/* Of rank 0's node. */
static double node_bytes(const rl_job_needs *needs, int a_node) {
    return needs->bytes + (a_node - 1) * needs->other_bytes;
}

/* MiB per rank: Slurm gives each node as many times that as it has ranks, for all of them together. A margin that no
 * node has is of no use. */
static double job_memory(const rl_job_needs *needs, int a_node) {
    const double bytes = node_bytes(needs, a_node) / a_node, wanted = memory_margin * bytes + library_bytes;
    const double most = fmax(bytes, needs->node_bytes / a_node);
    return wanted <= most ? round_up(wanted / (1 << 20), 50) : floor(most / (1 << 20));
}

/* ---- what the partition gives ------------------------------------------------------------------------------------ */

/* One line that says what is too much and what the partition has. */
static rl_status refuse(const rl_partition *p, const char *what) {
    char memory[32], seconds[32] = "any time";
    if (isfinite(p->seconds)) rl_time_text(p->seconds, seconds);
    return rl_fail(RL_ERR_INPUT,
                   "plan: %s; the partition `%s` gives at most %d node%s, %d rank%s and %s of memory on each, for %s; "
                   "another --ranks or --partition may do",
                   what, p->name, p->nodes, rl_plural(p->nodes), p->cores, rl_plural(p->cores),
                   isfinite(p->node_bytes) ? rl_bytes_text(p->node_bytes, memory) : "any amount", seconds);
}

static rl_status check_partition(const rl_job_needs *needs, const rl_partition *p) {
    const int a_node = (needs->ranks + needs->nodes - 1) / needs->nodes;
    const double bytes = node_bytes(needs, a_node), seconds = 60 * least_minutes(needs);
    char what[100], number[32];
    if (p->cores == 0) return RL_OK;
    snprintf(what, sizeof what, "%d ranks take %d node%s", needs->ranks, needs->nodes, rl_plural(needs->nodes));
    if (needs->nodes > p->nodes) return refuse(p, what);
    snprintf(what, sizeof what, "%d rank%s need %s per node", needs->ranks, rl_plural(needs->ranks),
             rl_bytes_text(bytes, number));
    if (bytes > p->node_bytes) return refuse(p, what);
    snprintf(what, sizeof what, "the longest piece of work may take %s", rl_time_text(seconds, number));
    return needs->seconds_case > 0 && seconds > p->seconds ? refuse(p, what) : RL_OK;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static rl_status append_word(rl_text *line, const char *word) {
    char quoted[RL_SHELL_WORD];
    return rl_text_append(line, "%s", rl_shell_word(word, quoted));
}

/* The script may be submitted from any folder. */
static rl_status append_path(rl_text *line, const char *path) {
    rl_text absolute = RL_TEXT_EMPTY;
    char *folder = *path == '/' ? NULL : getcwd(NULL, 0);
    if (*path != '/' && folder == NULL)
        return rl_fail(RL_ERR_INPUT, "the current folder has no name; expected to be in one that is there");
    rl_status status =
        rl_text_append(&absolute, "%s%s%s", folder == NULL ? "" : folder, folder == NULL ? "" : "/", path);
    if (status == RL_OK) status = append_word(line, absolute.bytes);
    free(folder);
    rl_free(absolute.bytes);
    return status;
}

/* The path of this program. */
static rl_status append_program(rl_text *line) {
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length < 0 || length == sizeof path) return append_word(line, "ridgeless");
    path[length] = '\0';
    return append_word(line, path);
}

/* Slurm reads names of partitions up to the end of the line. */
static rl_status check_name(const char *partition) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (partition == NULL || (*partition != '\0' && partition[strspn(partition, plain)] == '\0')) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "plan: --partition: got `%s`; expected letters, digits, `-`, `_` and `.`", partition);
}

/* A name for lists of jobs: the study file's, without what Slurm or a file name could take amiss. */
static rl_status append_name(rl_text *line, const char *study_path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    enum { LONGEST = 40 };
    size_t length;
    const char *name = rl_file_stem(study_path, &length);
    for (size_t i = 0; i < length && i < LONGEST; i++)
        RL_TRY(rl_text_append(line, "%c", strchr(plain, name[i]) != NULL ? name[i] : '_'));
    return RL_OK;
}

static rl_status append_study(rl_text *line, const rl_settings *settings, const char *output) {
    const char *data = settings->data != NULL ? settings->data : getenv("RIDGELESS_DATA");
    RL_TRY(append_path(line, settings->arguments[0]));
    RL_TRY(rl_text_append(line, " -o "));
    RL_TRY(append_path(line, output));
    if (data != NULL && *data != '\0') {
        RL_TRY(rl_text_append(line, " --data "));
        RL_TRY(append_path(line, data));
    }
    if (settings->skip_missing) RL_TRY(rl_text_append(line, " --skip-missing"));
    for (int i = 0; i < settings->n_datasets; i++) {
        RL_TRY(rl_text_append(line, " --dataset "));
        RL_TRY(append_word(line, settings->datasets[i]));
    }
    return rl_text_append(line, ")");
}

/* ---- the script -------------------------------------------------------------------------------------------------- */

/* A line of the template that begins so goes on as it was filled in. */
enum { NAME, NODES, TASKS, TASKS_A_NODE, MEMORY, TIME, SIGNAL, STUDY, PROGRAM, RESTARTS, N_FILLED };
static const char *const begins[N_FILLED] = {[NAME] = "#SBATCH --job-name=",
                                             [NODES] = "#SBATCH --nodes=",
                                             [TASKS] = "#SBATCH --ntasks=",
                                             [TASKS_A_NODE] = "#SBATCH --ntasks-per-node=",
                                             [MEMORY] = "#SBATCH --mem-per-cpu=",
                                             [TIME] = "#SBATCH --time=",
                                             [SIGNAL] = "#SBATCH --signal=",
                                             [STUDY] = "study=(",
                                             [PROGRAM] = "ridgeless=",
                                             [RESTARTS] = "most_restarts="};

static rl_status fill_numbers(rl_text filled[N_FILLED], const rl_job_needs *needs, const rl_partition *partition) {
    const int a_node = (needs->ranks + needs->nodes - 1) / needs->nodes;
    const double minutes = job_minutes(needs, partition);
    RL_TRY(rl_text_append(&filled[NODES], "%d", needs->nodes));
    RL_TRY(rl_text_append(&filled[TASKS], "%d", needs->ranks));
    RL_TRY(rl_text_append(&filled[TASKS_A_NODE], "%d", a_node));
    RL_TRY(rl_text_append(&filled[MEMORY], "%.0fM", job_memory(needs, a_node)));
    RL_TRY(rl_text_append(&filled[TIME], "%02.0f:%02.0f:00", floor(minutes / 60), fmod(minutes, 60)));
    RL_TRY(rl_text_append(&filled[SIGNAL], "USR1@%.0f", lead_seconds(needs, minutes)));
    return rl_text_append(&filled[RESTARTS], "%.0f", restarts(needs, minutes));
}

static rl_status fill_lines(rl_text filled[N_FILLED], const rl_settings *settings, const char *output,
                            const rl_job_needs *needs, const rl_partition *partition) {
    RL_TRY(fill_numbers(filled, needs, partition));
    RL_TRY(append_name(&filled[NAME], settings->arguments[0]));
    if (settings->partition != NULL)
        RL_TRY(rl_text_append(&filled[NAME], "\n#SBATCH --partition=%s", settings->partition));
    RL_TRY(append_study(&filled[STUDY], settings, output));
    return append_program(&filled[PROGRAM]);
}

static void print_beginning(const rl_job_needs *needs) {
    char seconds[32], memory[32];
    printf(
        "#!/bin/bash\n"
        "# Printed by `ridgeless plan --sbatch` (" RL_VERSION
        "), for sbatch. `plan` predicts %s on %d rank%s, and %s per rank.\n"
        "# Stopped before the time limit, the job starts itself again and does what is missing.\n",
        rl_time_text(needs->seconds, seconds), needs->ranks, rl_plural(needs->ranks),
        rl_bytes_text(needs->bytes, memory));
}

static void print_line(const char *line, const rl_text filled[N_FILLED]) {
    int i = 0;
    while (i < N_FILLED && strncmp(line, begins[i], strlen(begins[i])) != 0) i++;
    if (i < N_FILLED)
        printf("%s%s\n", begins[i], filled[i].bytes);
    else
        printf("%s\n", line);
}

rl_status rl_print_sbatch(const rl_settings *settings, const char *output, const rl_job_needs *needs,
                          const rl_partition *partition) {
    rl_text filled[N_FILLED] = {0};
    RL_TRY(check_name(settings->partition));
    RL_TRY(check_partition(needs, partition));
    const rl_status status = fill_lines(filled, settings, output, needs, partition);
    int first = 0; /* line of the template that does not speak of copying it */
    while (first < N_LINES && strncmp(template_lines[first], "#SBATCH", 7) != 0) first++;
    if (status == RL_OK) print_beginning(needs);
    for (int i = first; i < N_LINES && status == RL_OK; i++) print_line(template_lines[i], filled);
    for (int i = 0; i < N_FILLED; i++) rl_free(filled[i].bytes);
    return status;
}

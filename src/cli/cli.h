/* Private to the command line: the commands, what the command line has said to them, and what they share. */
#ifndef RL_CLI_H
#define RL_CLI_H

#include <jansson.h>
#include <time.h>

#include "ridgeless/advice.h"
#include "ridgeless/context.h"
#include "ridgeless/parallel.h"
#include "ridgeless/plan.h"
#include "ridgeless/results.h"

/* The commands, one bit each: an option says with them which commands have it. */
typedef enum rl_commands {
    RL_RUN = 1,
    RL_RETRY = 2,
    RL_ASSEMBLE = 4,
    RL_PLAN = 8,
    RL_STATUS = 16,
    RL_SHOW = 32,
    RL_DATASETS = 64,
    RL_BENCH = 128,
    RL_DIFF = 256,
    RL_INIT = 512,
    RL_ABLATIONS = 1024,
    RL_MAPS = 2048,
    RL_COMPUTING = RL_RUN | RL_RETRY,
    RL_WRITING = RL_COMPUTING | RL_ASSEMBLE,
    RL_OF_STUDY = RL_WRITING | RL_PLAN | RL_STATUS,
    RL_OF_RESULTS = RL_SHOW | RL_DIFF,
    RL_LISTING = RL_DATASETS | RL_ABLATIONS | RL_MAPS,
    RL_EVERY_COMMAND = RL_INIT | RL_OF_STUDY | RL_OF_RESULTS | RL_LISTING | RL_BENCH
} rl_commands;

enum { RL_DATASETS_ASKED = 64 };

/* What the command line said. */
typedef struct rl_settings {
    rl_commands command;      /* one of them */
    const char *arguments[2]; /* STUDY, FILE, ...; NULL: not given */
    const char *output;       /* NULL: default */
    const char *data;
    const char *rates; /* NULL: rl_rates_find looks for them */
    int64_t memory;    /* bytes of a node for all ranks on it; 0: what is available, see rl_memory_available */
    const char *datasets[RL_DATASETS_ASKED]; /* of the study, to keep; the others are left out */
    int n_datasets;                          /* 0: all are kept */
    const char *csv, *target;                /* init: a table, and one of its columns; NULL: not given */
    bool sbatch;                             /* plan: print a batch script */
    bool scaling;                            /* plan: on 1, 2, 4, ... ranks */
    const char *partition;                   /* plan --sbatch: of Slurm; NULL: its default one */
    const char *compare;                     /* plan: results file to hold predictions against; NULL: none */
    bool force;                              /* bench calibrate: also on a busy machine */
    bool json, quiet, verbose, skip_missing, fresh, fail_fast;
    double started;   /* rl_seconds() */
    double time_left; /* seconds from then until the process must have ended; INFINITY: no limit */
    double silence;   /* seconds after which a rank that is not heard of is named */
    rl_schedule schedule;
    rl_order order;
    int chunk;            /* curves per answer; 0: automatic */
    bool sleeps;          /* run: ranks sleep instead of computing */
    const char *timeline; /* file to write who computed what when to; NULL: none */
    int ranks;            /* to plan for; 0: as many as are advised */
    int test_rows, block; /* bench spectrum */
    rl_grid_shape grid;   /* of bench spectrum and layout; {0, 0}: not given */
    const char *producer; /* bench spectrum: a name, dgesdd, or all */
    int repeats;          /* bench: in place of the study's; 0: the study's */
    char answer;          /* 'h' or 'V': help or the version is all that is wanted; 0: neither */
    int argc;             /* as main got it, for MPI and provenance */
    char **argv;
} rl_settings;

/* Runs the command that the arguments name, and returns the exit status of the process. An error is printed once,
 * whatever the number of ranks. */
int rl_cli_main(int argc, char **argv);

/* Local. Reads the options of argv[1 ... argc - 1], of settings->command, into the settings; `name` is what messages
 * call it. *n_options: how many words they were; getopt moves them to the front of argv, and what follows them are
 * arguments. RL_ERR_INPUT: an option that the command does not have, or a value that is none. */
rl_status rl_options_read(const char *name, int argc, char **argv, rl_settings *settings, int *n_options);

/* Local. Prints on standard output one line for each option that the command has. */
void rl_options_print(rl_commands command);

/* `context` is NULL for the commands that run on one process. */
rl_status rl_command_run(rl_settings *settings, const rl_context *context); /* retry and assemble, too */
rl_status rl_command_plan(rl_settings *settings, const rl_context *context);
rl_status rl_command_status(rl_settings *settings, const rl_context *context);
rl_status rl_command_show(rl_settings *settings, const rl_context *context);
rl_status rl_command_diff(rl_settings *settings, const rl_context *context);
rl_status rl_command_datasets(rl_settings *settings, const rl_context *context);
rl_status rl_command_init(rl_settings *settings, const rl_context *context);
rl_status rl_command_ablations(rl_settings *settings, const rl_context *context);
rl_status rl_command_maps(rl_settings *settings, const rl_context *context);
rl_status rl_command_bench(rl_settings *settings, const rl_context *context);

/* The benchmarks that bench.c chooses from; collective. */
rl_status rl_bench_calibrate(const rl_settings *settings, const rl_context *context);
rl_status rl_bench_spectrum(const rl_settings *settings, const rl_context *context);
rl_status rl_bench_layout(const rl_settings *settings, const rl_context *context);
rl_status rl_bench_autoencoder(const rl_settings *settings, const rl_context *context);
rl_status rl_bench_reduce(const rl_settings *settings, const rl_context *context);
rl_status rl_bench_random(const rl_settings *settings, const rl_context *context);

/* Local. Reads the size of a matrix, the second argument: "4000", or "3000x4000" rows x columns. */
rl_status rl_bench_size(const rl_settings *settings, int *rows, int *columns);

/* Local. How many, the second argument, at most `most`, or `usual` without it; and rounds, by --repeats. */
rl_status rl_bench_count(const rl_settings *settings, int usual, int most, int *count);
json_t *rl_key_json(rl_key key); /* that numbers are drawn by, as hexadecimal digits, high word first */
enum { RL_MOST_ROUNDS = 99 };
rl_status rl_bench_rounds(const rl_settings *settings, int usual, int *rounds);

/* ---- shared by the commands -------------------------------------------------------------------------------------- */

/* A study read from settings->arguments[argument], and its plan. */
typedef struct rl_prepared {
    rl_study study;
    rl_plan plan;
    char *output; /* results file; owned. NULL: of `plan` and `bench`, where a study from a pipe has no name */
} rl_prepared;

/* Local. Starts from a zeroed struct, which rl_prepared_destroy releases whether this succeeded or not. */
rl_status rl_prepare(const rl_settings *settings, int argument, rl_prepared *prepared);
void rl_prepared_destroy(rl_prepared *prepared);

/* What a batch job of a study is to be given, without margins. */
typedef struct rl_job_needs {
    int ranks, nodes;
    double seconds;      /* predicted, of all that is missing */
    double seconds_case; /* of the longest piece of it that is begun and ended in one go */
    double bytes;        /* of rank 0, with its libraries as they are here, */
    double other_bytes;  /* and of each other rank */
    double node_bytes;   /* that a node has; INFINITY: not known */
} rl_job_needs;

/* What a partition of Slurm, a set of nodes with limits, gives to a job. */
typedef struct rl_partition {
    char name[80];
    int nodes, cores;  /* nodes at most; cores of a node at most. 0: Slurm says nothing */
    double node_bytes; /* memory of a node at most; INFINITY: not known */
    double seconds;    /* at most; INFINITY: no limit */
} rl_partition;

/* Local. Asks Slurm for the partition of that name, or its default one (NULL). Where there is no Slurm, or it does not
 * answer within some seconds, the partition stays empty. RL_ERR_INPUT: Slurm has none of that name. */
rl_status rl_slurm_partition(const char *name, rl_partition *partition);

/* Prints on standard output a script for sbatch that runs the study of settings->arguments[0] into `output`.
 * RL_ERR_INPUT: the partition cannot give what is needed. */
rl_status rl_print_sbatch(const rl_settings *settings, const char *output, const rl_job_needs *needs,
                          const rl_partition *partition);

/* Local. Bytes that the ranks on this node together may take; INFINITY: not known. */
double rl_node_memory(const rl_settings *settings);

/* Local. What ranks take in memory beside data sets, the plan and work, where n_items are to do; `journal` may be NULL.
 */
rl_status rl_find_overheads(const rl_plan *plan, const rl_journal *journal, double n_items, rl_overheads *overheads);

/* Local, for rank 0. RL_ERR_MEMORY: what the ranks of its node are still to take is more than there is. */
rl_status rl_check_memory(const rl_settings *settings, const rl_plan *plan, const rl_journal *journal, double n_items,
                          int ranks);

/* Collective: what rank 0 has prepared comes to all, with the settings of a run. The memory that a rank may count on is
 * the least of any. Warns of too many ranks on a node. */
rl_status rl_share_prepared(const rl_settings *settings, const rl_context *context, rl_prepared *prepared,
                            rl_run_settings *run);

/* Local. Appends what the journal lacks of the plan to the emptied todo; with `retry` also the *n_retried points that
 * failed in a way that another try may change (of no summary: there a spectrum is but counted). */
rl_status rl_list_missing(const rl_plan *plan, const rl_journal *journal, bool retry, rl_todo *todo,
                          int64_t *n_retried);

/* What the journal has of all series whose pieces people call the same, like curves. */
typedef struct rl_noun {
    const rl_kind *kind; /* rl_kind_noun */
    rl_tally tally;
} rl_noun;
enum { RL_MOST_NOUNS = 16 };

/* What a run has to say of itself, on rank 0. All borrowed. */
typedef struct rl_run_report {
    const rl_settings *settings;
    const rl_context *context;
    const rl_plan *plan;
    const char *output; /* NULL: there is no results file */
    time_t started;
    const char *hosts;
    const rl_run_summary *summary;
    /* when the results file is there */
    double total_seconds; /* since the program began */
    rl_results_seconds results_seconds;
    const rl_noun *nouns; /* [n_nouns]: what there is in the end */
    int n_nouns;
} rl_run_report;
rl_status rl_make_provenance(const rl_run_report *report, rl_provenance *provenance);

/* What is about to be computed, in words; what was computed, in how long; and that for programs, as one object of JSON
 * on standard output, with how the run ended. */
void rl_tell_plan(const rl_plan *plan, int ranks);
void rl_tell_run(const rl_run_report *report);
rl_status rl_print_run(const rl_run_report *report, const rl_journal *journal, rl_status ended); /* journal or NULL */

/* `run --work sleep`; collective. Computes nothing, and reads and writes neither journal nor results file. */
rl_status rl_run_asleep(const rl_settings *settings, const rl_context *context);

/* Local, on rank 0, where settings->timeline is given: whether that file can be made; and the file, a JSON object of
 * who computed what when. */
rl_status rl_check_timeline(const rl_settings *settings);
rl_status rl_write_timeline(const rl_run_report *report);

/* ---- arithmetic (arithmetic.c) ----------------------------------------------------------------------------------- */

/* Warns where BLAS chose kernels that are slower than they need be here. */
void rl_tell_kernels(void);

/* Of a run whose numbers go through BLAS: warns as above if there is much to do, where its ranks compute with several
 * arithmetics, and where it goes on with another one than the journal's. On rank 0. */
rl_status rl_tell_arithmetic(const rl_plan *plan, const rl_todo *todo, const rl_journal *journal,
                             const rl_arithmetics *now, int n_ranks);

/* What the journal says of it, in the provenance and for programs; and two results files whose numbers differ, and
 * whose arithmetics do too. */
rl_status rl_add_arithmetic(const rl_journal *journal, rl_provenance *provenance);
rl_status rl_arithmetic_json(const rl_journal *journal, json_t **list);
bool rl_arithmetics_differ(const rl_comparison *comparison);
void rl_print_arithmetics(const char *const paths[2], const rl_comparison *comparison);

/* The part of a core that a rank gets at least on a machine that is not busy with something else. */
#define RL_QUIET_SHARE 0.9

/* Appends to text[RL_LIST_TEXT], behind " and " where there is something already. */
enum { RL_LIST_TEXT = 256 };
void rl_join(char *text, const char *format, ...) RL_PRINTF(2);

/* Whether a path ends as those of studies and of results files do. */
bool rl_is_study_name(const char *path);
bool rl_is_results_name(const char *path);

/* RL_ERR_INPUT, with a guess, where there is no such file but one that is called so with the ending. */
rl_status rl_check_name(const char *path, const char *ending);

/* Writes a word so that a shell takes it as it is, whatever is in it, into `text`, and returns it. No path is longer.
 */
enum { RL_SHELL_WORD = 4 * RL_PATH_ROOM + 3 };
const char *rl_shell_word(const char *word, char text[RL_SHELL_WORD]);

/* Write into `text`, and return: ", but the features have rank 36" to follow a P, or "" where the threshold is at P;
 * and the sentence for all P of a data set, n series: "P = 39, but the features have rank 36: the threshold is at N =
 * 36", or "". */
enum { RL_RANK_TEXT = 160 };
const char *rl_rank_text(int n_features, int threshold, char text[RL_RANK_TEXT]);
const char *rl_series_rank_text(const rl_series *series, int n, char text[RL_RANK_TEXT]);

/* What people can do about a rank that is low because columns are in units far apart. */
#define RL_SCALES_APART \
    "its columns are in units so far apart that the smaller ones are lost in rounding: see `standardize`"

/* From now on nothing goes to standard output that is not printed on lines: `?` is in its place. */
rl_status rl_answer_begin(void);

/* Whether all that was printed since is with the system, errno says why not; nothing can be printed any more. The
 * stream stays, as libraries that were loaded meanwhile may flush it when the process exits. */
bool rl_answer_end(void);

/* Prints the words of a text from column `at` on, broken into lines of at most 100 columns that begin at `indent`. */
void rl_print_wrapped(const char *text, int at, int indent);

/* Writes into `text`, and returns, "P = 10", or "P = 11 (10 features and the intercept)"; and of n of them "P = 5 ...
 * 10 (6 values)", or with ", the intercept counted" behind that. */
enum { RL_FEATURES_TEXT = 96 };
const char *rl_features_text(int first, int last, int n, bool intercept, char text[RL_FEATURES_TEXT]);

/* Write into `text`, and return, a number of bytes like "1.5 KiB" and a span of time like "12 min". */
const char *rl_bytes_text(double bytes, char text[32]);
const char *rl_time_text(double seconds, char text[32]);

/* Write into `text`, and return, "-" for NaN or a number with `digits` digits, like 3.775e5; a ratio with two, like
 * 0.098, 7.9, 5290 or 5.3e6, "0" for 0; and the height of a spike with its interval, like "5.8 (2.9 to 8.4)". The
 * report writes them alike (analysis/report/claims.py). */
const char *rl_number_text(double value, int digits, char text[32]);
const char *rl_ratio_text(double value, char text[32]);
const char *rl_spike_text(rl_spike spike, char text[96]);

/* Prints a blank and a number in `width` columns, "-" where there is none. */
void rl_print_number(const char *format, double value, int width);

/* Prints the object on standard output, and releases it. RL_ERR_MEMORY: it is NULL, as jansson makes it when memory is
 * short. */
rl_status rl_print_json(json_t *root);

/* null in the place of NaN and infinity, which JSON does not have. */
json_t *rl_number_json(double value);

/* A bar with rate and time left on a terminal, which rl_log_clear_line takes away, a line now and then elsewhere, on
 * standard error. */
typedef struct rl_progress {
    double start, last; /* rl_seconds() */
    double interval;    /* seconds to the next line in a log; grows */
    bool terminal, silent;
    char pieces[64];         /* what they are, like "curves" */
    double errors_per_piece; /* 0: the rate is not shown */
} rl_progress;
void rl_progress_start(rl_progress *progress, const char *pieces, double errors_per_piece, bool silent);
void rl_progress_show(rl_progress *progress, int64_t done, int64_t total, double part); /* see rl_sink */

#endif

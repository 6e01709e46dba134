/* The options: one table, by which they are read, stored in the settings and explained. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

typedef struct option_row {
    char letter;
    const char *name, *argument; /* argument: what help calls it; NULL: there is none */
    /* Stores the argument in the settings; says the type of the member that holds the value. */
    rl_status (*set)(const struct option_row *row, const char *argument, rl_settings *settings);
    size_t offset;        /* of that member in rl_settings */
    rl_commands commands; /* that have the option; one of another meaning may have another row */
    const char *help;     /* NULL: help does not list it */
} option_row;

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void *member_of(const option_row *row, rl_settings *settings) {
    return (char *)settings + row->offset;
}

static rl_status set_flag(const option_row *row, const char *argument, rl_settings *settings) {
    (void)argument;
    *(bool *)member_of(row, settings) = true;
    return RL_OK;
}

static rl_status set_letter(const option_row *row, const char *argument, rl_settings *settings) {
    (void)argument;
    *(char *)member_of(row, settings) = row->letter;
    return RL_OK;
}

static rl_status set_text(const option_row *row, const char *argument, rl_settings *settings) {
    *(const char **)member_of(row, settings) = argument;
    return RL_OK;
}

static rl_status set_count(const option_row *row, const char *argument, rl_settings *settings) {
    int64_t value;
    if (!rl_parse_integer(argument, 1, 1000000000, &value))
        return rl_fail(RL_ERR_INPUT, "--%s: got `%s`; expected an integer of at least 1", row->name, argument);
    *(int *)member_of(row, settings) = (int)value;
    return RL_OK;
}

static rl_status set_bytes(const option_row *row, const char *argument, rl_settings *settings) {
    if (rl_parse_bytes(argument, member_of(row, settings))) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "--%s: got `%s`; expected a size, like 4GiB, 500M or 8e9", row->name, argument);
}

static rl_status set_seconds(const option_row *row, const char *argument, rl_settings *settings) {
    if (rl_parse_seconds(argument, member_of(row, settings))) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "--%s: got `%s`; expected a time, like 1-02:30:00, 12:30, 90s, 5min or 2h", row->name,
                   argument);
}

static rl_status set_grid(const option_row *row, const char *argument, rl_settings *settings) {
    int64_t sides[2];
    if (rl_parse_sizes(argument, 2, 10000, sides) != 2)
        return rl_fail(RL_ERR_INPUT, "--%s: got `%s`; expected process rows x process columns, like 2x3", row->name,
                       argument);
    *(rl_grid_shape *)member_of(row, settings) = (rl_grid_shape){(int)sides[0], (int)sides[1]};
    return RL_OK;
}

enum { MOST_WORDS = 8 };

/* *number: which of n words the argument is. */
static rl_status choose_word(const option_row *row, const char *argument, const char *const *words, int n,
                             int *number) {
    char list[200], hint[RL_WORD_HINT];
    for (int i = 0; i < n; i++)
        if (strcmp(argument, words[i]) == 0) {
            *number = i;
            return RL_OK;
        }
    rl_list_words(words, n, list, sizeof list);
    return rl_fail(RL_ERR_INPUT, "--%s: got `%s`%s expected one of %s", row->name, argument,
                   rl_word_hint(argument, words, n, hint), list);
}

static rl_status set_schedule(const option_row *row, const char *argument, rl_settings *settings) {
    const char *words[MOST_WORDS];
    int n = 0, number = 0;
    while (n < MOST_WORDS && (words[n] = rl_schedule_name((rl_schedule)n)) != NULL) n++;
    const rl_status status = choose_word(row, argument, words, n, &number);
    *(rl_schedule *)member_of(row, settings) = (rl_schedule)number;
    return status;
}

static rl_status set_order(const option_row *row, const char *argument, rl_settings *settings) {
    const char *words[MOST_WORDS];
    int n = 0, number = 0;
    const int first = RL_ORDER_USUAL + 1;
    while (n < MOST_WORDS && (words[n] = rl_order_name((rl_order)(first + n))) != NULL) n++;
    const rl_status status = choose_word(row, argument, words, n, &number);
    *(rl_order *)member_of(row, settings) = (rl_order)(first + number);
    return status;
}

static rl_status set_work(const option_row *row, const char *argument, rl_settings *settings) {
    static const char *const words[] = {"compute", "sleep"};
    int number = 0;
    const rl_status status = choose_word(row, argument, words, 2, &number);
    *(bool *)member_of(row, settings) = number == 1;
    return status;
}

static rl_status add_dataset(const option_row *row, const char *argument, rl_settings *settings) {
    const char **const names = member_of(row, settings);
    if (settings->n_datasets == RL_DATASETS_ASKED)
        return rl_fail(RL_ERR_INPUT, "--%s: given more than %d times", row->name, RL_DATASETS_ASKED);
    names[settings->n_datasets++] = argument;
    return RL_OK;
}

/* Of the commands that run on the ranks that mpirun starts. */
static rl_status refuse_ranks(const option_row *row, const char *argument, rl_settings *settings) {
    int64_t number;
    const bool bench = settings->command == RL_BENCH; /* which has a word before the study, or none */
    const char *study = bench ? "..." : "STUDY";
    char word[RL_SHELL_WORD];
    for (int i = 1; i < settings->argc && !bench; i++)
        if (rl_is_study_name(settings->argv[i])) study = rl_shell_word(settings->argv[i], word);
    return rl_fail(RL_ERR_INPUT, "-%c: ranks are started by mpirun: mpirun -n %s ridgeless %s %s", row->letter,
                   rl_parse_integer(argument, 1, INT32_MAX, &number) ? argument : "N", settings->argv[1], study);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(rl_settings, member)

/* In the order of help. */
static const option_row option_table[] = {
    {'c', "csv", "FILE", set_text, AT(csv), RL_INIT, "write a study of this table of text, plain or gzip"},
    {'y', "target", "COLUMN", set_text, AT(target), RL_INIT, "the column of it to predict, by name or number"},
    {'o', "output", "FILE", set_text, AT(output), RL_OF_STUDY,
     "results file (default: the study's name with .nc, in the current folder)"},
    {'o', "output", "FILE", set_text, AT(output), RL_BENCH,
     "of bench calibrate: where to keep the rates (default: ridgeless/rates.json in ~/.config)"},
    {'D', "dataset", "NAME", add_dataset, AT(datasets), RL_OF_STUDY,
     "only this data set of the study, into STUDY-NAME.nc unless -o says otherwise; may be given more than once"},
    {'d', "data", "DIR", set_text, AT(data), RL_OF_STUDY | RL_DATASETS | RL_BENCH,
     "look for data files in DIR first, then in $RIDGELESS_DATA and the installed folder"},
    {'k', "skip-missing", NULL, set_flag, AT(skip_missing), RL_OF_STUDY | RL_BENCH,
     "leave out data sets whose files are not there"},
    {'R', "rates", "FILE", set_text, AT(rates), RL_PLAN,
     "rates of bench calibrate to predict with (default: $RIDGELESS_RATES, or where it keeps them); `cluster`: those "
     "of "
     "typical nodes of 64 cores with 100 Gbit/s"},
    {'R', "rates", "FILE", set_text, AT(rates), RL_BENCH,
     "of bench spectrum: rates to predict with (default: $RIDGELESS_RATES, or where bench calibrate keeps them)"},
    {'n', "ranks", "N", set_count, AT(ranks), RL_PLAN, "ranks to plan for (default: as many as are advised)"},
    {'n', "ranks", "N", refuse_ranks, 0, RL_WRITING | RL_BENCH, NULL},
    {'c', "compare", "RESULTS", set_text, AT(compare), RL_PLAN,
     "hold predictions against what the run measured that wrote the results file"},
    {'m', "memory", "SIZE", set_bytes, AT(memory), RL_COMPUTING | RL_PLAN,
     "memory of a node for all ranks on it, like 64GiB (default: what is available)"},
    {'s', "schedule", "WORD", set_schedule, AT(schedule), RL_COMPUTING | RL_BENCH,
     "how ranks share the work: " RL_SCHEDULE_CHOICES " (default dynamic)"},
    {'O', "order", "WORD", set_order, AT(order), RL_COMPUTING | RL_BENCH,
     "in what order tasks are handed out: " RL_ORDER_CHOICES " (default costly-first under the dynamic schedule, else "
     "given)"},
    {'c', "chunk", "K", set_count, AT(chunk), RL_COMPUTING | RL_BENCH,
     "of the dynamic schedule: curves that a rank gets each time it asks for more (default: one, or of short ones as "
     "many as keep rank 0 free)"},
    {'w', "work", "WORD", set_work, AT(sleeps), RL_RUN,
     "compute|sleep: sleep, instead of computing, for as long as each task is predicted to take; no results (default "
     "compute)"},
    {'t', "timeline", "FILE", set_text, AT(timeline), RL_COMPUTING,
     "write who computed what when to FILE, as JSON, for analysis/timeline.py"},
    {'T', "time-left", "TIME", set_seconds, AT(time_left), RL_COMPUTING,
     "end within TIME (Slurm's 1-02:30:00, or 90s, 5min, 2h): begin nothing that cannot finish (default: no limit)"},
    {'S', "silence", "TIME", set_seconds, AT(silence), RL_COMPUTING,
     "name a rank that is not heard of for TIME (default 30s)"},
    {'F', "fail-fast", NULL, set_flag, AT(fail_fast), RL_COMPUTING,
     "stop at the first spectrum that cannot be computed"},
    {'f', "fresh", NULL, set_flag, AT(fresh), RL_RUN,
     "start over: discard the journal and the results file that are there, of whatever study"},
    {'r', "repeats", "N", set_count, AT(repeats), RL_BENCH,
     "of bench study: repeats instead of the study's; of bench spectrum, autoencoder and reduce: rounds"},
    {'t', "test-rows", "T", set_count, AT(test_rows), RL_BENCH, "of bench spectrum: test rows (default 500)"},
    {'b', "block", "NB", set_count, AT(block), RL_BENCH, "of bench spectrum and layout: block size (default 64)"},
    {'g', "grid", "RxC", set_grid, AT(grid), RL_BENCH,
     "of bench spectrum and layout: process rows x process columns (default: as square as can be)"},
    {'p', "producer", "NAME", set_text, AT(producer), RL_BENCH,
     "of bench spectrum: all|pdgesvd|projected|two-stage|dgesdd (default all)"},
    {'B', "sbatch", NULL, set_flag, AT(sbatch), RL_PLAN,
     "print a batch script for Slurm: one node, unless --ranks says more"},
    {'s', "scaling", NULL, set_flag, AT(scaling), RL_PLAN,
     "print what the study would take on 1, 2, 4, ... 4096 ranks, what bounds it there, and up to where more ranks "
     "pay"},
    {'P', "partition", "NAME", set_text, AT(partition), RL_PLAN,
     "of --sbatch: partition of Slurm that the script is for"},
    {'x', "force", NULL, set_flag, AT(force), RL_BENCH, "of bench calibrate: keep the rates of a busy machine, too"},
    {'j', "json", NULL, set_flag, AT(json), RL_WRITING | RL_PLAN | RL_STATUS | RL_OF_RESULTS | RL_LISTING | RL_BENCH,
     "print JSON"},
    {'q', "quiet", NULL, set_flag, AT(quiet), RL_OF_STUDY | RL_BENCH, "print errors alone"},
    {'v', "verbose", NULL, set_flag, AT(verbose), RL_WRITING,
     "say where data sets come from, what each rank did, and the seconds of each phase"},
    {'h', "help", NULL, set_letter, AT(answer), RL_EVERY_COMMAND, "print this help and exit"},
    {'V', "version", NULL, set_letter, AT(answer), RL_EVERY_COMMAND, "print the version and exit"},
};
enum { N_OPTIONS = sizeof option_table / sizeof *option_table };

static const option_row *find_option(rl_commands command, int letter) {
    for (int i = 0; i < N_OPTIONS; i++)
        if (option_table[i].letter == letter && (option_table[i].commands & command) != 0) return &option_table[i];
    return NULL;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* getopt's own tables for the options of a command. */
typedef struct getopt_tables {
    char letters[3 * N_OPTIONS + 2];
    struct option names[N_OPTIONS + 1];
} getopt_tables;

static void make_getopt_tables(rl_commands command, getopt_tables *tables) {
    char *next = tables->letters;
    struct option *name = tables->names;
    *next++ = ':'; /* an argument that is missing is then reported apart from an unknown option */
    for (const option_row *row = option_table; row < option_table + N_OPTIONS; row++) {
        if ((row->commands & command) == 0) continue;
        *name++ =
            (struct option){row->name, row->argument != NULL ? required_argument : no_argument, NULL, row->letter};
        *next++ = row->letter;
        if (row->argument != NULL) *next++ = ':';
    }
}

/* `word` is what was typed, like --shedule=static or -x. */
static rl_status refuse_option(const char *name, const char *word, const getopt_tables *tables) {
    char typed[RL_WORD_HINT], hint[RL_WORD_HINT] = "";
    const char *words[N_OPTIONS];
    int n = 0;
    for (; tables->names[n].name != NULL; n++) words[n] = tables->names[n].name;
    if (strncmp(word, "--", 2) == 0) {
        snprintf(typed, sizeof typed, "%.*s", (int)strcspn(word + 2, "="), word + 2);
        const char *nearest = rl_nearest_word(typed, words, n);
        if (nearest != NULL) snprintf(hint, sizeof hint, "; did you mean --%s?", nearest);
    }
    return rl_fail(RL_ERR_INPUT, "%s: unknown option %s%s%s `ridgeless %s --help` lists them", name, word, hint,
                   *hint != '\0' ? "" : ";", name);
}

rl_status rl_options_read(const char *name, int argc, char **argv, rl_settings *settings, int *n_options) {
    getopt_tables tables = {0};
    make_getopt_tables(settings->command, &tables);
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1;) {
        const option_row *row = find_option(settings->command, letter == ':' || letter == '?' ? optopt : letter);
        if (letter == ':')
            return rl_fail(RL_ERR_INPUT, "%s: option %s needs %s", name, argv[optind - 1], row->argument);
        if (letter == '?' && row != NULL)
            return rl_fail(RL_ERR_INPUT, "%s: option --%s takes no value", name, row->name);
        if (letter == '?') return refuse_option(name, argv[optind - 1], &tables);
        RL_TRY(row->set(row, optarg, settings));
    }
    *n_options = optind - 1;
    return RL_OK;
}

/* ---- help -------------------------------------------------------------------------------------------------------- */

static void print_option(const option_row *row) {
    enum { INDENT = 29 };
    char left[40];
    snprintf(left, sizeof left, "-%c, --%s%s%s", row->letter, row->name, row->argument != NULL ? "=" : "",
             row->argument != NULL ? row->argument : "");
    printf("  %-26s ", left);
    rl_print_wrapped(row->help, INDENT, INDENT);
}

void rl_options_print(rl_commands command) {
    for (int i = 0; i < N_OPTIONS; i++)
        if ((option_table[i].commands & command) != 0 && option_table[i].help != NULL) print_option(&option_table[i]);
}

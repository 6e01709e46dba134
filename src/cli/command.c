#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "revision.h"
#include "ridgeless/distributed.h"

typedef struct command {
    const char *name, *arguments;
    int least, most;     /* arguments */
    const char *options; /* letters of option_table */
    rl_status (*call)(rl_settings *settings, const rl_context *context);
    bool collective; /* runs on all ranks that mpirun or srun started; the others answer on rank 0 alone */
    bool resumable;  /* signals stop it between two tasks; the others die of them */
    const char *summary, *description;
} command;

static const command commands[] = {
    {"run", "STUDY", 1, 1, "oDdkmsTfFqv", rl_command_run, true, true, "compute a study",
     "Computes what is missing of the study and writes the results file (NetCDF-4). Started alone, or by mpirun or "
     "srun with\n"
     "any number of ranks: the numbers are the same. Finished work is kept in FILE.journal; started again, only what "
     "is\n"
     "missing is done. More repeats or other n_train in the study file go on with what is there.\n"
     "SIGUSR1, SIGINT or the end of the time left: begins nothing more, finishes what is under way, writes the results "
     "file of\n"
     "what is done and exits with 75; SIGTERM: leaves within 5 s."},
    {"retry", "STUDY", 1, 1, "oDdkmsTFqv", rl_command_retry, true, true, "do failed cells again",
     "Does what run does, and tries again the spectra whose computation did not converge. Exit status as that of run."},
    {"assemble", "STUDY", 1, 1, "oDdkqv", rl_command_assemble, true, true, "write what there is of a study",
     "Computes nothing: writes the results file from the journal as it stands, also while a run goes on. What is "
     "missing is a\n"
     "fill value, and the variable `status` says so. Exit status 0 when nothing is missing and nothing failed, 75 when "
     "spectra\n"
     "are missing, 1 when none are missing but some failed."},
    {"plan", "STUDY", 1, 1, "oDdknRmBjq", rl_command_plan, false, false, "say what a study would take",
     "Does no work: prints cells, spectra, flops, memory a rank, estimated time by the machine's rates, ranks worth "
     "using,\n"
     "what is done already; for data sets on process grids the groups of ranks. Refuses a study whose cases do not "
     "fit, and\n"
     "says how many ranks would do. With --sbatch it prints instead a Slurm script that runs the study so: ranks, "
     "memory\n"
     "and time filled in with margins."},
    {"status", "STUDY", 1, 1, "oDdkjq", rl_command_status, false, false, "say what is done of a study",
     "Reads the journal and prints, for each data set, the curves that are finished, there in part and missing, and "
     "the "
     "spectra\n"
     "that failed."},
    {"show", "FILE", 1, 1, "j", rl_command_show, false, false, "summarize a results file",
     "Prints, for each data set, the threshold, the height of the spike (median test error at N = P over that at the "
     "largest\n"
     "N), and how much of it each ablation leaves."},
    {"datasets", "", 0, 0, "dj", rl_command_datasets, false, false, "list the data sets",
     "Lists each source of data with its rows, features and threshold, and where its files are or were looked for."},
    {"bench", "study STUDY | spectrum|autoencoder SIZE | calibrate", 1, 2, "odkRrstbpjq", rl_command_bench, true, false,
     "measure the speed",
     "bench study STUDY computes the study without start-up and files and prints spectra and cells a second.\n"
     "bench spectrum SIZE (4000, or 3000x4000: training rows x features) makes one large spectrum on all ranks by "
     "every\n"
     "producer, and by LAPACK's dgesdd in one process on as many threads, and prints seconds by phase, GFlop/s and "
     "memory.\n"
     "bench autoencoder SIZE (10000x5000x2: features x training examples x hidden dimensions) takes steps of one "
     "training on\n"
     "each rank and prints seconds a step.\n"
     "bench calibrate measures for some seconds, on all ranks at once, what the machine does in a second, and keeps it "
     "for\n"
     "the predictions of `ridgeless plan`: in FILE, or in ridgeless/rates.json of $XDG_CONFIG_HOME or ~/.config. "
     "Best\n"
     "started with as many ranks as a node has cores."},
};

typedef struct option_row {
    char letter;
    const char *name, *argument, *help;
} option_row;

static const option_row option_table[] = {
    {'o', "output", "FILE",
     "results file (default: the study file's name with .nc, in this folder); of bench calibrate the rates"},
    {'D', "dataset", "NAME",
     "only this data set of the study, into STUDY-NAME.nc unless -o says otherwise; may be given more than once"},
    {'d', "data", "DIR", "look for data files in DIR first, then in $RIDGELESS_DATA and the installed folder"},
    {'k', "skip-missing", NULL, "leave out data sets whose files are not there"},
    {'R', "rates", "FILE",
     "rates of bench calibrate to predict with (default: $RIDGELESS_RATES, or where it keeps them)"},
    {'n', "ranks", "N", "ranks to plan for (default: as many as are worth using)"},
    {'m', "memory", "SIZE", "memory of a node for all ranks on it, like 64GiB (default: what is available)"},
    {'s', "schedule", "WORD", "how ranks share curves: " RL_SCHEDULE_CHOICES " (default dynamic)"},
    {'T', "time-left", "TIME",
     "end within TIME (Slurm's 1-02:30:00, or 90s, 5min, 2h): begin nothing that cannot finish (default: no limit)"},
    {'F', "fail-fast", NULL, "stop at the first spectrum that cannot be computed"},
    {'f', "fresh", NULL, "start over: discard the journal and the results file that are there, of whatever study"},
    {'r', "repeats", "N", "repeats to compute instead of the study's; rounds of bench spectrum and autoencoder"},
    {'t', "test-rows", "T", "test rows of bench spectrum (default 500)"},
    {'b', "block", "NB", "block size of bench spectrum (default 64)"},
    {'p', "producer", "NAME", "of bench spectrum: all (default), pdgesvd, projected, two-stage, dgesdd"},
    {'B', "sbatch", NULL, "print a batch script for Slurm"},
    {'j', "json", NULL, "print JSON"},
    {'q', "quiet", NULL, "print errors alone"},
    {'v', "verbose", NULL, "say where each data set comes from, and what start, computing and writing took"},
    {'h', "help", NULL, "print this help and exit"},
    {'V', "version", NULL, "print the version and exit"},
};
enum { N_OPTIONS = sizeof option_table / sizeof *option_table, N_COMMANDS = sizeof commands / sizeof *commands };

/* ---- help -------------------------------------------------------------------------------------------------------- */

static void print_option(const option_row *row) {
    char left[40];
    snprintf(left, sizeof left, "-%c, --%s%s%s", row->letter, row->name, row->argument != NULL ? "=" : "",
             row->argument != NULL ? row->argument : "");
    printf("  %-26s %s\n", left, row->help);
}

static void print_help(const command *c) {
    if (c == NULL) {
        printf(
            "Usage: ridgeless COMMAND [OPTION...] ARGUMENT...\n\n"
            "Studies why the test error of least squares diverges where parameters and training data are equal in "
            "number.\n\n"
            "Commands:\n");
        for (int i = 0; i < N_COMMANDS; i++)
            printf("  %-9s %-51s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
        printf(
            "\n`ridgeless COMMAND --help` says more of each. `man ridgeless` describes study files.\n"
            "Exit status: 0 done, 75 stopped early (run again), 1 some cells or the machine failed, 2 usage or study "
            "file.\n");
        return;
    }
    printf("Usage: ridgeless %s [OPTION...] %s\n\n%s\n\nOptions:\n", c->name, c->arguments, c->description);
    for (int i = 0; i < N_OPTIONS; i++)
        if (strchr(c->options, option_table[i].letter) != NULL || strchr("hV", option_table[i].letter) != NULL)
            print_option(&option_table[i]);
}

/* ---- parsing ----------------------------------------------------------------------------------------------------- */

static const option_row *row_of(int letter) {
    for (int i = 0; i < N_OPTIONS; i++)
        if (option_table[i].letter == letter) return &option_table[i];
    return NULL;
}

static rl_status parse_schedule(const char *word, rl_schedule *schedule) {
    for (int i = 0; rl_schedule_name((rl_schedule)i) != NULL; i++)
        if (strcmp(word, rl_schedule_name((rl_schedule)i)) == 0) {
            *schedule = (rl_schedule)i;
            return RL_OK;
        }
    return rl_fail(RL_ERR_INPUT, "--schedule: got `%s`; expected one of " RL_SCHEDULE_CHOICES, word);
}

static rl_status parse_count(const char *option, const char *text, int *count) {
    int64_t value;
    if (!rl_parse_integer(text, 1, 1000000000, &value))
        return rl_fail(RL_ERR_INPUT, "--%s: got `%s`; expected an integer of at least 1", option, text);
    *count = (int)value;
    return RL_OK;
}

static rl_status parse_memory(const char *text, int64_t *bytes) {
    if (rl_parse_bytes(text, bytes)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "--memory: got `%s`; expected a size, like 4GiB, 500M or 8e9", text);
}

static rl_status add_dataset(const char *name, rl_settings *settings) {
    if (settings->n_datasets == RL_DATASETS_ASKED)
        return rl_fail(RL_ERR_INPUT, "--dataset: given more than %d times", RL_DATASETS_ASKED);
    settings->datasets[settings->n_datasets++] = name;
    return RL_OK;
}

static rl_status parse_time_left(const char *text, double *seconds) {
    if (rl_parse_seconds(text, seconds)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "--time-left: got `%s`; expected a time, like 1-02:30:00, 12:30, 90s, 5min or 2h",
                   text);
}

static rl_status apply_option(int letter, const char *argument, rl_settings *settings) {
    switch (letter) {
        case 'o':
            settings->output = argument;
            break;
        case 'd':
            settings->data = argument;
            break;
        case 'D':
            return add_dataset(argument, settings);
        case 'B':
            settings->sbatch = true;
            break;
        case 'k':
            settings->skip_missing = true;
            break;
        case 'f':
            settings->fresh = true;
            break;
        case 'j':
            settings->json = true;
            break;
        case 'q':
            settings->quiet = true;
            break;
        case 'v':
            settings->verbose = true;
            break;
        case 'R':
            settings->rates = argument;
            break;
        case 'n':
            return parse_count("ranks", argument, &settings->ranks);
        case 'm':
            return parse_memory(argument, &settings->memory);
        case 's':
            return parse_schedule(argument, &settings->schedule);
        case 'T':
            return parse_time_left(argument, &settings->time_left);
        case 'F':
            settings->fail_fast = true;
            break;
        case 'r':
            return parse_count("repeats", argument, &settings->repeats);
        case 't':
            return parse_count("test-rows", argument, &settings->test_rows);
        case 'b':
            return parse_count("block", argument, &settings->block);
        case 'p':
            settings->producer = argument;
            break;
        default:
            break;
    }
    return RL_OK;
}

/* getopt's own tables for the options of a command. */
static void make_getopt_tables(const command *c, char letters[3 * N_OPTIONS + 2], struct option longs[N_OPTIONS + 1]) {
    char *next = letters;
    int n = 0;
    *next++ = ':'; /* a missing argument is reported apart from an unknown option */
    for (int i = 0; i < N_OPTIONS; i++) {
        const option_row *row = &option_table[i];
        if (strchr(c->options, row->letter) == NULL && strchr("hV", row->letter) == NULL) continue;
        longs[n++] =
            (struct option){row->name, row->argument != NULL ? required_argument : no_argument, NULL, row->letter};
        *next++ = row->letter;
        if (row->argument != NULL) *next++ = ':';
    }
    *next = '\0';
    longs[n] = (struct option){0};
}

/* *answered: help or version was asked for, there is nothing to run. */
static rl_status parse_options(const command *c, int argc, char **argv, rl_settings *settings, int *answered) {
    char letters[3 * N_OPTIONS + 2];
    struct option longs[N_OPTIONS + 1];
    make_getopt_tables(c, letters, longs);
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (letter == ':')
            return rl_fail(RL_ERR_INPUT, "%s: option %s needs %s", c->name, argv[optind - 1],
                           row_of(optopt) != NULL ? row_of(optopt)->argument : "a value");
        if (letter == '?')
            return rl_fail(RL_ERR_INPUT, "%s: unknown option %s; see `ridgeless %s --help`", c->name, argv[optind - 1],
                           c->name);
        if (letter == 'h' || letter == 'V')
            *answered = letter;
        else
            RL_TRY(apply_option(letter, optarg, settings));
    }
    if (*answered) return RL_OK;
    const int given = argc - optind;
    if (given < c->least || given > c->most)
        return rl_fail(RL_ERR_INPUT, "%s: got %d argument(s), expected: ridgeless %s %s", c->name, given, c->name,
                       c->arguments);
    for (int i = 0; i < given; i++) settings->arguments[i] = argv[optind + i];
    return RL_OK;
}

static rl_status report(rl_status status, bool prints) {
    if (status != RL_OK && prints) fprintf(stderr, "ridgeless: %s\n", rl_error_message());
    return status;
}

/* An error is printed while all ranks are still there: a launcher kills the others as soon as one has left with an
 * error. */
static rl_status call_collectively(const command *c, rl_settings *settings) {
    rl_context context;
    if (c->resumable && report(rl_stop_catch_signals(), true) != RL_OK) return RL_ERR_LIBRARY;
    rl_status status = rl_context_create(&settings->argc, &settings->argv, &context);
    if (status == RL_OK && c->resumable) status = rl_stop_catch_signals();
    if (status != RL_OK) return report(status, true);
    status = report(c->call(settings, &context), context.rank == 0);
    rl_context_destroy(&context);
    return status;
}

static const command *find_command(const char *name) {
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

static bool is_word(const char *argument, const char *letter, const char *name) {
    return strcmp(argument, letter) == 0 || strcmp(argument, name) == 0;
}

/* What is to be run, NULL when *answer ('h' or 'V') is all that is wanted. */
static rl_status parse(int argc, char **argv, rl_settings *settings, const command **c, int *answer) {
    if (argc < 2) return rl_fail(RL_ERR_INPUT, "no command given; see `ridgeless --help`");
    if (is_word(argv[1], "-h", "--help"))
        *answer = 'h';
    else if (is_word(argv[1], "-V", "--version"))
        *answer = 'V';
    else if ((*c = find_command(argv[1])) == NULL)
        return rl_fail(RL_ERR_INPUT, "unknown command `%s`; see `ridgeless --help`", argv[1]);
    else
        return parse_options(*c, argc - 1, argv + 1, settings, answer);
    return RL_OK;
}

int rl_cli_main(int argc, char **argv) {
    rl_settings settings = {.argc = argc,
                            .argv = argv,
                            .test_rows = 500,
                            .block = 64,
                            .producer = "all",
                            .started = rl_seconds(),
                            .time_left = INFINITY};
    const command *c = NULL;
    int answer = 0;
    const bool first = rl_context_launched_rank() == 0;
    rl_status status = report(parse(argc, argv, &settings, &c, &answer), first);
    /* The others leave quietly: a launcher kills all at the first failure, and rank 0 may not have printed yet. */
    if (status != RL_OK) return first ? rl_exit_status(status) : 0;
    if (answer == 'V' && first) printf("ridgeless " RL_VERSION " (" RL_REVISION ")\n");
    if (answer == 'h' && first) print_help(c);
    if (answer || (!first && !c->collective)) return 0;
    rl_log_configure(settings.quiet ? RL_LOG_QUIET : settings.verbose ? RL_LOG_DEBUG : RL_LOG_INFO, first);
    status = c->collective ? call_collectively(c, &settings) : report(c->call(&settings, NULL), true);
    return rl_exit_status(status);
}

/* The commands: one table of them, their help, and what is done before and after one is called. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench_peer.h"
#include "cli.h"
#include "revision.h"

typedef struct command {
    const char *name, *arguments;
    int least, most; /* arguments */
    rl_commands bit;
    rl_status (*call)(rl_settings *settings, const rl_context *context);
    bool collective; /* runs on all ranks that mpirun or srun started; the others run on rank 0 alone */
    bool resumable;  /* signals stop it between two tasks; the others die of them */
    const char *summary;
    const char *const *description; /* lines, NULL after the last */
} command;

/* The build makes the lines of help/NAME.txt. */
static const char *const overview[] = {
#include "ridgeless.txt.inc"
    NULL};

static const command commands[] = {
    {"init", "[NAME]", 0, 1, RL_INIT, rl_command_init, false, false, "write a study to start from",
     (const char *const[]){
#include "init.txt.inc"
         NULL}},
    {"run", "STUDY", 1, 1, RL_RUN, rl_command_run, true, true, "compute a study",
     (const char *const[]){
#include "run.txt.inc"
         NULL}},
    {"retry", "STUDY", 1, 1, RL_RETRY, rl_command_run, true, true, "do failed cells again",
     (const char *const[]){
#include "retry.txt.inc"
         NULL}},
    {"assemble", "STUDY", 1, 1, RL_ASSEMBLE, rl_command_run, true, true, "write what there is of a study",
     (const char *const[]){
#include "assemble.txt.inc"
         NULL}},
    {"plan", "STUDY", 1, 1, RL_PLAN, rl_command_plan, false, false, "say what a study would take",
     (const char *const[]){
#include "plan.txt.inc"
         NULL}},
    {"status", "STUDY", 1, 1, RL_STATUS, rl_command_status, false, false, "say what is done of a study",
     (const char *const[]){
#include "status.txt.inc"
         NULL}},
    {"show", "FILE", 1, 1, RL_SHOW, rl_command_show, false, false, "summarize a results file",
     (const char *const[]){
#include "show.txt.inc"
         NULL}},
    {"diff", "FILE FILE", 2, 2, RL_DIFF, rl_command_diff, false, false, "compare two results files",
     (const char *const[]){
#include "diff.txt.inc"
         NULL}},
    {"datasets", "", 0, 0, RL_DATASETS, rl_command_datasets, false, false, "list the data sets",
     (const char *const[]){
#include "datasets.txt.inc"
         NULL}},
    {"ablations", "", 0, 0, RL_ABLATIONS, rl_command_ablations, false, false, "list what can be taken away from a fit",
     (const char *const[]){
#include "ablations.txt.inc"
         NULL}},
    {"maps", "", 0, 0, RL_MAPS, rl_command_maps, false, false, "list what makes features of inputs",
     (const char *const[]){
#include "maps.txt.inc"
         NULL}},
    {"bench", "study STUDY | spectrum|layout|autoencoder SIZE | calibrate | reduce|random [COUNT]", 1, 2, RL_BENCH,
     rl_command_bench, true, false, "measure the speed",
     (const char *const[]){
#include "bench.txt.inc"
         NULL}},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* ---- help -------------------------------------------------------------------------------------------------------- */

static void print_overview(void) {
    for (const char *const *line = overview; *line != NULL; line++) {
        printf("%s\n", *line);
        for (int i = 0; i < N_COMMANDS && strcmp(*line, "Commands:") == 0; i++)
            printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    }
}

/* Examples come last, behind the options. */
static void print_help(const command *c) {
    const int at = printf("Usage: ridgeless %s [OPTION...]%s", c->name, *c->arguments != '\0' ? " " : "");
    rl_print_wrapped(c->arguments, at, 7);
    printf("\n");
    const char *const *line = c->description;
    for (; *line != NULL && strncmp(*line, "Example", 7) != 0; line++) printf("%s\n", *line);
    printf("Options:\n");
    rl_options_print(c->bit);
    printf("\n");
    for (; *line != NULL; line++) printf("%s\n", *line);
}

/* ---- reading the command line ------------------------------------------------------------------------------------ */

static rl_status read_arguments(const command *c, int argc, char **argv, rl_settings *settings) {
    int n_options;
    settings->command = c->bit;
    RL_TRY(rl_options_read(c->name, argc, argv, settings, &n_options));
    if (settings->answer != '\0') return RL_OK;
    const int given = argc - 1 - n_options;
    if (given < c->least || given > c->most)
        return rl_fail(RL_ERR_INPUT, "%s: got %d argument%s, expected: ridgeless %s %s%s", c->name, given,
                       rl_plural(given), c->name, c->arguments,
                       given > c->most && c->most > 0 ? " (a name with a space needs quotes)" : "");
    for (int i = 0; i < given; i++) settings->arguments[i] = argv[1 + n_options + i];
    return RL_OK;
}

static const command *find_command(const char *name) {
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

/* A file in the place of a command, or a mistyped one. */
static rl_status refuse_command(const char *typed) {
    char hint[RL_WORD_HINT], word[RL_SHELL_WORD];
    const char *words[N_COMMANDS];
    const char *of_file = rl_is_study_name(typed) ? "run" : rl_is_results_name(typed) ? "show" : NULL;
    if (of_file != NULL)
        return rl_fail(RL_ERR_INPUT, "`%s` is no command; try: ridgeless %s %s", typed, of_file,
                       rl_shell_word(typed, word));
    for (int i = 0; i < N_COMMANDS; i++) words[i] = commands[i].name;
    return rl_fail(RL_ERR_INPUT, "unknown command `%s`%s `ridgeless --help` lists all", typed,
                   rl_word_hint(typed, words, N_COMMANDS, hint));
}

static bool is_either(const char *word, const char *letter, const char *name) {
    return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

/* *c stays NULL where --help or --version stand alone. */
static rl_status read_command_line(int argc, char **argv, rl_settings *settings, const command **c) {
    if (argc < 2)
        return rl_fail(RL_ERR_INPUT,
                       "no command given; `ridgeless init` writes a first study, `ridgeless --help` lists "
                       "the commands");
    if (is_either(argv[1], "-h", "--help"))
        settings->answer = 'h';
    else if (is_either(argv[1], "-V", "--version"))
        settings->answer = 'V';
    else if ((*c = find_command(argv[1])) == NULL)
        return refuse_command(argv[1]);
    else
        return read_arguments(*c, argc - 1, argv + 1, settings);
    return RL_OK;
}

/* ---- calling a command ------------------------------------------------------------------------------------------- */

/* A study in the place of a results file, or a name without its ending. */
static rl_status check_results(const command *c, const rl_settings *settings) {
    char word[RL_SHELL_WORD];
    for (int i = 0; i < c->most && (c->bit & RL_OF_RESULTS) != 0; i++) {
        const char *path = settings->arguments[i];
        if (path != NULL && rl_is_study_name(path))
            return rl_fail(RL_ERR_INPUT, "%s: is a study, expected a results file; to make one: ridgeless run %s", path,
                           rl_shell_word(path, word));
        if (path != NULL) RL_TRY(rl_check_name(path, ".nc"));
    }
    return RL_OK;
}

static rl_status call_alone(const command *c, rl_settings *settings) {
    RL_TRY(check_results(c, settings));
    if ((c->bit & (RL_OF_RESULTS | RL_ABLATIONS | RL_MAPS)) == 0) RL_TRY(rl_context_ask_memory(false));
    return c->call(settings, NULL);
}

static rl_status report_failure(rl_status status, bool prints) {
    char line[1200];
    snprintf(line, sizeof line, "ridgeless: %s\n", rl_error_message());
    if (status != RL_OK && prints) rl_log_write(line);
    return status;
}

/* Each rank has failed for itself, before MPI could tell the others. Where rank 0 has, too, its launcher ends the
 * others while they wait; where it has not, one of them must say why, and fail, for it waits in MPI. */
static rl_status fail_before_mpi(rl_status status, int rank) {
    const double first = rl_seconds() + 5 + 0.1 * fmin(rank, 20);
    while (rank != 0 && rl_stop_requested() == RL_STOP_NONE && rl_seconds() < first) rl_stop_wait(first - rl_seconds());
    return report_failure(status, rl_stop_requested() == RL_STOP_NONE);
}

/* An error is printed while all ranks are still there: a launcher kills the others as soon as one has left with an
 * error. */
static rl_status call_collectively(const command *c, rl_settings *settings) {
    rl_context context;
    if (c->resumable && report_failure(rl_stop_catch_signals(), true) != RL_OK) return RL_ERR_LIBRARY;
    rl_status status = rl_context_create(&settings->argc, &settings->argv, &context);
    if (status == RL_OK && c->resumable) status = rl_stop_catch_signals();
    /* Where each stands alone, rank 0 may not have printed yet: as in rl_cli_main. */
    if (status == RL_ERR_INPUT && context.rank != 0) return RL_OK;
    if (status == RL_ERR_MEMORY) return fail_before_mpi(status, context.rank);
    if (status != RL_OK) return report_failure(status, true);
    status = report_failure(c->call(settings, &context), context.rank == 0);
    rl_context_destroy(&context);
    return status;
}

static void print_answer(char answer, const command *c) {
    if (answer == 'V')
        printf("ridgeless " RL_VERSION " (" RL_REVISION ")\n");
    else if (c == NULL)
        print_overview();
    else
        print_help(c);
}

static int carry_out(int argc, char **argv, bool *only_prints) {
    rl_settings settings = {.argc = argc,
                            .argv = argv,
                            .test_rows = 500,
                            .block = 64,
                            .producer = "all",
                            .started = rl_seconds(),
                            .time_left = INFINITY,
                            .silence = 30};
    const command *c = NULL;
    const bool first = rl_context_launched_rank() == 0;
    rl_status status = report_failure(read_command_line(argc, argv, &settings, &c), first);
    *only_prints = c == NULL || !c->collective || settings.answer != '\0';
    /* The others leave quietly: a launcher kills all at the first failure, and rank 0 may not have printed yet. */
    if (status != RL_OK) return first ? rl_exit_status(status) : 0;
    if (settings.answer != '\0' && first) print_answer(settings.answer, c);
    if (settings.answer != '\0' || (!first && !c->collective)) return 0;
    rl_log_configure(settings.quiet ? RL_LOG_QUIET : settings.verbose ? RL_LOG_DEBUG : RL_LOG_INFO, first);
    status = c->collective ? call_collectively(c, &settings) : report_failure(call_alone(c, &settings), true);
    return rl_exit_status(status);
}

/* ---- standard streams -------------------------------------------------------------------------------------------- */

/* A file opened later must not get the number of a stream that was closed when the program started: what is printed
 * would go into it. In its place stands what cannot be written, or read. */
static void fill_closed_streams(void) {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY); /* the lowest number that is free */
}

/* What was printed is with the system only now; a disk may be full. */
static rl_status close_answer(bool *is_unread) {
    struct pollfd reader = {.fd = STDOUT_FILENO};
    const bool failed_before = ferror(stdout) != 0,
               has_gone = poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0;
    errno = 0;
    const bool failed = !rl_answer_end() || failed_before;
    *is_unread = failed && (errno == EPIPE || has_gone);
    if (!failed) return RL_OK;
    return rl_fail(RL_ERR_IO, "standard output: cannot be written: %s",
                   *is_unread       ? "its reader has gone"
                   : errno == 0     ? "not all of it is there"
                   : errno == EBADF ? "it is closed"
                                    : strerror(errno));
}

/* A command that only prints ends as others do whose reader wants no more. Whoever keeps the messages in a file should
 * know that not all are there. */
int rl_cli_main(int argc, char **argv) {
    bool only_prints = true, is_unread;
    rl_stop_start();
    fill_closed_streams();
    if (rl_is_peer(argc, argv)) return rl_peer_main();
    if (rl_answer_begin() != RL_OK) return rl_exit_status(report_failure(RL_ERR_MEMORY, true));
    const int ended = carry_out(argc, argv, &only_prints);
    const rl_status closed = close_answer(&is_unread);
    if (is_unread && only_prints) rl_stop_by_pipe();
    report_failure(closed, true);
    if (ended != 0) return ended;
    return closed == RL_OK && rl_log_error() != 0 ? rl_exit_status(RL_ERR_IO) : rl_exit_status(closed);
}

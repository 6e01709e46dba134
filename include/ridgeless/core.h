/* core: status codes, the error message, logging, checked allocation, texts, numbers, requests to stop, typed options.
 *
 * Everything here is local: no function communicates. Errors are reported the same way in every module: a function that
 * can fail returns rl_status, having left one complete line for a person in rl_error_message(). Only main prints it. */
#ifndef RIDGELESS_CORE_H
#define RIDGELESS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- status ---------------------------------------------------------------------------------------------------- */

typedef enum rl_status {
    RL_OK,
    RL_ERR_INPUT, /* command line, study file, data file, output path: exit 2 */
    RL_ERR_MEMORY,
    RL_ERR_IO,      /* reading or writing a file that was fine before */
    RL_ERR_LIBRARY, /* MPI, NetCDF, LAPACK info < 0 */
    RL_ERR_CELLS,   /* some cells could not be computed */
    RL_DIFFERENT,   /* two files that were compared */
    RL_STOPPED      /* early, resumable */
} rl_status;

/* The exit status of a process that ends so: 0 done, 2 bad input, 75 stopped early and resumable, 1 anything else. */
int rl_exit_status(rl_status status);

#define RL_PRINTF(format_index) __attribute__((format(printf, format_index, format_index + 1)))

/* Keeps the formatted message (at most 1023 bytes) as this process's error message and returns `status`, so that a
 * failing function ends in `return rl_fail(RL_ERR_INPUT, "%s:%d: ...", ...)`. A message names the file, line or key and
 * says what was expected. It is one line; a list may follow in lines that begin with two blanks. */
rl_status rl_fail(rl_status status, const char *format, ...) RL_PRINTF(2);

/* The message of the last rl_fail, "" before any. Valid until the next rl_fail. */
const char *rl_error_message(void);

/* Returns from the calling function with the status of `call` unless that is RL_OK. */
#define RL_TRY(call)                                      \
    do {                                                  \
        const rl_status rl_try_status = (call);           \
        if (rl_try_status != RL_OK) return rl_try_status; \
    } while (0)

/* The same for a function that has something to release: goes to `label` with the status left in the local `status`. */
#define RL_TRY_GOTO(call, label)         \
    do {                                 \
        status = (call);                 \
        if (status != RL_OK) goto label; \
    } while (0)

/* ---- being asked to stop ----------------------------------------------------------------------------------------- */

/* Long work asks its caller between two pieces of it, so that a process that also serves others need not wait for the
 * whole. On false the work ends with RL_STOPPED. call NULL: it is never stopped. */
typedef struct rl_tick {
    bool (*call)(void *state);
    void *state;
} rl_tick;

static inline bool rl_may_go_on(rl_tick tick) {
    return tick.call == NULL || tick.call(tick.state);
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

typedef enum rl_log_level { RL_LOG_QUIET, RL_LOG_WARNING, RL_LOG_INFO, RL_LOG_DEBUG } rl_log_level;

/* Sets what is printed, and whether this process prints at all (rank 0 does). Default: RL_LOG_INFO, prints. */
void rl_log_configure(rl_log_level level, bool prints);

/* Writes a text on standard error as it is, in one piece. While its reader takes nothing the caller waits; but where
 * the process has been asked to stop, or the calling thread never waits, for a fifth of a second at most: then the text
 * is lost. */
void rl_log_write(const char *text);

/* From now on the calling thread never waits for a reader of standard error. */
void rl_log_never_wait(void);

/* The error number of the first text that could not be written; 0: none. A reader that has gone, and a stream that was
 * closed when the program started, wanted none. */
int rl_log_error(void);

/* Print one line on standard error, prefixed `ridgeless: `. */
void rl_warn(const char *format, ...) RL_PRINTF(1);
void rl_info(const char *format, ...) RL_PRINTF(1);
void rl_debug(const char *format, ...) RL_PRINTF(1);

/* The last line of the terminal, a bar that was printed on standard error, is no message: it is cleared
 * before the next one, or by rl_log_clear_line. */
void rl_log_open_line(void);
void rl_log_clear_line(void);

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* Bytes that the processes of this node together may still take. The kernel says what is available (MemAvailable in
 * /proc/meminfo); each control group that holds this process, directly or through other groups, leaves its limit less
 * its use, where cached files that can be dropped at once are not counted as used. The least of these. 0: not known. */
int64_t rl_memory_available(void);

/* Whether a limit of the process (ulimit -v, ulimit -d) or a kernel that promises no more memory than it has may refuse
 * memory before it is used. */
bool rl_memory_is_limited(void);

/* Whether so many more bytes would be given to this process now. Takes none. */
bool rl_memory_is_there(size_t bytes);

/* Asks for what a library is about to take, which may wait for ever where it gets nothing. RL_ERR_MEMORY: so many bytes
 * are not there; the message says for what they are wanted, the limit, and which one would do. Takes none. */
rl_status rl_memory_ask(size_t bytes, const char *what);

/* What NetCDF and HDF5 take at most to open or to create a file, beside what is read or written. */
enum { RL_NETCDF_BYTES = 32 << 20 };

/* Fails as rl_memory_ask does: a library has been seen to get too little, which wants about so many bytes. */
rl_status rl_memory_fail(size_t bytes, const char *what);

/* Writes into `text`, and returns, "; `ulimit -v` allows 300 MiB: raise it", which ends a message; "" where no limit of
 * the process is set. */
enum { RL_LIMIT_TEXT = 100 };
const char *rl_memory_limit_text(char text[RL_LIMIT_TEXT]);

/* Stores at *pointer a zeroed array of count x size bytes, aligned to 64 so that BLAS kernels see the same alignment
 * (and so give the same bits) on every rank. count = 0 gives a valid pointer. RL_ERR_MEMORY, also when the product
 * overflows and when it is more than rl_memory_available. Freed by rl_free and nothing else. */
rl_status rl_alloc(void *pointer, size_t count, size_t size);
#define RL_ALLOC(pointer, count) rl_alloc(&(pointer), (size_t)(count), sizeof *(pointer))

/* The same, not zeroed: for what is large, and filled at once. */
rl_status rl_alloc_unset(void *pointer, size_t count, size_t size);

/* Puts in the place of the array at *pointer one with room for `capacity` elements that begins with its first n <=
 * capacity; the rest is zero. NULL is an array of none. After a failure, as of rl_alloc, it stays as it was. */
rl_status rl_grow(void *pointer, size_t n, size_t capacity, size_t size);
#define RL_GROW(pointer, n, capacity) rl_grow(&(pointer), (size_t)(n), (size_t)(capacity), sizeof *(pointer))
void rl_free(void *memory); /* NULL is allowed */

/* Bytes that rl_alloc hands out for such an array; SIZE_MAX: more than can be addressed. */
size_t rl_alloc_bytes(size_t count, size_t size);

/* Bytes that rl_alloc has handed out, and texts hold, and rl_free has not taken back: now, and at most since the start
 * or the last rl_forget_peak_allocated. Exact: what was asked for, rounded up to 64 for each piece; of all threads. */
size_t rl_allocated(void);
size_t rl_peak_allocated(void);
void rl_forget_peak_allocated(void);

/* The most bytes that this process has had in memory at once, since its start or, where the system allows it, since the
 * last rl_forget_peak_memory. 0: the system does not say. */
double rl_peak_memory(void);
void rl_forget_peak_memory(void);

/* A copy of a text; freed by rl_free. */
rl_status rl_strdup(char **copy, const char *text);

/* A text that grows: starts from RL_TEXT_EMPTY and is released by rl_free(text.bytes). A zero byte follows the last one
 * as soon as anything was appended. */
typedef struct rl_text {
    char *bytes;
    size_t length, capacity;
} rl_text;
#define RL_TEXT_EMPTY ((rl_text){NULL, 0, 0})
rl_status rl_text_append(rl_text *text, const char *format, ...) RL_PRINTF(2);
rl_status rl_text_append_bytes(rl_text *text, const void *bytes, size_t length);

/* A file's name without its folder and its ending; a leading dot begins no ending. The name is *length bytes from the
 * result on, within `path`. */
const char *rl_file_stem(const char *path, size_t *length);

/* Writes ../NAME seen from the program's folder into `path`, like share/ridgeless/data of an installation that may have
 * been moved; false: that folder is not known. */
enum { RL_PATH_ROOM = 4096 };
bool rl_path_beside_program(const char *name, char path[RL_PATH_ROOM]);

/* Appends a whole file of at most `limit` bytes to a text. RL_ERR_INPUT, with a message that names the file, when it is
 * missing, a directory, unreadable or larger. */
rl_status rl_read_file(const char *path, size_t limit, rl_text *content);

/* The same of standard input. */
rl_status rl_read_standard_input(size_t limit, rl_text *content);

/* Reads the first bytes of a file, by which formats are told apart, into begin[size]; *got: how many there were. The
 * status `blame`, with a message that names the file and says what was expected, when the file is missing, unreadable
 * or not a regular one: a pipe might never end. */
rl_status rl_read_beginning(const char *path, rl_status blame, const char *expected, size_t size, char *begin,
                            size_t *got);

/* ---- characters and words --------------------------------------------------------------------------------------- */

/* The bytes of the UTF-8 character that a text begins with, and its code point; 0: there is none, *code is a byte. */
int rl_character(const char *text, uint32_t *code);

/* The same; 0 also for one that is not printed within a line: controls, separators of lines, byte order marks, and what
 * turns the direction of the text around it. */
int rl_printable_character(const char *text);
bool rl_is_printable(const char *text);

/* Puts `?` in the place of those, in the text itself: what users, files and systems call something may be anything, and
 * no terminal is to get it. Ends of lines and tabs become blanks, but for an end before two blanks: that is a list. All
 * messages go through this. */
void rl_make_printable(char *text);

/* White space of any kind, as no-break spaces, tabs and ends of lines are: runs of it become one blank, and none is
 * left around the text. What has no width, as a byte order mark, goes too. */
void rl_fold_blanks(char *text);

/* Appends at most so many characters of a word, with `?` in the place of those that are not printed, and `...`. */
rl_status rl_text_append_printable(rl_text *text, const char *word, int most);

/* Appends a printable word as YAML takes it in a list: in quotes where it needs them. */
rl_status rl_text_append_yaml(rl_text *text, const char *word);

/* Writes "one, two, three" into buffer[size]; where not all fit, "one, ...". */
void rl_list_words(const char *const *words, int n, char *buffer, size_t size);

/* The word that is nearest to a mistyped one by edit distance, whatever the case of letters; where none is near, the
 * first that begins with what was typed; else NULL. */
const char *rl_nearest_word(const char *typed, const char *const *words, int n);

/* Writes "; did you mean `word`?" into `hint`, or ";" when there is none, and returns it. What was expected follows. */
enum { RL_WORD_HINT = 100 };
const char *rl_word_hint(const char *typed, const char *const *words, int n, char hint[RL_WORD_HINT]);

/* "" of one, else "s": "1 feature", "2 features". */
const char *rl_plural(int64_t n);

/* ---- links and folders ------------------------------------------------------------------------------------------- */

/* The file that a path stands for when links are followed, which need not be there; *target is the caller's. A link
 * stays where it is, and what it leads to is replaced. RL_ERR_INPUT: the links lead nowhere. */
rl_status rl_follow_links(const char *path, char **target);

/* Whether what fstat or stat has told is of one file. */
struct stat;
bool rl_same_file(const struct stat *a, const struct stat *b);

/* The folder that the last name of a path stands in, "." where it has none before it; the caller's. */
rl_status rl_folder_of(const char *path, char **folder);

/* Makes the entry of `path` in its folder durable. */
rl_status rl_sync_folder(const char *path);

/* ---- replacing a file as a whole --------------------------------------------------------------------------------- */

/* A file on its way to the place of another, in the folder of the file that `output` leads to. Nobody can guess its
 * name, and no link is followed to it. While it is open it is locked: other processes leave it alone. */
typedef struct rl_temporary {
    const char *output;          /* as a message names it; borrowed */
    char *target;                /* what `output` leads to when links are followed; owned */
    char *path;                  /* of the temporary; owned; NULL: there is none any more */
    int fd;                      /* of it, to read and to write; it may be opened by its path, too, also with flock */
    bool replaces;               /* something is there already, */
    unsigned mode, owner, group; /* which has these */
} rl_temporary;

/* Makes an empty one; where nothing is replaced, of mode 0666 less the umask, else for its owner alone until it is in
 * place. RL_ERR_INPUT: `output` is a directory, a pipe or a device, or its links lead nowhere; RL_ERR_IO: no file can
 * be made there. After a failure there is nothing to discard. */
rl_status rl_temporary_open(const char *output, rl_temporary *t);

/* Appends bytes to it. */
rl_status rl_temporary_write(rl_temporary *t, const void *bytes, size_t length);

/* Puts it in the place of its target in one step, durably, with the mode, owner, group and access list of that one as
 * far as this process may give them. RL_ERR_IO: it could not be, and the old file is there. */
rl_status rl_temporary_put_in_place(rl_temporary *t);

/* How new a file is that stands there, or the temporary's own; any numbers from 0 on, -1: older than all. */
typedef struct rl_newness {
    int64_t (*of)(void *state, const char *path);
    void *state;
    int64_t mine;
} rl_newness;

/* The same, unless a newer file is there: then that one stays, and *put is false. Whatever other processes put there at
 * the same time, the newest stays; on file systems that cannot exchange two files, unless one comes between a look and
 * the next step. */
rl_status rl_temporary_put_unless_newer(rl_temporary *t, const rl_newness *newness, bool *put);

/* Closes it, and removes it where it was not put in place. To be called in any case; more than once does no harm. */
void rl_temporary_discard(rl_temporary *t);

/* Removes the file of the last rl_temporary_open, if it is not in place yet: for a process that leaves in the middle.
 * May be called in a signal handler. */
void rl_abandon_temporary(void);

/* Removes what killed processes left of temporary files of `output`; where nothing can be locked, or a lock cannot
 * tell, those that nobody has written to for a day. */
void rl_remove_stale_temporaries(const char *output);

/* A file for what waits on disk for a while, in the folder of the file that `output` leads to: nobody else sees it, and
 * it goes when it is closed, or with the process. *fd is the caller's; -1 after a failure. */
rl_status rl_nameless_file(const char *output, int *fd);

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* Strict parsing: the whole text must be one finite decimal number, with or without blanks around it; not hexadecimal,
 * nan, inf or too large. An integer must be within [minimum, maximum]. false otherwise. */
bool rl_parse_real(const char *text, double *value);
bool rl_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *value);

/* Sizes of something with several sides, like "3000x4000": sizes[most], each at least 1 and at most `maximum`. How many
 * there are; 0: the text is nothing such. */
int rl_parse_sizes(const char *text, int most, int64_t maximum, int64_t *sizes);

/* A size of memory, at least one byte: a number, with or without a unit. K, M, G, T and KiB, MiB, ... are powers of
 * 1024, kB, MB, GB and TB of 1000, B is a byte. false otherwise. */
bool rl_parse_bytes(const char *text, int64_t *bytes);

/* A span of time in seconds: Slurm's `minutes:seconds`, `hours:minutes:seconds` and `days-hours:minutes:seconds`, or a
 * number with a unit (s, min, h, d). What Slurm prints where there is no limit (UNLIMITED, NOT_SET, INVALID) is
 * INFINITY. false otherwise; a bare number, which could be either seconds or minutes, is refused. */
bool rl_parse_seconds(const char *text, double *seconds);

/* Writes into `text`, and returns, a count for people, its thousands apart: "20,000". */
const char *rl_count_text(int64_t count, char text[32]);

/* Writes into `text`, and returns, "2,720 rows (218 with missing values left out)". */
enum { RL_ROWS_TEXT = 100 };
const char *rl_rows_text(int64_t n_rows, int64_t n_dropped, char text[RL_ROWS_TEXT]);

/* For qsort and bsearch of doubles, among which NaN has no place, and of ints. */
int rl_compare_reals(const void *a, const void *b);
int rl_compare_ints(const void *a, const void *b);

/* Seconds of the monotonic clock. */
double rl_seconds(void);

/* Seconds since 1970-01-01 00:00 UTC, by this machine's clock: for what several machines, or several starts of the
 * program, are to agree on. */
double rl_clock_seconds(void);

/* Seconds that processors have worked for this process, all its threads together. */
double rl_processor_seconds(void);

/* ---- requests to stop ------------------------------------------------------------------------------------------- */

/* What signals have asked of this process. A request can become more urgent, never less. */
typedef enum rl_stop {
    RL_STOP_NONE,
    RL_STOP_SOON, /* SIGUSR1, SIGUSR2, SIGXCPU, the first SIGINT: begin nothing more, finish what is under way */
    RL_STOP_NOW   /* SIGTERM, SIGALRM, SIGHUP: be gone within seconds */
} rl_stop;

/* What main begins with. A process inherits which signals are blocked and ignored: none is blocked from now on. A write
 * that nobody reads fails with EPIPE, one beyond a limit of sizes (ulimit -f) with EFBIG, and no signal ends the
 * process. How a child process has ended can be learnt. */
void rl_stop_start(void);

/* In a child process, before it becomes another program: signals of writing are as by default. */
void rl_stop_start_child(void);

/* Ends the process by SIGPIPE, as writing to a pipe that nobody reads ends one by default; returns where the process
 * was started with SIGPIPE ignored. */
void rl_stop_by_pipe(void);

/* Catches these signals from now on; by default the process would die of them. A second SIGINT ends the process at once
 * with status 75. SIGINT, SIGHUP and SIGALRM stay ignored where the process was started so (nohup). Called before MPI
 * starts, and once more when it has started, because MPICH takes SIGUSR1 for itself. */
rl_status rl_stop_catch_signals(void);
rl_stop rl_stop_requested(void);

/* The name of the first signal that made the present request, like "SIGTERM"; NULL: none did. */
const char *rl_stop_signal(void);

/* Sleeps until a signal comes, another thread calls rl_stop_wake, or the seconds have passed. One thread at a time may
 * sleep. */
void rl_stop_wait(double seconds);
void rl_stop_wake(void);

/* ---- typed options ---------------------------------------------------------------------------------------------- */

/* What the study file may say of a row of a table (a source of data, a feature map, an ablation): one spec per key. The
 * study reader checks keys, types and ranges against the specs, so that a new row brings its own keys along. */
typedef enum rl_option_type {
    RL_OPTION_INTEGER,
    RL_OPTION_REAL,
    RL_OPTION_FLAG,   /* true | false */
    RL_OPTION_CHOICE, /* one word of `choices` */
    RL_OPTION_TEXT,
    RL_OPTION_TEXT_LIST /* a list of texts, or a single one */
} rl_option_type;

typedef struct rl_option_spec {
    const char *key;
    rl_option_type type;
    bool required;
    bool later;               /* younger than journals that go on: settings leave it out where it is as by default */
    bool once_text;           /* a list that was a text in journals that go on: settings write one of them so */
    double minimum, maximum;  /* of an integer or a real, both included */
    double default_number;    /* of an integer, a real or a flag */
    const char *default_text; /* of a choice or a text; NULL: none */
    const char *choices;      /* "none|center|unit-norm" */
    const char *help;         /* one line */
} rl_option_spec;

typedef struct rl_option_value {
    bool given;    /* by the study file; false: the default */
    int line;      /* of the study file; 0: not given */
    double number; /* integer, real, flag (0 or 1), index of a choice */
    char *text;    /* choice (the word) or text; owned, NULL when none */
    char **list;   /* text list; owned */
    int n_list;
} rl_option_value;

typedef struct rl_options {
    const rl_option_spec *specs; /* borrowed, lives as long as the table */
    int n;
    rl_option_value *values; /* [n], owned */
} rl_options;

/* Fills `options` with the defaults of `specs`. Released by rl_options_destroy. */
rl_status rl_options_create(rl_options *options, const rl_option_spec *specs, int n_specs);
void rl_options_destroy(rl_options *options);

/* The index of `key`, or -1. */
int rl_options_find(const rl_options *options, const char *key);

/* The value of a key, which the specs must have (asserted). */
const rl_option_value *rl_options_get(const rl_options *options, const char *key);
int rl_options_integer(const rl_options *options, const char *key);
double rl_options_real(const rl_options *options, const char *key);
bool rl_options_flag(const rl_options *options, const char *key);
const char *rl_options_text(const rl_options *options, const char *key);

#endif

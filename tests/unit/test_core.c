/* core: status codes, messages, allocation, numbers, texts and options. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/core/available.h"
#include "ridgeless/arena.h"

static void exit_statuses_are_the_contract(void **state) {
    assert_int_equal(rl_exit_status(RL_OK), 0);
    assert_int_equal(rl_exit_status(RL_ERR_INPUT), 2);
    assert_int_equal(rl_exit_status(RL_STOPPED), 75);
    assert_int_equal(rl_exit_status(RL_ERR_CELLS), 1);
    assert_int_equal(rl_exit_status(RL_ERR_IO), 1);
    assert_int_equal(rl_exit_status(RL_ERR_MEMORY), 1);
}

static void a_failure_keeps_one_line(void **state) {
    assert_int_equal(rl_fail(RL_ERR_INPUT, "%s:%d: bad\nthing", "a.yaml", 3), RL_ERR_INPUT);
    assert_string_equal(rl_error_message(), "a.yaml:3: bad thing");
    rl_fail(RL_ERR_IO, "while writing: %s", rl_error_message()); /* may quote the message it replaces */
    assert_string_equal(rl_error_message(), "while writing: a.yaml:3: bad thing");
}

static void allocation_is_zeroed_aligned_and_checked(void **state) {
    double *values = NULL;
    assert_int_equal(RL_ALLOC(values, 1001), RL_OK);
    assert_int_equal((uintptr_t)values % 64, 0);
    for (int i = 0; i < 1001; i++) assert_true(values[i] == 0);
    rl_free(values);
    assert_int_equal(RL_ALLOC(values, 0), RL_OK);
    assert_non_null(values);
    rl_free(values);
    assert_int_equal(RL_ALLOC(values, SIZE_MAX / 4), RL_ERR_MEMORY);   /* the product overflows */
    assert_int_equal(RL_ALLOC(values, SIZE_MAX / 100), RL_ERR_MEMORY); /* it does not, but no machine has it */
    assert_non_null(strstr(rl_error_message(), "out of memory"));
}

static void what_is_allocated_is_known_to_the_byte(void **state) {
    const size_t before = rl_allocated();
    double *a = NULL;
    char *b = NULL;
    rl_text text = RL_TEXT_EMPTY;
    rl_forget_peak_allocated();
    assert_int_equal(rl_peak_allocated(), before);
    assert_int_equal(RL_ALLOC(a, 10), RL_OK);
    assert_int_equal(rl_allocated(), before + 128);
    assert_int_equal(RL_ALLOC(b, 1), RL_OK);
    assert_int_equal(rl_allocated(), before + 192);
    rl_free(a);
    for (int i = 0; i < 1000; i++) assert_int_equal(rl_text_append(&text, "x"), RL_OK);
    assert_int_equal(rl_allocated(), before + 64 + text.capacity);
    assert_true(rl_peak_allocated() >= rl_allocated());
    rl_free(text.bytes);
    rl_free(b);
    rl_free(NULL);
    assert_int_equal(rl_allocated(), before);
}

/* ---- arenas ------------------------------------------------------------------------------------------------------ */

typedef struct thing {
    size_t n;
    double *numbers; /* [n] */
    char *letters;   /* [n], from n = 2 on */
    int64_t *last;   /* [1] */
} thing;

static void list_arrays(rl_arena *arena, void *object) {
    thing *t = object;
    RL_TAKE(arena, t->numbers, t->n);
    if (t->n > 1) RL_TAKE(arena, t->letters, t->n);
    RL_TAKE(arena, t->last, 1);
}

static void check_arrays(const thing *t) {
    assert_int_equal((uintptr_t)t->numbers % 64, 0);
    assert_int_equal((uintptr_t)t->letters % 64, 0);
    assert_true((t->letters != NULL) == (t->n > 1));
    for (size_t i = 0; i < t->n; i++) assert_true(t->numbers[i] == 0);
    memset(t->numbers, -1, t->n * sizeof *t->numbers);
    if (t->letters != NULL) memset(t->letters, -1, t->n);
    assert_int_equal(*t->last, 0);
}

static void objects_take_what_their_list_says(void **state) {
    for (size_t n = 1; n < 100; n += 7) {
        const size_t before = rl_allocated();
        thing sizes = {.n = n}, *made = NULL;
        assert_int_equal(RL_OBJECT_CREATE(&made, &sizes, list_arrays), RL_OK);
        assert_int_equal(rl_allocated() - before, RL_OBJECT_BYTES(&sizes, list_arrays));
        assert_int_equal(made->n, n);
        assert_null(sizes.numbers);
        check_arrays(made);
        rl_free(made);
        const size_t bytes = rl_arrays_bytes(&sizes, list_arrays);
        assert_int_equal(rl_arrays_create(&sizes, list_arrays), RL_OK);
        assert_int_equal(rl_allocated() - before, bytes);
        check_arrays(&sizes);
        rl_free(sizes.numbers);
        assert_int_equal(rl_allocated(), before);
    }
}

static void objects_beyond_all_memory_are_refused(void **state) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 9, SIZE_MAX / 100};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        thing huge = {.n = sizes[i]}, *made = NULL;
        assert_int_equal(RL_OBJECT_CREATE(&made, &huge, list_arrays), RL_ERR_MEMORY);
        assert_null(made);
    }
}

static void reals_are_strict(void **state) {
    static const char *const good[] = {"1", " -2.5e-3 ", "+.5", "1E300", "4.9e-324"};
    static const double values[] = {1, -2.5e-3, .5, 1e300, 4.9e-324};
    double value;
    for (int i = 0; i < 5; i++) {
        assert_true(rl_parse_real(good[i], &value));
        assert_true(value == values[i]);
    }
    static const char *const bad[] = {"",     " ",   "nan", "NaN", "inf", "-infinity", "1e400", "0x10",
                                      "1.5x", "1 2", "abc", "e5",  "--1", "1,5",       ".",     "1e"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (rl_parse_real(bad[i], &value)) fail_msg("`%s` was taken for %g", bad[i], value);
    }
}

static void sizes_are_read(void) {
    static const char *const bad[] = {"", "x", "2x", "x3", "2x3x4", "2x0", "2x-3", "2x1001", "2 by 3", "0x3", "2.0x3"};
    int64_t sides[2];
    assert_true(rl_parse_sizes("2x3", 2, 1000, sides) == 2 && sides[0] == 2 && sides[1] == 3);
    assert_true(rl_parse_sizes("1000", 2, 1000, sides) == 1 && sides[0] == 1000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(rl_parse_sizes(bad[i], 2, 1000, sides), 0);
}

static void integers_are_strict(void **state) {
    int64_t value;
    assert_true(rl_parse_integer(" 42 ", 0, 100, &value));
    assert_int_equal(value, 42);
    assert_true(rl_parse_integer("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    static const char *const bad[] = {"", "1.0", "1e3", "0x1", "101", "-1", "9223372036854775808", "1 1", "one"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(rl_parse_integer(bad[i], 0, 100, &value));
    sizes_are_read();
}

static void sizes_of_memory_have_units(void **state) {
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"1", 1},
                {" 4096 ", 4096},
                {"2B", 2},
                {"8e9", 8000000000},
                {"4GiB", (int64_t)4 << 30},
                {"4 G", (int64_t)4 << 30},
                {"1.5k", 1536},
                {"500M", (int64_t)500 << 20},
                {"500MB", 500000000},
                {"2 TB ", 2000000000000},
                {"3kB", 3000}};
    static const char *const bad[] = {"",      " ",   "GiB",  "-1",   "0",     "0.5",      "4X",    "4GiBs",
                                      "4 G B", "4iB", "4GIB", "1e40", "nan G", "5000000T", "4,5 G", "4bytes"};
    int64_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(rl_parse_bytes(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rl_parse_bytes(bad[i], &bytes)) fail_msg("`%s` was taken for %lld", bad[i], (long long)bytes);
}

static void texts_grow(void **state) {
    rl_text text = RL_TEXT_EMPTY;
    for (int i = 0; i < 1000; i++) assert_int_equal(rl_text_append(&text, "%d,", i), RL_OK);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(strlen(text.bytes), text.length);
    assert_int_equal(rl_text_append_bytes(&text, "a\0b", 3), RL_OK);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 900 * 4 + 3);
    rl_free(text.bytes);
}

static void files_are_read_whole_or_refused(void **state) {
    char path[] = "/tmp/ridgeless-core-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_int_equal(write(descriptor, "hello\n", 6), 6);
    close(descriptor);
    rl_text text = RL_TEXT_EMPTY;
    assert_int_equal(rl_read_file(path, 6, &text), RL_OK);
    assert_string_equal(text.bytes, "hello\n");
    rl_free(text.bytes);
    text = RL_TEXT_EMPTY;
    assert_int_equal(rl_read_file(path, 5, &text), RL_ERR_INPUT);
    assert_non_null(strstr(rl_error_message(), "larger than 5 bytes"));
    rl_free(text.bytes);
    unlink(path);
    text = RL_TEXT_EMPTY;
    assert_int_equal(rl_read_file(path, 5, &text), RL_ERR_INPUT);
    assert_non_null(strstr(rl_error_message(), path));
    assert_int_equal(rl_read_file("/tmp", 5, &text), RL_ERR_INPUT);
    assert_non_null(strstr(rl_error_message(), "is a directory"));
}

/* What `path` in the folder leads to, seen from there; NULL: nowhere. */
static const char *target_of(const char *folder, const char *path, char found[300]) {
    char whole[300], *target;
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    const rl_status status = rl_follow_links(whole, &target);
    if (status == RL_OK) snprintf(found, 300, "%s", target + strlen(folder) + 1);
    if (status == RL_OK) rl_free(target);
    assert_true(status == RL_OK || status == RL_ERR_INPUT);
    return status == RL_OK ? found : NULL;
}

static void links_are_followed_to_what_is_there_or_will_be(void **state) {
    (void)state;
    char folder[] = "/tmp/ridgeless-links-XXXXXX", found[300], command[400];
    assert_non_null(mkdtemp(folder));
    snprintf(
        command, sizeof command,
        "cd %s && mkdir home && touch file && ln -s ../file home/up && ln -s home/up twice && ln -s new dangling && "
        "ln -s $PWD/file absolute && ln -s round around && ln -s around round",
        folder);
    assert_int_equal(system(command), 0);
    assert_string_equal(target_of(folder, "file", found), "file");
    assert_string_equal(target_of(folder, "not-there", found), "not-there");
    assert_string_equal(target_of(folder, "home/up", found), "home/../file");
    assert_string_equal(target_of(folder, "twice", found), "home/../file");
    assert_string_equal(target_of(folder, "dangling", found), "new");
    assert_string_equal(target_of(folder, "absolute", found), "file");
    assert_null(target_of(folder, "around", found));
    assert_non_null(strstr(rl_error_message(), "/around: cannot be written: its links lead nowhere"));
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void what_a_terminal_would_obey_is_not_printed(void **state) {
    (void)state;
    const struct {
        const char *text, *printed;
    } cases[] = {{"plain \u00fc \u2192 \U0001f600", "plain \u00fc \u2192 \U0001f600"},
                 {"\x1b[31mred\x1b]0;title\a", "?[31mred?]0;title?"},
                 {"\x7f\xc2\x9b"
                  "c",
                  "??c"},
                 {"two\nlines\ttab\r", "two lines tab?"},
                 {"a list\n  of one", "a list\n  of one"},
                 {"\u202etxt.exe\u2066\u2069", "?txt.exe??"},
                 {"\u2028\ufeff", "??"},
                 {"cut \xe2\x82", "cut ??"},
                 {"\xff\xc0\xaf", "???"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i].text);
        rl_make_printable(text);
        assert_string_equal(text, cases[i].printed);
        rl_fail(RL_ERR_IO, "%s", cases[i].text);
        assert_string_equal(rl_error_message(), cases[i].printed);
    }
}

/* ---- temporary files --------------------------------------------------------------------------------------------- */

enum { AT = 300 };

static int make_folder(void **state) {
    static char folder[] = "/tmp/ridgeless-temporary-XXXXXX";
    snprintf(folder, sizeof folder, "/tmp/ridgeless-temporary-XXXXXX");
    *state = mkdtemp(folder);
    return *state == NULL;
}

static int remove_folder(void **state) {
    char command[AT];
    snprintf(command, sizeof command, "rm -rf %s", (const char *)*state);
    return system(command);
}

static char *in_folder(void **state, const char *name, char path[AT]) {
    snprintf(path, AT, "%s/%s", (const char *)*state, name);
    return path;
}

static void write_text(const char *path, const char *text, mode_t mode) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_holds(const char *path, const char *expected) {
    rl_text text = RL_TEXT_EMPTY;
    assert_int_equal(rl_read_file(path, 100, &text), RL_OK);
    assert_string_equal(text.bytes, expected);
    rl_free(text.bytes);
}

static unsigned mode_of(const char *path) {
    struct stat file;
    assert_int_equal(lstat(path, &file), 0);
    return file.st_mode & 0777;
}

static int n_entries(void **state) {
    int n = -2; /* the folder itself and the one above */
    DIR *entries = opendir(*state);
    assert_non_null(entries);
    while (readdir(entries) != NULL) n++;
    closedir(entries);
    return n;
}

static void put_text(const char *output, const char *text) {
    rl_temporary t;
    assert_int_equal(rl_temporary_open(output, &t), RL_OK);
    assert_int_equal(rl_temporary_write(&t, text, strlen(text)), RL_OK);
    assert_int_equal(rl_temporary_put_in_place(&t), RL_OK);
    rl_temporary_discard(&t);
}

static void a_file_is_replaced_with_its_mode_and_through_links(void **state) {
    char file[AT], link[AT];
    const mode_t before = umask(027);
    in_folder(state, "file", file);
    put_text(file, "new");
    assert_int_equal(mode_of(file), 0640);
    assert_holds(file, "new");
    write_text(file, "old", 0604);
    assert_int_equal(symlink("file", in_folder(state, "link", link)), 0);
    put_text(link, "newer");
    assert_int_equal(mode_of(file), 0604);
    assert_holds(file, "newer");
    assert_int_equal(readlink(link, file, sizeof file), strlen("file"));
    assert_int_equal(n_entries(state), 2);
    umask(before);
}

static void a_temporary_is_seen_by_nobody_and_guessed_by_nobody(void **state) {
    char file[AT];
    rl_temporary t, other;
    write_text(in_folder(state, "file", file), "old", 0644);
    assert_int_equal(rl_temporary_open(file, &t), RL_OK);
    assert_int_equal(rl_temporary_open(file, &other), RL_OK);
    assert_string_not_equal(t.path, other.path);
    assert_int_equal(strlen(t.path), strlen(file) + strlen(".tmp.0123456789"));
    assert_int_equal(mode_of(t.path), 0600);
    rl_temporary_discard(&other);
    rl_abandon_temporary(); /* the last one is gone already: nothing happens */
    assert_int_equal(n_entries(state), 2);
    assert_int_equal(unlink(t.path), 0);
    assert_int_equal(rl_temporary_put_in_place(&t), RL_ERR_IO);
    assert_non_null(strstr(rl_error_message(), "another process has removed or replaced"));
    write_text(t.path, "a trap", 0644);
    assert_int_equal(rl_temporary_put_in_place(&t), RL_ERR_IO);
    rl_temporary_discard(&t);
    assert_holds(file, "old");
    assert_int_equal(n_entries(state), 2); /* the trap is not ours */
}

static void temporaries_of_the_living_stay_and_of_the_dead_go(void **state) {
    char file[AT], path[AT];
    rl_temporary t;
    assert_int_equal(rl_temporary_open(in_folder(state, "file", file), &t), RL_OK);
    const int as_hdf5 = open(t.path, O_RDWR);
    assert_int_equal(flock(as_hdf5, LOCK_EX | LOCK_NB), 0); /* our lock is not in its way */
    close(as_hdf5);
    write_text(in_folder(state, "file.tmp.4711", path), "", 0600);
    write_text(in_folder(state, "file.tmp.0123456789", path), "", 0600);
    write_text(in_folder(state, "file.tmp.original", path), "not ours", 0600);
    write_text(in_folder(state, "other.tmp.4711", path), "not ours", 0600);
    assert_int_equal(mkfifo(in_folder(state, "file.tmp.4712", path), 0600), 0);
    rl_remove_stale_temporaries(file);
    assert_int_equal(access(t.path, F_OK), 0);
    assert_int_equal(n_entries(state), 4);
    rl_temporary_discard(&t);
    assert_int_equal(n_entries(state), 3);
    if (fork() == 0) {
        (void)!rl_temporary_open(file, &t);
        _exit(0);
    }
    assert_true(wait(NULL) > 0);
    assert_int_equal(n_entries(state), 4);
    rl_remove_stale_temporaries(file);
    assert_int_equal(n_entries(state), 3);
}

static void only_files_are_replaced(void **state) {
    char path[AT];
    rl_temporary t;
    assert_int_equal(mkfifo(in_folder(state, "pipe", path), 0600), 0);
    const char *const refused[] = {path, *state, "/dev/null", "/dev/fd/0/none", "/no/such/folder/x"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_not_equal(rl_temporary_open(refused[i], &t), RL_OK);
        assert_non_null(strstr(rl_error_message(), refused[i]));
    }
    assert_int_equal(rl_temporary_open(in_folder(state, "file", path), &t), RL_OK);
    assert_int_equal(mkdir(path, 0700), 0); /* meanwhile */
    assert_int_equal(rl_temporary_put_in_place(&t), RL_ERR_IO);
    rl_temporary_discard(&t);
    assert_int_equal(n_entries(state), 2);
}

/* Texts that are numbers; the longer a file is looked at, the more happens to it. */
typedef struct looking {
    const char *output, *meanwhile; /* what another process puts there after the first look; NULL: nothing */
} looking;

static int64_t number_in(void *state, const char *path) {
    looking *l = state;
    rl_text text = RL_TEXT_EMPTY;
    const int64_t number = rl_read_file(path, 100, &text) == RL_OK ? atoi(text.bytes) : -1;
    const char *const meanwhile = l->meanwhile;
    rl_free(text.bytes);
    l->meanwhile = NULL;
    if (meanwhile != NULL) put_text(l->output, meanwhile);
    return number;
}

static void the_newest_of_several_files_stays(void **state) {
    char file[AT];
    const struct {
        const char *there, *meanwhile, *mine, *left;
    } cases[] = {{NULL, NULL, "5", "5"}, {"4", NULL, "5", "5"}, {"5", NULL, "5", "5"}, {"6", NULL, "5", "6"},
                 {"4", "6", "5", "6"},   {"4", "3", "5", "5"},  {"6", "7", "5", "7"}};
    in_folder(state, "file", file);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        looking l = {.output = file, .meanwhile = cases[i].meanwhile};
        const rl_newness newness = {.of = number_in, .state = &l, .mine = atoi(cases[i].mine)};
        rl_temporary t;
        bool put;
        unlink(file);
        if (cases[i].there != NULL) write_text(file, cases[i].there, 0600);
        assert_int_equal(rl_temporary_open(file, &t), RL_OK);
        assert_int_equal(rl_temporary_write(&t, cases[i].mine, 1), RL_OK);
        assert_int_equal(rl_temporary_put_unless_newer(&t, &newness, &put), RL_OK);
        rl_temporary_discard(&t);
        assert_holds(file, cases[i].left);
        assert_int_equal(put, strcmp(cases[i].left, cases[i].mine) == 0);
        assert_int_equal(n_entries(state), 1);
    }
}

/* ---- memory of a node, as its files have it ---------------------------------------------------------------------- */

static void put(const char *root, const char *path, const char *text) {
    char whole[300];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    for (char *slash = strchr(whole + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0777);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void spans_of_time_have_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"90s", 90},           {"0.5s", 0.5},         {"5min", 300},        {"2h", 7200},
                {"1.5d", 129600},      {"0:07", 7},           {"12:34", 754},       {"2:03:04", 7384},
                {"0:00", 0},           {"1-02:03:04", 93784}, {"100:00:00", 3.6e5}, {"UNLIMITED", INFINITY},
                {"NOT_SET", INFINITY}, {"INVALID", INFINITY}};
    static const char *const bad[] = {"",    "5",   "5 min",   "5m",  "-5s",     "1e3s", "s",
                                      ":10", "10:", "1:2:3:4", "1-2", "1-00:10", "0x5s", "unlimited"};
    double seconds;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(rl_parse_seconds(good[i].text, &seconds));
        assert_true(seconds == good[i].seconds);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rl_parse_seconds(bad[i], &seconds)) fail_msg("`%s` was taken for %g s", bad[i], seconds);
}

static void memory_is_what_the_kernel_and_all_groups_leave(void **state) {
    char root[] = "/tmp/ridgeless-memory-XXXXXX", command[100];
    assert_non_null(mkdtemp(root));
    assert_int_equal(rl_memory_available_in(root), 0); /* nothing there: not known */
    put(root, "proc/meminfo", "MemTotal:  8000000 kB\nMemFree: 5 kB\nMemAvailable:    7000000 kB\n");
    assert_int_equal(rl_memory_available_in(root), 7000000LL * 1024);
    /* Version 2: of a job and a step in it, the job leaves less. */
    put(root, "proc/self/cgroup", "1:name=systemd:/x\n0::/job/step\n");
    assert_int_equal(rl_memory_available_in(root), 7000000LL * 1024);
    put(root, "sys/fs/cgroup/job/step/memory.max", "max\n");
    put(root, "sys/fs/cgroup/job/step/memory.current", "1000\n");
    assert_int_equal(rl_memory_available_in(root), 7000000LL * 1024);
    put(root, "sys/fs/cgroup/job/memory.max", "5000000\n");
    put(root, "sys/fs/cgroup/job/memory.current", "3000000\n");
    assert_int_equal(rl_memory_available_in(root), 2000000);
    put(root, "sys/fs/cgroup/job/memory.stat", "anon 5\ninactive_file 400000\nactive_file 70000\n");
    assert_int_equal(rl_memory_available_in(root), 2470000);
    put(root, "sys/fs/cgroup/job/step/memory.max", "1000500\n");
    assert_int_equal(rl_memory_available_in(root), 999500);
    put(root, "sys/fs/cgroup/job/step/memory.current", "2000000\n"); /* over its limit already */
    assert_int_equal(rl_memory_available_in(root), 1);
    /* Version 1, with other controllers in the line; from inside a container, which has its group at the mount. */
    put(root, "proc/self/cgroup", "5:cpu,memory,pids:/outside/name\n3:memory2:/\nno line of its kind\n");
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "800000\n");
    put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "300000\n");
    put(root, "sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 1000\n");
    assert_int_equal(rl_memory_available_in(root), 501000);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
    assert_true(rl_memory_available() > 0); /* this machine's */
}

static void options_start_from_their_defaults(void **state) {
    static const rl_option_spec specs[] = {
        {.key = "rows", .type = RL_OPTION_INTEGER, .default_number = 1000},
        {.key = "draw", .type = RL_OPTION_CHOICE, .choices = "pool|fresh", .default_text = "fresh"},
        {.key = "relative", .type = RL_OPTION_FLAG},
        {.key = "file", .type = RL_OPTION_TEXT},
    };
    rl_options options;
    assert_int_equal(rl_options_create(&options, specs, 4), RL_OK);
    assert_int_equal(rl_options_integer(&options, "rows"), 1000);
    assert_string_equal(rl_options_text(&options, "draw"), "fresh");
    assert_int_equal(rl_options_get(&options, "draw")->number, 1);
    assert_false(rl_options_flag(&options, "relative"));
    assert_null(rl_options_text(&options, "file"));
    assert_int_equal(rl_options_find(&options, "nonsense"), -1);
    rl_options_destroy(&options);
    rl_options_destroy(&options); /* again does no harm */
}

static void mistyped_words_are_guessed(void **state) {
    static const char *const words[] = {"run", "retry", "plan", "status", "show", "n_features", "Colour"};
    enum { N = sizeof words / sizeof *words };
    static const struct {
        const char *typed, *meant; /* NULL: nothing is near */
    } cases[] = {{"rnu", "run"},
                 {"runn", "run"},
                 {"pan", "plan"},
                 {"shwo", "show"},
                 {"n_fatures", "n_features"},
                 {"n-features", "n_features"},
                 {"COLOUR", "Colour"},
                 {"color", "Colour"},
                 {"STAT", "status"}, /* nearer than "show", and its beginning */
                 {"n_", "n_features"},
                 {"Re", "retry"},
                 {"x", NULL},
                 {"", NULL},
                 {"magic", NULL}};
    char text[40], hint[RL_WORD_HINT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = rl_nearest_word(cases[i].typed, words, N);
        if (cases[i].meant == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].meant);
    }
    assert_string_equal(rl_word_hint("rnu", words, N, hint), "; did you mean `run`?");
    assert_string_equal(rl_word_hint("magic", words, N, hint), ";");
    assert_string_equal(rl_word_hint("run", words, N, hint), ";");
    rl_list_words(words, 3, text, sizeof text);
    assert_string_equal(text, "run, retry, plan");
    rl_list_words(words, 3, text, 16); /* with its zero byte one too few for all of them */
    assert_string_equal(text, "run, retry, ...");
}

#define in_a_folder(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_statuses_are_the_contract),
        cmocka_unit_test(a_failure_keeps_one_line),
        cmocka_unit_test(allocation_is_zeroed_aligned_and_checked),
        cmocka_unit_test(what_is_allocated_is_known_to_the_byte),
        cmocka_unit_test(objects_take_what_their_list_says),
        cmocka_unit_test(objects_beyond_all_memory_are_refused),
        cmocka_unit_test(reals_are_strict),
        cmocka_unit_test(integers_are_strict),
        cmocka_unit_test(sizes_of_memory_have_units),
        cmocka_unit_test(spans_of_time_have_units),
        cmocka_unit_test(memory_is_what_the_kernel_and_all_groups_leave),
        cmocka_unit_test(texts_grow),
        cmocka_unit_test(files_are_read_whole_or_refused),
        cmocka_unit_test(links_are_followed_to_what_is_there_or_will_be),
        cmocka_unit_test(what_a_terminal_would_obey_is_not_printed),
        in_a_folder(a_file_is_replaced_with_its_mode_and_through_links),
        in_a_folder(a_temporary_is_seen_by_nobody_and_guessed_by_nobody),
        in_a_folder(temporaries_of_the_living_stay_and_of_the_dead_go),
        in_a_folder(only_files_are_replaced),
        in_a_folder(the_newest_of_several_files_stays),
        cmocka_unit_test(mistyped_words_are_guessed),
        cmocka_unit_test(options_start_from_their_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core: status codes, messages, allocation, numbers, texts and options. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ridgeless/core.h"

static void exit_statuses_are_the_contract(void **state) {
    assert_int_equal(rl_exit_status(RL_OK), 0);
    assert_int_equal(rl_exit_status(RL_ERR_INPUT), 2);
    assert_int_equal(rl_exit_status(RL_STOPPED), 75);
    assert_int_equal(rl_exit_status(RL_ERR_CELLS), 1);
    assert_int_equal(rl_exit_status(RL_ERR_IO), 1);
    assert_string_equal(rl_status_text(RL_ERR_MEMORY), "out of memory");
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

static void integers_are_strict(void **state) {
    int64_t value;
    assert_true(rl_parse_integer(" 42 ", 0, 100, &value));
    assert_int_equal(value, 42);
    assert_true(rl_parse_integer("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    static const char *const bad[] = {"", "1.0", "1e3", "0x1", "101", "-1", "9223372036854775808", "1 1", "one"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(rl_parse_integer(bad[i], 0, 100, &value));
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

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_statuses_are_the_contract),
        cmocka_unit_test(a_failure_keeps_one_line),
        cmocka_unit_test(allocation_is_zeroed_aligned_and_checked),
        cmocka_unit_test(reals_are_strict),
        cmocka_unit_test(integers_are_strict),
        cmocka_unit_test(texts_grow),
        cmocka_unit_test(files_are_read_whole_or_refused),
        cmocka_unit_test(options_start_from_their_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

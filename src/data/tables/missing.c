/* What stands for a missing value in a table: the words that always do, and what a study adds. */
#include <string.h>

#include "ridgeless/data.h"

/* `?`, as older tables write it, and what pandas takes so: its documentation of read_csv, na_values (2.0). */
static const char *const usual_words[] = {"",     "?",    "#N/A",   "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN",
                                          "-NaN", "-nan", "1.#IND", "1.#QNAN",  "<NA>", "N/A",     "NA",
                                          "NULL", "NaN",  "None",   "n/a",      "nan",  "null"};
enum { N_USUAL_WORDS = sizeof usual_words / sizeof *usual_words };

rl_status rl_missing_create(rl_missing *missing, char *const *words, int n) {
    *missing = (rl_missing){.words = words, .n_words = n};
    RL_TRY(RL_ALLOC(missing->numbers, n));
    for (int i = 0; i < n; i++) missing->n_numbers += rl_parse_real(words[i], &missing->numbers[missing->n_numbers]);
    return RL_OK;
}

void rl_missing_destroy(rl_missing *missing) {
    rl_free(missing->numbers);
    *missing = (rl_missing){0};
}

bool rl_missing_has_word(const rl_missing *missing, const char *word) {
    const char *digit = word + (*word == '-');
    const bool is_number = *digit >= '0' && *digit <= '9' && strncmp(digit, "1.#", 3) != 0; /* most are */
    for (int i = 0; !is_number && i < N_USUAL_WORDS; i++)
        if (strcmp(word, usual_words[i]) == 0) return true;
    for (int i = 0; i < missing->n_words; i++)
        if (strcmp(word, missing->words[i]) == 0) return true;
    return false;
}

bool rl_missing_has_number(const rl_missing *missing, double number) {
    for (int i = 0; i < missing->n_numbers; i++)
        if (number == missing->numbers[i]) return true;
    return false;
}

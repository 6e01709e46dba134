/* Words that a person types or reads: lists of those that are allowed, the one that a mistyped word may have meant,
 * plurals. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../numbers.h"
#include "ridgeless/core.h"

enum { LONGEST_WORD = 60 };

static bool differ(char a, char b) {
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

/* Levenshtein's distance, blind to the case of letters. Words longer than LONGEST_WORD are near to none. */
static int edit_distance(const char *a, const char *b) {
    int row[LONGEST_WORD + 1];
    const int n_a = (int)strnlen(a, LONGEST_WORD + 1), n_b = (int)strnlen(b, LONGEST_WORD + 1);
    if (n_a > LONGEST_WORD || n_b > LONGEST_WORD) return LONGEST_WORD;
    for (int j = 0; j <= n_b; j++) row[j] = j;
    for (int i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            const int above = row[j];
            row[j] = rl_smaller(rl_smaller(above, row[j - 1]) + 1, diagonal + differ(a[i - 1], b[j - 1]));
            diagonal = above;
        }
    }
    return row[n_b];
}

/* The first word that begins with what was typed. */
static const char *begun_word(const char *typed, const char *const *words, int n) {
    const size_t length = strlen(typed);
    for (int i = 0; i < n && length > 1; i++)
        if (strncasecmp(words[i], typed, length) == 0) return words[i];
    return NULL;
}

const char *rl_nearest_word(const char *typed, const char *const *words, int n) {
    const int length = (int)strnlen(typed, LONGEST_WORD);
    const char *nearest = NULL;
    int best = rl_smaller(1 + length / 3, length - 1); /* a letter in three may be wrong, but not all */
    for (int i = 0; i < n; i++) {
        const int distance = edit_distance(typed, words[i]);
        if (distance > best || (distance == best && nearest != NULL)) continue;
        best = distance;
        nearest = words[i];
    }
    return nearest != NULL ? nearest : begun_word(typed, words, n);
}

const char *rl_word_hint(const char *typed, const char *const *words, int n, char hint[RL_WORD_HINT]) {
    const char *nearest = rl_nearest_word(typed, words, n);
    const bool another = nearest != NULL && strcmp(nearest, typed) != 0;
    snprintf(hint, RL_WORD_HINT, another ? "; did you mean `%s`?" : ";", nearest);
    return hint;
}

void rl_list_words(const char *const *words, int n, char *buffer, size_t size) {
    static const char more[] = "...";
    size_t length = 0;
    buffer[0] = '\0';
    for (int i = 0; i < n; i++) {
        const char *before = i == 0 ? "" : ", ";
        const size_t behind = i == n - 1 ? 0 : strlen(", ") + strlen(more); /* room that is left for what follows */
        const bool fits = length + strlen(before) + strlen(words[i]) + behind < size;
        length += (size_t)snprintf(buffer + length, size - length, "%s%s", before, fits ? words[i] : more);
        if (!fits) return;
    }
}

const char *rl_plural(int64_t n) {
    return n == 1 ? "" : "s";
}

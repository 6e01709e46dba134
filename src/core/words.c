/* Words that a person types or reads: lists of those that are allowed, the one that a mistyped word may have meant,
 * plurals. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../numbers.h"
#include "ridgeless/core.h"

enum { LONGEST_WORD = 60 };

/* ---- characters -------------------------------------------------------------------------------------------------- */

int rl_character(const char *text, uint32_t *code) {
    static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
    const unsigned char *b = (const unsigned char *)text;
    *code = b[0];
    if (b[0] < 0x80) return b[0] != '\0';
    if (b[0] < 0xc2 || b[0] > 0xf4) return 0;
    const int length = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    *code = b[0] & (0xff >> (length + 1));
    for (int i = 1; i < length; i++) {
        if ((b[i] & 0xc0) != 0x80) return 0;
        *code = *code << 6 | (b[i] & 0x3f);
    }
    const bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return surrogate || *code < least[length] || *code > 0x10ffff ? 0 : length;
}

int rl_printable_character(const char *text) {
    uint32_t code;
    const int length = rl_character(text, &code);
    const bool controls = code < ' ' || (code >= 0x7f && code < 0xa0), breaks_line = code == 0x2028 || code == 0x2029;
    const bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069); /* the direction */
    return controls || breaks_line || turns || code == 0xfeff || code == 0xfffe || code == 0xffff ? 0 : length;
}

bool rl_is_printable(const char *text) {
    for (int length; *text != '\0'; text += length)
        if ((length = rl_printable_character(text)) == 0) return false;
    return true;
}

void rl_make_printable(char *text) {
    char *end = text;
    for (const char *c = text; *c != '\0';) {
        uint32_t code;
        const int length = rl_printable_character(c), of_any = rl_character(c, &code);
        const bool begins_item = *c == '\n' && strncmp(c + 1, "  ", 2) == 0, blank = *c == '\n' || *c == '\t';
        if (length > 0)
            memmove(end, c, (size_t)length);
        else
            *end = begins_item ? '\n' : blank ? ' ' : '?';
        end += length > 0 ? length : 1;
        c += of_any > 0 ? of_any : 1;
    }
    *end = '\0';
}

static bool is_blank(uint32_t code) { /* Unicode's White_Space */
    static const uint32_t blanks[] = {0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (code == blanks[i]) return true;
    return (code >= 0x9 && code <= 0xd) || (code >= 0x2000 && code <= 0x200a);
}

static bool has_no_width(uint32_t code) {
    return code == 0x200b || code == 0x2060 || code == 0xfeff;
}

void rl_fold_blanks(char *text) {
    char *end = text;
    bool apart = false;
    uint32_t code;
    for (const char *c = text; *c != '\0';) {
        const int length = rl_character(c, &code), step = length > 0 ? length : 1;
        const bool blank = length > 0 && is_blank(code);
        if (!blank && !(length > 0 && has_no_width(code))) {
            if (apart && end > text) *end++ = ' ';
            apart = false;
            memmove(end, c, (size_t)step);
            end += step;
        }
        apart |= blank;
        c += step;
    }
    *end = '\0';
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* The characters of a word, without regard to the case of Latin letters; a byte that begins none stands for itself.
 * LONGEST_WORD + 1: there are more than LONGEST_WORD. */
static int take_characters(const char *word, uint32_t characters[LONGEST_WORD]) {
    int n = 0;
    while (*word != '\0') {
        if (n == LONGEST_WORD) return LONGEST_WORD + 1;
        const int length = rl_character(word, &characters[n]);
        if (characters[n] < 0x80) characters[n] = (uint32_t)tolower((int)characters[n]);
        word += length > 0 ? length : 1;
        n++;
    }
    return n;
}

/* Levenshtein's distance. Words longer than LONGEST_WORD are near to none. */
static int edit_distance(const char *word, const char *other) {
    uint32_t a[LONGEST_WORD], b[LONGEST_WORD];
    int row[LONGEST_WORD + 1];
    const int n_a = take_characters(word, a), n_b = take_characters(other, b);
    if (n_a > LONGEST_WORD || n_b > LONGEST_WORD) return LONGEST_WORD;
    for (int j = 0; j <= n_b; j++) row[j] = j;
    for (int i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            const int above = row[j];
            row[j] = rl_smaller(rl_smaller(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
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

rl_status rl_text_append_printable(rl_text *text, const char *word, int most) {
    for (int n = 0; *word != '\0'; n++) {
        if (n == most) return rl_text_append(text, "...");
        const int length = rl_printable_character(word);
        RL_TRY(length > 0 ? rl_text_append_bytes(text, word, (size_t)length) : rl_text_append(text, "?"));
        word += length > 0 ? length : 1;
    }
    return RL_OK;
}

rl_status rl_text_append_yaml(rl_text *text, const char *word) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-./";
    if (strspn(word, letters) > 0 && word[strspn(word, inside)] == '\0') return rl_text_append(text, "%s", word);
    RL_TRY(rl_text_append(text, "'"));
    for (const char *c = word; *c != '\0'; c++)
        RL_TRY(*c == '\'' ? rl_text_append(text, "''") : rl_text_append_bytes(text, c, 1));
    return rl_text_append(text, "'");
}

const char *rl_plural(int64_t n) {
    return n == 1 ? "" : "s";
}

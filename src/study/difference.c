/* The settings in which two studies differ, as a message. */
#include <stdlib.h>
#include <string.h>

#include "../numbers.h"
#include "read.h"

enum {
    SHOWN = 60,  /* bytes of a long value that a message shows */
    BEFORE = 15, /* how many of them before the first that differs */
    LISTED = 4,  /* differences */
    ROOM = 700   /* bytes of the whole list: a message has an end */
};

typedef struct line {
    const char *text;
    size_t length, key; /* bytes of the line, and of its part before the colon */
    int place;          /* among the lines of its text, from 0 */
    bool lone;          /* stands for all of a data set or autoencoder that this text alone has */
} line;

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static rl_status split_lines(const char *text, line **lines, int *n) {
    int count = 0;
    *n = 0;
    for (const char *c = text; *c != '\0'; c++) count += *c == '\n';
    RL_TRY(RL_ALLOC(*lines, count + 1));
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        const char *colon = memchr(text, ':', length);
        (*lines)[*n] = (line){text, length, colon != NULL ? (size_t)(colon - text) : length, *n, false};
        ++*n;
        text += length + (text[length] == '\n');
    }
    return RL_OK;
}

static int compare_bytes(const char *a, size_t n, const char *b, size_t m) {
    const int order = memcmp(a, b, rl_smaller(n, m));
    return order != 0 ? order : (n > m) - (n < m);
}

static int compare_texts(const line *a, const line *b) {
    return compare_bytes(a->text, a->length, b->text, b->length);
}

/* What stands for more comes first. */
static int compare_keys(const line *a, const line *b) {
    return a->lone != b->lone ? b->lone - a->lone : compare_bytes(a->text, a->key, b->text, b->key);
}

static int by_text(const void *a, const void *b) {
    return compare_texts(a, b);
}

static int by_key(const void *a, const void *b) {
    const int order = compare_keys(a, b), left = ((const line *)a)->place, right = ((const line *)b)->place;
    return order != 0 ? order : (left > right) - (left < right);
}

/* Removes the lines that both have from both. */
static void drop_common(line *a, int *n, line *b, int *m) {
    int i = 0, j = 0, left = 0, right = 0;
    qsort(a, (size_t)*n, sizeof *a, by_text);
    qsort(b, (size_t)*m, sizeof *b, by_text);
    while (i < *n || j < *m) {
        const int order = i == *n ? 1 : j == *m ? -1 : compare_texts(&a[i], &b[j]);
        if (order == 0) {
            i++;
            j++;
        } else if (order < 0) {
            a[left++] = a[i++];
        } else {
            b[right++] = b[j++];
        }
    }
    *n = left;
    *m = right;
}

/* The bytes of NAME in a line "NAME/key: value"; 0: it has none. */
static size_t name_length(const line *l) {
    const char *slash = memchr(l->text, '/', l->key);
    return slash != NULL ? (size_t)(slash - l->text) : 0;
}

static bool has_same_name(const line *a, const line *b) {
    return compare_bytes(a->text, name_length(a), b->text, name_length(b)) == 0;
}

static bool has_key(const line *lines, int n, const line *wanted) {
    int i = 0;
    while (i < n && compare_keys(&lines[i], wanted) != 0) i++;
    return i < n;
}

/* The line NAME/source, which each data set and autoencoder has, among n lines of one name; NULL: there is none. */
static line *find_source(line *lines, int n) {
    static const char key[] = "/source";
    for (line *l = lines; l < lines + n; l++) {
        const size_t name = name_length(l);
        if (compare_bytes(l->text + name, l->key - name, key, strlen(key)) == 0) return l;
    }
    return NULL;
}

/* Of each data set that `a` alone has, one line is left. Lines that both have are dropped already. */
static void shorten_lone(line *a, int *n, const line *b, int m) {
    int left = 0;
    qsort(a, (size_t)*n, sizeof *a, by_key);
    for (int first = 0, end; first < *n; first = end) {
        for (end = first + 1; end < *n && has_same_name(&a[first], &a[end]);) end++;
        line *source = find_source(&a[first], end - first);
        const bool lone = source != NULL && !has_key(b, m, source);
        if (lone) source->lone = true;
        for (int i = first; i < end; i++)
            if (!lone || a[i].lone) a[left++] = a[i];
    }
    *n = left;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Appends bytes of a file, which may be anything, with ? for those that would disturb a terminal. */
static rl_status append_plain(rl_text *message, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const bool plain = (unsigned char)bytes[i] >= ' ' && bytes[i] != 127;
        RL_TRY(rl_text_append_bytes(message, plain ? &bytes[i] : "?", 1));
    }
    return RL_OK;
}

/* Appends the value of a line, or of a long one the part around byte `at`. */
static rl_status append_value(rl_text *message, const line *l, size_t at, const char *where) {
    if (l == NULL) return rl_text_append(message, "nothing %s", where);
    const size_t before = rl_smaller(l->key + 2, l->length);
    const char *value = l->text + before;
    size_t length = l->length - before, skip = 0;
    if (length > SHOWN && at > BEFORE) skip = rl_smaller(at - BEFORE, length);
    const bool cut = length - skip > SHOWN;
    RL_TRY(rl_text_append(message, "%s", skip > 0 ? "..." : ""));
    RL_TRY(append_plain(message, value + skip, cut ? SHOWN : length - skip));
    return rl_text_append(message, "%s %s", cut ? "..." : "", where);
}

/* "it has the data set diabetes, this study has not" */
static rl_status append_lone(rl_text *message, const line *l, bool there) {
    static const char source[] = ": autoencoder";
    const bool trained = compare_bytes(l->text + l->key, l->length - l->key, source, strlen(source)) == 0;
    RL_TRY(
        rl_text_append(message, "%s has the %s ", there ? "it" : "this study", trained ? "autoencoder" : "data set"));
    RL_TRY(append_plain(message, l->text, rl_smaller(name_length(l), SHOWN)));
    return rl_text_append(message, ", %s has not", there ? "this study" : "it");
}

/* " (study.yaml:7)" */
static rl_status append_place(rl_text *message, const rl_study *study, const line *wanted) {
    const int number = wanted != NULL ? rl_setting_line(study, wanted->text, wanted->length) : 0;
    return number > 0 ? rl_text_append(message, " (%s:%d)", study->path, number) : RL_OK;
}

static rl_status append_difference(rl_text *message, const rl_study *study, const line *had, const line *wanted) {
    const line *any = had != NULL ? had : wanted;
    size_t at = 0;
    if (any->lone) return append_lone(message, any, had != NULL);
    if (had != NULL && wanted != NULL)
        for (size_t i = any->key + 2; i < had->length && i < wanted->length && had->text[i] == wanted->text[i]; i++)
            at++;
    RL_TRY(append_plain(message, any->text, rl_smaller(any->key, SHOWN)));
    RL_TRY(rl_text_append(message, ": "));
    RL_TRY(append_value(message, had, at, "there"));
    RL_TRY(rl_text_append(message, ", "));
    RL_TRY(append_value(message, wanted, at, "here"));
    return append_place(message, study, wanted);
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

/* Lists the lines of both texts, those of one key side by side. */
static rl_status list_differences(const rl_study *study, const line *a, int n, const line *b, int m, rl_text *message) {
    int listed = 0, more = 0;
    for (int i = 0, j = 0; i < n || j < m;) {
        const int order = i == n ? 1 : j == m ? -1 : compare_keys(&a[i], &b[j]);
        const line *had = order <= 0 ? &a[i++] : NULL, *wanted = order >= 0 ? &b[j++] : NULL;
        if (listed == LISTED || message->length > ROOM) {
            more++;
            continue;
        }
        RL_TRY(rl_text_append(message, "%s", listed++ > 0 ? "; " : ""));
        RL_TRY(append_difference(message, study, had, wanted));
    }
    return more > 0 ? rl_text_append(message, "; and %d more", more) : RL_OK;
}

/* For the same lines in another order: names the first that is not in its place. */
static rl_status compare_places(const rl_study *study, const char *have, const char *want, rl_text *message) {
    line *a = NULL, *b = NULL;
    int n, m, i = 0;
    rl_status status;
    RL_TRY_GOTO(split_lines(have, &a, &n), done);
    RL_TRY_GOTO(split_lines(want, &b, &m), done);
    while (i < n && i < m && compare_texts(&a[i], &b[i]) == 0) i++;
    if (i == n || i == m) goto done;
    RL_TRY_GOTO(append_difference(message, study, &a[i], &b[i]), done);
    status = rl_text_append(message, " (the same in another order)");
done:
    rl_free(a);
    rl_free(b);
    return status;
}

static rl_status compare_settings(const rl_study *study, const char *have, const char *want, rl_text *message) {
    line *a = NULL, *b = NULL;
    int n, m;
    rl_status status;
    RL_TRY_GOTO(split_lines(have, &a, &n), done);
    RL_TRY_GOTO(split_lines(want, &b, &m), done);
    drop_common(a, &n, b, &m);
    shorten_lone(a, &n, b, m);
    shorten_lone(b, &m, a, n);
    qsort(a, (size_t)n, sizeof *a, by_key);
    qsort(b, (size_t)m, sizeof *b, by_key);
    status = n + m > 0 ? list_differences(study, a, n, b, m, message) : compare_places(study, have, want, message);
done:
    rl_free(a);
    rl_free(b);
    return status;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, size_t length, const char *const *words, int n) {
    int i = 0;
    while (i < n && compare_bytes(text, length, words[i], strlen(words[i])) != 0) i++;
    return i < n;
}

/* Whether a line is of no data set or autoencoder. */
static bool is_of_whole(const line *l) {
    static const char *const in_parts[] = {"singular_values", "full_spectra"};
    return name_length(l) == 0 || is_one_of(l->text, name_length(l), in_parts, 2);
}

/* Which part a line belongs to; RL_SETTINGS_ALL: to none, as what is kept and which variants there are, for which there
 * are other rules. */
static rl_settings_part part_of(const line *l) {
    static const char *const none[] = {"variant", "modes", "directions", "predictions", "summary", "measures"};
    static const char *const way[] = {"producer", "process grids"}, *const whole[] = {"seed", "random"};
    const size_t before = name_length(l) + 1;
    if (is_of_whole(l)) return is_one_of(l->text, l->key, whole, 2) ? RL_SETTINGS_DATA : RL_SETTINGS_WAY;
    if (is_one_of(l->text + before, l->key - before, none, 6)) return RL_SETTINGS_ALL;
    return is_one_of(l->text + before, l->key - before, way, 2) ? RL_SETTINGS_WAY : RL_SETTINGS_DATA;
}

static bool has_name(const line *lines, int n, const line *wanted) {
    int i = 0;
    while (i < n && !has_same_name(&lines[i], wanted)) i++;
    return i < n;
}

/* What is compared of a text: lines of a part, of the whole study, and of one name or (NULL) all that the other text
 * has, too. */
typedef struct selection {
    const rl_study *study; /* NULL: the text is not its */
    rl_settings_part part;
    const char *name;
} selection;

static bool is_selected(const selection *s, const line *l, const line *others, int n_others) {
    if (part_of(l) != s->part) return false;
    if (!is_of_whole(l) && s->name != NULL && compare_bytes(l->text, name_length(l), s->name, strlen(s->name)) != 0)
        return false;
    if (!is_of_whole(l) && s->name == NULL && !has_name(others, n_others, l)) return false;
    return s->study == NULL || !rl_setting_is_default(s->study, l->text, l->length) || has_key(others, n_others, l);
}

static rl_status append_selected(const selection *s, const char *text, const char *other, rl_text *lines) {
    line *own = NULL, *others = NULL;
    int n, m;
    rl_status status;
    RL_TRY_GOTO(rl_text_append(lines, "%s", ""), done);
    RL_TRY_GOTO(split_lines(text, &own, &n), done);
    RL_TRY_GOTO(split_lines(other, &others, &m), done);
    for (const line *l = own; l < own + n && status == RL_OK; l++)
        if (is_selected(s, l, others, m)) status = rl_text_append(lines, "%.*s\n", (int)l->length, l->text);
done:
    rl_free(own);
    rl_free(others);
    return status;
}

/* *message NULL: whether they agree is all that is asked. */
static rl_status compare_selected(const rl_study *study, const selection *s, const char *have, const char *want,
                                  rl_text *message, bool *agree) {
    const selection here = {study, s->part, s->name};
    rl_text a = RL_TEXT_EMPTY, b = RL_TEXT_EMPTY;
    rl_status status;
    *agree = true;
    RL_TRY_GOTO(append_selected(s, have, want, &a), done);
    RL_TRY_GOTO(append_selected(&here, want, have, &b), done);
    *agree = strcmp(a.bytes, b.bytes) == 0;
    if (!*agree && message != NULL) status = compare_settings(study, a.bytes, b.bytes, message);
done:
    rl_free(a.bytes);
    rl_free(b.bytes);
    return status;
}

rl_status rl_settings_agree(const rl_study *study, const char *name, rl_settings_part part, const char *have,
                            const char *want, bool *agree) {
    return compare_selected(study, &(selection){NULL, part, name}, have, want, NULL, agree);
}

/* Another name helps where the data differ, and what all draw by does not. */
static rl_status refuse(const char *path, const rl_study *study, rl_settings_part part, const char *have,
                        const char *want, const char *message) {
    bool helps = false;
    if (part == RL_SETTINGS_DATA) RL_TRY(rl_settings_agree(study, "", part, have, want, &helps));
    return rl_fail(RL_ERR_INPUT, "%s: belongs to another study: %s; %s" RL_START_OVER, path, message,
                   helps ? "give what differs another name, " : "");
}

rl_status rl_settings_compare(const char *path, const rl_study *study, rl_settings_part part, const char *have,
                              const char *want) {
    rl_text message = RL_TEXT_EMPTY;
    bool agree = strcmp(have, want) == 0;
    if (agree) return RL_OK;
    rl_status status = part == RL_SETTINGS_ALL
                           ? compare_settings(study, have, want, &message)
                           : compare_selected(study, &(selection){NULL, part, NULL}, have, want, &message, &agree);
    if (status == RL_OK && !agree)
        status = refuse(path, study, part, have, want, message.bytes != NULL ? message.bytes : "");
    rl_free(message.bytes);
    return status;
}

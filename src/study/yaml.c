/* Nodes of a YAML document, on libyaml: parsing one, lists and mappings, and messages that name line and key. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "merge.h"
#include "yaml_node.h"

struct rl_yaml {
    const char *path;
    yaml_document_t document;
    bool has_document;
};

enum { MAX_FIELDS = 64, QUOTE_LENGTH = 60, MAX_DEPTH = 500, MAX_ANCHORS = 1000 };

/* ---- parsing ---------------------------------------------------------------------------------------------------- */

/* Finds line and column, both from 1, of a byte of the text. */
static void find_place(const char *text, size_t offset, int *line, int *column) {
    *line = *column = 1;
    for (size_t i = 0; i < offset && text[i] != '\0'; i++) {
        *column = text[i] == '\n' ? 1 : *column + 1;
        *line += text[i] == '\n';
    }
}

/* Whether the text at a mark is a tab. That is the commonest mistake of all, and libyaml does not name it. */
static bool tab_at(const char *text, yaml_mark_t mark) {
    for (size_t line = 0; line < mark.line && text != NULL; line++) {
        text = strchr(text, '\n');
        if (text != NULL) text++;
    }
    return text != NULL && strlen(text) > mark.column && text[mark.column] == '\t';
}

static rl_status fail_syntax(const char *path, const char *text, const yaml_parser_t *parser) {
    if (parser->error == YAML_MEMORY_ERROR) return rl_fail(RL_ERR_MEMORY, "out of memory while reading %s", path);
    const char *problem = parser->problem == NULL ? "unknown fault" : parser->problem;
    int line = (int)parser->problem_mark.line + 1, column = (int)parser->problem_mark.column + 1;
    if (parser->error == YAML_READER_ERROR) {
        find_place(text, parser->problem_offset, &line, &column);
        return rl_fail(RL_ERR_INPUT, "%s:%d:%d: not text: %s; expected a study file in UTF-8", path, line, column,
                       problem);
    }
    if (tab_at(text, parser->problem_mark))
        return rl_fail(RL_ERR_INPUT, "%s:%d:%d: not YAML: got a tab; expected spaces (YAML does not indent with tabs)",
                       path, line, column);
    if (parser->context == NULL)
        return rl_fail(RL_ERR_INPUT, "%s:%d:%d: not YAML: %s; expected a study file", path, line, column, problem);
    return rl_fail(RL_ERR_INPUT, "%s:%d:%d: not YAML: %s (%s that began in line %d); expected a study file", path, line,
                   column, problem, parser->context, (int)parser->context_mark.line + 1);
}

/* Refuses what YAML allows and a study file does not: tags, which ask for types that nothing here makes, and a zero
 * byte (written "\0"), which would cut a text short. */
static rl_status check_node(const char *path, const yaml_node_t *node) {
    static const char *const plain[] = {YAML_DEFAULT_SCALAR_TAG, YAML_DEFAULT_SEQUENCE_TAG, YAML_DEFAULT_MAPPING_TAG};
    const int line = (int)node->start_mark.line + 1;
    bool known = false;
    for (int i = 0; i < 3; i++) known |= strcmp((const char *)node->tag, plain[i]) == 0;
    if (!known)
        return rl_fail(RL_ERR_INPUT, "%s:%d: got the tag `%.60s`; expected values without tags", path, line, node->tag);
    if (node->type == YAML_SCALAR_NODE && strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
        return rl_fail(RL_ERR_INPUT, "%s:%d: got a text with a zero byte; expected none", path, line);
    return RL_OK;
}

static rl_status check_document(const char *path, yaml_document_t *document) {
    if (yaml_document_get_root_node(document) == NULL)
        return rl_fail(RL_ERR_INPUT, "%s:1: the file is empty; expected a study (datasets, repeats, ...)", path);
    for (const yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++)
        RL_TRY(check_node(path, node));
    return RL_OK;
}

static rl_status check_end(const char *path, const char *text, yaml_parser_t *parser) {
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) return fail_syntax(path, text, parser);
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    rl_status status = RL_OK;
    if (root != NULL)
        status = rl_fail(RL_ERR_INPUT, "%s:%d: got a second document (after `---`); expected one study per file", path,
                         (int)second.start_mark.line + 1);
    yaml_document_delete(&second);
    return status;
}

/* The time of libyaml grows with the square of the depth of brackets, and with that of the number of anchors (`&name`).
 * Those in quotes and comments count too, as there are never that many. */
static rl_status check_limits(const char *path, const char *text) {
    int depth = 0, n_anchors = 0, line = 1;
    for (const char *c = text; *c != '\0'; c++) {
        const bool begins = c == text || strchr(" \t\n-?:,[{", c[-1]) != NULL;
        if (*c == '[' || *c == '{') depth++;
        if ((*c == ']' || *c == '}') && depth > 0) depth--;
        if (*c == '&' && begins && strchr(" \t\r\n", c[1]) == NULL) n_anchors++;
        line += *c == '\n';
        if (depth > MAX_DEPTH)
            return rl_fail(RL_ERR_INPUT, "%s:%d: brackets nested deeper than %d; expected a study file", path, line,
                           MAX_DEPTH);
        if (n_anchors > MAX_ANCHORS)
            return rl_fail(RL_ERR_INPUT, "%s:%d: more than %d anchors (`&name`); expected a study file", path, line,
                           MAX_ANCHORS);
    }
    return RL_OK;
}

static rl_status load_document(yaml_parser_t *parser, const char *path, const char *text, rl_yaml *file) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF"; /* some editors put it first */
    if (strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0) text += strlen(byte_order_mark);
    RL_TRY(check_limits(path, text));
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, strlen(text));
    if (!yaml_parser_load(parser, &file->document)) return fail_syntax(path, text, parser);
    file->has_document = true;
    RL_TRY(check_document(path, &file->document));
    RL_TRY(rl_yaml_merge(path, &file->document));
    return check_end(path, text, parser);
}

rl_status rl_yaml_create(const char *path, const char *text, rl_yaml **file) {
    *file = NULL;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return rl_fail(RL_ERR_MEMORY, "out of memory while reading %s", path);
    rl_yaml *made = NULL;
    rl_status status;
    RL_TRY_GOTO(RL_ALLOC(made, 1), out);
    made->path = path;
    status = load_document(&parser, path, text, made);
out:
    yaml_parser_delete(&parser);
    if (status == RL_OK)
        *file = made;
    else
        rl_yaml_destroy(made);
    return status;
}

void rl_yaml_destroy(rl_yaml *file) {
    if (file == NULL) return;
    if (file->has_document) yaml_document_delete(&file->document);
    rl_free(file);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static const yaml_node_t *raw_node(rl_node node) {
    assert(node.file != NULL);
    return &node.file->document.nodes.start[node.index - 1];
}

static rl_node make_node(const rl_yaml *file, int index, const char *key) {
    rl_node node = {.file = file, .index = index, .key = key};
    node.line = (int)raw_node(node)->start_mark.line + 1;
    return node;
}

rl_node rl_yaml_root(const rl_yaml *file) {
    return make_node(file, 1, "");
}

rl_node_kind rl_node_kind_of(rl_node node) {
    const yaml_node_type_t type = raw_node(node)->type;
    if (type == YAML_SEQUENCE_NODE) return RL_NODE_LIST;
    return type == YAML_MAPPING_NODE ? RL_NODE_MAPPING : RL_NODE_SCALAR;
}

static const char *scalar_text(rl_node node) {
    return (const char *)raw_node(node)->data.scalar.value;
}

bool rl_node_is_empty(rl_node node) {
    static const char *const nulls[] = {"~", "null", "Null", "NULL"};
    if (rl_node_kind_of(node) != RL_NODE_SCALAR) return false;
    bool is_null = scalar_text(node)[0] == '\0';
    const bool plain = raw_node(node)->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls && node.is_value && plain; i++)
        is_null |= strcmp(scalar_text(node), nulls[i]) == 0;
    return is_null;
}

/* Copies a text for a message: of bounded length, cut between characters, with ? for control characters. */
static void quote_text(const char *text, char quoted[QUOTE_LENGTH + 8]) {
    size_t length = strlen(text);
    const bool cut = length > QUOTE_LENGTH;
    if (cut) {
        length = QUOTE_LENGTH;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    }
    for (size_t i = 0; i < length; i++) quoted[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
    memcpy(quoted + length, cut ? "..." : "", cut ? 4 : 1);
}

rl_status rl_node_refuse(rl_node node, const char *format, ...) {
    char text[900], key[QUOTE_LENGTH + 8];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    quote_text(node.key, key);
    if (key[0] == '\0') return rl_fail(RL_ERR_INPUT, "%s:%d: %s", node.file->path, node.line, text);
    return rl_fail(RL_ERR_INPUT, "%s:%d: key `%s`: %s", node.file->path, node.line, key, text);
}

rl_status rl_node_fail(rl_node node, const char *expected, ...) {
    char text[900], quoted[QUOTE_LENGTH + 8];
    va_list arguments;
    va_start(arguments, expected);
    vsnprintf(text, sizeof text, expected, arguments);
    va_end(arguments);
    if (rl_node_is_empty(node)) return rl_node_refuse(node, "got nothing; expected %s", text);
    switch (rl_node_kind_of(node)) {
        case RL_NODE_LIST:
            return rl_node_refuse(node, "got %s list; expected %s", rl_node_count(node) == 0 ? "an empty" : "a", text);
        case RL_NODE_MAPPING:
            return rl_node_refuse(node, "got a mapping (`key: value`); expected %s", text);
        default:
            quote_text(scalar_text(node), quoted);
            return rl_node_refuse(node, "got `%s`; expected %s", quoted, text);
    }
}

rl_status rl_node_text(rl_node node, const char *expected, const char **text) {
    if (rl_node_kind_of(node) != RL_NODE_SCALAR || rl_node_is_empty(node)) return rl_node_fail(node, "%s", expected);
    *text = scalar_text(node);
    return RL_OK;
}

/* ---- lists and mappings ----------------------------------------------------------------------------------------- */

int rl_node_count(rl_node node) {
    if (rl_node_kind_of(node) != RL_NODE_LIST) return 1;
    return (int)(raw_node(node)->data.sequence.items.top - raw_node(node)->data.sequence.items.start);
}

rl_node rl_node_item(rl_node node, int index) {
    assert(index >= 0 && index < rl_node_count(node));
    if (rl_node_kind_of(node) != RL_NODE_LIST) return node;
    return make_node(node.file, raw_node(node)->data.sequence.items.start[index], node.key);
}

int rl_node_n_pairs(rl_node mapping) {
    assert(rl_node_kind_of(mapping) == RL_NODE_MAPPING);
    return (int)(raw_node(mapping)->data.mapping.pairs.top - raw_node(mapping)->data.mapping.pairs.start);
}

rl_status rl_node_pair(rl_node mapping, int index, const char **key, rl_node *value) {
    assert(index >= 0 && index < rl_node_n_pairs(mapping));
    const yaml_node_pair_t pair = raw_node(mapping)->data.mapping.pairs.start[index];
    const rl_node key_node = make_node(mapping.file, pair.key, mapping.key);
    RL_TRY(rl_node_text(key_node, "a word as the key", key));
    *value = make_node(mapping.file, pair.value, *key);
    value->is_value = true;
    value->line = key_node.line; /* where a person looks: an alias's own line is its anchor's */
    return RL_OK;
}

rl_node rl_node_find(rl_node mapping, const char *key) {
    for (int i = 0; i < rl_node_n_pairs(mapping); i++) {
        const char *found;
        rl_node value;
        if (rl_node_pair(mapping, i, &found, &value) == RL_OK && strcmp(found, key) == 0) return value;
    }
    return (rl_node){.file = NULL};
}

static rl_status fail_unknown_key(rl_node value, const rl_field *fields, int n) {
    const char *words[MAX_FIELDS];
    char list[500], hint[RL_WORD_HINT];
    for (int i = 0; i < n; i++) words[i] = fields[i].key;
    rl_list_words(words, n, list, sizeof list);
    return rl_node_refuse(value, "not a key here%s expected one of %s", rl_word_hint(value.key, words, n, hint), list);
}

rl_status rl_node_fields(rl_node mapping, rl_field *fields, int n) {
    assert(n <= MAX_FIELDS);
    for (int i = 0; i < n; i++) fields[i].node = (rl_node){.file = NULL};
    for (int i = 0; i < rl_node_n_pairs(mapping); i++) {
        const char *key;
        rl_node value;
        RL_TRY(rl_node_pair(mapping, i, &key, &value));
        if (strncmp(key, "x-", 2) == 0) continue;
        int field = 0;
        while (field < n && strcmp(fields[field].key, key) != 0) field++;
        if (field == n) return fail_unknown_key(value, fields, n);
        if (fields[field].node.file != NULL)
            return rl_node_refuse(value, "given twice (first in line %d); expected once", fields[field].node.line);
        fields[field].node = value;
    }
    return RL_OK;
}

rl_status rl_node_missing(rl_node mapping, const char *key, const char *expected) {
    rl_node node = mapping;
    node.key = key;
    return rl_node_refuse(node, "missing; expected %s", expected);
}

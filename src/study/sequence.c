/* Sequences of numbers: lists, ranges and logarithmic spaces. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "read.h"

static rl_status append_number(rl_node node, double value, rl_sequence *sequence) {
    if (sequence->n == RL_STUDY_LIST_LIMIT)
        return rl_node_refuse(node, "more than %d numbers; expected at most that many", RL_STUDY_LIST_LIMIT);
    RL_TRY(rl_text_append_bytes(&sequence->memory, &value, sizeof value));
    sequence->values = (void *)sequence->memory.bytes;
    sequence->n++;
    return RL_OK;
}

rl_status rl_sequence_values(rl_node node, rl_number_kind kind, rl_sequence *sequence) {
    char expected[300];
    if (rl_node_kind_of(node) == RL_NODE_MAPPING || rl_node_count(node) == 0)
        return rl_node_fail(node, "%s, or a list of such", rl_number_kind_text(kind, expected, sizeof expected));
    for (int i = 0; i < rl_node_count(node); i++) {
        double value;
        RL_TRY(rl_node_number(rl_node_item(node, i), kind, &value));
        RL_TRY(append_number(node, value, sequence));
    }
    return RL_OK;
}

static rl_status append_range(rl_node node, rl_number_kind kind, rl_sequence *sequence) {
    const int n_given = rl_node_kind_of(node) == RL_NODE_LIST ? rl_node_count(node) : 0;
    if (n_given != 2 && n_given != 3) return rl_node_fail(node, "[first, last] or [first, last, step]");
    const rl_number_kind step_kind = {
        .integer = kind.integer, .minimum = kind.integer ? 1 : nextafter(0, 1), .maximum = INFINITY, .meaning = "step"};
    double first, last, step = 1;
    RL_TRY(rl_node_number(rl_node_item(node, 0), kind, &first));
    RL_TRY(rl_node_number(rl_node_item(node, 1), kind, &last));
    if (n_given == 3) RL_TRY(rl_node_number(rl_node_item(node, 2), step_kind, &step));
    if (first > last) return rl_node_refuse(node, "got %.15g before %.15g; expected first <= last", first, last);
    /* Steps that no double holds exactly, such as 0.1, must still reach the last value. */
    const double n_steps = floor((last - first) / step + 1e-9);
    if (!(n_steps < RL_STUDY_LIST_LIMIT))
        return rl_node_refuse(node, "a range of more than %d numbers; expected at most that many", RL_STUDY_LIST_LIMIT);
    for (int i = 0; i <= (int)n_steps; i++) RL_TRY(append_number(node, fmin(first + i * step, last), sequence));
    return RL_OK;
}

static rl_status append_logspace(rl_node node, rl_number_kind kind, rl_sequence *sequence) {
    if (rl_node_kind_of(node) != RL_NODE_LIST || rl_node_count(node) != 3)
        return rl_node_fail(node, "[first exponent, last exponent, count]");
    const rl_number_kind exponent = {.minimum = -300, .maximum = 300, .meaning = "exponent of 10"};
    const rl_number_kind whole = {.integer = true, .minimum = 1, .maximum = RL_STUDY_LIST_LIMIT, .meaning = "count"};
    double first, last, count;
    RL_TRY(rl_node_number(rl_node_item(node, 0), exponent, &first));
    RL_TRY(rl_node_number(rl_node_item(node, 1), exponent, &last));
    RL_TRY(rl_node_number(rl_node_item(node, 2), whole, &count));
    const double step = count > 1 ? (last - first) / (count - 1) : 0;
    for (int i = 0; i < (int)count; i++) {
        const bool at_end = i > 0 && i == (int)count - 1; /* numpy.linspace sets the end to `last` itself */
        double value = pow(10, at_end ? last : i * step + first);
        if (kind.integer) value = nearbyint(value);
        if (value < kind.minimum || value > kind.maximum) {
            char expected[300];
            return rl_node_refuse(node, "gives %.15g; expected %s", value,
                                  rl_number_kind_text(kind, expected, sizeof expected));
        }
        RL_TRY(append_number(node, value, sequence));
    }
    return RL_OK;
}

rl_status rl_sequence_fields(const rl_field *fields, int n, rl_number_kind kind, rl_sequence *sequence) {
    static rl_status (*const readers[RL_N_SEQUENCE_FIELDS])(rl_node, rl_number_kind, rl_sequence *) = {
        rl_sequence_values, append_range, append_logspace};
    for (int i = 0; i < n; i++)
        if (fields[i].node.file != NULL) RL_TRY(readers[i](fields[i].node, kind, sequence));
    return RL_OK;
}

void rl_sequence_sort(rl_sequence *sequence) {
    if (sequence->n == 0) return;
    qsort(sequence->values, (size_t)sequence->n, sizeof *sequence->values, rl_compare_reals);
    int kept = 1;
    for (int i = 1; i < sequence->n; i++)
        if (sequence->values[i] != sequence->values[kept - 1]) sequence->values[kept++] = sequence->values[i];
    sequence->n = kept;
}

rl_status rl_sequence_integers(rl_sequence *sequence, int **integers, int *n) {
    rl_sequence_sort(sequence);
    RL_TRY(RL_ALLOC(*integers, sequence->n));
    for (int i = 0; i < sequence->n; i++) (*integers)[i] = (int)fmin(sequence->values[i], INT_MAX);
    *n = sequence->n;
    return RL_OK;
}

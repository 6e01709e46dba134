/* The autoencoders of a study: reading them, and their settings. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "../option_specs.h"
#include "read.h"

enum { MAX_AUTOENCODERS = 1000, MOST_FEATURES = 10000000, MOST_HIDDEN = 10000, MOST_STEPS = 1000000000 };
static const size_t most_numbers = 268000000; /* one write(2) takes less than 2 GiB */

/* The keys whose value is one number or word. */
static const rl_option_spec options[] = {
    RL_REQUIRED_INTEGER_SPEC("n_features", 1, MOST_FEATURES, "features of an input"),
    RL_REAL_SPEC("sparsity", 0, 1, 0.999, "probability that a feature is zero"),
    RL_INTEGER_SPEC("n_test", 1, INT_MAX, 2000, "fresh examples of the test loss"),
    {.key = "batch",
     .type = RL_OPTION_INTEGER,
     .later = true,
     .minimum = 1,
     .maximum = INT_MAX - 1,
     .default_number = 1024,
     .help = "fresh examples of each step where n_train is inf"},
    RL_REQUIRED_INTEGER_SPEC("steps", 1, MOST_STEPS, "steps of full-batch AdamW"),
    RL_REAL_SPEC("warm_up", 0, 1, 0.05, "part of the steps in which the learning rate rises"),
    RL_CHOICE_SPEC("schedule", "cosine", RL_LEARNING_CHOICES, "of the learning rate after the warm-up"),
    RL_REAL_SPEC("learning_rate", 0, 1e300, 1e-3, "the largest one"),
    RL_REAL_SPEC("weight_decay", 0, 1e300, 1e-2, "AdamW's, times the learning rate"),
    {.key = "epsilon",
     .type = RL_OPTION_REAL,
     .later = true,
     .minimum = 1e-300,
     .maximum = 1e300,
     .default_number = 1e-8,
     .help = "AdamW's, beside the size of a gradient"},
    {.key = "loss",
     .type = RL_OPTION_CHOICE,
     .later = true,
     .default_text = "sum",
     .choices = RL_LOSS_CHOICES,
     .help = "how |x' - x|^2 goes over the features"},
    {.key = "initialization",
     .type = RL_OPTION_CHOICE,
     .later = true,
     .default_text = "normal",
     .choices = RL_START_CHOICES,
     .help = "law of the weights to start from"},
    {.key = "precision",
     .type = RL_OPTION_CHOICE,
     .later = true,
     .default_text = "double",
     .choices = RL_PRECISION_CHOICES,
     .help = "of outputs and short sums over them"},
    RL_INTEGER_SPEC("record_every", 1, MOST_STEPS, 0,
                    "steps between two records of the losses; default: a hundredth of all"),
    RL_REAL_SPEC("checkpoint_seconds", 0, 1e9, 30,
                 "between two checkpoints at least, and a tenth of the time that it has taken"),
};
enum { N_OPTIONS = sizeof options / sizeof *options };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void make_model(rl_study_autoencoder *a) {
    const rl_options *o = &a->options;
    const double hundredth = fmax(1, floor(rl_options_real(o, "steps") / 100));
    const rl_option_value *record_every = rl_options_get(o, "record_every");
    a->model = (rl_autoencoder){
        .n_features = rl_options_integer(o, "n_features"),
        .batch = rl_options_integer(o, "batch"),
        .n_test = rl_options_integer(o, "n_test"),
        .sparsity = rl_options_real(o, "sparsity"),
        .steps = rl_options_integer(o, "steps"),
        .warm_up = rl_options_real(o, "warm_up"),
        .schedule = (rl_learning_schedule)rl_options_get(o, "schedule")->number,
        .learning_rate = rl_options_real(o, "learning_rate"),
        .weight_decay = rl_options_real(o, "weight_decay"),
        .epsilon = rl_options_real(o, "epsilon"),
        .loss = (rl_loss)rl_options_get(o, "loss")->number,
        .initialization = (rl_initialization)rl_options_get(o, "initialization")->number,
        .precision = (rl_precision)rl_options_get(o, "precision")->number,
        .record_every = (int)(record_every->given ? record_every->number : hundredth),
    };
    a->checkpoint_seconds = rl_options_real(o, "checkpoint_seconds");
}

/* With too few non-zero features, inputs of zeros alone would be drawn again and again. */
static rl_status check_sparsity(rl_node entry, const rl_autoencoder *model) {
    const double nonzeros = model->n_features * (1 - model->sparsity);
    const rl_node sparsity = rl_node_find(entry, "sparsity");
    if (nonzeros >= RL_LEAST_NONZEROS) return RL_OK;
    return rl_node_refuse(sparsity.file != NULL ? sparsity : entry,
                          "sparsity %.15g leaves %.3g of %d features non-zero on average; expected at least %g",
                          model->sparsity, nonzeros, model->n_features, RL_LEAST_NONZEROS);
}

static rl_status read_hidden(rl_node entry, rl_node node, rl_study_autoencoder *a) {
    const rl_number_kind kind = {.integer = true, .minimum = 1, .maximum = MOST_HIDDEN, .meaning = "hidden dimensions"};
    rl_sequence values = {0};
    if (node.file == NULL) return rl_node_missing(entry, "hidden", "a number of hidden dimensions, or a list of such");
    rl_status status = rl_sequence_values(node, kind, &values);
    if (status == RL_OK) status = rl_sequence_integers(&values, &a->hidden, &a->n_hidden);
    rl_free(values.values);
    return status;
}

static rl_status read_n_train(rl_node entry, rl_node node, rl_study_autoencoder *a) {
    if (node.file == NULL) return rl_node_missing(entry, "n_train", "the sizes T of the training sets");
    return rl_read_examples(node, &a->n_train);
}

/* Their indices have 32 bits. */
static rl_status check_fresh(rl_node entry, const rl_study_autoencoder *a) {
    const double most = 0x1p32, fresh = (a->model.steps + 1.0) * a->model.batch;
    if (a->n_train.values[a->n_train.n_values - 1] != RL_INFINITE || fresh <= most) return RL_OK;
    return rl_node_refuse(entry, "%d steps of %d fresh examples are more than 2^32; expected fewer", a->model.steps,
                          a->model.batch);
}

/* A record or a state is sent in one message and written to disk by one write. */
static rl_status check_size(rl_node entry, const rl_study_autoencoder *a) {
    rl_autoencoder largest = a->model;
    largest.n_hidden = a->hidden[a->n_hidden - 1];
    for (int i = 0; i < a->n_train.n_values; i++) {
        largest.n_train = a->n_train.values[i];
        const size_t state = rl_training_state_length(&largest), record = rl_training_layout_of(&largest).length;
        if (state <= most_numbers && record <= most_numbers) continue;
        return rl_node_refuse(entry,
                              "%d features, %d hidden dimensions and %d examples make a record of more than %zu "
                              "numbers; expected fewer",
                              largest.n_features, largest.n_hidden, rl_training_examples(&largest), most_numbers);
    }
    return RL_OK;
}

static rl_status read_autoencoder(rl_node entry, const rl_study *study, rl_study_autoencoder *a) {
    enum { NAME, HIDDEN, N_TRAIN, RANKS, OPTIONS };
    rl_field fields[OPTIONS + N_OPTIONS] = {
        {.key = "name"}, {.key = "hidden"}, {.key = "n_train"}, {.key = "ranks_per_case"}};
    a->line = entry.line;
    RL_TRY(rl_read_fields(entry, fields, OPTIONS, options, N_OPTIONS));
    RL_TRY(rl_read_name(study, fields[NAME].node, entry, "autoencoder", &a->name));
    RL_TRY(rl_read_options(entry, fields + OPTIONS, options, N_OPTIONS, &a->options));
    make_model(a);
    RL_TRY(check_sparsity(entry, &a->model));
    RL_TRY(read_hidden(entry, fields[HIDDEN].node, a));
    RL_TRY(read_n_train(entry, fields[N_TRAIN].node, a));
    RL_TRY(check_fresh(entry, a));
    RL_TRY(
        rl_read_ranks_per_case(fields[RANKS].node, "ranks that share a training, or auto, or all", &a->ranks_per_case));
    return check_size(entry, a);
}

rl_status rl_read_autoencoders(rl_node node, rl_study *study) {
    static const char *const expected = "a list of autoencoders, each with n_features, hidden, n_train and steps";
    const int n = rl_node_count(node);
    if (n == 0 || rl_node_is_empty(node)) return rl_node_fail(node, "%s", expected);
    if (n > MAX_AUTOENCODERS)
        return rl_node_refuse(node, "got %d autoencoders; expected at most %d", n, MAX_AUTOENCODERS);
    RL_TRY(RL_ALLOC(study->autoencoders, n));
    for (int i = 0; i < n; i++) {
        const rl_node entry = rl_node_item(node, i);
        rl_study_autoencoder *a = &study->autoencoders[i];
        a->n_train.around = -1;
        study->n_autoencoders = i + 1;
        if (rl_node_kind_of(entry) != RL_NODE_MAPPING) return rl_node_fail(entry, "%s", expected);
        RL_TRY(read_autoencoder(entry, study, a));
    }
    return RL_OK;
}

void rl_autoencoders_destroy(rl_study *study) {
    for (int i = 0; i < study->n_autoencoders; i++) {
        rl_study_autoencoder *a = &study->autoencoders[i];
        rl_free(a->name);
        rl_options_destroy(&a->options);
        rl_free(a->hidden);
        rl_n_train_destroy(&a->n_train);
    }
    rl_free(study->autoencoders);
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/* Whether ranks share a training changes more than rounding. How many do is left out, as are `hidden` and `n_train`,
 * since no training depends on another, and what changes no number of the results. */
rl_status rl_autoencoder_settings(const rl_study_autoencoder *a, rl_text *settings) {
    const bool shared = a->ranks_per_case == RL_RANKS_ALL || a->ranks_per_case > 1;
    RL_TRY(rl_text_append(settings, "%s/source: autoencoder\n", a->name));
    for (int i = 0; i < N_OPTIONS; i++)
        if (strcmp(options[i].key, "checkpoint_seconds") != 0 && strcmp(options[i].key, "record_every") != 0)
            RL_TRY(rl_append_setting(settings, a->name, "", &options[i], &a->options.values[i]));
    RL_TRY(rl_text_append(settings, "%s/record_every: %d\n", a->name, a->model.record_every));
    return rl_text_append(settings, "%s/shared trainings: %s\n", a->name, shared ? "yes" : "no");
}

int rl_find_autoencoder(const rl_study *study, const char *name) {
    for (int i = 0; i < study->n_autoencoders; i++)
        if (strcmp(study->autoencoders[i].name, name) == 0) return i;
    return -1;
}

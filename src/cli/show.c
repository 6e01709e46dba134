/* `show FILE`: the height of the spike of each data set in a results file, and what each ablation makes of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Labels stand in a column as wide as the longest, within limits. */
static int label_width(const rl_shown_dataset *d) {
    enum { NARROWEST = 22, WIDEST = 40 };
    size_t width = NARROWEST;
    for (int i = 0; i < d->n_variants; i++)
        if (strlen(d->variants[i].label) > width) width = strlen(d->variants[i].label);
    return width < WIDEST ? (int)width : WIDEST;
}

static void print_text_right(const char *text, int width) {
    printf(" %*s", width, text);
}

static void print_n(int n) {
    char text[24] = "-";
    if (n > 0) snprintf(text, sizeof text, "N = %d", n);
    print_text_right(text, 10);
}

static void print_variant(const rl_shown_dataset *d, const rl_shown_variant *v, int width) {
    char text[96], times[40] = "-", kept[48] = "-";
    printf("    %-*s", width, v->label);
    print_text_right(rl_number_text(v->flank_median[0], 4, text), 10);
    print_text_right(rl_number_text(v->threshold_median, 4, text), 10);
    print_text_right(rl_number_text(v->flank_median[1], 4, text), 10);
    printf("  %-20s", rl_spike_text(v->spike, text));
    if (v->of_unablated == 0) snprintf(times, sizeof times, "0");
    if (v->of_unablated > 0) snprintf(times, sizeof times, "%s", rl_ratio_text(v->of_unablated, text));
    if (v->modes_kept >= 0) snprintf(kept, sizeof kept, "%.4g of %d", v->modes_kept, d->n_modes);
    printf(" %-12s %s\n", times, kept);
}

static void print_role(const rl_shown_dataset *d, rl_role role, int width) {
    bool begun = false;
    for (int i = 0; i < d->n_variants; i++) {
        if (d->variants[i].role != role) continue;
        if (!begun) printf("  %s\n", rl_role_texts[role]);
        begun = true;
        print_variant(d, &d->variants[i], width);
    }
}

/* "100 repeats, 4,000 spectra done, 1 failed". */
static void print_spectra(int repeats, int64_t done, int64_t missing, int64_t failed) {
    char n[32];
    printf("%s repeat%s, ", rl_count_text(repeats, n), rl_plural(repeats));
    printf("%s spectra done", rl_count_text(done, n));
    if (missing > 0) printf(", %s missing", rl_count_text(missing, n));
    if (failed > 0) printf(", %s failed", rl_count_text(failed, n));
    printf("\n");
}

static void print_head(const rl_shown_dataset *d) {
    char features[RL_FEATURES_TEXT], rank[RL_RANK_TEXT];
    rl_rank_text(d->n_features, d->threshold, rank);
    printf("\n%s: %s%s%s ", d->name, rl_features_text(d->n_features, d->n_features, 1, d->intercept, features), rank,
           rank[0] != '\0' ? ";" : ",");
    print_spectra(d->repeats, d->spectra_done, d->spectra_missing, d->spectra_failed);
}

static void print_effective_ranks(const rl_shown_dataset *d) {
    char first[32], second[32];
    if (isnan(d->effective_rank[0])) return;
    printf("  effective ranks r_k, R_k:");
    for (int i = 0; i < RL_N_LEFT_OUT && !isnan(d->effective_rank[i]); i++)
        printf("%s k = %d: %s, %s", i > 0 ? ";" : "", rl_left_out[i], rl_number_text(d->effective_rank[i], 2, first),
               rl_number_text(d->effective_rank_of_squares[i], 2, second));
    if (!isnan(d->leverage_max))
        printf("; largest leverage: %s times the mean", rl_number_text(d->leverage_max, 2, first));
    printf("\n");
}

/* What the numbers of the table cannot say of themselves. */
static void print_remarks(const rl_shown_dataset *d) {
    char nothing[32], mean[32], rows[RL_ROWS_TEXT], overflow[RL_OVERFLOW_TEXT];
    if (d->n_dropped > 0) printf("  %s\n", rl_rows_text(d->n_rows, d->n_dropped, rows));
    if (!isnan(d->null_mse))
        printf("  predicting nothing: %s; predicting the mean: %s\n", rl_number_text(d->null_mse, 2, nothing),
               rl_number_text(d->target_variance, 2, mean));
    print_effective_ranks(d);
    if (d->scales_apart) printf("  (" RL_SCALES_APART ")\n");
    const bool full = d->threshold == d->n_features;
    if (d->threshold_n != d->threshold)
        printf("  (no N = %s in the study: N = %d stands for the threshold)\n", full ? "P" : "the rank",
               d->threshold_n);
    if (d->is_older)
        printf("  (an older version wrote this file: no spike heights, no flanks and no modes are in it)\n");
    else if (!d->has_places)
        printf("  (no spike height: the study does not have N near %s)\n",
               full ? "P/2, P and 2P" : "half the rank, the rank and twice the rank");
    if (d->overflow.n > 0) printf("  (%s)\n", rl_overflow_text(&d->overflow, overflow));
    if (d->fits_exactly)
        printf("  (the unablated error at N = %d is zero but for rounding: no error is compared with it)\n",
               d->threshold_n);
}

/* How much more the fit itself errs at the threshold than where it has most rows. */
static void print_largest(const rl_shown_dataset *d) {
    char error[32], ratio[32];
    for (const rl_shown_variant *v = d->variants; v < d->variants + d->n_variants; v++)
        if (v->role == RL_ROLE_FIT && d->largest_n > d->threshold_n && v->largest_median > 0 && v->of_unablated == 1)
            printf("  `%s` at the largest N = %d: %s; at the threshold %s times that\n", v->label, d->largest_n,
                   rl_number_text(v->largest_median, 4, error),
                   rl_ratio_text(v->threshold_median / v->largest_median, ratio));
}

static void print_dataset(const rl_shown_dataset *d) {
    const int width = label_width(d);
    print_head(d);
    print_remarks(d);
    printf("  %-*s", width + 2, "median test error at");
    print_n(d->flank_n[0]);
    print_n(d->threshold_n);
    print_n(d->flank_n[1]);
    printf("  %-20s %-12s %s\n", "spike height", "times `none`", "modes kept");
    for (int role = 0; role < RL_N_ROLES; role++) print_role(d, (rl_role)role, width);
    print_largest(d);
}

/* A data set at n > 1 numbers of features: a line for each of them, a column for each variant while there is room. */
static void print_sweep(const rl_shown_dataset *d, int n) {
    enum { COLUMNS = 4 };
    char features[RL_FEATURES_TEXT];
    const int n_columns = d->n_variants < COLUMNS ? d->n_variants : COLUMNS;
    int64_t done = 0, missing = 0, failed = 0;
    char rows[RL_ROWS_TEXT];
    for (int i = 0; i < n; i++) {
        done += d[i].spectra_done;
        missing += d[i].spectra_missing;
        failed += d[i].spectra_failed;
    }
    printf("\n%s: %s, ", d->name, rl_features_text(d->n_features, d[n - 1].n_features, n, d->intercept, features));
    print_spectra(d->repeats, done, missing, failed);
    int low = 0;
    while (low < n && d[low].threshold == d[low].n_features) low++;
    if (low < n)
        printf("  (from P = %d on the features have a lower rank, which stands for P: %d at P = %d)\n",
               d[low].n_features, d[n - 1].threshold, d[n - 1].n_features);
    if (d->scales_apart) printf("  (" RL_SCALES_APART ")\n");
    if (d->n_dropped > 0) printf("  %s\n", rl_rows_text(d->n_rows, d->n_dropped, rows));
    printf("  median test error at the N nearest to P\n  %8s %8s", "P", "N");
    for (int v = 0; v < n_columns; v++) printf("  %20.20s", d->variants[v].label);
    printf("%s\n", d->n_variants > n_columns ? "  ..." : "");
    for (int i = 0; i < n; i++) {
        printf("  %8d %8d", d[i].n_features, d[i].threshold_n);
        for (int v = 0; v < n_columns; v++) rl_print_number("%.4g", d[i].variants[v].threshold_median, 21);
        printf("\n");
    }
}

static void print_autoencoder(const rl_shown_autoencoder *a) {
    char repeats[32], done[32], missing[32], diverged[32], n_train[RL_N_TRAIN_TEXT];
    printf("\n%s: autoencoder, m = %d, %s repeat%s; trainings: %s done, %s missing, %s diverged\n", a->name,
           a->n_hidden, rl_count_text(a->repeats, repeats), rl_plural(a->repeats),
           rl_count_text(a->trainings_done, done), rl_count_text(a->trainings_missing, missing),
           rl_count_text(a->trainings_diverged, diverged));
    printf("  median test loss over that of predicting nothing: at most");
    rl_print_number("%.4g", a->largest_loss, 1);
    printf(" (T = %s),", rl_n_train_text(a->n_train_at_largest, n_train));
    rl_print_number("%.4g", a->last_loss, 1);
    printf(" at the largest T = %s\n", rl_n_train_text(a->largest_n_train, n_train));
}

static const char what_medians_are[] =
    "\nmedian test error at N: half of the repeats have a smaller mean squared error on their test rows.\n"
    "  The N are those near P/2, at the threshold P, and near 2P.\n";
static const char what_ranks_are[] =
    "  Where the features have a lower rank, that is the threshold and stands for P.\n";
static const char what_numbers_are[] =
    "spike height: the median test error at the threshold divided by the larger of the errors near P/2\n"
    "  and 2P. In brackets: an interval that holds the ratio of the true medians with at least 90 %\n"
    "  confidence.\n"
    "times `none`: the error at the threshold divided by that of the fit without ablation.\n"
    "  0: zero but for rounding.\n"
    "modes kept: how many singular values the predictions at the threshold use, of all that there are.\n"
    "predicting nothing: the mean squared error of saying 0 for each row.\n"
    "predicting the mean: the mean squared error of saying the mean of the targets for each row.\n";
static const char what_effective_ranks_are[] =
    "effective ranks: of how many directions the features are without the k leading ones; r_k counts by the\n"
    "  largest that is left, R_k by all. Leverage: how far out a row is, in units of the others.\n";

static void print_text(const rl_shown *shown) {
    bool tables = false, low_rank = false, effective = false;
    printf("%s (%s)\n", shown->title, shown->program);
    for (int i = 0, end; i < shown->n_datasets; i = end) {
        const rl_shown_dataset *d = &shown->datasets[i];
        for (end = i + 1; end < shown->n_datasets && strcmp(shown->datasets[end].name, d->name) == 0;) end++;
        tables |= end == i + 1;
        low_rank |= d->threshold < d->n_features;
        effective |= end == i + 1 && !isnan(d->effective_rank[0]);
        if (end > i + 1)
            print_sweep(d, end - i);
        else
            print_dataset(d);
    }
    for (int i = 0; i < shown->n_autoencoders; i++) print_autoencoder(&shown->autoencoders[i]);
    if (tables) printf("%s%s%s", what_medians_are, low_rank ? what_ranks_are : "", what_numbers_are);
    if (effective) printf("%s", what_effective_ranks_are);
}

static json_t *count_or_null(int n) {
    return n > 0 ? json_integer(n) : json_null();
}

static json_t *variant_json(const rl_shown_variant *v) {
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:[o, o], s:o, s:o, s:o, s:o, s:o, s:o}", "variant", v->label,
                     "ablation", v->ablation, "role", rl_role_words[v->role], "parameter", rl_number_json(v->parameter),
                     "median_at_threshold", rl_number_json(v->threshold_median), "median_at_flanks",
                     rl_number_json(v->flank_median[0]), rl_number_json(v->flank_median[1]), "median_at_largest_n",
                     rl_number_json(v->largest_median), "spike_height", rl_number_json(v->spike.height),
                     "spike_height_low", rl_number_json(v->spike.low), "spike_height_high",
                     rl_number_json(v->spike.high), "of_unablated", rl_number_json(v->of_unablated), "modes_kept",
                     rl_number_json(v->modes_kept));
}

/* Empty for a data set whose file does not have them. */
static json_t *effective_ranks_json(const rl_shown_dataset *d) {
    json_t *list = json_array();
    for (int i = 0; i < RL_N_LEFT_OUT && !isnan(d->effective_rank[i]); i++)
        json_array_append_new(
            list, json_pack("{s:i, s:o, s:o}", "k", rl_left_out[i], "r", rl_number_json(d->effective_rank[i]), "R",
                            rl_number_json(d->effective_rank_of_squares[i])));
    return list;
}

static json_t *dataset_json(const rl_shown_dataset *d) {
    json_t *variants = json_array();
    for (int i = 0; i < d->n_variants; i++) json_array_append_new(variants, variant_json(&d->variants[i]));
    return json_pack(
        "{s:s, s:i, s:i, s:i, s:b, s:i, s:b, s:i, s:[o, o], s:i, s:i, s:o, s:o, s:i, s:I, s:I, s:I, s:I, s:o, s:o, "
        "s:o}",
        "name", d->name, "rows", d->n_rows, "rows_dropped", d->n_dropped, "n_features", d->n_features, "intercept",
        d->intercept, "threshold", d->threshold, "scales_apart", d->scales_apart, "threshold_n", d->threshold_n,
        "flank_n", count_or_null(d->flank_n[0]), count_or_null(d->flank_n[1]), "n_modes", d->n_modes, "largest_n",
        d->largest_n, "null_mse", rl_number_json(d->null_mse), "target_variance", rl_number_json(d->target_variance),
        "repeats", d->repeats, "spectra_done", (json_int_t)d->spectra_done, "spectra_missing",
        (json_int_t)d->spectra_missing, "spectra_failed", (json_int_t)d->spectra_failed, "infinite_means",
        (json_int_t)d->overflow.n, "effective_ranks", effective_ranks_json(d), "leverage_max",
        rl_number_json(d->leverage_max), "variants", variants);
}

static json_t *autoencoder_json(const rl_shown_autoencoder *a) {
    return json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:o, s:i, s:o, s:i}", "name", a->name, "n_hidden", a->n_hidden,
                     "repeats", a->repeats, "trainings_done", (json_int_t)a->trainings_done, "trainings_missing",
                     (json_int_t)a->trainings_missing, "trainings_diverged", (json_int_t)a->trainings_diverged,
                     "largest_loss", rl_number_json(a->largest_loss), "n_train_at_largest", a->n_train_at_largest,
                     "loss_at_largest_n_train", rl_number_json(a->last_loss), "largest_n_train", a->largest_n_train);
}

static rl_status print_json(const rl_shown *shown) {
    json_t *datasets = json_array();
    for (int i = 0; i < shown->n_datasets; i++) json_array_append_new(datasets, dataset_json(&shown->datasets[i]));
    json_t *autoencoders = json_array();
    for (int i = 0; i < shown->n_autoencoders; i++)
        json_array_append_new(autoencoders, autoencoder_json(&shown->autoencoders[i]));
    json_t *root = json_pack("{s:s, s:s, s:o, s:o}", "title", shown->title, "program", shown->program, "datasets",
                             datasets, "autoencoders", autoencoders);
    return rl_print_json(root);
}

rl_status rl_command_show(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_shown shown = {0};
    rl_status status = rl_results_read(settings->arguments[0], &shown);
    if (status == RL_OK && settings->json)
        status = print_json(&shown);
    else if (status == RL_OK)
        print_text(&shown);
    rl_shown_destroy(&shown);
    return status;
}

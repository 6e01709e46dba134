/* `show FILE`: the height of the spike of each data set in a results file, and how much of it each ablation leaves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const rl_shown_variant *unablated(const rl_shown_dataset *d) {
    for (int i = 0; i < d->n_variants; i++)
        if (strcmp(d->variants[i].ablation, "none") == 0) return &d->variants[i];
    return NULL;
}

/* An error that is smaller than this part of the unablated one is zero but for rounding. */
static const double rounding = 1e-12;

/* The part of the spike that is left: a variant's median test error at the threshold over that of the unablated fit. */
static double part_left(const rl_shown_dataset *d, const rl_shown_variant *v) {
    const rl_shown_variant *none = unablated(d);
    const double part = none != NULL ? v->threshold_median / none->threshold_median : NAN;
    return part < rounding ? 0 : part;
}

static void print_dataset(const rl_shown_dataset *d) {
    printf("\n%s: P = %d, %d repeats, %lld spectra done", d->name, d->n_features, d->repeats,
           (long long)d->spectra_done);
    if (d->spectra_missing > 0) printf(", %lld missing", (long long)d->spectra_missing);
    if (d->spectra_failed > 0) printf(", %lld failed", (long long)d->spectra_failed);
    printf("\n");
    if (d->threshold_n != d->n_features)
        printf("  (no N = P in the study: N = %d stands for the threshold)\n", d->threshold_n);
    char at_threshold[24], at_largest[24];
    snprintf(at_threshold, sizeof at_threshold, "N = %d", d->threshold_n);
    snprintf(at_largest, sizeof at_largest, "N = %d", d->largest_n);
    printf("  %-30s %12s %12s %10s %12s\n", "median test error at", at_threshold, at_largest, "height", "spike left");
    for (int i = 0; i < d->n_variants; i++) {
        const rl_shown_variant *v = &d->variants[i];
        printf("  %-30s", v->label);
        rl_print_number("%.4g", v->threshold_median, 12);
        rl_print_number("%.4g", v->largest_median, 12);
        rl_print_number("%.3g", v->spike, 10);
        rl_print_number("%.3g %%", 100 * part_left(d, v), 12);
        printf("\n");
    }
}

/* A data set at n > 1 numbers of features: a line for each of them, a column for each variant while there is room. */
static void print_sweep(const rl_shown_dataset *d, int n) {
    enum { COLUMNS = 4 };
    const int n_columns = d->n_variants < COLUMNS ? d->n_variants : COLUMNS;
    int64_t done = 0, missing = 0, failed = 0;
    for (int i = 0; i < n; i++) {
        done += d[i].spectra_done;
        missing += d[i].spectra_missing;
        failed += d[i].spectra_failed;
    }
    printf("\n%s: P = %d ... %d (%d values), %d repeats, %lld spectra done", d->name, d->n_features,
           d[n - 1].n_features, n, d->repeats, (long long)done);
    if (missing > 0) printf(", %lld missing", (long long)missing);
    if (failed > 0) printf(", %lld failed", (long long)failed);
    printf("\n  median test error at the N nearest to P\n  %8s %8s", "P", "N");
    for (int v = 0; v < n_columns; v++) printf("  %20.20s", d->variants[v].label);
    printf("%s\n", d->n_variants > n_columns ? "  ..." : "");
    for (int i = 0; i < n; i++) {
        printf("  %8d %8d", d[i].n_features, d[i].threshold_n);
        for (int v = 0; v < n_columns; v++) rl_print_number("%.4g", d[i].variants[v].threshold_median, 21);
        printf("\n");
    }
}

static void print_autoencoder(const rl_shown_autoencoder *a) {
    printf("\n%s: autoencoder, m = %d, %d repeats; trainings: %lld done, %lld missing, %lld diverged\n", a->name,
           a->n_hidden, a->repeats, (long long)a->trainings_done, (long long)a->trainings_missing,
           (long long)a->trainings_diverged);
    printf("  median test loss over that of predicting nothing: at most");
    rl_print_number("%.4g", a->largest_loss, 1);
    printf(" (T = %d),", a->n_train_at_largest);
    rl_print_number("%.4g", a->last_loss, 1);
    printf(" at the largest T = %d\n", a->largest_n_train);
}

static void print_text(const rl_shown *shown) {
    printf("%s (%s)\n", shown->title, shown->program);
    for (int i = 0, end; i < shown->n_datasets; i = end) {
        const rl_shown_dataset *d = &shown->datasets[i];
        for (end = i + 1; end < shown->n_datasets && strcmp(shown->datasets[end].name, d->name) == 0;) end++;
        if (end > i + 1)
            print_sweep(d, end - i);
        else
            print_dataset(d);
    }
    for (int i = 0; i < shown->n_autoencoders; i++) print_autoencoder(&shown->autoencoders[i]);
    if (shown->n_datasets > 0)
        printf(
            "\nheight: median test error at the threshold over that at the largest N.\n"
            "spike left: median test error at the threshold over that of the unablated fit.\n");
}

/* JSON has no NaN. */
static json_t *number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *dataset_json(const rl_shown_dataset *d) {
    json_t *variants = json_array();
    for (int i = 0; i < d->n_variants; i++) {
        const rl_shown_variant *v = &d->variants[i];
        json_array_append_new(
            variants,
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "variant", v->label, "ablation", v->ablation, "parameter",
                      number_or_null(v->parameter), "median_at_threshold", number_or_null(v->threshold_median),
                      "median_at_largest_n", number_or_null(v->largest_median), "spike_height",
                      number_or_null(v->spike), "spike_left", number_or_null(part_left(d, v))));
    }
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:o}", "name", d->name, "n_features", d->n_features,
                     "threshold_n", d->threshold_n, "largest_n", d->largest_n, "repeats", d->repeats, "spectra_done",
                     (json_int_t)d->spectra_done, "spectra_missing", (json_int_t)d->spectra_missing, "spectra_failed",
                     (json_int_t)d->spectra_failed, "variants", variants);
}

static json_t *autoencoder_json(const rl_shown_autoencoder *a) {
    return json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:o, s:i, s:o, s:i}", "name", a->name, "n_hidden", a->n_hidden,
                     "repeats", a->repeats, "trainings_done", (json_int_t)a->trainings_done, "trainings_missing",
                     (json_int_t)a->trainings_missing, "trainings_diverged", (json_int_t)a->trainings_diverged,
                     "largest_loss", number_or_null(a->largest_loss), "n_train_at_largest", a->n_train_at_largest,
                     "loss_at_largest_n_train", number_or_null(a->last_loss), "largest_n_train", a->largest_n_train);
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

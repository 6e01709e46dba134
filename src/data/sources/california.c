/* The source `california`: Pace and Barry (1997), as StatLib has it, in nine columns without a header line. The
 * features are those of the published study, which took them from scikit-learn: rooms, bedrooms and people per
 * household. The target is in units of 100000 $. */
#include "source.h"

static const char FILE_NAME[] = "cal_housing.data";

enum { LONGITUDE, LATITUDE, AGE, ROOMS, BEDROOMS, POPULATION, HOUSEHOLDS, INCOME, VALUE, N_COLUMNS };

static rl_status check_households(const rl_table *table) {
    if (table->n_columns != N_COLUMNS)
        return rl_fail(RL_ERR_INPUT, "%s: %d columns, expected the %d of StatLib's cal_housing.data", table->path,
                       table->n_columns, N_COLUMNS);
    for (int i = 0; i < table->n_rows; i++) {
        const char *cell = table->cells[(size_t)i * N_COLUMNS + HOUSEHOLDS];
        double households;
        if (rl_parse_real(cell, &households) && households <= 0)
            return rl_fail(RL_ERR_INPUT, "%s:%d: column %d: %s households, expected more than 0", table->path,
                           table->lines[i], HOUSEHOLDS + 1, cell);
    }
    return RL_OK;
}

static void derive_features(double *row) {
    const double households = row[HOUSEHOLDS];
    const double features[VALUE] = {row[INCOME],
                                    row[AGE],
                                    row[ROOMS] / households,
                                    row[BEDROOMS] / households,
                                    row[POPULATION],
                                    row[POPULATION] / households,
                                    row[LATITUDE],
                                    row[LONGITUDE]};
    for (int j = 0; j < VALUE; j++) row[j] = features[j];
}

static rl_status convert_table(const rl_table *table, rl_dataset *dataset) {
    static const int columns[VALUE] = {LONGITUDE, LATITUDE, AGE, ROOMS, BEDROOMS, POPULATION, HOUSEHOLDS, INCOME};
    RL_TRY(check_households(table));
    const rl_table_choice choice = {.features = columns, .n_features = VALUE, .target = VALUE, .any_column = true};
    RL_TRY(rl_table_numbers(table, &choice, dataset));
    for (int i = 0; i < dataset->n_rows; i++) {
        derive_features(dataset->x + (size_t)i * VALUE);
        dataset->y[i] /= 100000;
    }
    return RL_OK;
}

static rl_status load_california(const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(rl_source_locate(&rl_source_california, request, FILE_NAME, &dataset->origin));
    rl_table table;
    RL_TRY(rl_table_read(dataset->origin, (rl_table_format){.delimiter = ','}, &table));
    const rl_status status = convert_table(&table, dataset);
    rl_table_destroy(&table);
    return status == RL_OK ? rl_source_standardize(request, dataset) : status;
}

static const rl_option_spec options[] = {RL_STANDARDIZE_SPEC};

const rl_source rl_source_california = {
    .name = "california",
    .summary = "California housing (Pace and Barry 1997): house value of 20640 districts from 8 features",
    .files = (const char *const[]){FILE_NAME, NULL},
    .how_to_get =
        "jobs/download-data.sh fetches it, or take cal_housing.data out of the archive at "
        "https://ndownloader.figshare.com/files/5976036",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_california,
};

/* The sources `who` and `who-fixed`: two tables of the World Health Organization's life expectancy data, not scaled.
 * The first is the one that the authors' published program reads (K. Rajarshi), of which only the complete rows count;
 * the second is the repaired one that their paper cites (L. Gochiashvili 2023). */
#include "source.h"

enum { N_FEATURES = 17, TARGET = N_FEATURES, N_COLUMNS };

/* The features, then the target, of the two tables. */
static const char *const columns_of_table[2][N_COLUMNS] = {
    {"Adult Mortality", "infant deaths", "Alcohol", "percentage expenditure", "Hepatitis B", "Measles", "BMI",
     "under-five deaths", "Polio", "Total expenditure", "Diphtheria", "HIV/AIDS", "GDP", "Population",
     "thinness 1-19 years", "thinness 5-9 years", "Schooling", "Life expectancy"},
    {"Infant_deaths", "Under_five_deaths", "Adult_mortality", "Alcohol_consumption", "Hepatitis_B", "Measles", "BMI",
     "Polio", "Diphtheria", "Incidents_HIV", "GDP_per_capita", "Population_mln", "Thinness_ten_nineteen_years",
     "Thinness_five_nine_years", "Schooling", "Economy_status_Developed", "Economy_status_Developing",
     "Life_expectancy"}};

static rl_status convert_table(const rl_table *table, rl_dataset *dataset) {
    const char *const *names = columns_of_table[dataset->source == &rl_source_who_fixed];
    const rl_columns all = rl_table_columns(table);
    int columns[N_COLUMNS];
    for (int j = 0; j < N_COLUMNS; j++) RL_TRY(rl_columns_find(&all, names[j], &columns[j]));
    const rl_table_choice choice = {
        .features = columns, .n_features = N_FEATURES, .target = columns[TARGET], .any_column = true};
    return rl_table_numbers(table, &choice, dataset);
}

static rl_status load_who(const rl_source_request *request, rl_dataset *dataset) {
    const rl_source *source = dataset->source;
    RL_TRY(rl_source_locate(source, request, source->files[0], &dataset->origin));
    rl_table table;
    RL_TRY(rl_table_read(dataset->origin, (rl_table_format){.delimiter = ',', .has_header = true}, &table));
    const rl_status status = convert_table(&table, dataset);
    rl_table_destroy(&table);
    return status == RL_OK ? rl_source_standardize(request, dataset) : status;
}

static const rl_option_spec options[] = {RL_STANDARDIZE_SPEC};

const rl_source rl_source_who = {
    .name = "who",
    .summary = "WHO life expectancy, the table of the authors' program: 1649 complete rows, 17 features",
    .files = (const char *const[]){"life_expectancy_who_rajarshi.csv", NULL},
    .how_to_get =
        "jobs/download-data.sh fetches it, or save `data/Life Expectancy Data.csv` of "
        "https://github.com/RylanSchaeffer/Stanford-AI-Alignment-Double-Descent-Tutorial under that name",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_who,
};

const rl_source rl_source_who_fixed = {
    .name = "who-fixed",
    .summary = "WHO life expectancy, the repaired table that the paper cites: 2864 rows, 17 features",
    .files = (const char *const[]){"life_expectancy_who_fixed.csv", NULL},
    .how_to_get =
        "jobs/download-data.sh says how to get it: save Life-Expectancy-Data-Updated.csv of "
        "https://www.kaggle.com/datasets/lashagoch/life-expectancy-who-updated under that name",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_who,
};

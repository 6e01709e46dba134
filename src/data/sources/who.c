/* The sources `who` and `who-fixed`: two tables of the World Health Organization's life expectancy data, not scaled.
 * The first is the one that the authors' published program reads (K. Rajarshi), of which only the complete rows count;
 * the second is the repaired one that their paper cites (L. Gochiashvili 2023). */
#include "source.h"

enum { N_FEATURES = 17 };

typedef struct who_table {
    const rl_source *source;
    const char *features[N_FEATURES];
    const char *target;
} who_table;

static rl_status convert_table(const rl_table *table, const who_table *who, rl_dataset *dataset) {
    int columns[N_FEATURES];
    rl_table_choice choice = {.features = columns, .n_features = N_FEATURES, .any_column = true};
    for (int j = 0; j < N_FEATURES; j++) RL_TRY(rl_table_column(table, who->features[j], &columns[j]));
    RL_TRY(rl_table_column(table, who->target, &choice.target));
    return rl_table_numbers(table, &choice, dataset);
}

static rl_status load_who(const who_table *who, const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(rl_source_locate(who->source, request, who->source->files[0], &dataset->origin));
    rl_table table;
    RL_TRY(rl_table_read(dataset->origin, (rl_table_format){.delimiter = ',', .has_header = true}, &table));
    const rl_status status = convert_table(&table, who, dataset);
    rl_table_destroy(&table);
    return status;
}

static rl_status load_rajarshi(const rl_source_request *request, rl_dataset *dataset) {
    static const who_table who = {
        .source = &rl_source_who,
        .features = {"Adult Mortality", "infant deaths", "Alcohol", "percentage expenditure", "Hepatitis B", "Measles",
                     "BMI", "under-five deaths", "Polio", "Total expenditure", "Diphtheria", "HIV/AIDS", "GDP",
                     "Population", "thinness  1-19 years" /* two blanks in the file */, "thinness 5-9 years",
                     "Schooling"},
        .target = "Life expectancy",
    };
    return load_who(&who, request, dataset);
}

static rl_status load_fixed(const rl_source_request *request, rl_dataset *dataset) {
    static const who_table who = {
        .source = &rl_source_who_fixed,
        .features = {"Infant_deaths", "Under_five_deaths", "Adult_mortality", "Alcohol_consumption", "Hepatitis_B",
                     "Measles", "BMI", "Polio", "Diphtheria", "Incidents_HIV", "GDP_per_capita", "Population_mln",
                     "Thinness_ten_nineteen_years", "Thinness_five_nine_years", "Schooling", "Economy_status_Developed",
                     "Economy_status_Developing"},
        .target = "Life_expectancy",
    };
    return load_who(&who, request, dataset);
}

static const char *const rajarshi_files[] = {"life_expectancy_who_rajarshi.csv", NULL};
static const char *const fixed_files[] = {"life_expectancy_who_fixed.csv", NULL};

const rl_source rl_source_who = {
    .name = "who",
    .summary = "WHO life expectancy, the table of the authors' program: 1649 complete rows, 17 features",
    .files = rajarshi_files,
    .how_to_get =
        "jobs/download-data.sh fetches it, or save `data/Life Expectancy Data.csv` of "
        "https://github.com/RylanSchaeffer/Stanford-AI-Alignment-Double-Descent-Tutorial under that name",
    .load = load_rajarshi,
};

const rl_source rl_source_who_fixed = {
    .name = "who-fixed",
    .summary = "WHO life expectancy, the repaired table that the paper cites: 2864 rows, 17 features",
    .files = fixed_files,
    .how_to_get =
        "jobs/download-data.sh says how to get it: save Life-Expectancy-Data-Updated.csv of "
        "https://www.kaggle.com/datasets/lashagoch/life-expectancy-who-updated under that name",
    .load = load_fixed,
};

/* fit: ablations as filters on a projected spectrum, and the errors of what they fit.
 *
 * A new ablation is one file in src/fit/ that fills an rl_ablation, and one row of the table in src/fit/ablation.c. */
#ifndef RIDGELESS_FIT_H
#define RIDGELESS_FIT_H

#include "ridgeless/core.h"
#include "ridgeless/spectrum.h"

typedef struct rl_variant rl_variant;

/* What a variant makes of a spectrum, in coordinates of its modes. The prediction for a test row with coordinates z (a
 * row of X_test V) is z . beta + shift. */
typedef struct rl_fit {
    double *beta;     /* [n_modes] coordinates V^T beta_hat; entry on zero */
    double *residual; /* [n_modes] what training leaves of the target along each mode: c - sigma beta; entry on zero */
    double shift;     /* added to every test prediction; entry on zero */
    rl_target target; /* what training and test are judged against; entry on RL_TARGET_Y */
} rl_fit;

/* Least squares on leading modes: beta = c / sigma on those that are kept. Those from s->rank on never are, whatever
 * the numbers say. */
typedef struct rl_truncation {
    int n_predicted;  /* modes that predictions keep */
    int n_fitted;     /* modes that training keeps, at least as many: of the others all of the target is left */
    rl_target target; /* RL_TARGET_Y or RL_TARGET_IDEAL: fitted, and judged against */
} rl_truncation;

typedef enum rl_parameter_kind {
    RL_PARAMETER_NONE,
    RL_PARAMETER_REAL,     /* any finite number */
    RL_PARAMETER_POSITIVE, /* >= 0 */
    RL_PARAMETER_COUNT     /* integer >= 1 */
} rl_parameter_kind;

/* What the exact expectations of the test error depend on, for independent standard normal features. */
typedef struct rl_expectation {
    int n_train, n_features;
    double signal;            /* |beta*|^2 */
    double residual_variance; /* of y given the student's features */
} rl_expectation;

/* What an ablation takes of a training set. Those that take a least-squares fit alone need no modes: fits of a whole
 * curve come cheaper together (nested.h). */
typedef enum rl_need {
    RL_NEED_MODES,
    RL_NEED_FIT_TO_Y,
    RL_NEED_FIT_TO_IDEAL,
    RL_NEED_ROWS /* the training rows themselves: it runs an algorithm on them */
} rl_need;

/* What an algorithm runs on, beside the spectrum of the same rows. */
typedef struct rl_rows_problem {
    const rl_training_set *train;
    const rl_spectrum *spectrum;
    const rl_test_factor *test;
    const double *start; /* [n_features]: independent standard normal numbers, the repeat's */
} rl_rows_problem;

typedef struct rl_ablation {
    const char *name;    /* in study files, labels and the coordinate `ablation` */
    const char *summary; /* one line */
    rl_parameter_kind parameter;
    const char *parameter_meaning; /* with its unit; NULL without a parameter */
    const rl_option_spec *options;
    int n_options;
    rl_need need;
    bool approaches_least_squares; /* at one end of the parameter: how far off is it? (rl_errors.distance) */
    /* What it comes to: a truncation, or else (NULL) any filter of the modes. Of the spectrum, sizes, rank and sigma
     * are read for a truncation. */
    rl_truncation (*truncate)(const rl_spectrum *s, const rl_variant *variant);
    /* Modes from s->rank on are zero and take no part: beta 0, residual c. NULL of a truncation. */
    void (*fit)(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit);
    /* In place of `fit` with RL_NEED_ROWS: beta [n_features] after `parameter` steps. It comes as it is after `done`
     * steps of the same options; 0: it holds nothing yet. left [n_train] is room. */
    void (*run)(const rl_rows_problem *problem, const rl_variant *variant, double done, double *beta, double *left);
    /* The test error's exact expectation over training sets and test rows, at any finite size; INFINITY where it
     * diverges, NaN where no formula is known. NULL: none is for any variant. */
    double (*expected_mse)(const rl_expectation *e, const rl_variant *variant);
} rl_ablation;

/* An ablation with its parameter. */
struct rl_variant {
    const rl_ablation *ablation;
    double parameter;   /* NaN without one */
    rl_options options; /* owned */
    char *label;        /* unique in its dataset, e.g. "cutoff=0.001"; owned */
};

/* Every ablation, NULL-terminated, in the order of the documentation. */
extern const rl_ablation *const rl_ablations[];
const rl_ablation *rl_ablation_find(const char *name);

/* The errors of one variant on one spectrum. */
typedef struct rl_errors {
    double test_mse;       /* mean square over the test rows */
    double train_mse;      /* mean square over the training rows */
    double population_mse; /* expectation over the design; NaN where the design is unknown */
    double distance; /* |beta - beta_0| / |beta_0|, beta_0 the least-squares (minimum-norm) fit to y; NaN of ablations
                        that do not approach it */
} rl_errors;

/* The design of the population, for population_mse: independent normal features of mean 0, standard unless the spectrum
 * has population_z. */
typedef struct rl_population {
    bool known;
    double residual_variance; /* of y given the student's features */
} rl_population;

/* Buffers to evaluate up to max_variants variants on spectra of up to max_modes modes and max_m rows held here (test
 * rows, or population rows if those are more). */
typedef struct rl_evaluator rl_evaluator;
rl_status rl_evaluator_create(rl_evaluator **evaluator, int max_variants, int max_modes, int max_m);
void rl_evaluator_destroy(rl_evaluator *evaluator);
size_t rl_evaluator_bytes(int max_variants, int max_modes, int max_m); /* allocated by create, exactly */

/* Fits every variant and fills errors[n_variants], the same for all holders of the spectrum's rows, with whom it is
 * collective where there are others: one matrix product Z B for all variants. When the spectrum's status is not
 * RL_CELL_DONE every error is NaN; so are those of variants that need rows: rl_evaluate_rows has them. An error that is
 * not finite (overflow) stays so. */
rl_status rl_evaluate(rl_evaluator *evaluator, const rl_spectrum *s, const rl_population *population, int n_variants,
                      const rl_variant *variants, rl_errors *errors);

/* Local. Fills errors[n_variants] from a point that is done: what rl_evaluate gives, but for rounding. Every point has
 * the errors of least squares, one with fits those of all truncations, and one whose spectrum has test rows those of
 * all other filters, for which alone `evaluator` is needed (else it may be NULL). What a point does not have is NaN. */
rl_status rl_point_errors(rl_evaluator *evaluator, const rl_point *point, const rl_population *population,
                          int n_variants, const rl_variant *variants, rl_errors *errors);

/* The fit of variant v in the last rl_evaluate, its residual excepted. Borrowed until the next. */
const rl_fit *rl_evaluated_fit(const rl_evaluator *evaluator, int v);

/* Local. Runs the variants that need the training rows and fills their errors, and their betas [n_features, n_variants]
 * column-major; the other variants' stay as they are. A variant that asks for more steps than the one before it, and
 * has its options, goes on from there. When the spectrum's status is not RL_CELL_DONE nothing is run. left
 * [max(n_train, n_features + 2)] is room. */
void rl_evaluate_rows(const rl_rows_problem *problem, const rl_population *population, int n_variants,
                      const rl_variant *variants, double *betas, double *left, rl_errors *errors);

/* How many steps rl_evaluate_rows makes of these variants. */
double rl_steps_on_rows(int n_variants, const rl_variant *variants);

/* Collective as rl_evaluate; Z must be formed. The paper's three factors, mode by mode, each array [n_modes]: Eq. 1 for
 * the test rows together is sum_r (1 / sigma)(test_projection)(residual_projection). test_projection_rms: root mean
 * square over the test rows of x . v_r; residual_projection: u_r . E. */
rl_status rl_mode_factors(const rl_spectrum *s, double *test_projection_rms, double *residual_projection);

#endif

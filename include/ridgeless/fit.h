/* fit: ablations as filters on a projected spectrum, and the errors of their fits.
 *
 * A new ablation is one file in src/fit/ that fills an rl_ablation, and one row of the table in src/fit/ablation.c. */
#ifndef RIDGELESS_FIT_H
#define RIDGELESS_FIT_H

#include "ridgeless/core.h"
#include "ridgeless/random.h"
#include "ridgeless/spectrum.h"

typedef struct rl_variant rl_variant;
typedef struct rl_evaluator rl_evaluator;

/* The fit of a variant to a spectrum, in coordinates of its modes. The prediction for a test row with coordinates z (a
 * row of X_test V) is z . beta + shift. An ablation gets it filled with zeros and RL_TARGET_Y. */
typedef struct rl_fit {
    double *beta;     /* [n_modes]: coordinates V^T beta_hat */
    double *residual; /* [n_modes]: residual of the training target along each mode, c - sigma beta */
    double shift;     /* added to every test prediction */
    rl_target target; /* the target that training and test errors are measured against */
} rl_fit;

/* Least squares on leading modes: beta = c / sigma on those that are kept. Modes from s->rank on are never kept,
 * whatever these numbers are. */
typedef struct rl_truncation {
    int n_predicted;  /* leading modes that predictions use */
    int n_fitted;     /* leading modes that training fits, at least as many; on the others the residual is the target */
    rl_target target; /* RL_TARGET_Y or RL_TARGET_IDEAL: what is fitted, and what errors are measured against */
} rl_truncation;

typedef enum rl_parameter_kind {
    RL_PARAMETER_NONE,
    RL_PARAMETER_REAL,     /* any finite number */
    RL_PARAMETER_POSITIVE, /* >= 0 */
    RL_PARAMETER_COUNT     /* integer >= 1 */
} rl_parameter_kind;

/* All that the exact expectation of the test error depends on, for independent standard normal features. */
typedef struct rl_expectation {
    int n_train, n_features;
    double signal;            /* |beta*|^2 */
    double residual_variance; /* of y given the student's features */
    bool intercept;           /* one of the features is 1 in every row instead, and beta* is 0 there */
} rl_expectation;

/* What an ablation needs of a training set. One that needs no more than a least-squares fit needs no modes: the fits of
 * a whole curve take less time together (nested.h). */
typedef enum rl_need {
    RL_NEED_MODES,
    RL_NEED_FIT_TO_Y,
    RL_NEED_FIT_TO_IDEAL,
    RL_NEED_ROWS,      /* the training rows themselves: it runs an algorithm on them */
    RL_NEED_TEST_ROWS, /* the projections of all test rows in one place */
    RL_NEED_LEFT       /* left singular vectors: rl_spectrum_left */
} rl_need;

/* What an ablation is to the divergence at the threshold: how `show` and the report group them. X(name, word, text);
 * the word is in results files (`role`) and never changes, the text is for people. */
#define RL_ROLE_LIST(X)                                                                \
    X(RL_ROLE_FIT, "fit", "the fit itself")                                            \
    X(RL_ROLE_FACTOR, "factor", "the three factors of the spike, one taken away each") \
    X(RL_ROLE_CURE, "cure", "cures: what is done against the spike")                   \
    X(RL_ROLE_ATTACK, "attack", "attacks: a step along the smallest mode")             \
    X(RL_ROLE_SOLVER, "solver", "solvers: the same fit by other algorithms, in other arithmetic")

typedef enum rl_role {
#define RL_ROLE_ENUM(name, word, text) name,
    RL_ROLE_LIST(RL_ROLE_ENUM)
#undef RL_ROLE_ENUM
} rl_role;
enum { RL_N_ROLES = RL_ROLE_SOLVER + 1 };
extern const char *const rl_role_words[RL_N_ROLES], *const rl_role_texts[RL_N_ROLES];

/* What an algorithm that runs on the training rows is given, with the spectrum of the same rows. */
typedef struct rl_rows_problem {
    const rl_training_set *train;
    const rl_spectrum *spectrum;
    const rl_test_factor *test;
    const double *start; /* [n_features]: independent standard normal numbers of the repeat */
    rl_key key;          /* of the dataset's random numbers, */
    uint32_t repeat;     /* and of the repeat */
    double *room;        /* [rl_room_on_rows] of as many rows, or more: for those that solve */
} rl_rows_problem;

typedef struct rl_ablation {
    const char *name;    /* in study files, labels and the coordinate `ablation` */
    const char *summary; /* one line */
    rl_role role;
    rl_parameter_kind parameter;
    const char *parameter_meaning; /* with its unit; NULL without a parameter */
    const char *parameter_key;     /* of its values in braces; NULL: `values` */
    const char *example;           /* an entry of the list `ablations` of a study file, without its dash */
    const rl_option_spec *options;
    int n_options;
    rl_need need;
    bool approaches_least_squares; /* at one end of its parameter: rl_errors.distance says how near it is */
    bool leaves_modes_out;         /* that the unablated fit uses: rl_errors.modes_kept says how many are left */
    /* Exactly one of the next four is there. `truncate` is for least squares on leading modes, and may read the sizes,
     * rank and sigma of the spectrum alone. */
    rl_truncation (*truncate)(const rl_spectrum *s, const rl_variant *variant);
    /* `fit` is for any other filter of the modes. Those from s->rank on are zero: beta 0, residual c. */
    void (*fit)(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit);
    bool is_linear; /* with `fit`: beta and residual are linear in c, without a shift */
    /* Beside `fit`, of an ablation that has no parameter in a study file: chooses one for this spectrum. */
    double (*choose)(rl_evaluator *evaluator, const rl_spectrum *s, const rl_variant *variant);
    /* `run` goes with RL_NEED_ROWS: makes beta [n_features] after `parameter` steps. When done > 0, beta holds that
     * after `done` steps with the same options. residual [n_train] is a buffer. */
    void (*run)(const rl_rows_problem *problem, const rl_variant *variant, double done, double *beta, double *residual);
    /* `solve` goes with RL_NEED_ROWS, too: makes beta [n_features] by an algorithm that ends by itself, in so many
     * numbers of room, which do not fall with n_train. false: it broke down, and there is none. */
    bool (*solve)(const rl_rows_problem *problem, const rl_variant *variant, double *beta);
    size_t (*solve_room)(const rl_variant *variant, int n_train, int n_features);
    double (*solve_flops)(const rl_variant *variant, double n_train, double n_features);
    /* The exact expectation of the test error over training sets and test rows, at any finite size: INFINITY where it
     * diverges, NaN where no formula is known. NULL: no formula is known for any variant. */
    double (*expected_mse)(const rl_expectation *e, const rl_variant *variant);
    /* The penalty lambda >= 0 of the ridge regression that the variant is, to y* with RL_NEED_FIT_TO_IDEAL and else to
     * y, where the square of the largest singular value is about `largest` (NaN: not known); NaN: it is none of a
     * lambda that is known beforehand. NULL: it never is. */
    double (*penalty)(const rl_variant *variant, double largest);
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
    double population_mse; /* expectation over the population; NaN where its design is not known */
    double distance;   /* |beta - beta_0| / |beta_0|, beta_0 the least-squares (minimum-norm) fit to y; NaN of ablations
                          that do not approach it */
    double modes_kept; /* modes that predictions use, whose beta is not 0; NaN of ablations that leave none out */
} rl_errors;

/* The design of the population, for population_mse: features that are uncorrelated, of root mean square 1 unless the
 * spectrum has population_z. They are independent normal numbers of mean 0, and 1 of an intercept. */
typedef struct rl_population {
    bool known;
    double residual_variance; /* of y given the student's features */
} rl_population;

/* Buffers to evaluate up to max_variants variants on spectra of up to max_modes modes and max_m rows held here (test
 * rows, or population rows if those are more). */
rl_status rl_evaluator_create(rl_evaluator **evaluator, int max_variants, int max_modes, int max_m);
void rl_evaluator_destroy(rl_evaluator *evaluator);
size_t rl_evaluator_bytes(int max_variants, int max_modes, int max_m); /* allocated by create, exactly */

/* Fits every variant and fills errors[n_variants], the same for all holders of the spectrum's rows, with whom it is
 * collective where there are others. The numbers of a variant are the same bits whatever others there are. When the
 * spectrum's status is not RL_CELL_DONE every error is NaN; so are those of variants that need rows: rl_evaluate_rows
 * has them. An error that is not finite (overflow) stays so. */
rl_status rl_evaluate(rl_evaluator *evaluator, const rl_spectrum *s, const rl_population *population, int n_variants,
                      const rl_variant *variants, rl_errors *errors);

/* ---- measures ---------------------------------------------------------------------------------------------------- */

/* What a study may ask of every variant beside its errors: X(name, word). First what the training rows alone can know
 * of the test error, then what single test rows say, which is not this room's. The order is that of records: only
 * append. A set of them is or-ed from 1u << name. */
#define RL_MEASURE_LIST(X)             \
    X(RL_MEASURE_GCV, "gcv")           \
    X(RL_MEASURE_LOO, "loo")           \
    X(RL_MEASURE_ZERO_ONE, "zero_one") \
    X(RL_MEASURE_WORST_SHARE, "worst_share")

typedef enum rl_measure_kind {
#define RL_MEASURE_ENUM(name, word) name,
    RL_MEASURE_LIST(RL_MEASURE_ENUM)
#undef RL_MEASURE_ENUM
} rl_measure_kind;
enum { RL_N_MEASURES = RL_MEASURE_WORST_SHARE + 1 };
extern const char *const rl_measure_words[RL_N_MEASURES];

/* NaN where a variant has none: its predictions are not linear in the training targets, or it runs on the rows. */
typedef struct rl_measured {
    double value[RL_N_MEASURES];
} rl_measured;

/* Whether some of the measures need left singular vectors; or the test rows themselves, and what fits say of each. */
bool rl_measures_need_left(unsigned measures);
bool rl_measures_need_test_rows(unsigned measures);

/* Local. Of every variant, those of the first two that are asked for (others are NaN), for the spectrum that was
 * evaluated last; s NULL, or not done: all NaN.
 *
 * A linear filter leaves the share g_r = 1 - sigma_r f(sigma_r) of the target along mode r, and all of what is outside
 * the modes. Generalized cross-validation (Golub, Heath and Wahba 1979, Technometrics 21, 215) is
 *     N |what is left of y|^2 / (sum of all shares)^2,
 * and leave-one-out the mean square of (y - X beta)_i / (1 - h_ii), h_ii = sum over r of (1 - g_r) u_ir^2 (Allen 1974,
 * Technometrics 16, 125). Where nothing is left, as in an interpolation, both are the limit of ridge for lambda to 0,
 * in which g_r is as 1 / sigma_r^2 (Hastie, Montanari, Rosset and Tibshirani 2022, Annals of Statistics 50, 949,
 * section 7). For least squares and ridge the second is the same as N refits; for others it is the shortcut. */
void rl_measure(rl_evaluator *evaluator, const rl_spectrum *s, unsigned measures, int n_variants,
                const rl_variant *variants, rl_measured *measured);

/* Local. Fills errors[n_variants] from a point that is done: what rl_evaluate gives, but for rounding. Every point has
 * the errors of least squares, one with fits those of all truncations, and one whose spectrum has test rows those of
 * all other filters, for which alone `evaluator` is needed (else it may be NULL). What a point does not have is NaN. */
rl_status rl_point_errors(rl_evaluator *evaluator, const rl_point *point, const rl_population *population,
                          int n_variants, const rl_variant *variants, rl_errors *errors);

/* The fit of variant v in the last rl_evaluate, its residual excepted. Borrowed until the next. */
const rl_fit *rl_evaluated_fit(const rl_evaluator *evaluator, int v);

/* Local. Runs the variants that need the training rows, and fills their errors and their columns of betas [n_features,
 * n_variants], column-major; those of other variants stay as they are. Of one that broke down all is NaN. A variant
 * with the options of the one before it, and at least as many steps, goes on from there. Runs nothing when the status
 * of the spectrum is not RL_CELL_DONE. residual [max(n_train, n_features + 2)] is a buffer. */
void rl_evaluate_rows(const rl_rows_problem *problem, const rl_population *population, int n_variants,
                      const rl_variant *variants, double *betas, double *residual, rl_errors *errors);

/* How many steps rl_evaluate_rows makes for these variants; the numbers of room that it needs, and the flops beside
 * steps, for those that solve. */
double rl_steps_on_rows(int n_variants, const rl_variant *variants);
size_t rl_room_on_rows(int n_variants, const rl_variant *variants, int n_train, int n_features);
double rl_solver_flops(int n_variants, const rl_variant *variants, double n_train, double n_features);

/* Collective as rl_evaluate; Z must be formed. The paper's three factors, mode by mode, each array [n_modes]: Eq. 1 for
 * the test rows together is sum_r (1 / sigma)(test_projection)(residual_projection). test_projection_rms: root mean
 * square over the test rows of x . v_r; residual_projection: u_r . E. */
rl_status rl_mode_factors(const rl_spectrum *s, double *test_projection_rms, double *residual_projection);

#endif

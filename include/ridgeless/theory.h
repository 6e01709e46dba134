/* theory: what ridge regression, and least squares as its limit, costs on N training rows, worked out from the second
 * moments of the rows that may train and of those that test. Part of `fit`. All local. */
#ifndef RIDGELESS_THEORY_H
#define RIDGELESS_THEORY_H

#include "ridgeless/fit.h"

/* The rows that training sets are drawn from, and test rows, as the spectrum of all the former with the latter. */
typedef struct rl_moments {
    const rl_spectrum *spectrum; /* borrowed; done */
    double n_train_rows;         /* that its training part stands for */
    double n_test_rows;          /* that its test part stands for */
    double kept;                 /* of the second moments of the training rows, the part that is there: 1, or see
                                    rl_normal_share_kept */
    rl_target target;            /* RL_TARGET_Y or RL_TARGET_IDEAL */
    /* What the median needs more; else NULL: Z^T Z of the spectrum's test rows, in units of its sigma_1^2 [n_modes,
     * n_modes] */
    const double *cross;
    double *room;    /* [spectrum->m], of the caller */
    double *weights; /* [n_modes], of the caller */
} rl_moments;

/* The deterministic equivalent of the mean test error on n_train rows, with the penalty lambda |beta|^2 on the sum of
 * squares; 0: least squares, the minimum-norm one where there are fewer rows than the rank. With the second moments S =
 * V diag(s) V^T of the training rows, those of the test rows Sigma, b the best linear model of the training rows and
 * beta* that of the test rows, and s^2 the mean square of its residuals, kappa solves
 *
 *   sum_j s_j / (s_j + kappa) + lambda / kappa = N        (kappa = 0 without a penalty where N is at least the rank)
 *
 * and with df2 = sum_j s_j^2 / (s_j + kappa)^2, the fit's mean is m = S (S + kappa)^-1 b, and the error
 *
 *   test residuals of m + (kappa^2 b^T S (S + kappa)^-2 b + s^2) tr(Sigma S (S + kappa)^-2) / (N - df2)
 *
 * (Hastie, Montanari, Rosset and Tibshirani 2022, arXiv:1903.08560; Cheng and Montanari 2024, arXiv:2210.08571; for
 * test rows of another law Canatar, Bordelon and Pehlevan 2021, arXiv:2106.02261.) It is a limit of many rows and
 * features, and there it ends with a penalty. Without one it is made exact for few rows of independent normal features
 * of one scale, or of several that are far apart: then N / (N - df2), by which noise is amplified, is a product of two
 * such terms, of the scales that are learned and of the one that is learned in part, and N / (N - P) becomes (N - 1) /
 * (N - P - 1) in each (Belkin, Hsu and Xu 2020, arXiv:1903.07571). From N = rank + 2 on the mean over normal rows of
 * any covariance is exact then. INFINITY within one of the rank, where those have no mean, unless s is 0. */
double rl_equivalent_mean(const rl_moments *moments, int n_train, double lambda);

/* The same for a typical training set, the median, which exists at the threshold too. The noise that a fit amplifies
 * follows Hotelling's law (Anderson 2003, section 5.2): with n the smaller of N and the rank, and d = n (N - df2) /
 * df2, it is n F(k, d + 1) / (d + 1), of which the median is taken here. k is the number of directions that the error
 * is spread over, at most n. For N at least the rank, normal rows and residuals, and test rows of the same law it is
 * exact, and otherwise a heuristic. Needs moments->cross. */
double rl_equivalent_median(const rl_moments *moments, int n_train, double lambda);

/* What a kernel makes of a law of inputs: its eigenvalues, and what the target has along their eigenfunctions. */
typedef struct rl_kernel_spectrum {
    int n;
    double *value;  /* [n]: eigenvalues, no order */
    double *times;  /* [n]: how many eigenfunctions each has */
    double *target; /* [n]: sum of the squares of the target's coefficients over them */
    double tail;    /* sum of all further eigenvalues, which are small and have nothing of the target */
    double noise;   /* mean square of the targets' noise */
} rl_kernel_spectrum;

/* The mean test error on n_train rows of n_features random features, whose mean product is this kernel, with the
 * penalty lambda |beta|^2; 0: least squares. With S(g) = sum_i l_i / (l_i + g), q the sum of its squares, z = S(g), and
 * d = lambda / n_features, S(g) + d / kappa = n_train and S(g) + n_features kappa / g = n_features (Simon, Karkada,
 * Ghosh and Belkin 2023, "More is better in modern machine learning", arXiv:2311.14646, which has the error;
 * Defilippis, Loureiro and Misiakiewicz 2024, arXiv:2405.15699). A limit of many rows and features at any number of
 * inputs. Without a penalty m / (m - n), with the larger and the smaller of both numbers, becomes (m - 1) / (m - n -
 * 1), as for normal features (see rl_equivalent_mean). INFINITY where m <= n + 1. */
double rl_random_features_mean(const rl_kernel_spectrum *kernel, int n_train, int n_features, double lambda);

/* About the square of the largest singular value of such training features, where the largest eigenvalue stands far
 * out: that of one number everywhere with independent noise. */
double rl_random_features_largest(const rl_kernel_spectrum *kernel, int n_train, int n_features);

/* The median of Fisher's F with a > 0 and b > 0 degrees of freedom. */
double rl_f_median(double a, double b);

/* Of the second moments of p-dimensional normal rows, the part that is left without the share 1 - `kept` of rows that
 * are furthest out: P(chi^2_{p+2} <= q) / kept, where q is the quantile `kept` of chi^2_p (Croux and Haesbroeck 1999,
 * "Influence function and efficiency of the minimum covariance determinant scatter matrix estimator"). */
double rl_normal_share_kept(int p, double kept);

#endif

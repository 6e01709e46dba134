"""What the report says of each figure: what is drawn, what to see in it, and a text for those who do not see it."""

from __future__ import annotations

from dataclasses import dataclass

import style


@dataclass(frozen=True)
class Caption:
    """`alt` describes the picture; `see` says what to look for."""

    title: str
    see: str
    alt: str


CAPTIONS = {
    "error": Caption(
        "Test and train error through the interpolation threshold",
        "From right to left the training set grows. The train error is zero to rounding while there are no more training rows "
        "than features, and rises after. The test error peaks where the two numbers are equal, and falls on either side: that "
        "is the divergence. Lines are medians over the repeats; the bands hold the middle half and the middle nine tenths of "
        "them. At the threshold the bands are widest: single repeats differ there by orders of magnitude.",
        "Median test and train error against features per training row on log axes; the test error peaks at the dashed line at "
        "P/N = 1.",
    ),
    "cutoff": Caption(
        style.ABLATIONS["cutoff"].title,
        "The first factor. The thick grey line is the unablated fit; each coloured one leaves out the modes whose singular "
        "values are below its cutoff. The larger the cutoff, the lower the peak; too large a cutoff also removes modes that "
        "the fit needs, and the error rises elsewhere. The axis is the same in Figures 1 to 4 of a data set.",
        "Test error against P/N, one line a cutoff, coloured by it: larger cutoffs have lower peaks.",
    ),
    "leading_modes": Caption(
        style.ABLATIONS["leading_modes"].title,
        "The second factor. The fit is as it was; the test rows are projected on the first k modes of the training rows, so "
        "that they have nothing along the smallest ones. With few modes the peak is gone, with all of them it is back.",
        "Test error against P/N, one line a number of leading modes: fewer modes have no peak.",
    ),
    "no_residuals": Caption(
        style.ABLATIONS["no_residuals"].title,
        "The third factor. Targets are replaced by what the best linear model of all rows says of them, so that nothing is left "
        "that a linear model cannot explain. Small singular values are still there, but there is nothing for them to amplify: "
        "from the threshold on the error is zero to rounding, before it what is left is bias.",
        "Test error against P/N without residual errors: it falls to zero at the threshold, with no peak.",
    ),
    "sigma_min": Caption(
        "Smallest non-zero singular value of the training features",
        "It is smallest where there are as many rows as features. Up to N = P each further row adds a mode that is smaller than "
        "those before it; from there on no mode is added, and each row can only lengthen the smallest.",
        "Smallest non-zero singular value against P/N on log axes: it dips at P/N = 1.",
    ),
    "geometry": Caption(
        "Why it is smallest at N = P: three dimensions",
        "The distribution (blue axes, as long as its standard deviations) is long in one direction. The first rows spread along it; "
        "with as many rows as dimensions the last direction is covered by one row alone, and hardly: the points lie near a plane, "
        "and the standard deviation that they show across it is far too small. More rows fill it in until both sets of axes agree.",
        "Points in three dimensions for growing numbers of rows, with the true and the found directions.",
    ),
    "factors": Caption(
        "The three factors, mode by mode",
        "The error of a prediction is the sum over the modes of the product of three factors. At the threshold (circles) the "
        "reciprocal of the singular value rises steeply towards the last mode, the two projections do not fall as steeply, and so "
        "the product is largest at the last mode: that mode makes the spike. With few or many rows no mode stands out so.",
        "Four columns against the mode number: one over the singular value, test projection, residual projection, and their product.",
    ),
    "shares": Caption(
        "Which mode makes the spike",
        "Colour is a mode's share of the sum of the squared products of the three factors, in the median repeat; grey: there is no such "
        "mode. Along the diagonal, N up to P, the last mode that there is has the largest part. The threshold is where that mode is "
        "the smallest of all.",
        "A map of training rows against modes; the brightest cells are the last mode's near N = P.",
    ),
    "adversarial_test": Caption(
        style.ABLATIONS["adversarial_test"].title,
        "What small singular values make possible: test rows moved along the smallest mode's direction v, by steps of the size that the "
        "colour says. The error grows with the step, and most where 1/σ of that mode is largest, at the threshold.",
        "Test error against P/N, one line a step size: larger steps have larger errors near the threshold.",
    ),
    "adversarial_train": Caption(
        style.ABLATIONS["adversarial_train"].title,
        "Training targets moved along the smallest mode's direction u: the fit amplifies the step by 1/σ of that mode. A step that "
        "hardly changes the targets changes the errors by orders of magnitude at the threshold.",
        "Test error against P/N, one line a step size: larger steps have larger errors near the threshold.",
    ),
    "ridge": Caption(
        "Ridge regression",
        "The usual cure: small singular values are damped rather than cut off. The peak shrinks as the penalty grows; too large a penalty "
        "costs error everywhere.",
        "Test error against P/N, one line a ridge penalty: larger penalties have lower peaks.",
    ),
    "gradient_descent": Caption(
        "Gradient descent from zero, stopped early",
        "Few steps leave small singular values unfitted and act as a cutoff does. With more steps the error approaches that of the "
        "minimum-norm solution, and the peak grows.",
        "Test error against P/N, one line a number of steps: more steps have higher peaks.",
    ),
    "descent": Caption(
        "Gradient descent from zero ends in the minimum-norm solution",
        "Distance of the solution after t steps from the least-squares solution, for N < P the one of minimum norm. Each mode comes nearer "
        "by the factor 1 − ησ² a step, so that the last one takes about (σ_max/σ_min)² steps (dotted): longest at the threshold. In the end "
        "both agree to rounding.",
        "Distance against the number of steps on log axes, falling to rounding; slowest at N = P.",
    ),
    "error_against_features": Caption(
        "Test and train error against the number of features",
        "Here the number of training rows stays and the number of features grows. The test error peaks where the two are equal; beyond, "
        "more features than rows are no harm: of all fits that go through the rows the shortest is taken, and the error comes down again. A dashed "
        "green line is theory: exact where it says so, else a limit that finite sizes come near to.",
        "Median test and train error against the number of features on log axes; the test error peaks at the dashed line at P = N.",
    ),
    "ablations_against_features": Caption(
        "Ablations against the number of features",
        "The thick grey line is the unablated fit. Without small singular values, or with a penalty, the peak is gone; without residual errors there is "
        "no error at all up to the threshold, and from there on bias alone.",
        "Test error against the number of features, one line an ablation, with the unablated peak behind.",
    ),
    "fitted_curves": Caption(
        "Fitted curves under, at and over the threshold",
        "The same target fitted with few features, with as many as rows, and with more. At the threshold there is one curve through the rows, whatever it "
        "does between them; beyond there are many, and the shortest is a tame one. Each panel has rows of its own.",
        "Target, training rows and fitted curve in panels of growing numbers of features; the curve at P = N leaves its panel between the rows.",
    ),
    "surface": Caption(
        "Test error over rows and features",
        "Each cell is one number of rows and one of features. The errors are largest along the diagonal N = P, whatever the two are; colours end below "
        "what is largest there. Theory, where it is known, stands beside what was measured.",
        "Heat map of the median test error over N and P with a ridge along the diagonal N = P.",
    ),
    "descent_run": Caption(
        "Gradient descent, step by step",
        "Dots: gradient descent run on the training rows themselves; lines: the same in closed form. What is missing along a mode falls by 1 − ησ² a "
        "step, so that the train error ends by falling at the pace of the smallest one (dashed), slowest at the threshold; and there the test error rises "
        "for as long.",
        "Test error, and train error above its end, against steps on log axes: dots lie on the lines.",
    ),
    "theory_error": Caption(
        "The expected error, exactly",
        "For independent standard normal features the expectation of the error is known at every N and P. Lines are that formula, dots the "
        "means over the repeats. The variance diverges at the threshold from both sides; the bias falls to zero there and does not. Within one of the "
        "threshold no mean exists, and nothing is drawn; hollow dots have a mean but no standard error.",
        "Exact expected error, bias and variance as lines against P/N, with measured means as dots on them.",
    ),
    "theory_sigma_min": Caption(
        "The smallest singular value, measured and known",
        "Of independent standard normal features. Dashed: where the spectrum begins in the limit of large N and P (Marchenko and Pastur). Black: the "
        "law at the threshold and next to it (Edelman), exact at N = P ± 1 and a limit that is close from P = 10 on at N = P.",
        "Measured quantiles of the smallest singular value against P/N with the known law at three N and the limiting edge.",
    ),
    "tails": Caption(
        "How often errors are large",
        "The share of repeats whose error is larger than a value. A straight line on these axes is a power law: so slow a fall that no mean exists "
        "when it is −1 or slower. For normal features the slope is −1/2 at N = P and −1 next to it, whatever P: dashed, from where the tail begins. Slopes in a panel are fitted to "
        "the tail, with two standard errors. A dotted line is where a table of finitely many rows leaves the law for good.",
        "Share of repeats with larger errors against the error on log axes, for N = P − 1, P and P + 1.",
    ),
    "autoencoder": Caption(
        "A shallow autoencoder, from memorized examples to learned features",
        "With few training examples T the network stores the examples: their fractional dimensions are large, those of the features small. With many "
        "it stores features. The test loss peaks in between, where it does neither well. In the plane (m = 2): columns of W, and hidden vectors of "
        "the examples, at T under, at and over the peak.",
        "Test and train loss and fractional dimensions against the number of training examples, and scatter plots of features and hidden vectors.",
    ),
    "cost": Caption(
        "What the run took",
        "How long each rank worked (imbalance: the busiest over the mean), and how fast each task went: predicted floating-point operations over "
        "its seconds. Small tasks are slower a flop than large ones.",
        "Busy seconds of each rank, and GFlop/s of each data set's tasks.",
    ),
    "producers": Caption(
        "One large spectrum by each producer",
        "Seconds of the median round, in parts a phase; dots are the rounds. GFlop/s counts the operations of the reference, so "
        "that a faster algorithm has a higher rate.",
        "A bar a producer of its seconds by phase.",
    ),
    "scaling": Caption(
        "How time falls with the number of ranks",
        "The same work on more ranks (strong scaling), and work that grows with them (weak scaling): seconds, parallel efficiency, GFlop/s and memory "
        "a rank.",
        "Seconds, efficiency, rate and memory against the number of ranks.",
    ),
}


def caption(name: str, title: str = "") -> Caption:
    """That of the table; of an ablation that has none yet, what is true of all."""
    words = title or style.words(name).title
    other = Caption(words, "The thick grey line is the unablated fit.", f"Test error against P/N: {words}.")
    return CAPTIONS.get(name, other)

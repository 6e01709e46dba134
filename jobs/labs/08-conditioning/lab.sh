#!/usr/bin/env bash
# Lab 8: how far solvers are from the fit of the program, beside the condition of the training rows.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin 1 "$@"

# solver NAME VARIANT EPS: a row per N, of medians over the repeats.
solver() {
  values solvers.nc -v distance_median,sigma_max_median,sigma_min_median --variant "$2" | tail -n +2 |
    while IFS=, read -r _ _ _ _ n distance largest smallest; do
      condition=$(calculate "$largest / $smallest")
      row "$1" "$n" "$condition" "$distance" "$(calculate "$3 * $condition")" "$(calculate "$3 * $condition ^ 2")" \
        "$(calculate "$distance / ($3 * $condition)")"
    done
}

ridgeless run solvers.yaml -f -q >run.txt
columns solver n_train condition distance eps_condition eps_condition_squared in_eps_condition
solver 'normal equations double' normal_equations 2.2e-16
solver 'normal equations float' 'normal_equations precision=float' 1.2e-7
solver 'SVD float' svd 1.2e-7
figure -x condition -y in_eps_condition --by solver --dashed condition --log xy \
  --title 'Distance from an SVD in double precision (dashed: eps x condition squared)' --y-label 'distance / (eps x condition)'
end

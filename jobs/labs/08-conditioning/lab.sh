#!/usr/bin/env bash
# Lab 8: how far solvers are from the fit of the program, beside the condition of the training rows.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin 1 "$@"

# solver VARIANT EPS: a row per N, of medians over the repeats.
solver() {
  values solvers.nc -v distance_median,sigma_max_median,sigma_min_median --variant "$1" | tail -n +2 |
    while IFS=, read -r _ _ variant _ n distance largest smallest; do
      condition=$(calculate "$largest / $smallest")
      row "$variant" "$n" "$condition" "$distance" "$(calculate "$2 * $condition")" "$(calculate "$2 * $condition ^ 2")" \
        "$(calculate "$distance / ($2 * $condition)")"
    done
}

ridgeless run solvers.yaml -f -q >run.txt
columns solver n_train condition distance eps_condition eps_condition_squared in_eps_condition
solver normal_equations 2.2e-16
solver 'normal_equations precision=float' 1.2e-7
solver svd 1.2e-7
figure -x condition -y in_eps_condition --by solver --dashed condition --log xy \
  --title 'Distance between solvers in eps x condition' --y-label 'distance / (eps x condition)'
end

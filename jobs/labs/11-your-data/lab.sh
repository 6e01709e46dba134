#!/usr/bin/env bash
# Lab 11: from a table to a study; raw columns, columns on one scale, and with an intercept.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin 1 "$@"
[ bikes.csv -ef "$lab_folder/bikes.csv" ] || cp -- "$lab_folder/bikes.csv" .
rm -f bikes.yaml
ridgeless init bikes --csv bikes.csv --target rentals >init.txt 2>&1
sed "s/z-score/none/" bikes.yaml >raw.yaml
sed "s/# intercept:/intercept:/" bikes.yaml >intercept.yaml
columns study n_train median mean
for study in raw bikes intercept; do
  case $study in
    raw) name='raw columns' ;;
    bikes) name='z-score' ;;
    *) name='z-score and intercept' ;;
  esac
  ridgeless run "$study.yaml" -f -q >run.txt
  values "$study.nc" -v test_mse_median,test_mse_mean | tail -n +2 | while IFS=, read -r _ _ _ _ n median mean; do
    row "$name" "$n" "$median" "$mean" >/dev/null
  done
done
figure -x n_train -y median --by study --log y --title 'Rentals of bicycles, from N days' --x-label 'N, training rows' \
  --y-label 'median test error'
end

#!/usr/bin/env bash
# Lab 9: means and medians of more and more repeats, for three seeds.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin 1 "$@"
columns seed repeats mean median ratio
for seed in 1 2 3; do
  for repeats in 10 100 1000 $(of '' '10000 100000'); do
    sed -E "s/^seed: .*/seed: $seed/; s/^repeats: .*/repeats: $repeats/" tails.yaml >run.yaml
    ridgeless run run.yaml -f -q >run.txt
    values run.nc -v test_mse_mean,test_mse_median --n-train 20 >run.csv
    IFS=, read -r mean median < <(tail -n 1 run.csv | cut -d, -f 6,7)
    row "$seed" "$repeats" "$mean" "$median" "$(calculate "$mean / $median")"
  done
done
figure -x repeats -y mean,median --by seed --log xy --title 'Test error at N = P: the mean never settles' \
  --y-label 'mean squared error'
end

#!/usr/bin/env bash
# Lab 10: what `plan` predicts, by the shipped rates and by measured ones, beside what runs take.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2" "$@"
columns ranks rates predicted measured score
[ -s my.rates ] || ridgeless bench calibrate --force -o my.rates -q >run.txt
for ranks in $ranks_list; do
  on "$ranks" ridgeless run guess.yaml -o "ranks-$ranks.nc" -f -q >run.txt
  for rates in shipped my.rates; do
    by=()
    [ "$rates" = shipped ] || by=(--rates "$rates")
    HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent ridgeless plan guess.yaml -o "ranks-$ranks.nc" "${by[@]}" \
      --compare "ranks-$ranks.nc" --json >plan.json
    read -r predicted measured < <(/usr/bin/python3 -c 'import json
clock = [one for one in json.load(open("plan.json"))["compared"] if one["name"].startswith("computing")][0]
print(clock["predicted"], clock["measured"])')
    row "$ranks" "$rates" "$(calculate "$predicted")" "$(calculate "$measured")" \
      "$(calculate "sqrt((log($measured / $predicted) / log(2)) ^ 2)")"
  done
done
figure -x ranks -y predicted --by rates --dashed measured --title 'Predicted by shipped rates and by my own, and measured' \
  --y-label 'seconds of computing'
end

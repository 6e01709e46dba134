#!/usr/bin/env bash
# Lab 2: work that grows with the ranks. The farm sleeps instead of computing, so that cores do not matter.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2 4 8 16" "$@"

# grown REPEATS: the farm with so many.
grown() {
  sed "s/^repeats: .*/repeats: $1/" farm.yaml >grown.yaml
}

# measured WHAT RANKS SECONDS: a row; efficiency is that against the first row of the same kind.
measured() {
  [ -n "${first[$1]:-}" ] || first[$1]=$3
  row "$1" "$2" "$3" "$(calculate "${first[$1]} / $3")" 1
}

declare -A first
columns what ranks seconds efficiency ideal
for ranks in $ranks_list; do
  grown "$((20 * ranks))"
  on "$ranks" ridgeless run grown.yaml --work sleep -q --json >run.json
  measured 'shared work' "$ranks" "$(number run.json compute_seconds)"
  measured 'whole run' "$ranks" "$(number run.json seconds total)"
  grown "$((20 * ranks + (ranks > 1)))"
  on "$ranks" ridgeless run grown.yaml --work sleep -q --json >run.json
  measured 'one piece more' "$ranks" "$(number run.json compute_seconds)"
done
figure -x ranks -y efficiency --by what --dashed ideal --log x --title 'Weak scaling' --y-label 'efficiency'
end

#!/usr/bin/env bash
# What the labs' own scripts share: options, studies, numbers, the table, the figure. A lab.sh sources it, and is a list of runs.
#   lab.sh [-n "1 2 4"] [-q] [-o FOLDER]
#     -n RANKS    numbers of ranks (default: the lab's)
#     -q          quick: smaller studies, one round where there are three
#     -o FOLDER   where table.csv, figure.png and all else go (default: this folder)
set -euo pipefail
lab_folder=$(cd -- "$(dirname -- "$0")" && pwd)
lab_name=$(basename "$lab_folder")

fail() {
  echo "$lab_name: $*" >&2
  exit 2
}

# shellcheck disable=SC2034
# begin "RANKS" "$@": the options, with the lab's numbers of ranks; goes to the folder. Sets ranks_list and rounds.
begin() {
  ranks_list=$1 rounds=3
  shift
  local option folder=.
  while getopts 'n:qo:h' option; do
    case $option in
      n) ranks_list=$OPTARG ;;
      q) export RIDGELESS_LABS_QUICK=1 ;;
      o) folder=$OPTARG ;;
      h) sed -n '3,6s/^# *//p' "${BASH_SOURCE[0]}" && exit 0 ;;
      *) fail 'usage: lab.sh [-n "1 2 4"] [-q] [-o FOLDER]' ;;
    esac
  done
  [ $# -lt $OPTIND ] || fail "got \`${!OPTIND}\`, expected options alone"
  local number
  for number in $ranks_list; do [[ $number =~ ^[1-9][0-9]*$ ]] || fail "-n: got \`$number\`, expected numbers of ranks"; done
  # shellcheck source=env.sh
  . "$lab_folder/../env.sh"
  [ -z "${RIDGELESS_LABS_QUICK:-}" ] || rounds=1
  mkdir -p -- "$folder"
  cd -- "$folder"
  local study
  for study in "$lab_folder"/*.yaml; do
    [ ! -e "$study" ] || [ "$PWD" = "$lab_folder" ] || lab_quick "$study" "${study##*/}"
  done
}

# of QUICK WHOLE: which of two sizes.
of() {
  if [ -n "${RIDGELESS_LABS_QUICK:-}" ]; then echo "$1"; else echo "$2"; fi
}

# on RANKS COMMAND...: by mpirun, or by srun within a job of Slurm.
on() {
  local ranks=$1
  shift
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    srun --mpi=pmix --overlap --ntasks="$ranks" "$@"
  else
    "${MPIEXEC:-mpirun}" -n "$ranks" "$@"
  fi
}

# number FILE KEY...: one number of a JSON file, such as `number run.json seconds compute max`.
number() {
  /usr/bin/python3 -c 'import functools, json, sys
found = functools.reduce(lambda part, key: part[int(key)] if isinstance(part, list) else part[key], sys.argv[2:], json.load(open(sys.argv[1])))
print(f"{found:.6g}" if isinstance(found, float) else found)' "$@"
}

# calculate EXPRESSION: as awk does, to four digits.
calculate() {
  awk "BEGIN { printf \"%.4g\\n\", $1 }"
}

# columns NAMES: begins the table.
columns() {
  (IFS=, && echo "$*" >table.csv)
}

# row VALUES: adds a line to the table, below the names that `columns` gave.
row() {
  (IFS=, && echo "$*" | tee -a table.csv)
}

# figure OPTIONS: draws table.csv, by analysis/chart.py.
figure() {
  chart table.csv "$@" -o figure.png >/dev/null
}

# end: the table as people read it.
end() {
  {
    echo "$lab_name on $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(bash "$lab_folder/../../cores.sh") cores" \
      "${OPENBLAS_CORETYPE:+(OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE)}"
    column -s, -t table.csv
  } | tee table.txt
}

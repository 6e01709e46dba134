#!/usr/bin/env bash
# Strong and weak scaling of a study: runs it on 1, 2, 4, ... ranks and draws the figure. By mpirun (of Open MPI or
# of MPICH), or inside a Slurm allocation (jobs/scaling.sbatch) by srun. Run again, it does only what is missing.
set -euo pipefail
top=$(cd -- "$(dirname -- "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
usage: jobs/scaling.sh [-n "1 2 4"] [-p P] [-g work|memory] [-o DIR] [STUDY.yaml]
       jobs/scaling.sh -f farm [-n "1 2 4"] [-r REPEATS] [-o DIR] [STUDY.yaml]

  -f FORM     grids (default): all ranks work on each case together; or farm: each works on curves of its own
  -n RANKS    numbers of ranks (default: 1, 2, 4, ... as many as there are cores, or tasks in the Slurm allocation)
  -p P        features of the strong study, and of the weak one on one rank (default 1000)
  -g GROWTH   what the weak study keeps the same per rank: work (default; P grows with the cube root of the ranks) or
              memory (with the square root)
  -r REPEATS  of a farm: repeats of the weak study per rank (default 8); the strong one has as many as the weak one has
              on the most ranks
  -o DIR      where study files, results files and figure go (default: scaling)
  STUDY.yaml  the study (default: jobs/scaling.yaml, of a farm jobs/farm.yaml), whose marked lines are filled in:
              [title], [ranks], [P], [P + 500] and [2 P + 500]; of a farm [title] and [repeats]

The program is $RIDGELESS, else build/src/cli/ridgeless beside jobs/, else the ridgeless of the PATH. Outside Slurm the
ranks are started by $MPIEXEC, else mpirun: that of the MPI library which the program was built with.
TEXT
}

fail() {
  echo "scaling.sh: $*" >&2
  exit 2
}

# numbers UP_TO: 1 2 4 ... UP_TO
numbers() {
  local n=1
  while ((n < $1)); do
    echo "$n"
    n=$((2 * n))
  done
  echo "$1"
}

find_program() {
  local program=${RIDGELESS:-}
  [ -n "$program" ] || program=$top/build/src/cli/ridgeless
  [ -n "${RIDGELESS:-}" ] || [ -x "$program" ] || program=ridgeless
  command -v "$program" || fail "$program is not there: build it (meson setup build && ninja -C build) or set RIDGELESS"
}

# places: how many ranks there is room for, each on a core of its own.
places() {
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    echo $((SLURM_JOB_NUM_NODES * a_node))
  else
    bash "$top/jobs/cores.sh"
  fi
}

# Sets launch: mpirun with a core for each rank, and cores shared where there are too few. Each launcher has its own words.
find_launcher() {
  launch=("${MPIEXEC:-mpirun}")
  case $("${launch[0]}" --version 2>&1) in
    *'Open MPI) '[1-4].* | *OpenRTE*) launch+=(--map-by core --bind-to 'core:if-supported,overload-allowed' --report-bindings) ;;
    *'Open MPI'*) launch+=(--map-by core --bind-to core:if-supported:overload-allowed --report-bindings) ;;
    *) # Hydra, of MPICH: it says where ranks are when this is set
      launch+=(-map-by core -bind-to core)
      export HYDRA_TOPO_DEBUG=1
      ;;
  esac
}

# start RANKS COMMAND...: on that many ranks, a core each, on as few nodes as they fill. Each says which core it has.
start() {
  local ranks=$1
  shift
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    # Ranks that stop early must not end each other: no --kill-on-bad-exit.
    srun --mpi=pmix --kill-on-bad-exit=0 --wait=20 --cpu-bind=verbose,cores --distribution=block:block \
      --ntasks="$ranks" --nodes=$(((ranks + a_node - 1) / a_node)) --ntasks-per-node="$a_node" "$@"
  else
    "${launch[@]}" -n "$ranks" "$@"
  fi
}

# study TITLE RANKS SIZE: the study file for that many ranks. The size is P, of a farm the number of repeats.
study() {
  if [ "$form" = farm ]; then
    sed -e "s/: .* # \[title\]/: $1 # [title]/" -e "s/: .* # \[repeats\]/: $3 # [repeats]/" "$template"
    return
  fi
  sed -e "s/: .* # \[title\]/: $1 # [title]/" \
    -e "s/: .* # \[ranks\]/: $2 # [ranks]/" \
    -e "s/: .* # \[P\]/: $3 # [P]/" \
    -e "s/: .* # \[P + 500\]/: $(($3 + 500)) # [P + 500]/" \
    -e "s/: .* # \[2 P + 500\]/: $((2 * $3 + 500)) # [2 P + 500]/" "$template"
}

# measure KIND RANKS SIZE: results in KIND-RANKS.nc, unless it has those of the same study already. They get that name when they
# are whole: those of a run that was stopped are of no use, as what it has done would be missing in the times.
measure() {
  local kind=$1 ranks=$2 size=$3
  local name=$folder/$kind-$ranks
  local what="$kind scaling, ranks: $ranks, $size_name$size"
  study "${kind^} scaling" "$ranks" "$size" >"$name.yaml.new"
  results+=("$name.nc")
  if [ -f "$name.nc" ] && cmp --silent "$name.yaml" "$name.yaml.new"; then
    rm -- "$name.yaml.new"
    echo "$what: $name.nc is there already"
    return
  fi
  rm -f -- "$name.nc" "$name.nc.journal" "$name.part.nc" "$name.part.nc.journal"
  mv -- "$name.yaml.new" "$name.yaml"
  echo "$what"
  start "$ranks" "$program" run "$name.yaml" -o "$name.part.nc"
  mv -- "$name.part.nc.journal" "$name.nc.journal"
  mv -- "$name.part.nc" "$name.nc"
}

# largest NUMBERS
largest() {
  tr " " "\n" <<<"$1" | sort -n | tail -n 1
}

# features GROWTH P RANKS: the P of weak scaling.
features() {
  awk -v p="$2" -v ranks="$3" -v root="$([ "$1" = work ] && echo 3 || echo 2)" \
    'BEGIN { printf "%.0f\n", p * ranks ^ (1 / root) }'
}

ranks_list='' p=1000 growth=work folder=scaling form=grids per_rank=8 given=''
while getopts 'f:n:p:g:r:o:h' option; do
  given+=$option
  case $option in
    f) form=$OPTARG ;;
    r) per_rank=$OPTARG ;;
    n) ranks_list=$OPTARG ;;
    p) p=$OPTARG ;;
    g) growth=$OPTARG ;;
    o) folder=$OPTARG ;;
    h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
shift $((OPTIND - 1))
(($# <= 1)) || fail "$# study files, expected one at most"
case $form in
  grids) others=r marks='title ranks P' size_name='P = ' template=${1:-$top/jobs/scaling.yaml} ;;
  farm) others=pg marks='title repeats' size_name='repeats: ' template=${1:-$top/jobs/farm.yaml} ;;
  *) fail "-f $form: expected grids or farm" ;;
esac
[[ ! $given =~ [$others] ]] || fail "-${BASH_REMATCH[0]}: is not of -f $form"

# Ranks per node of an allocation.
a_node=${SLURM_NTASKS_PER_NODE:-$(((${SLURM_NTASKS:-1} + ${SLURM_JOB_NUM_NODES:-1} - 1) / ${SLURM_JOB_NUM_NODES:-1}))}
ranks_list=${ranks_list:-$(numbers "$(places)")}
for number in $ranks_list "$p" "$per_rank"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "got \`$number\`, expected a number of at least 1"
done
[ "$growth" = work ] || [ "$growth" = memory ] || fail "-g $growth: expected work or memory"
for mark in $marks; do
  grep -q "# \[$mark\]" "$template" || fail "$template: no line ends in \`# [$mark]\`; see jobs/${form/grids/scaling}.yaml"
done
program=$(find_program)
[ -n "${SLURM_JOB_ID:-}" ] || find_launcher
mkdir -p -- "$folder"

# One thread of linear algebra per rank, a rank per core, unless asked otherwise.
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$OPENBLAS_NUM_THREADS}
echo "ranks: ${ranks_list//$'\n'/ }; threads per rank: $OPENBLAS_NUM_THREADS; on ${SLURM_JOB_NODELIST:-$(hostname)}"

results=()
# size KIND RANKS: P, or the repeats of a farm.
size() {
  case $form-$1 in
    farm-strong) echo $((per_rank * $(largest "$ranks_list"))) ;;
    farm-weak) echo $((per_rank * $2)) ;;
    grids-strong) echo "$p" ;;
    grids-weak) features "$growth" "$p" "$2" ;;
  esac
}
for kind in strong weak; do
  for ranks in $ranks_list; do measure "$kind" "$ranks" "$(size "$kind" "$ranks")"; done
done

drawing=(/usr/bin/python3 "$top/analysis/scaling.py" "${results[@]}" -o "$folder" --format 'png,pdf')
"${drawing[@]}" || echo "The results are there. To draw them: ${drawing[*]}"

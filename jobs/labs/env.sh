#!/usr/bin/env bash
# What a terminal needs for the labs: `. jobs/labs/env.sh`. Then `lab 03` goes to a folder of your own with the files of lab 3.
# It finds the program (build/ beside jobs/, else $RIDGELESS, else the PATH), sets one thread per rank, and lets many students
# share a machine: more ranks than cores, none of them tied to a core.

LABS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export LABS

lab_program() {
  local built=$LABS/../../build/src/cli/ridgeless
  if [ -n "${RIDGELESS:-}" ]; then
    command -v "$RIDGELESS"
  elif [ -x "$built" ]; then
    realpath "$built"
  else
    command -v ridgeless
  fi
}

# lab_quick FROM TO: a copy of a study; with RIDGELESS_LABS_QUICK set, lines that end in `# quick: VALUE` get that value.
lab_quick() {
  if [ -n "${RIDGELESS_LABS_QUICK:-}" ]; then
    sed -E 's/: .*# quick: (.*)$/: \1/' "$1" >"$2"
  else
    cp -- "$1" "$2"
  fi
}

# lab NUMBER: goes to your own copy of that lab's files, below $RIDGELESS_LABS or ridgeless-labs in your home folder.
lab() {
  local found from to file
  found=("$LABS/$(printf '%02d' "$((10#${1:-0}))" 2>/dev/null)"-*/)
  from=${found[0]%/}
  if [ ! -d "$from" ]; then
    echo "lab: no lab \`${1:-}\`; there are: $(cd "$LABS" && echo [0-9][0-9]-*)" >&2
    return 2
  fi
  to=${RIDGELESS_LABS:-$HOME/ridgeless-labs}/$(basename "$from")
  mkdir -p -- "$to" || return
  for file in "$from"/*; do
    case $file in
      *.sh | */expected.*) ;; # teachers' own
      *) [ -e "$to/${file##*/}" ] || lab_quick "$file" "$to/${file##*/}" ;;
    esac
  done
  cd -- "$to" && export LAB=$from && echo "$to"
}

# values RESULTS.nc... -v NAMES: numbers out of results files. The others draw. See analysis/README.md.
values() { /usr/bin/python3 "$LABS/../../analysis/values.py" "$@"; }
amdahl() { /usr/bin/python3 "$LABS/../../analysis/amdahl.py" "$@"; }
timeline() { /usr/bin/python3 "$LABS/../../analysis/timeline.py" "$@"; }
chart() { /usr/bin/python3 "$LABS/../../analysis/chart.py" "$@"; }

# one_core COMMAND...: on one processor, any of those that this terminal may use.
one_core() {
  taskset -c "$(taskset -cp $$ | /usr/bin/python3 -c 'import random, re
ranges = re.findall(r"(\d+)(?:-(\d+))?", input().split(":")[1])
print(random.choice([i for low, high in ranges for i in range(int(low), int(high or low) + 1)]))')" "$@"
}

if ridgeless_found=$(lab_program); then
  [ "$(command -v ridgeless)" = "$ridgeless_found" ] || export PATH=${ridgeless_found%/*}:$PATH
  unset ridgeless_found
  export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1} OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
  # Open MPI 4, and what Open MPI 5 calls the same: more ranks than cores, and ranks go where there is room.
  export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
  export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
  if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
  if [ -d ~/.local/share/ridgeless/data ]; then export RIDGELESS_DATA=${RIDGELESS_DATA:-~/.local/share/ridgeless/data}; fi
else
  echo "env.sh: no ridgeless: build it (meson setup build && ninja -C build), or set RIDGELESS to the program" >&2
  false
fi

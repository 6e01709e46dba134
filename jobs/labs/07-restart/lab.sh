#!/usr/bin/env bash
# Lab 7: the same work undisturbed, with a rank killed, with its journal damaged, and, where Slurm is installed, stopped by a
# signal and requeued. Each time the command is given again, and the results are compared.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin 2 "$@"

# kept FILE: how many curves its journal has.
kept() {
  ridgeless status work.yaml -o "$1" --json >status.json
  number status.json "done"
}

# again EVENT FILE STATUS: what was kept, and whether the results are the same once the run went on.
again() {
  local curves
  curves=$(kept "$2")
  on "$ranks_list" ridgeless run work.yaml -o "$2" -q >run.txt
  row "$1" "$3" "$curves" "$asked" "$(ridgeless diff whole.nc "$2" >diff.txt && echo same || echo differ)"
}

columns event exit_status kept asked bits
rm -f -- *.nc *.nc.journal
on "$ranks_list" ridgeless run work.yaml -o whole.nc -q >run.txt
asked=$(kept whole.nc)

"${MPIEXEC:-mpirun}" -n "$ranks_list" ridgeless run work.yaml -o killed.nc -q >run.txt 2>killed.txt &
launcher=$!
for _ in $(seq 600); do
  [ ! -s killed.nc.journal ] || [ "$(kept killed.nc)" = 0 ] || break
  sleep 0.1
done
kill -9 "$(pgrep -n -P "$launcher")" || echo "the run had ended before it could be killed" >&2
status=0
wait "$launcher" || status=$?
again 'a rank is killed' killed.nc "$status"

cp whole.nc.journal damaged.nc.journal
truncate -s -100 damaged.nc.journal
again 'journal cut off' damaged.nc -

PATH=$PATH:/usr/sbin
if [ -z "${SLURM_JOB_ID:-}" ] && command -v slurmd >/dev/null; then
  slurm=$(mktemp -d) # short: Slurm makes sockets there
  trap 'bash "$lab_folder/../slurm-on-a-laptop.sh" stop "$slurm"; rm -rf "$slurm"' EXIT
  bash "$lab_folder/../slurm-on-a-laptop.sh" start "$slurm"
  # shellcheck disable=SC1091
  . "$slurm/slurm.env"
  ridgeless plan work.yaml --sbatch -n "$(bash "$lab_folder/../../cores.sh")" -o queued.nc >queued.sbatch
  job=$(sbatch --parsable queued.sbatch)
  for _ in $(seq 600); do
    [ ! -s queued.nc.journal ] || [ "$(kept queued.nc)" = 0 ] || break
    sleep 0.1
  done
  scancel --signal=USR1 "$job" || echo "the job had ended before it could be stopped" >&2
  for _ in $(seq 600); do
    [ -n "$(squeue -h -j "$job")" ] || break
    sleep 0.5
  done
  curves=$(sed -n "s/^ridgeless: \([0-9]*\) of $asked curves are in the journal.*/\1/p" "work-$job.log" | head -n 1)
  row 'stopped by Slurm' 75 "${curves:-$asked}" "$asked" "$(ridgeless diff whole.nc queued.nc >diff.txt && echo same || echo differ)"
fi
figure -x event -y kept --dashed asked --title 'Curves that are not computed again' --y-label 'curves'
end

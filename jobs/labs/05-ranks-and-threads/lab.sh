#!/usr/bin/env bash
# Lab 5: ranks times threads, and what a rank does while it waits, by two ranks that share one core.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2" "$@"
columns what ranks threads waiting seconds
size=$(of 120 250)
for ranks in $ranks_list; do
  for threads in 1 2; do
    OPENBLAS_NUM_THREADS=$threads on "$ranks" timeout 120 ridgeless bench spectrum "$size" -p projected -t 20 --json >run.json
    row "$ranks x $threads" "$ranks" "$threads" default "$(number run.json producers 0 seconds)"
  done
done
for yield in 1 0; do
  OMPI_MCA_mpi_yield_when_idle=$yield one_core "${MPIEXEC:-mpirun}" -n 2 \
    ridgeless bench spectrum 60 -p projected -t 20 --json >run.json
  row "one core $([ "$yield" = 1 ] && echo yields || echo spins)" 2 1 "$([ "$yield" = 1 ] && echo yields || echo spins)" \
    "$(number run.json producers 0 seconds)"
done
figure -x what -y seconds --log y --title 'One spectrum, by ranks x threads' --y-label seconds
end

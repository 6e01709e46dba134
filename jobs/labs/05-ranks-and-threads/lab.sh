#!/usr/bin/env bash
# Lab 5: ranks times threads, and what a rank does while it waits, by two ranks that share one core.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2" "$@"
columns what size ranks threads waiting seconds
size=$(of 120 600)
small=60 # where ranks that wait spin on one core, all else would take minutes
for ranks in $ranks_list; do
  for threads in 1 2; do
    OPENBLAS_NUM_THREADS=$threads on "$ranks" timeout 300 ridgeless bench spectrum "$size" -p projected -t 20 -r "$rounds" \
      --json >run.json
    row "$ranks x $threads" "$size" "$ranks" "$threads" default "$(number run.json producers 0 seconds)"
  done
done
for yield in 1 0; do
  OMPI_MCA_mpi_yield_when_idle=$yield one_core "${MPIEXEC:-mpirun}" -n 2 \
    ridgeless bench spectrum "$small" -p projected -t 20 -r "$rounds" --json >run.json
  waiting=$([ "$yield" = 1 ] && echo yields || echo spins)
  row "one core $waiting" "$small" 2 1 "$waiting" "$(number run.json producers 0 seconds)"
done
figure -x what -y seconds --log y --title "A spectrum of $size x $size on 2 cores; of $small x $small on one core" \
  --x-label 'ranks x threads, or how 2 ranks wait on one core' --y-label seconds
end

#!/usr/bin/env bash
# Prints how many ranks this machine has room for: one per core, which may be two processors to the system, and no more than the
# processors that this process may use.
{ lscpu -p=CORE,SOCKET | grep -v '^#' | sort -u | wc -l && env -u OMP_NUM_THREADS nproc; } | sort -n | head -n 1

#!/bin/sh
# status.sh ID: print running, success or failed; say on stderr how a job failed.
# Snakemake ends the whole run at any other word and at any exit status but 0.
# shellcheck disable=SC2154
set -u
# Ctrl-C is Snakemake's affair.
trap '' INT
# shellcheck source=scheduler.sh
. "$(dirname "$0")/scheduler.sh"
mkdir -p "$jobs"

id=$(number "$1")
recall "$id"
token=${token:-$id}
failed() {
    echo "$name, job $1: $2. ${log:+Its log: $log}" >&2
    # What the scheduler itself wrote there: Slurm, PBS, LSF.
    grep -E '^slurmstepd[^:]*: error|PBS: |^TERM_[A-Z]+:' "$log" 2>/dev/null | tail -n 1 | cut -c 1-300 >&2
    forget "$id" "$token"
    echo failed
    exit 0
}

# On NFS a new file is seen once the folder is read again.
ls "$jobs" >/dev/null
status=$(cat "$jobs/$token.ended" 2>/dev/null)
case $status in
'') ;;
0)
    forget "$id" "$token"
    echo success
    exit 0
    ;;
137) failed "$1" "ended with exit status 137: killed, perhaps for its memory (mem_mb)" ;;
*) failed "$1" "ended with exit status $status" ;;
esac

is_listed "$id"
case $? in
1)
    if [ ! -e "$jobs/$token.gone" ]; then
        date +%s >"$jobs/$token.gone"
    elif [ "$(age "$jobs/$token.gone")" -ge "$grace" ]; then
        # If it is there all the same, or in error, it must not write what its successor writes.
        cancel_jobs "$1" >/dev/null 2>&1
        failed "$1" "ended without a word: cancelled, over its time (runtime) or memory (mem_mb), or its node was lost"
    fi
    ;;
*) rm -f "$jobs/$token.gone" ;;
esac
echo running

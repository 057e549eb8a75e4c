#!/bin/sh
# sidecar.sh: cancel what is left when Snakemake ends. It runs beside each Snakemake, prints the
# name of the run, and is terminated at the end.
#
# At Ctrl-C Snakemake names no job to cancel.sh if it is just asking for the jobs' status.
# shellcheck disable=SC2154
set -u
trap '' INT HUP
# shellcheck source=scheduler.sh
. "$(dirname "$0")/scheduler.sh"
mkdir -p "$jobs"
run=$(date +%s).$$

finish() {
    trap '' TERM
    kill "$!" 2>/dev/null
    # A job may be on its way to the scheduler.
    waited=0
    while [ $waited -lt 10 ] && [ -n "$(find "$jobs" -name '*.makes' -mmin -1)" ]; do
        sleep 1
        waited=$((waited + 1))
    done
    for record in "$jobs"/*.job; do
        [ "$(sed -n 4p "$record" 2>/dev/null)" = "$run" ] || continue
        number=${record##*/} number=${number%.job}
        if recall "$number" && [ ! -e "$jobs/$token.ended" ]; then
            cancel_jobs "$number" >/dev/null 2>&1
        fi
    done
    exit 0
}
trap finish TERM

echo "$run"
exec >/dev/null
# Jobs of a Snakemake that was killed go on: the next run finds what they made.
while kill -0 "$PPID" 2>/dev/null; do
    sleep 5 &
    wait "$!"
done

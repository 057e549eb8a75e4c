#!/bin/sh
# cancel.sh ID...: cancel jobs. Snakemake waits for two seconds at most, so this does not wait.
# shellcheck source=scheduler.sh
. "$(dirname "$0")/scheduler.sh"
{
    exec </dev/null >/dev/null 2>&1
    cancel_jobs "$@"
} &

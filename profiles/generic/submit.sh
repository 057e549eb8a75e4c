#!/bin/sh
# submit.sh JOBSCRIPT: submit a job and print its id. Called by Snakemake in the working folder.
# shellcheck disable=SC2154
set -u
# Ctrl-C reaches Snakemake, too; half a submission would leave a job that nobody knows.
trap '' INT
# shellcheck source=scheduler.sh
. "$(dirname "$0")/scheduler.sh"
mkdir -p "$jobs" "$logs" || exit 1
find "$jobs" -type f -mtime +60 -exec rm -f {} +

script=$1
# What Snakemake says of the job, as JSON in one line. Read from its end, which holds nothing of
# a user's; a group has the same keys.
properties=$(sed -n '/^# properties = /{s///;p;q;}' "$script")
resources=${properties##*\"resources\": \{}
threads=$(printf '%s\n' "${properties%\"resources\": \{*}" | sed -n 's/.*"threads": \([0-9]*\), $/\1/p')
asks() { printf '%s\n' "$resources" | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p"; }
mem_mb=$(asks mem_mb)
minutes=$(asks runtime)

# The rules, and the jobs of this submission, as Snakemake is told them.
option() { sed -n "s/.* --$1 \(.*\)/\1/p" "$script" | sed 's/ --.*//' | tr ' ' '\n' | tr -d "'"; }
name=$(option allowed-rules | sort -u | tr '\n' '+' | tr -c 'A-Za-z0-9_+' '_' | cut -c 1-60)
# PBS wants a letter first.
name=$(printf %s "${name%+}" | sed 's/^[^A-Za-z]/j&/')
token=${name:=job}.$(date +%Y%m%d-%H%M%S).$$
log=$logs/$name/${token#"$name".}.log
mkdir -p "$logs/$name" || exit 1

# A job of an earlier Snakemake that was killed may still be at work on the same files.
run=${SNAKEMAKE_CLUSTER_SIDECAR_VARS:--}
option target-jobs >"$jobs/$token.makes"
for record in "$jobs"/*.job; do
    # Not of this one, which gives no two jobs the same files.
    [ "$run" = - ] || [ "$(sed -n 4p "$record" 2>/dev/null)" != "$run" ] || continue
    sed 1,4d "$record" 2>/dev/null | grep -qxF -f "$jobs/$token.makes" || continue
    old=${record##*/} old=${old%.job} waited=0
    # The list may be older than the job.
    rm -f "$jobs/asked"
    while is_listed "$old" || [ $? -eq 2 ]; do
        [ $waited -gt 0 ] ||
            echo "$name: job $old of an earlier run still makes the same; it is cancelled." >&2
        [ $waited -lt 300 ] || { echo "job $old does not end; cancel it yourself" >&2; exit 1; }
        cancel_jobs "$old" >/dev/null 2>&1
        sleep 2
        waited=$((waited + 2))
        rm -f "$jobs/asked"
    done
    (recall "$old" && forget "$old" "$token")
done

ended=$jobs/$token.ended
{
    printf '#!/bin/sh\nended=%s\n' "'$(printf %s "$ended" | sed "s/'/'\\\\''/g")'"
    # Snakemake's "exit 1" for whatever went wrong would hide how.
    sed 's/ && exit 0 || exit 1 *$//' "$script"
} >"$jobs/$token.sh"
if [ -z "$threads" ] || [ -z "$mem_mb" ] || [ -z "$minutes" ]; then
    echo "$name does not say what it needs: threads '$threads', mem_mb '$mem_mb', runtime '$minutes';" \
        "give them as default-resources of the profile" >&2
    exit 1
fi
answer=$(submit_job "$name" "$threads" "$mem_mb" "$minutes" "$log" "$jobs/$token.sh")
status=$?
rm -f "$jobs/$token.sh"
number=$(number "$answer")
if [ $status -ne 0 ] || [ -z "$number" ]; then
    echo "$name was not submitted (exit status $status). $answer" >&2
    rm -f "$jobs/$token.makes"
    exit 1
fi
{ printf '%s\n' "$token" "$name" "$log" "$run"; cat "$jobs/$token.makes"; } >"$jobs/$number.job.$$"
mv "$jobs/$number.job.$$" "$jobs/$number.job"
rm -f "$jobs/$token.makes"
case $scheduler in
# Here the whole line is the id, or starts with it; elsewhere it is a sentence.
pbs) printf '%s\n' "$answer" | tail -n 1 ;;
*) echo "$number" ;;
esac

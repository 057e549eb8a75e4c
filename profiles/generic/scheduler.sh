# What differs between schedulers: submit, list, cancel. Read by the other scripts of this folder.
# shellcheck shell=sh disable=SC2034,SC2086
#
# Edit here, or set the variables where you start Snakemake.

# slurm, pbs (PBS Pro, OpenPBS, Torque), sge (also UGE, OCS), lsf; empty: by the commands that are there.
scheduler=${BRAINMASKS_SCHEDULER:-}
# More options for each submission, such as an account or a queue: "-A account -q short".
options=${BRAINMASKS_SCHEDULER_OPTIONS:-}
# SGE only: the parallel environment for threads on one node, and the name of the memory request,
# which is for each thread.
sge_threads=${BRAINMASKS_SGE_THREADS:-smp}
sge_memory=${BRAINMASKS_SGE_MEMORY:-mem_free}
# Seconds that a job may be unlisted without a word before it counts as killed. Longer than what
# a file takes to be seen on a shared disk.
grace=${BRAINMASKS_SCHEDULER_GRACE:-60}
# The scheduler is asked for the list of jobs once in so many seconds.
list_age=${BRAINMASKS_SCHEDULER_LIST_AGE:-10}

if [ -z "$scheduler" ]; then
    if command -v sbatch; then scheduler=slurm
    elif command -v bsub; then scheduler=lsf
    elif command -v qsub && { command -v qconf || [ -n "${SGE_ROOT:-}" ]; }; then scheduler=sge
    elif command -v qsub; then scheduler=pbs
    fi >/dev/null
fi
me=$(id -un)

# submit_job NAME THREADS MEM_MB MINUTES LOG SCRIPT prints what the scheduler prints.
# The job must see the environment and must never be started a second time by the scheduler:
# Snakemake does that.
# list_jobs prints the ids of my jobs that wait or run, and fails if they cannot be had.
# cancel_jobs ID...
case $scheduler in
slurm)
    submit_job() {
        sbatch --parsable --export=ALL --no-requeue --job-name="$1" --nodes=1 --ntasks=1 \
            --cpus-per-task="$2" --mem="$3" --time="$4" --output="$5" $options "$6"
    }
    list_jobs() { timeout 20 squeue --noheader --user="$me" --format=%A; }
    cancel_jobs() { scancel "$@"; }
    ;;
pbs)
    submit_job() {
        qsub -V -r n -S /bin/sh -N "$(printf %.15s "$1")" -j oe -o "$5" \
            -l "nodes=1:ppn=$2,mem=$3mb,walltime=$(hours "$4")" $options "$6"
    }
    # Job ID, user, queue, name, session, nodes, tasks, memory, time, state, elapsed. Finished
    # jobs stay in the list for some minutes.
    list_jobs() {
        rows=$(timeout 20 qstat -u "$me") || return 1
        printf '%s\n' "$rows" | awk '$10 !~ /^[CFX]$/ { print $1 }'
    }
    cancel_jobs() { qdel "$@"; }
    ;;
sge)
    submit_job() {
        parallel=
        [ "$2" -le 1 ] || parallel="-pe $sge_threads $2"
        qsub -terse -V -cwd -r n -S /bin/sh -N "$1" -j y -o "$5" $parallel \
            -l "$sge_memory=$((($3 + $2 - 1) / $2))M,h_rt=$(hours "$4")" $options "$6"
    }
    # Job ID, priority, name, user, state. A job in error (Eqw) waits for ever.
    list_jobs() {
        rows=$(timeout 20 qstat -u "$me") || return 1
        printf '%s\n' "$rows" | awk '$5 !~ /E/ { print $1 }'
    }
    cancel_jobs() { qdel "$@"; }
    ;;
lsf)
    # Not run so far: written from the manual.
    submit_job() {
        bsub -rn -J "$1" -n "$2" -R "span[hosts=1] rusage[mem=$3MB]" -W "$4" -o "$5" \
            $options <"$6"
    }
    # Without jobs bjobs fails in some versions.
    list_jobs() {
        timeout 20 bjobs -w -u "$me" 2>&1 | awk '
            { print; known = known || /^JOBID|No unfinished job/ }
            END { exit !known }'
    }
    cancel_jobs() { bkill "$@"; }
    ;;
*)
    echo "no scheduler: neither sbatch, bsub nor qsub is there, and BRAINMASKS_SCHEDULER is" \
        "'$scheduler', expected: slurm, pbs, sge or lsf" >&2
    exit 1
    ;;
esac

# The walltime of so many minutes.
hours() { printf '%02d:%02d:00' $(($1 / 60)) $(($1 % 60)); }

# The number in the last line that a scheduler prints: 7;cluster, 123.server, 7.1-3:1, Job <7> is submitted.
number() { printf '%s\n' "$1" | tail -n 1 | sed 's/^[^0-9]*\([0-9]*\).*/\1/'; }

# In the working folder, on the disk that the nodes share: what is known of the jobs.
#   <number>.job   of a job that was submitted: its token, name, log, run, and what it makes
#   <token>.ended  the exit status, written by the job itself
#   <token>.gone   since when the scheduler does not list the job, which said nothing
#   <token>.makes, <token>.sh  of a job that is being submitted: what it makes, its script
#   listed, asked  numbers of the jobs that the scheduler lists; when it was asked
#   failing        it did not answer
jobs=$PWD/.snakemake/cluster_jobs
logs=$PWD/.snakemake/cluster_logs

# Seconds since the time in a file.
age() { echo $(($(date +%s) - $(head -n 1 "$1" 2>/dev/null || echo 0))); }

# Whether the scheduler lists the job of this number: 0 yes, 1 no, 2 not known.
# One answer serves all jobs for some seconds, so that the scheduler is not asked for each.
is_listed() {
    if [ "$(age "$jobs/asked")" -ge "$list_age" ]; then
        ask
    fi
    [ ! -e "$jobs/failing" ] || return 2
    grep -qx "$1" "$jobs/listed" || return 1
}

ask() {
    if found=$(list_jobs 2>"$jobs/error.$$"); then
        printf '%s\n' "$found" | sed -n 's/^ *\([0-9][0-9]*\).*/\1/p' >"$jobs/listed.$$"
        mv "$jobs/listed.$$" "$jobs/listed"
        [ ! -e "$jobs/failing" ] || echo "$scheduler lists the jobs again." >&2
        rm -f "$jobs/failing"
    elif [ ! -e "$jobs/failing" ]; then
        echo "$scheduler does not list the jobs: $(tail -n 1 "$jobs/error.$$")" >&2
        echo "All count as running until it does." >&2
        : >"$jobs/failing"
    fi
    rm -f "$jobs/error.$$"
    date +%s >"$jobs/asked.$$"
    mv "$jobs/asked.$$" "$jobs/asked"
}

# Sets token, name and log of the job of this number; fails if it is not known.
recall() {
    token='' name='job' log=''
    [ -r "$jobs/$1.job" ] || return 1
    { read -r token && read -r name && read -r log; } <"$jobs/$1.job"
}

forget() { rm -f "$jobs/$1.job" "$jobs/${2:-$1}.ended" "$jobs/${2:-$1}.gone"; }

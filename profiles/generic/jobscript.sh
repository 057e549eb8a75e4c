#!/bin/sh
# properties = {properties}
# submit.sh puts a line before this: ended=<the file that shall say how the job ended>
(
    {exec_job}
)
status=$?
# At once and as a whole, or not at all.
echo "$status" >"$ended.part" && mv "$ended.part" "$ended"
exit "$status"

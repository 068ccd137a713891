#!/bin/sh
# Makes the committed tables and pictures out of the run directories on this machine, through the program:
#   results/make.sh              (SKEWFIT=program takes that one instead of building it)
# The runs are results/{door,door-rig,corridor,corridor-rig}/default-s{1,2,3}/, and results/door/official-s1/: the door at
# the official length, a group of its own. A run that is missing or has not ended is named and left out.
set -eu
cd "$(dirname "$0")/.."
skewfit() { ${SKEWFIT:-cargo run --release --quiet --} "$@"; }

# Those of the runs that have ended.
ended() {
    for run in "$@"; do
        if [ -f "$run/summary.json" ]; then echo "$run"; else echo "missing or not ended: $run" >&2; fi
    done
}
seeds() { ended "results/$1/default-s1" "results/$1/default-s2" "results/$1/default-s3"; }

# figures OUT RUN...: all pictures of the first run; curves, maps and table of all; the metrics of each.
figures() {
    out=$1
    shift
    if [ $# -eq 0 ]; then return 0; fi
    mkdir -p "$out"
    rm -f "$out"/metrics-*.csv
    skewfit plot "$1" --out "$out" > /dev/null
    cp "$1/plots/reconstructions.png" "$out/"
    if [ $# -gt 1 ]; then skewfit plot "$@" --out "$out" > /dev/null; fi
    for run in "$@"; do
        case $run in */*-rig/*) rig=-rig ;; *) rig= ;; esac
        cp "$run/metrics.csv" "$out/metrics$rig-s${run##*-s}.csv"
    done
    # The first attempts at the scene's own pictures; an evaluation with a program that made no clips is repeated.
    clips() { ls "$1"/eval/[0-9]*/clips.gif 2> /dev/null | tail -n 1; }
    if [ -z "$(clips "$1")" ]; then skewfit evaluate "$1" > /dev/null; fi
    cp "$(clips "$1")" "$out/reached.gif"
}

# Names of runs hold no blanks.
# shellcheck disable=SC2046
{
    figures results/door $(seeds door) $(seeds door-rig)
    figures results/door/official $(ended results/door/official-s1)
    figures results/corridor $(seeds corridor) $(seeds corridor-rig)
}

# block NAME: puts what it reads between the README's two marks of that name.
block() {
    { sed "/<!-- $1 -->/q" README.md; echo; cat; echo; sed -n "/<!-- end of $1 -->/,\$p" README.md; } > README.md.new
    mv README.md.new README.md
}

{ cat results/door/table.md; echo; cat results/corridor/table.md; } | block results

# The door at the steps of the official code's figure, which stands in results/official-code.md as it was read off.
if runs=$(seeds door) && official=$(ended results/door/official-s1) && [ -n "$official" ]; then
    # shellcheck disable=SC2086
    skewfit plot $runs $official --at 20000,22000,25500,40500,95000 > results/door/official/at.md
    { paste -d '\0' results/door/official/at.md results/official-code.md; echo; cat results/door/official/table.md; } | block "equal steps"
fi

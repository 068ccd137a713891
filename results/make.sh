#!/bin/sh
# Makes the committed tables and pictures, and the generated blocks of README.md and docs/RESULTS.md, from the run
# directories on this machine:
#   results/make.sh              (SKEWFIT=program uses this program instead of building one)
# The runs are results/{door,door-rig,corridor,corridor-rig}/default-s{1,2,3}/, and results/door/official-s1/: the door at
# the official length, in its own group; results/door/tau-s{1,2,3} have --set agent.tau=0.001, results/door/min_ess-s{1,2,3}
# have --set skew.min_ess=0.2. The script names missing and unfinished runs and leaves them out.
set -eu
cd "$(dirname "$0")/.."
skewfit() { ${SKEWFIT:-cargo run --release --quiet --} "$@"; }

# The runs that have ended.
ended() {
    for run in "$@"; do
        if [ -f "$run/summary.json" ]; then echo "$run"; else echo "missing or not ended: $run" >&2; fi
    done
}
# A file of a run, from the newest evaluation that has it.
newest() { ls "$1"/eval/[0-9]*/"$2" 2> /dev/null | tail -n 1; }
seeds() { ended "results/$1/default-s1" "results/$1/default-s2" "results/$1/default-s3"; }

# figures OUT RUN...: all pictures of the first run; curves, maps and table of all runs; the metrics of each run.
figures() {
    out=$1
    shift
    if [ $# -eq 0 ]; then return 0; fi
    mkdir -p "$out"
    rm -f "$out"/metrics-*.csv "$out"/evaluation-*.json
    skewfit plot "$1" --out "$out" > /dev/null
    cp "$1/plots/reconstructions.png" "$out/"
    if [ $# -gt 1 ]; then skewfit plot "$@" --out "$out" > /dev/null; fi
    for run in "$@"; do
        case $run in */*-rig/*) rig=-rig ;; *) rig= ;; esac
        cp "$run/metrics.csv" "$out/metrics$rig-s${run##*-s}.csv"
        sed "s|\"run\": \".*\"|\"run\": \"$run\"|" "$(newest "$run" evaluation.json)" > "$out/evaluation$rig-s${run##*-s}.json"
    done
    # Clips of the first attempts at the scene's own pictures; evaluates again if an older program made no clips.
    if [ -z "$(newest "$1" clips.gif)" ]; then skewfit evaluate "$1" > /dev/null; fi
    cp "$(newest "$1" clips.gif)" "$out/reached.gif"
}

# Names of runs hold no blanks.
# shellcheck disable=SC2046
{
    figures results/door $(seeds door) $(seeds door-rig)
    figures results/door/official $(ended results/door/official-s1)
    figures results/corridor $(seeds corridor) $(seeds corridor-rig)
}

# ablation NAME: results/door/NAME-s{1,2,3}, the door with one key changed, beside the default: table and evaluations.
ablation() {
    changed=$(ended "results/door/$1-s1" "results/door/$1-s2" "results/door/$1-s3")
    if [ -z "$changed" ]; then return 0; fi
    all=$(mktemp -d)
    # shellcheck disable=SC2046,SC2086
    skewfit plot $(seeds door) $changed --out "$all" > /dev/null
    mkdir -p "results/door/$1"
    cp "$all/table.md" "$all/evaluation.png" "results/door/$1/"
    rm -r "$all"
}
ablation tau
ablation min_ess

# Critics with layer norm, and five critics, one seed each: results/door/layer_norm-s1, results/door/critics-s1 (agent.critics=5).
variants=$(ended results/door/layer_norm-s1 results/door/critics-s1)
if [ -n "$variants" ]; then
    all=$(mktemp -d)
    # shellcheck disable=SC2086
    skewfit plot $variants --out "$all" > /dev/null
    mkdir -p results/door/variants
    cp "$all/table.md" "$all/evaluation.png" "$all/coverage.png" "$all/learning.png" results/door/variants/
    for run in $variants; do
        name=${run##*/}
        cp "$run/metrics.csv" "results/door/variants/metrics-$name.csv"
    done
    rm -r "$all"
fi

# block FILE NAME TEXT: writes a text between the two marks of that name in the file.
block() {
    if [ "$(grep -c "<!-- $2 -->\|<!-- end of $2 -->" "$1")" -ne 2 ]; then
        echo "$1 must have the marks <!-- $2 --> and <!-- end of $2 -->, once each: put them back" >&2
        exit 1
    fi
    { sed "/<!-- $2 -->/q" "$1"; printf '\n%s\n\n' "$3"; sed -n "/<!-- end of $2 -->/,\$p" "$1"; } > "$1.new"
    mv "$1.new" "$1"
}

# means TABLE...: the rows of means over seeds, as one table with the columns that all experiments share.
means() {
    echo '| Experiment | Steps | Error | Constant | Success rate | Coverage cells | Coverage entropy (nats) |'
    echo '|:---|---:|---:|---:|---:|---:|---:|'
    awk -F ' *[|] *' '
        /^\| Experiment / { for (i = 2; i < NF; i++) at[$i] = i; unit = $5 ~ /\(rad\)/ ? " rad" : ""; next }
        /^\| \*\*/ {
            name = $2; gsub(/\*\*|, mean/, "", name)
            steps = length_of[substr(name, 1, index(name, " (") - 1)]
            printf "| %s | %s | %s%s | %s%s | %s | %s | %s |\n", name, steps, $5, unit, $(at["The best constant answer\047s"]), unit,
                $(at["Success rate"]), $(at["Coverage cells"]), $(at["Coverage entropy (nats)"])
            next
        }
        /^\| [a-z]/ { length_of[$2] = $4 }' "$@"
}

# The steps in the first column of a table, as 20000,22000,...
steps() { sed -n 's/^| \([0-9,]*\) |.*/\1/p' "$1" | tr -d , | paste -s -d , -; }

tables=$(cat results/door/table.md; echo; cat results/corridor/table.md)
block docs/RESULTS.md results "$tables"
block README.md means "$(means results/door/table.md results/corridor/table.md)"

# The door at the steps of the official code's figure; results/official-code.md has its values, read off by eye.
runs=$(seeds door)
official=$(ended results/door/official-s1)
if [ -n "$runs" ] && [ -n "$official" ]; then
    # shellcheck disable=SC2086
    skewfit plot $runs $official --at "$(steps results/official-code.md)" > results/door/official/at.md
    beside=$(paste -d '\0' results/door/official/at.md results/official-code.md | sed 's/||[^|]*|/|/')
    block docs/RESULTS.md "equal steps" "$beside

$(cat results/door/official/table.md)"
fi

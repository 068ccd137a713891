#!/bin/sh
# Runs the reliability tests of `cargo test` with more trials and writes one row for each goal into results/reliability/.
# Takes three hours on two cores; `results/reliability.sh g1 g4` runs only these goals.
# The old row of a goal is removed first, so a failing goal has no row.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/results/reliability
mkdir -p "$out"
wanted=${*:-g1 g2 g3 g4 g5 g14 g15 g16 g17 g18 g19 g21 g22 g23 g24 g26}

# tried GOAL TRIALS ARGUMENTS...: runs cargo test for this goal with this number of trials.
tried() {
    goal=$1 trials=$2
    shift 2
    case " $wanted " in *" $goal "*) ;; *) return 0 ;; esac
    row=$out/$(echo "$goal" | tr g G)
    rm -f "$row".toml "$row"-*.toml
    SKEWFIT_RECORD=$out SKEWFIT_TRIALS=$trials SKEWFIT_FUZZ_S=600 SKEWFIT_SOAK_S=3600 cargo test "$@" && return 0
    rm -f "$row".toml "$row"-*.toml
    exit 1
}

tried g1 250 --test night_killed g1_
tried g2 5000 --test power g2_
tried g3 100 --test night_faults g3_
tried g4 20 --test night_killed g4_
tried g5 1 --test night_promises g5_
tried g14 1000 --test night_faults g14_
tried g15 100000 --lib g15_
tried g16 1 --lib g16_
tried g17 10000 --test damage_bytes g17_ -- --test-threads 1
tried g18 1 --test night_inputs g18_
tried g19 1 --test night_soak
tried g21 20 --test night_supervised g21_
tried g22 1 --test night_supervised g22_
tried g23 1 --test night_promises g23_
tried g24 1 --test dashboard no_request
tried g26 1 --test night_promises g26_

# The rows as a table.
table() {
    sed '/<!-- rows -->/q' "$out/README.md"
    printf '\n| goal | what was tried | trials | failures | 95 %% bound a trial | seconds | commit |\n|:---|:---|---:|---:|:---|---:|:---|\n'
    for row in $(cd "$out" && printf '%s\n' *.toml | sort -V); do
        awk -F ' = ' '{ gsub(/"/, "", $2); v[$1] = $2 } END {
            sub(/ a trial.*/, "", v["bound_95"]); sub(/none from so few trials/, "-", v["bound_95"])
            printf "| [%s](%s) | %s | %s | %s | %s | %s | `%.12s` |\n", v["goal"], row, v["what"], v["trials"],
                v["failures"], v["bound_95"], v["wall_s"], v["commit"] }' row="$row" "$out/$row"
    done
}
table > "$out/README.md.new"
mv "$out/README.md.new" "$out/README.md"

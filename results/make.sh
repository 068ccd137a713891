#!/bin/sh
# Makes the committed pictures and tables from the run directories on this machine, through the program:
#   results/make.sh          (runs: results/door/*-s*/, results/corridor/*-s*/, results/corridor-rig/*-s*/)
set -eu
cd "$(dirname "$0")/.."
skewfit() { cargo run --release --quiet -- "$@"; }
skewfit plot results/door/*-s*/ --out results/door > /dev/null
skewfit plot results/corridor/*-s*/ results/corridor-rig/*-s*/ --out results/corridor > /dev/null
for scene in door corridor; do
    first=$(ls -d results/$scene/*-s*/ | head -n 1)
    for picture in reached goals reconstructions states states_over_time; do
        cp "${first}plots/$picture.png" results/$scene/
    done
    for run in results/$scene/*-s*/; do
        seed=${run%/}
        seed=${seed##*-s}
        cp "${run}metrics.csv" "results/$scene/metrics-s$seed.csv"
    done
done
for run in results/corridor-rig/*-s*/; do
    seed=${run%/}
    cp "${run}metrics.csv" "results/corridor/metrics-rig-s${seed##*-s}.csv"
done
# The README's table is the tables' lines, between its two marks.
awk '/<!-- results -->/ { print; print ""; while ((getline line < "results/door/table.md") > 0) print line;
     print ""; while ((getline line < "results/corridor/table.md") > 0) print line; print ""; skip = 1 }
     /<!-- end of results -->/ { skip = 0 } !skip' README.md > README.md.new
mv README.md.new README.md

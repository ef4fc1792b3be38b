#!/bin/sh
# The smoke test of a pipeline, before any traffic moves: one real call to each green instance, then one through the balancer,
# which has a rule of higher priority that takes this header to green whatever its weight. Stops at the first that fails, with
# its exit code (99: the release is bad; anything else: the test did not come to a verdict). The JSON files are for artifacts.
#
#   GREEN="10.0.2.15:8080 10.0.2.16:8080" URL=wss://voice.example.com/realtime/ REDIS=10.0.3.9:6379 ci/examples/smoke.sh
set -eu
: "${GREEN:?HOST:PORT of each green instance}" "${URL:?of the balancer}" "${REDIS:?HOST:PORT of the state}"
CROSSFADE=${CROSSFADE:-build/crossfade}
HEADER=${HEADER:-X-Crossfade-Color: green}
OUT=${OUT:-.}

n=0
for instance in $GREEN; do
	n=$((n + 1))
	"$CROSSFADE" ping "ws://$instance/realtime/" --color green --redis "$REDIS" --out "json=$OUT/smoke-$n.json"
done
"$CROSSFADE" ping "$URL" --color green --header "$HEADER" --redis "$REDIS" --out "json=$OUT/smoke-balancer.json"

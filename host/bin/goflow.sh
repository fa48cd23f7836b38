#!/bin/sh
# `goflow` on Linux and macOS: becomes the host on the pinned Node. What was started is then the host itself: a signal
# reaches it once, and kill -9 leaves nothing behind. Elsewhere, and where that Node is missing, goflow.mjs does the rest.
bin=$(dirname -- "$(readlink -f -- "$0")")
node="$bin/../../node_modules/.bin/node"
main="$bin/../dist/main.js"
[ -x "$node" ] && [ -f "$main" ] && exec "$node" "$main" "$@"
exec node "$bin/goflow.mjs" "$@"

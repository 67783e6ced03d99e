#!/bin/sh
# Runs clang-tidy 14 over the sources of the project with the compile commands of a build folder.
#
#   scripts/checks/run_tidy.sh [--analyze] BUILD_FOLDER [FILE...]
#
# --analyze runs the static analyzer (clang-analyzer-*) instead of all the others: it takes twice as
# long as they do, so that tests have it behind `scripts/test --long`.
#
# Without files: every source of preload/, analyzer/ and cli/ that the build compiles, with the
# headers that they include. Sources of tests/ are checked when they are named: GoogleTest's headers
# would take most of the time. Exits 1 when there is a finding.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
checks='-clang-analyzer-*'
log=tidy.log
if [ "${1:-}" = --analyze ]; then
  checks='-bugprone-*,-misc-*,-modernize-*,-performance-*,-readability-*'
  log=analyze.log
  shift
fi
[ $# -ge 1 ] || { echo "usage: $0 [--analyze] BUILD_FOLDER [FILE...]" >&2; exit 2; }
build=$1
shift
[ -f "$build/compile_commands.json" ] || { echo "$0: $build has no compile_commands.json" >&2; exit 2; }

tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || {
  echo "$0: clang-tidy is not installed (package clang-tidy-14)" >&2
  exit 1
}

if [ $# -eq 0 ]; then
  # One "file" line for each compiled source; those outside of the folders below are generated.
  # shellcheck disable=SC2046
  set -- $(sed -n "s#^ *\"file\": \"\($root/\(preload\|analyzer\|cli\)/.*\.cpp\)\".*#\1#p" \
             "$build/compile_commands.json" | sort -u)
  [ $# -gt 0 ] || { echo "$0: $build compiles no source of $root" >&2; exit 2; }
fi
# clang does not know some of gcc's flags; its own count of suppressed warnings is no finding.
status=0
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" \
  "$tidy" -quiet -p "$build" -checks="$checks" --extra-arg=-Wno-unknown-warning-option \
  >"$build/$log" 2>&1 || status=1
grep -v '^[0-9]* warnings\{0,1\}.* generated\.$' "$build/$log" || true
exit $status

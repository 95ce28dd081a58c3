# For .ci/run: temporary folders, stages, counting. Sourced, never run.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# No process stays behind: neither MSBuild nodes nor the compiler server.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

# Everything that a run makes goes into one folder; its name is short, since a socket's path must be.
work=$(mktemp -d /tmp/npsXXXXXX)
chmod 755 "$work"
log="$work/log"
totals="$work/totals" # lines "stage passed failed"
: >"$totals"

lanes=() # process ids

cleanup() {
  local prefix
  [ ${#lanes[@]} -eq 0 ] || kill "${lanes[@]}" 2>/dev/null
  for prefix in "$work"/*/wine; do
    [ -e "$prefix" ] || continue
    # Its server is found through the temporary folder that it was started with.
    export WINEPREFIX="$prefix" TMPDIR="${prefix%/wine}/t"
    timeout -k 5 20 wineserver -k 2>/dev/null
    timeout -k 5 20 wineserver -w 2>/dev/null
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { echo "$*" | tee -a "$log"; }

# ---- programs that are not there yet

install_missing() {
  local packages=() pair
  for pair in cmake:cmake ninja:ninja-build gcc:gcc x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 wine:wine wineserver:wine64 \
      clang:clang clang-tidy:clang-tidy cppcheck:cppcheck gcovr:gcovr strace:strace perl:perl-base python3:python3; do
    find_program "${pair%%:*}" || packages+=("${pair#*:}")
  done
  if ! command -v dotnet >/dev/null; then
    echo "The .NET 10 SDK is needed and is not here: https://dotnet.microsoft.com/download"
    exit 1
  fi
  [ ${#packages[@]} -eq 0 ] && return
  echo "installing: ${packages[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q)
  { timeout -k 5 300 "${apt[@]}" update && timeout -k 5 900 "${apt[@]}" install -y --no-install-recommends "${packages[@]}" libc6-dev libclang-rt-dev; } \
    >"$log" 2>&1 || { tail -n 40 "$log"; echo "apt-get failed"; exit 1; }
}

# Debian keeps wineserver out of the path.
find_program() {
  command -v "$1" >/dev/null && return 0
  [ "$1" = wineserver ] && [ -x /usr/lib/wine/wineserver ] && PATH="$PATH:/usr/lib/wine"
}

# ---- stages

# One command of a stage, with a time limit; its output goes to the stage's log.
run() {
  local seconds=$1
  shift
  echo "\$ $*" >>"$log"
  timeout -k 5 "$seconds" "$@" >>"$log" 2>&1 </dev/null
  local status=$?
  [ $status -eq 0 ] || echo "exit code $status$([ $status -eq 124 ] && echo " (timed out after $seconds s)"): $*" >>"$log"
  return $status
}

count() {
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# Its stages one after the other. Lanes run side by side, each with a log, a temporary folder and a Wine of its own.
lane() {
  trap - EXIT INT TERM
  lane="$work/$1"
  shift
  mkdir -p "$lane/t"
  chmod 1777 "$lane/t" # as /tmp is: some tests become another user
  chmod 755 "$lane"
  export TMPDIR="$lane/t"
  log="$lane/log"
  local stage
  for stage in "$@"; do
    stage "$stage" >"$lane/report" 2>&1
    flock "$work" cat "$lane/report"
  done
}

# A stage that fails without a failed test counts as one failure.
stage() {
  local start=$SECONDS status
  passed=0
  failed=0
  : >"$log"
  "stage_$1"
  status=$?
  [ $status -ne 0 ] && [ $failed -eq 0 ] && failed=1
  [ $failed -ne 0 ] && status=1
  if [ $status -ne 0 ]; then
    echo "---- $1 failed; the end of what it printed:"
    grep -aE -B 4 '^[0-9]+: FAIL ' "$log" | tail -n 80
    grep -aE -A 6 '^ *Failed |^failed |error |exit code|without leave' "$log" | tail -n 120
    echo "----"
    tail -n 60 "$log"
    echo "----"
  fi
  echo "$1: $passed passed, $failed failed"
  echo "  ($((SECONDS - start)) s)"
  echo "$1 $passed $failed" >>"$totals"
}

# $@: the stages that were to run
summary() {
  local name total_passed=0 total_failed=0 bad=() passed failed
  for name in "$@"; do
    read -r _ passed failed < <(grep "^$name " "$totals" || echo "$name 0 1") # it never came to its end
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    [ "$failed" -eq 0 ] || bad+=("$name")
  done
  [ ${#bad[@]} -eq 0 ] || echo "failed: ${bad[*]}"
  echo "$total_passed passed, $total_failed failed"
  [ ${#bad[@]} -eq 0 ]
}

# Those of its arguments that were wanted.
wanted_of() {
  local name
  for name in "$@"; do
    [[ " ${wanted[*]} " == *" $name "* ]] && echo "$name"
  done
}

# ---- counting

# dotnet test: "Passed!  - Failed:     0, Passed:     2, Skipped:     0, Total: …". A skipped test is a failed one: on Linux
# there is no reason to skip any.
count_dotnet() {
  local line
  while read -r line; do
    count 0 "$(sed -E 's/.*Skipped: +([0-9]+),.*/\1/' <<<"$line")"
    count "$(sed -E 's/.*Passed: +([0-9]+),.*/\1/' <<<"$line")" "$(sed -E 's/.*- Failed: +([0-9]+),.*/\1/' <<<"$line")"
  done < <(grep -aE '^(Passed|Failed)! +- Failed: ' "$log")
  [ $((passed + failed)) -gt 0 ]
}

# Of the library's lines and branches, as coverlet counts them.
show_coverage() {
  perl -ne 'if (/<coverage line-rate="([0-9.]+)" branch-rate="([0-9.]+)"/) { printf "coverage: lines %.1f %%, branches %.1f %%\n", 100*$1, 100*$2 }' \
    "$1"/*/coverage.cobertura.xml
}

# The NUnit runner under Wine: its summary's lines "failed: N" and "succeeded: N". $1: summaries that were there before it.
count_nunit_runner() {
  local bad good
  [ "$(grep -ac 'Test run summary:' "$log")" -gt "$1" ] || return 1
  bad=$(grep -aE '^ +failed: [0-9]+' "$log" | tail -n 1 | tr -dc 0-9)
  good=$(grep -aE '^ +succeeded: [0-9]+' "$log" | tail -n 1 | tr -dc 0-9)
  [ -n "$bad" ] && [ -n "$good" ] && count "$good" "$bad"
}

# ctest --verbose: the runner's own lines, one for each case, and the tests that are not programs of ours.
count_ctest() {
  count "$(grep -acE '^([0-9]+: )?ok +test_' "$log")" "$(grep -acE '^([0-9]+: )?FAIL test_' "$log")"
  count "$(grep -acE 'Test +#[0-9]+: (abi|samples)\..* Passed' "$log")" "$(grep -acE 'Test +#[0-9]+: (abi|samples)\..*\*\*\*' "$log")"
}

# ---- Wine

# Each lane its own: a wineserver serves one call at a time.
need_wine() {
  [ "${WINEPREFIX:-}" = "$lane/wine" ] && return 0
  export WINEPREFIX="$lane/wine" WINEDEBUG=-all WINEDLLOVERRIDES="winedbg.exe=d" DOTNET_EnableWriteXorExecute=0 DOTNET_TieredCompilation=0
  run 120 wineboot -i
  run 60 wineserver -w
  run 60 wine winecfg /v win10
  run 60 wineserver -w
  # It stays, since a start costs seconds; and so do Wine's services: begun here, they keep this log open, not a pipe of ctest's.
  run 20 wineserver -p
  run 60 wine cmd /c exit 0
  [ -e "$WINEPREFIX/system.reg" ] || { say "Wine's folder could not be set up"; return 1; }
}

windows_path() { echo "Z:${1//\//\\}"; }

# Lines "what<tab>reason" of the skipped tests.
skips_of_ctest() { sed -nE 's/^[0-9]+: skip (test_[a-z0-9_]+): (.*[^\r])\r?$/\1\t\2/p' "$log"; }

skips_of_nunit() {
  perl -0777 -ne '
    while (/<test-case\b([^>]*?)(?:\/>|>(.*?)<\/test-case>)/gs) {
      my ($attributes, $body) = ($1, $2 // "");
      next unless $attributes =~ /\bresult="(Skipped|Inconclusive)"/;
      my ($name) = $attributes =~ /\bfullname="([^"]*)"/;
      my ($reason) = $body =~ /<reason>\s*<message>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?<\/message>/s;
      $reason //= ""; $reason =~ s/\s+/ /g; $reason =~ s/^ | $//g;
      print "$name\t$reason\n";
    }' "$@"
}

# $1: the list, lines "test: reason"; $2: the skips. Each must be on the list.
only_allowed_skips() {
  local what reason status=0 lines
  lines=$(grep -vE '^(#|$)' "$1" 2>/dev/null)
  while IFS=$'\t' read -r what reason; do
    if ! grep -qxF -e "${what%%(*}: $reason" <<<"$lines"; then
      say "skipped without leave of $1: $what: $reason"
      count 0 1
      status=1
    fi
  done <"$2"
  return $status
}

#!/usr/bin/env bash
# One door to everything: ./build.sh demo | test [full] | run -- VERB … | sample FILE | pack | docs | api
# The plain dotnet commands behind it are in the README.
set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
caller=$PWD
cd "$root"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

usage() {
  cat >&2 <<'U'
usage: ./build.sh demo               the tour
       ./build.sh run -- VERB …      the command line, such as: run -- embed texts.txt --json
       ./build.sh sample FILE        a program of the samples folder, such as: sample 01-vectors.cs
       ./build.sh test [full]        all tests; full: also the slow ones
       ./build.sh pack               all packages, into artifacts/packages
       ./build.sh docs               writes the lists of all messages (docs/troubleshooting.md) and pages (docs/README.md)
       ./build.sh api                accepts the public API as it is now
       ./build.sh notebooks          writes what the notebooks print now into them
U
  exit 2
}

# Quiet unless it fails; stdout stays free for data.
build() { # project or solution
  local log; log=$(mktemp)
  if ! dotnet build "$1" -c Release -v quiet --nologo >"$log" 2>&1; then
    grep -E 'error|warning' "$log" | sort -u >&2 || cat "$log" >&2
    rm -f "$log"
    echo "error: the build failed (above)." >&2
    exit 1
  fi
  rm -f "$log"
}

cli() {
  build src/SkMmBert.Cli/SkMmBert.Cli.csproj
  cd "$caller"
  exec "$root/artifacts/bin/SkMmBert.Cli/release/SkMmBert.Cli" "$@"
}

# True when the packages that a test project needs are not on this registry.
missing() { # test project
  case $1 in
    SkMmBert.SemanticKernel.Tests) grep -qs SemanticKernelMissing eng/feed/local.props ;;
    SkMmBert.AgentFramework.Tests) grep -qs AgentFrameworkMissing eng/feed/local.props ;;
    *) false ;;
  esac
}

# One line for each adapter: tested, and with which packages, or only compiled.
adapters() {
  local adapter title package version
  while read -r adapter package title; do
    [ -d "tests/SkMmBert.$adapter.Tests" ] || continue
    version=$(sed -n "s/.*Include=\"$package\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props)
    if missing "SkMmBert.$adapter.Tests"; then
      echo "$title is not on this registry: its adapter was compiled against signatures only and not tested."
    else
      echo "The $title adapter was tested with $package $version."
    fi
  done <<'A'
SemanticKernel Microsoft.SemanticKernel.Core Semantic Kernel
AgentFramework Microsoft.Agents.AI Agent Framework
A
  if ! missing SkMmBert.SemanticKernel.Tests && grep -qs InMemoryConnectorMissing eng/feed/local.props; then
    echo "The InMemory vector store is not on this registry: the tests of memory over it were left out."
  fi
}

run_tests() {
  build SkMmBert.sln
  local passed=0 failed=0 skipped=0 project name log rc line
  local explicit=off; [ "${1:-}" != full ] || explicit=on
  for project in tests/*.Tests/*.Tests.csproj; do
    name=$(basename "$project" .csproj)
    if missing "$name"; then continue; fi
    log=$(mktemp)
    rc=0
    "artifacts/bin/$name/release/$name" -noColor -explicit $explicit 2>&1 | tee "$log" | grep -vE '^(xUnit.net|  Disc|  Start|  Finished|Ok, passed|=== TEST)' || rc=${PIPESTATUS[0]}
    line=$(grep -E "^ +$name +Total: " "$log" | tail -n 1 || true)
    if [[ $line =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
      failed=$((failed + BASH_REMATCH[2] + BASH_REMATCH[3]))
      skipped=$((skipped + BASH_REMATCH[4]))
      passed=$((passed + BASH_REMATCH[1] - BASH_REMATCH[3] - BASH_REMATCH[4] - BASH_REMATCH[5]))
      [ "$rc" -eq 0 ] || [ $((BASH_REMATCH[2] + BASH_REMATCH[3])) -gt 0 ] || failed=$((failed + 1))
    else
      echo "   $name ended with $rc before its summary; its last lines:"
      tail -n 20 "$log"
      failed=$((failed + 1))
    fi
    rm -f "$log"
  done
  adapters
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

[ $# -gt 0 ] || usage
verb=$1; shift
case $verb in demo|run|sample|test|pack|docs|api|notebooks) eng/package-feed.sh ;; *) usage ;; esac
case $verb in
  demo) cli demo "$@" ;;
  run) [ "${1:-}" != -- ] || shift; cli "$@" ;;
  sample)
    [ $# -gt 0 ] || usage
    file=$1; shift
    [ -f "$file" ] || file="samples/${file#samples/}"
    [ -f "$file" ] || { echo "error: there is no sample '$file'. Expected: one of $(ls samples)." >&2; exit 2; }
    exec dotnet run -c Release "$file" -- "$@" ;;
  test) run_tests "$@" ;;
  pack)
    rm -rf artifacts/packages
    build eng/pack.proj
    (cd artifacts/packages && du -h --apparent-size -- *.nupkg *.snupkg) ;;
  docs)
    build tests/SkMmBert.Packages.Tests/SkMmBert.Packages.Tests.csproj
    SKMMBERT_ACCEPT_DOCS=1 artifacts/bin/SkMmBert.Packages.Tests/release/SkMmBert.Packages.Tests -noColor -method '*Page_Messages*' -method '*Index_Pages*' >/dev/null || true
    git --no-pager diff --stat -- docs ;;
  notebooks)
    build tests/SkMmBert.Notebooks.Tests/SkMmBert.Notebooks.Tests.csproj
    SKMMBERT_ACCEPT_NOTEBOOKS=1 artifacts/bin/SkMmBert.Notebooks.Tests/release/SkMmBert.Notebooks.Tests -noColor -method '*Cells_Run*' >&2
    git --no-pager diff --stat -- notebooks ;;
  api)
    for project in $(grep -l Shared/Architecture tests/*/*.csproj); do
      name=$(basename "$project" .csproj)
      if missing "$name"; then continue; fi
      build "$project"
      SKMMBERT_ACCEPT_API=1 "artifacts/bin/$name/release/$name" -noColor -method '*PublicApiTests*' >/dev/null || true
    done
    git --no-pager diff --stat -- '*PublicApi.txt' ;;
esac

#!/usr/bin/env bash
# Makes sure the packages of Directory.Packages.props can be restored (docs: "Packages" in the README).
#
# On a registry that has everything this asks once and does nothing. Where the ONNX Runtime packages are
# missing, they are built into eng/feed from the same project's npm distribution, with exact versions and
# verified hashes. Where Semantic Kernel, Agent Framework or the InMemory connector are missing, eng/feed/local.props
# says so with one property each (SemanticKernelMissing, AgentFrameworkMissing, InMemoryConnectorMissing): an adapter is then
# compiled against signatures only and its tests are left out. From the environment are taken: RestoreAdditionalProjectSources,
# a further folder of packages, and RestoreConfigFile, another NuGet configuration.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
feed="$root/eng/feed"
props="$feed/local.props"
stamp="$feed/checked"
managed_package=com.github.asus4.onnxruntime managed_version=0.4.9
managed_hash=sha512-BkzxduSZ9IkeDP6Q8lz2TFU2ie7hSSvS7ZIfzMooExoq0CNzJnuuGaUJ7IsojBgqO4ouD1jXah8OYyJbCN29Fg==
native_package=onnxruntime-node native_version=1.30.0
native_hash=sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==
local_version=1.30.0-npm.1

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# The answer is kept until this script, the package list or the package sources change; what was built, until this script changes.
script=$(cksum < "$0" | cut -d' ' -f1)
key="$script $(cksum < "$root/Directory.Packages.props" | cut -d' ' -f1) ${RestoreAdditionalProjectSources:-} ${RestoreConfigFile:-}"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# True when a restore of the named packages, at the versions of Directory.Packages.props, succeeds.
can_restore() {
  local dir="$work/probe-$RANDOM" id; mkdir -p "$dir"
  { echo '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup>'
    for id in "$@"; do echo "<PackageReference Include=\"$id\" />"; done
    echo '</ItemGroup></Project>'; } > "$dir/probe.csproj"
  cp "$root/Directory.Packages.props" "$dir/Directory.Packages.props"
  echo '<Project />' > "$dir/Directory.Build.props"
  dotnet restore "$dir/probe.csproj" --nologo -v quiet >"$dir/log" 2>&1
}

# Downloads one npm package of an exact version and checks it against its known hash.
fetch_npm() { # package version hash destination
  ( cd "$work" && npm pack "$1@$2" --silent >/dev/null 2>"$work/npm.log" ) \
    || fail "npm could not fetch $1@$2: $(tail -n 1 "$work/npm.log"). Needed because NuGet lacks Microsoft.ML.OnnxRuntime; check the network or use a registry that has it."
  local archive; archive=$(ls "$work/${1//\//-}"-*.tgz)
  local actual; actual="sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)"
  [ "$actual" = "$3" ] || fail "$1@$2 has the hash $actual, expected $3. The download is damaged or not the published one; nothing was built from it."
  mkdir -p "$4"; tar -xzf "$archive" -C "$4" --strip-components=1; rm -f "$archive"
}

build_onnx_runtime() {
  if [ "$(cat "$feed/built" 2>/dev/null)" = "$script" ] && [ "$(ls "$feed"/*.nupkg 2>/dev/null | wc -l)" -eq 2 ]; then return; fi
  rm -f "$feed"/*.nupkg
  command -v npm >/dev/null || fail "NuGet lacks Microsoft.ML.OnnxRuntime and npm is not installed. Install Node.js with npm, or restore from a registry that has the package."
  say "The package registry lacks Microsoft.ML.OnnxRuntime: building it once from its npm distribution (about a minute)."
  fetch_npm "$managed_package" "$managed_version" "$managed_hash" "$work/managed"
  fetch_npm "$native_package" "$native_version" "$native_hash" "$work/native"
  local m="$work/Managed" n="$work/Native"; mkdir -p "$m" "$n"
  for d in "$m" "$n"; do echo '<Project />' | tee "$d/Directory.Build.props" "$d/Directory.Packages.props" >/dev/null; done
  cp -r "$work/managed/Runtime" "$m/Runtime"
  cat > "$m/Microsoft.ML.OnnxRuntime.csproj" <<P
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework><AssemblyName>Microsoft.ML.OnnxRuntime</AssemblyName>
    <PackageId>Microsoft.ML.OnnxRuntime.Managed</PackageId><Version>$local_version</Version>
    <LangVersion>12</LangVersion><AllowUnsafeBlocks>true</AllowUnsafeBlocks><ImplicitUsings>disable</ImplicitUsings>
    <NoWarn>\$(NoWarn);SYSLIB5001;CS1591;CS1570;CS1571;CS1572;CS1573;CS1574;CS1587;CS0169;CS0649;SYSLIB0004;IL2026;IL3050;NU5128</NoWarn>
    <Description>ONNX Runtime managed API, built from the sources in its npm distribution.</Description>
    <Authors>Microsoft</Authors><PackageLicenseExpression>MIT</PackageLicenseExpression>
  </PropertyGroup>
  <ItemGroup><Using Include="System.Reflection" /><PackageReference Include="System.Numerics.Tensors" Version="9.0.0" /></ItemGroup>
</Project>
P
  local bin="$work/native/bin/napi-v6"
  for platform in linux-x64 linux-arm64; do
    mkdir -p "$n/runtimes/$platform/native"
    cp "$bin/${platform/-//}/libonnxruntime.so.1" "$n/runtimes/$platform/native/libonnxruntime.so"
  done
  mkdir -p "$n/runtimes/osx-arm64/native" "$n/runtimes/win-x64/native" "$n/runtimes/win-arm64/native"
  cp "$bin/darwin/arm64/libonnxruntime.1.dylib" "$n/runtimes/osx-arm64/native/libonnxruntime.dylib"
  cp "$bin/win32/x64/onnxruntime.dll" "$n/runtimes/win-x64/native/"
  cp "$bin/win32/arm64/onnxruntime.dll" "$n/runtimes/win-arm64/native/"
  cat > "$n/Native.csproj" <<P
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework><PackageId>Microsoft.ML.OnnxRuntime</PackageId><Version>$local_version</Version>
    <IncludeBuildOutput>false</IncludeBuildOutput><EnableDefaultItems>false</EnableDefaultItems><SuppressDependenciesWhenPacking>true</SuppressDependenciesWhenPacking>
    <NoWarn>\$(NoWarn);NU5128</NoWarn><Authors>Microsoft</Authors><PackageLicenseExpression>MIT</PackageLicenseExpression>
    <Description>ONNX Runtime native libraries, taken from the npm distribution.</Description>
  </PropertyGroup>
  <ItemGroup><None Include="runtimes/**" Pack="true" PackagePath="runtimes" /></ItemGroup>
</Project>
P
  for project in "$m/Microsoft.ML.OnnxRuntime.csproj" "$n/Native.csproj"; do
    dotnet pack "$project" -c Release -o "$work/packed" --nologo -v quiet >"$work/pack.log" 2>&1 \
      || { tail -n 20 "$work/pack.log" >&2; fail "packing ONNX Runtime from its npm distribution failed (above)."; }
  done
  # An older local build of the same version must not be served from the package cache.
  local cache; cache=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
  rm -rf "$cache/microsoft.ml.onnxruntime/$local_version" "$cache/microsoft.ml.onnxruntime.managed/$local_version"
  mv "$work/packed"/*.nupkg "$feed/"
  echo "$script" > "$feed/built"
}

mkdir -p "$feed"; rm -f "$stamp" "$props"
properties=()
if ! can_restore Microsoft.ML.OnnxRuntime Microsoft.ML.OnnxRuntime.Managed; then
  build_onnx_runtime
  properties+=("<OnnxRuntimeVersion>$local_version</OnnxRuntimeVersion>"
    '<RestoreAdditionalProjectSources>$(RestoreAdditionalProjectSources);$(MSBuildThisFileDirectory)</RestoreAdditionalProjectSources>')
fi

# Names a property for packages that cannot be restored.
missing() { # property package...
  local property=$1; shift
  can_restore "$@" || properties+=("<$property>true</$property>")
}
missing SemanticKernelMissing Microsoft.SemanticKernel.Core Microsoft.SemanticKernel.Abstractions \
  Microsoft.Extensions.VectorData.Abstractions Microsoft.ML.Tokenizers
missing InMemoryConnectorMissing CommunityToolkit.VectorData.InMemory
missing AgentFrameworkMissing Microsoft.Agents.AI Microsoft.Agents.AI.Abstractions
missing OpenAIClientMissing Microsoft.Extensions.AI.OpenAI

if [ ${#properties[@]} -gt 0 ]; then
  { echo '<Project>'
    echo '  <PropertyGroup>'
    printf '    %s\n' "${properties[@]}"
    echo '  </PropertyGroup>'
    echo '</Project>'; } > "$props.tmp"
  mv "$props.tmp" "$props"
fi
echo "$key" > "$stamp"

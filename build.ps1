# Dispatches, nothing more: every line that it runs is one command that also stands alone.
#   ./build.ps1 -Configure -Build -Test        the native library and its tests, then everything managed
#   ./build.ps1 -Generate                      the bindings anew, from native/include/nps.h
#   ./build.ps1 -Pack                          the NuGet packages, into artifacts/
param(
  [switch]$Configure,
  [switch]$Build,
  [switch]$Test,
  [switch]$Generate,
  [switch]$Pack,
  [string]$Preset = $(if ($IsLinux) { 'linux-release' } else { 'msvc' })
)

$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

function Run([scriptblock]$command) {
  Write-Host "> $($ExecutionContext.InvokeCommand.ExpandString($command.ToString().Trim()))"
  & $command
  if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

if (-not ($Configure -or $Build -or $Test -or $Generate -or $Pack)) { Get-Help $PSCommandPath; exit 2 }

if ($Configure) { Run { cmake --preset $Preset } }
if ($Build) { Run { cmake --build --preset $Preset } }
if ($Build) { Run { dotnet build } }
if ($Test) { Run { ctest --preset $Preset } }
if ($Test) { Run { dotnet test } }
if ($Generate) { Run { dotnet tool restore } }
if ($Generate) { Push-Location managed/generation; Run { dotnet ClangSharpPInvokeGenerator '@generate.rsp' }; Pop-Location }
if ($Pack) { Run { dotnet pack managed/NamedPipeShim --output artifacts } }
if ($Pack) { Run { dotnet pack managed/NamedPipeShim.Kestrel --output artifacts } }

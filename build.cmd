@echo off
rem One door to everything on Windows: build demo ^| run VERB ... ^| sample FILE ^| test [full] ^| pack
rem A registry that lacks packages needs the shell script eng/package-feed.sh (Git Bash or WSL) once.
setlocal enabledelayedexpansion
cd /d "%~dp0"
set DOTNET_NOLOGO=1
set verb=%~1
if "%verb%"=="" goto usage
shift
set args=
:collect
if "%~1"=="" goto collected
if not "%~1"=="--" set args=!args! %1
shift
goto collect
:collected
if "%verb%"=="demo" goto demo
if "%verb%"=="run" goto run
if "%verb%"=="sample" goto sample
if "%verb%"=="test" goto test
if "%verb%"=="pack" goto pack
:usage
echo usage: build demo ^| run VERB ... ^| sample FILE ^| test [full] ^| pack 1>&2
exit /b 2

:demo
set args=demo %args%
:run
dotnet build src\SkMmBert.Cli\SkMmBert.Cli.csproj -c Release -v quiet --nologo 1>&2 || exit /b 1
artifacts\bin\SkMmBert.Cli\release\SkMmBert.Cli.exe %args%
exit /b %errorlevel%

:sample
for /f "tokens=1*" %%a in ("%args%") do (set file=%%a& set rest=%%b)
if not exist "%file%" set file=samples\%file%
dotnet run -c Release "%file%" -- %rest%
exit /b %errorlevel%

:pack
dotnet build eng\pack.proj -c Release -v quiet --nologo || exit /b 1
dir /b artifacts\packages
exit /b 0

:test
dotnet build SkMmBert.sln -c Release -v quiet --nologo || exit /b 1
set explicit=off
if "%args%"==" full" set explicit=on
set failed=0
for /d %%p in (tests\*.Tests) do (
  artifacts\bin\%%~nxp\release\%%~nxp.exe -noColor -explicit !explicit!
  if errorlevel 1 set failed=1
)
exit /b %failed%

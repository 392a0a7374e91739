@echo off
rem Installs mangping from this folder, without any network. Usage: install.bat [FOLDER]
rem Each bundle gets a folder of its own; "current" points at the newest.
setlocal enableextensions
chcp 65001 >nul
set "HERE=%~dp0"
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%LOCALAPPDATA%\mangping"
set "PYTHONUTF8=1"
set "PYTHONPATH="
set "PYTHONHOME="
set "PIP_INDEX_URL="
set "PIP_EXTRA_INDEX_URL="
set "PIP_FIND_LINKS="
set "PIP_CONFIG_FILE=nul"

rem 1. A Python that the bundle has wheels for: the launcher py, else python on the PATH.
set "FOUND="
for %%L in ("%HERE%locks\windows-amd64-py*.txt") do call :try "%%~nL"
if "%FOUND%"=="" goto nopython

rem 2. The bundle as it was made.
%FOUND% "%HERE%verify.py"
if errorlevel 1 goto damaged

rem 3. A virtual environment of its own, from the wheels of this folder alone.
for /f %%I in ('%FOUND% "%HERE%verify.py" --id') do set "ID=%%I"
set "NEW=%TARGET%\%ID%"
if exist "%NEW%" rmdir /s /q "%NEW%"
if not exist "%TARGET%" mkdir "%TARGET%"
%FOUND% -m venv "%NEW%"
if errorlevel 1 goto failed
"%NEW%\Scripts\python.exe" -m pip install --quiet --disable-pip-version-check --no-index --find-links "%HERE%wheels" --no-deps --require-hashes --requirement "%HERE%locks\%LOCK%.txt"
if errorlevel 1 goto failed
"%NEW%\Scripts\python.exe" -m pip check --disable-pip-version-check
if errorlevel 1 goto failed

rem 4. It works here: system libraries, models, disk.
"%NEW%\Scripts\mangping.exe" doctor
if errorlevel 1 goto sick
if exist "%TARGET%\current" rmdir "%TARGET%\current"
mklink /J "%TARGET%\current" "%NEW%" >nul
echo.
echo %TARGET%\current\Scripts\mangping.exe
echo 演示 / demo: "%TARGET%\current\Scripts\mangping.exe" demo --samples "%HERE%samples"
exit /b 0

:try
set "NAME=%~1"
if not "%FOUND%"=="" exit /b 0
if "%NAME:~-6%"=="-tests" exit /b 0
for /f "tokens=2 delims=y" %%V in ("%NAME:windows-amd64-=%") do set "VERSION=%%V"
set "SUPPORTED=%SUPPORTED% %VERSION%"
py -%VERSION% -c "import struct,sys; sys.exit(struct.calcsize('P') != 8)" >nul 2>nul
if not errorlevel 1 (
    set "FOUND=py -%VERSION%"
    set "LOCK=%NAME%"
    exit /b 0
)
python -c "import struct,sys; sys.exit('%%d.%%d' %% sys.version_info[:2] != '%VERSION%' or struct.calcsize('P') != 8)" >nul 2>nul
if not errorlevel 1 (
    set "FOUND=python"
    set "LOCK=%NAME%"
)
exit /b 0

:nopython
echo 未找到合适的 64 位 Python，本安装包支持：%SUPPORTED%。请先运行随包携带的 python-*-amd64.exe。
echo No 64-bit Python that fits; this bundle is for:%SUPPORTED%. Install it first (python-*-amd64.exe).
exit /b 2
:damaged
echo 安装包已损坏，见上列文件。请重新拷贝整个文件夹。
echo The bundle is damaged: the files above differ. Copy the whole folder again.
exit /b 2
:failed
echo 安装未完成，原因见上。
echo The installation did not finish; the reason is above.
exit /b 2
:sick
echo 已安装，但上面标出的问题须先处理，再重新运行本脚本。
echo Installed, but mend first what is marked above, then run this script again.
exit /b 2

#!/bin/sh
# Installs mangping from this folder, without any network. Usage: sh install.sh [FOLDER] [--tests]
# 离线安装 mangping。用法：sh install.sh [安装文件夹]
# Each bundle gets a folder of its own; `current` points at the newest, so that going back is one
# command (docs: DEPLOYMENT.md, upgrade). SWITCH=no leaves `current` where it is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-"$HOME/mangping"}
kind=""
[ "${2:-}" = "--tests" ] && kind="-tests"

stop() {
    printf '\n%s\n%s\n' "$1" "$2" >&2
    exit 2
}

[ "$(uname -s)-$(uname -m)" = "Linux-x86_64" ] || stop \
    "此安装包只适用于 Linux x86_64 与 Windows 64 位，当前系统为 $(uname -s) $(uname -m)。" \
    "This bundle is for Linux x86_64 and 64-bit Windows, and this is $(uname -s) $(uname -m)."

# 1. The bundle as it was made.
(cd "$here" && sha256sum --quiet -c SHA256SUMS) || stop \
    "安装包已损坏，见上列文件。请重新拷贝整个文件夹。" \
    "The bundle is damaged: the files above differ. Copy the whole folder again."

# 2. A Python that the bundle has wheels for.
python="" versions=""
for lock in "$here"/locks/linux-x86_64-py*"$kind".txt; do
    case "$lock" in *-tests.txt) [ -n "$kind" ] || continue ;; esac
    version=${lock##*-py}
    version=${version%%-*}
    version=${version%.txt}
    versions="$versions $version"
    for name in ${PYTHON:-} "python$version" python3; do
        found=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if [ "$found" = "$version" ]; then
            python=$name chosen=$lock
            break 2
        fi
    done
done
[ -n "$python" ] || stop \
    "未找到合适的 Python，本安装包支持：$versions。请用系统安装盘安装，或用 PYTHON=路径 指定。" \
    "No Python that fits; this bundle is for:$versions. Install one from your system's medium, or name it with PYTHON=PATH."
"$python" -c 'import ensurepip, venv' 2>/dev/null || stop \
    "Python 缺少 venv。Debian、Ubuntu、统信 UOS 请安装 python3-venv 软件包。" \
    "Python lacks venv. On Debian and Ubuntu install the package python3-venv."

# 3. A virtual environment of its own, from the wheels of this folder alone.
id=$(sha256sum "$here/SHA256SUMS" | cut -c 1-12)
new="$target/$id"
mkdir -p "$target"
rm -rf "$new"
unset PYTHONPATH PYTHONHOME PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS 2>/dev/null || true
"$python" -m venv "$new"
PIP_CONFIG_FILE=/dev/null "$new/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-index --find-links "$here/wheels" --no-deps --require-hashes --requirement "$chosen"
"$new/bin/python" -m pip check --disable-pip-version-check

# 4. It works here: system libraries, models, disk.
"$new/bin/mangping" doctor || stop \
    "已安装，但上面标出的问题须先处理，再重新运行本脚本。" \
    "Installed, but mend first what is marked above, then run this script again."
[ "${SWITCH:-yes}" = "yes" ] || exit 0
ln -sfn "$id" "$target/current"
printf '\n%s\n' "$target/current/bin/mangping"
printf '%s\n' "演示 / demo: $target/current/bin/mangping demo --samples \"$here/samples\""

#!/bin/sh
# Upgrades an installation from this folder, without any network: the new version beside the old
# one, services stopped, a backup with the old version, then `current` is moved and the office
# started, which brings the databases up to date. Usage, as root for services:
#   sh upgrade.sh FOLDER DATA BACKUPS
# 离线升级：先装好新版本，停止服务，用旧版本备份，再切换并启动（自动升级数据库）。
# 用法：sh upgrade.sh 安装文件夹 数据文件夹 备份文件夹
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${1:?FOLDER} data=${2:?DATA} backups=${3:?BACKUPS}
settings=${SETTINGS:-/etc/mangping/office.env}
services="mangping-review mangping-runner mangping-office"

stop() {
    printf '\n%s\n%s\n' "$1" "$2" >&2
    exit 2
}

old=$(readlink "$target/current") || stop \
    "$target/current 不存在，请用 install.sh 安装。" \
    "There is no $target/current: use install.sh."
id=$(sha256sum "$here/SHA256SUMS" | cut -c 1-12)
[ "$old" != "$id" ] || stop "已是此版本。" "This version is installed already."
kept="$backups/before-$id-$(date +%Y%m%d-%H%M%S)"
[ -d "$backups" ] || stop "备份文件夹 $backups 不存在。" "There is no folder $backups for backups."

# 1. All that can fail without anybody noticing comes first.
SWITCH=no sh "$here/install.sh" "$target"

# 2. Nobody writes, and the old version, which wrote the data, copies it.
if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
    systemctl stop $services
fi
(
    if [ -r "$settings" ]; then
        set -a
        . "$settings"
        set +a
    fi
    "$target/$old/bin/mangping" backup "$kept" --data "$data"
) || stop \
    "备份未成功，未作任何改动。请处理后重新启动服务：systemctl start $services" \
    "The backup did not succeed and nothing was changed. Mend it, or start: systemctl start $services"

# 3. The new version. The office's service brings the databases up to date when it starts.
ln -sfn "$id" "$target/current"
if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
    systemctl start mangping-office mangping-runner mangping-review
fi
cat <<SAID

备份 / backup: $kept
退回 / back:   systemctl stop $services
               ln -sfn $old $target/current
               mv $data $data.failed; $target/current/bin/mangping restore $kept --data $data
               (PostgreSQL: 先清空两个数据库 / empty both databases first)
               systemctl start mangping-office mangping-runner mangping-review
SAID

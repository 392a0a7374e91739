"""Who may open the installation's folders: the user alone, or the experts' service as well.

With `experts_group` the experts' pages run as a user of their own. What they may read (`blind`)
and where they keep their pictures (`review`) then belong to that group; what is made below takes
its rights from the folder it is in, so that one setting decides.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from models.errors import RuleError, Sentence

SET_GROUP = 0o2000
"""On a folder: what is made in it belongs to the folder's group."""


def set_rights(folder: Path, group: str, *, writable: bool) -> None:
    """The folder for its owner alone, or for `group` ("" for none) to read or also to write.

    RuleError when the group does not exist or this user is not in it.
    """
    if not group or os.name == "nt":
        _change(folder, 0o700)
        return
    try:
        if folder.group() != group:
            shutil.chown(folder, group=group)
        _change(folder, SET_GROUP | (0o770 if writable else 0o750))
    except (LookupError, OSError) as error:
        raise RuleError(
            Sentence(
                f"无法把 {folder} 交给用户组 {group}（MANGPING_EXPERTS_GROUP）：{error}。"
                "请建立该组并把办公室服务的用户加入，见 docs/DEPLOYMENT.md。",
                f"{folder} cannot be given to the group {group} (MANGPING_EXPERTS_GROUP): {error}. "
                "Make the group and put the office service's user in it; see docs/DEPLOYMENT.md.",
            )
        ) from error


def _change(folder: Path, mode: int) -> None:
    """Only where it differs: a container's root may be read-only, its folders right already."""
    if stat.S_IMODE(folder.stat().st_mode) != mode:
        folder.chmod(mode)


def shared(folder: Path) -> int:
    """The group's rights on a folder, as bits; 0 on Windows, where modes tell nothing."""
    return 0 if os.name == "nt" else folder.stat().st_mode & 0o070


def like_parent(folder: Path) -> None:
    """A folder just made by its owner gets the group's rights of the one it is in."""
    bits = shared(folder.parent)
    if bits:
        folder.chmod(SET_GROUP | 0o700 | bits)


def readable_like(folder: Path, root: Path) -> None:
    """A folder and its files become readable for the group that may read `root`, if any."""
    if not shared(root) & 0o040:
        return
    for path in folder.iterdir():
        path.chmod(0o640)
    folder.chmod(SET_GROUP | 0o750)

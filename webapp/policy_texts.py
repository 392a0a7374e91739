"""Policies as texts: a shipped notice, or the office's own file, which may extend one."""

from __future__ import annotations

import re
import tempfile
import tomllib
from importlib.resources import files
from pathlib import Path

from scoring.errors import PolicyError, problem
from scoring.policy import Policy
from scoring.policy_files import load_policy, shipped_names

LARGEST = 1 << 20


def shipped_text(name: str) -> str:
    """The file of a shipped policy."""
    return (files("scoring") / "policies" / f"{name}.toml").read_text("utf-8")


def shipped_titles() -> dict[str, str]:
    """Name -> title of the notice, of the shipped policies."""
    titles = {}
    for name in shipped_names():
        notice = load_policy(name).notice
        titles[name] = notice.title if notice is not None else name
    return titles


def policy_from_text(text: str, label: str) -> Policy:
    """The policy of a TOML text with what it extends; PolicyError with every mistake and its line.

    `label` names it in messages. It may extend a shipped policy and no file of this machine.
    """
    if label in shipped_names() and text == shipped_text(label):
        return load_policy(label)
    try:
        extends = tomllib.loads(text).get("extends")
    except (ValueError, RecursionError):
        extends = None  # load_policy says so with the line
    if isinstance(extends, str) and extends and extends not in shipped_names():
        names = "、".join(shipped_names())
        raise PolicyError(
            problem(
                f"extends 只能写内置政策的名称（{names}），现为“{extends}”。",
                f"extends must name a shipped policy ({', '.join(shipped_names())}), not "
                f'"{extends}".',
            )
        )
    with tempfile.TemporaryDirectory(prefix="mangping-") as folder:
        path = Path(folder) / f"{_stem(label)}.toml"
        path.write_text(text, "utf-8")
        return load_policy(path)


def own_policy(name: str, data: bytes) -> tuple[str, str]:
    """(name, text) of an uploaded policy file; PolicyError with everything that is wrong."""
    if len(data) > LARGEST:
        raise PolicyError(
            problem("政策文件超过 1 MB，请检查是否选错了文件。",
                    "The policy file is larger than 1 MB; check that it is the right file.")
        )  # fmt: skip
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            problem("政策文件不是 UTF-8 编码。请另存为 UTF-8 后重新上传。",
                    "The policy file is not UTF-8. Save it as UTF-8 and upload it again.")
        ) from error  # fmt: skip
    label = _stem(Path(name.replace("\\", "/")).stem)
    policy_from_text(text, label)
    return label, text


def _stem(label: str) -> str:
    """A file name for a policy that is never that of a shipped one, which it may extend."""
    plain = re.sub(r"[^\w\-]", "_", label)[:80] or "office"
    return f"{plain}_office" if plain in shipped_names() else plain

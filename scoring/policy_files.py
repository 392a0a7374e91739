"""Policies on disk: the shipped notices, an office's own file that `extends` one of them."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scoring.errors import PolicyError, Problem, Sentence, problem
from scoring.policy import GROUNDS, Policy
from scoring.policy_lines import key_lines, line_of

# Arrays of tables whose entries an extending file replaces one by one, by this key.
_ENTRY_KEYS = {"exemption": "ground", "criterion": "id", "material": "category"}
_SHIPPED = files("scoring") / "policies"


def shipped_names() -> tuple[str, ...]:
    """Names of the policies that come with the program, sorted."""
    return tuple(sorted(p.name[:-5] for p in _SHIPPED.iterdir() if p.name.endswith(".toml")))


def shipped_policy(name: str) -> Policy:
    """A shipped policy by its name; PolicyError if there is none."""
    return load_policy(name)


def load_policy(name_or_path: str | Path) -> Policy:
    """A policy by shipped name or by the path of a TOML file, with what it extends merged in.

    A file's `extends` names a shipped policy or a file beside it. Tables are merged key by key;
    entries of `exemption`, `criterion` and `material` replace the entry with the same ground, id
    or category and are otherwise added. Raises PolicyError with every mistake and its line.
    """
    merged: dict[str, Any] = {}
    chain = _chain(str(name_or_path))
    for _, content in reversed(chain):
        merged = _merge(merged, content)
    merged["name"] = chain[0][0]
    try:
        return Policy(**merged)
    except ValidationError as error:
        # Each file was valid by itself, so only the combination can be wrong: no line to name.
        raise PolicyError(_problems(error, {}, chain[0][0])) from error


def policy_from_document(document: object) -> Policy:
    """A policy from `Policy.document()`, as embedded in RESULT.json; PolicyError if invalid."""
    if not isinstance(document, dict):
        raise PolicyError(problem("policy 不是一个对象。", "policy is not an object."))
    try:
        return Policy(**document)
    except (ValidationError, TypeError) as error:
        if isinstance(error, ValidationError):
            raise PolicyError(_problems(error, {}, "policy")) from error
        raise PolicyError(problem("policy 无法读取。", "policy cannot be read.")) from error


def _chain(first: str) -> list[tuple[str, dict[str, Any]]]:
    chain: list[tuple[str, dict[str, Any]]] = []
    wanted, base, seen = first, Path(), set[str]()
    while wanted:
        label, text, base = _source(wanted, base)
        if label in seen:
            raise PolicyError(
                problem(
                    f"政策文件 {label} 通过 extends 又引用了自己。请去掉循环引用。",
                    f"Policy {label} extends itself in a circle. Remove the circle.",
                )
            )
        seen.add(label)
        content = _read(label, text)
        wanted = content.pop("extends", "")
        chain.append((label, content))
    return chain


def _source(wanted: str, base: Path) -> tuple[str, str, Path]:
    """(label, text, folder) of a shipped name or a file."""
    if wanted in shipped_names():
        return wanted, (_SHIPPED / f"{wanted}.toml").read_text(encoding="utf-8"), Path()
    path = base / wanted
    try:
        return path.stem, path.read_text(encoding="utf-8-sig"), path.parent
    except UnicodeDecodeError as error:
        raise PolicyError(
            problem(
                f"政策文件 {path} 不是 UTF-8 编码。请另存为 UTF-8。",
                f"Policy file {path} is not UTF-8. Save it as UTF-8.",
            )
        ) from error
    except OSError as error:
        names = ", ".join(shipped_names())
        raise PolicyError(
            problem(
                f"找不到政策“{wanted}”：它既不是内置政策（{names}），也不是可读的文件。",
                f"No policy '{wanted}': neither a shipped name ({names}) nor a readable file.",
            )
        ) from error


def _read(label: str, text: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # also endless digits, and nesting
        raise PolicyError(
            problem(
                f"政策文件 {label} 不是有效的 TOML：{error}。请按所示行号改正。",
                f"Policy file {label} is not valid TOML: {error}. Correct it at that line.",
            )
        ) from error
    extends = content.get("extends", "")
    if not isinstance(extends, str):
        raise PolicyError(
            problem(
                f'政策文件 {label} 的 extends 应为文本，如 extends = "science_bazhou_2024"。',
                f'In {label}, extends must be text, e.g. extends = "science_bazhou_2024".',
            )
        )
    try:
        Policy(**{key: value for key, value in content.items() if key != "extends"})
    except ValidationError as error:
        try:
            lines = key_lines(text)
        except RecursionError:  # keys nested a thousand deep
            lines = {}
        raise PolicyError(_problems(error, lines, label)) from error
    return content


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        elif key in _ENTRY_KEYS and isinstance(value, list):
            entries = {entry[_ENTRY_KEYS[key]]: entry for entry in merged.get(key, [])}
            entries |= {entry[_ENTRY_KEYS[key]]: entry for entry in value}
            merged[key] = list(entries.values())
        else:
            merged[key] = value
    return merged


def _problems(
    error: ValidationError, lines: dict[tuple[str | int, ...], int], label: str
) -> list[Problem]:
    found = []
    for item in error.errors():
        path = item["loc"]
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        line = line_of(path, lines)
        place = (
            Sentence(f"{label} 第 {line} 行，{key}", f"{label} line {line}, {key}")
            if line
            else Sentence(f"{label}，{key}", f"{label}, {key}")
        )
        found.append(Problem(place, _sentence(item["type"], item)))
    return found


def _sentence(kind: str, item: Any) -> Sentence:
    said = item.get("input")
    reason = str(item.get("ctx", {}).get("error", ""))
    if kind == "missing":
        return Sentence(
            "缺少此项。请补上。", "This key is missing. Add it (docs/POLICIES.md lists the keys)."
        )
    if kind == "extra_forbidden":
        return Sentence(
            "没有这个设置项。请核对拼写，或参阅 docs/POLICIES.md。",
            "There is no such key. Check the spelling, or see docs/POLICIES.md.",
        )
    if kind == "literal_error":
        allowed = item["ctx"]["expected"].replace(" or ", ", ")
        extra = f"（{'、'.join(zh for zh, _ in GROUNDS.values())}）" if "service" in allowed else ""
        return Sentence(
            f"不能是 {said!r}。可选：{allowed}{extra}。", f"{said!r} is not one of {allowed}."
        )
    if reason == "points":
        return Sentence(
            f'{said!r} 不是分值。请写成不带符号、最多 6 位小数的十进制数，如 "30" 或 "0.5"。',
            f'{said!r} is not points. Write a plain decimal such as "30" or "0.5".',
        )
    if reason == "positive":
        return Sentence("必须大于 0。", "It must be greater than 0.")
    if reason == "share":
        return Sentence(
            f'{said!r} 不是比例。请写成分数，如 "2/3"（小数 0.667 不精确）。',
            f'{said!r} is not a share. Write a fraction such as "2/3" (0.667 is not exact).',
        )
    if reason == "blank":
        return Sentence("不能为空。", "It must not be blank.")
    if reason.startswith("double:"):
        names = reason.removeprefix("double:")
        return Sentence(f"重复定义：{names}。请只保留一个。", f"Defined twice: {names}. Keep one.")
    return Sentence(
        f"{said!r} 的类型或范围不对（{item['msg']}）。",
        f"{said!r} has the wrong type or range ({item['msg']}).",
    )

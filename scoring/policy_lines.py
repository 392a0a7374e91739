"""Where in a TOML file each key stands, so that a mistake is reported with its line."""

from __future__ import annotations

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path = tuple[str | int, ...]

_LANGUAGE = Language(tree_sitter_toml.language())
_KEYS = ("bare_key", "quoted_key", "dotted_key")


def key_lines(source: str) -> dict[Path, int]:
    """Line (from 1) of every table, key and array item of a valid TOML text, by its path."""
    lines: dict[Path, int] = {}
    seen: dict[Path, int] = {}
    for node in Parser(_LANGUAGE).parse(source.encode()).root_node.children:
        if node.type == "pair":
            _pair(node, (), lines)
        elif node.type in ("table", "table_array_element"):
            prefix = _inside(_key(node), seen)
            if node.type == "table_array_element":
                seen[prefix] = seen.get(prefix, -1) + 1
                lines.setdefault(prefix, _line(node))
                prefix = (*prefix, seen[prefix])
            lines[prefix] = _line(node)
            for child in node.children:
                if child.type == "pair":
                    _pair(child, prefix, lines)
    return lines


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of the path, or of the nearest table around it that the file has."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _pair(node: Node, prefix: Path, lines: dict[Path, int]) -> None:
    path = prefix + _key(node)
    lines[path] = _line(node)
    for child in node.children:
        if child.type == "inline_table":
            for inner in child.children:
                if inner.type == "pair":
                    _pair(inner, path, lines)
        elif child.type == "array":
            items = [item for item in child.named_children if item.type != "comment"]
            for index, item in enumerate(items):
                lines[(*path, index)] = _line(item)


def _inside(key: Path, seen: dict[Path, int]) -> Path:
    """The path of a table; a parent that is an array of tables means its latest item."""
    path: Path = ()
    for part in key[:-1]:
        path = (*path, part)
        if path in seen:
            path = (*path, seen[path])
    return (*path, key[-1])


def _key(node: Node) -> Path:
    name = next(child for child in node.children if child.type in _KEYS)
    if name.type == "dotted_key":
        parts: Path = ()
        for child in name.named_children:
            # Longer dotted keys nest to the left in this grammar.
            parts += _dotted(child)
        return parts
    return (_text(name),)


def _dotted(node: Node) -> Path:
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _dotted(child))
    return (_text(node),)


def _text(node: Node) -> str:
    return (node.text or b"").decode().strip("\"'")


def _line(node: Node) -> int:
    return int(node.start_point[0]) + 1

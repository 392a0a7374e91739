"""Both languages are complete: every visible text stands as t('中文', 'English') at its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jinja2
import pytest
from flask import Flask
from jinja2 import nodes
from sqlalchemy import Engine

from tests.webapp.furnished import furnish
from tests.webapp.test_access import ROLES, known, path_of, person
from webapp.language import COOKIE
from webapp.settings import Settings

HOME = Path(__file__).parents[2]
TEMPLATES = sorted((HOME / "webapp").rglob("templates/**/*.html"))
MODULES = sorted((HOME / "webapp").rglob("*.py"))
SCRIPTS = sorted((HOME / "webapp" / "static").glob("*.js"))
HAN = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-z]{2,}")
VISIBLE = ("placeholder", "title", "alt", "aria-label", "aria-description", "label")
"""Attributes that people see or hear; of <input type=submit> also the value."""
NOT_WORDS = {
    "mangping",
    "English",
    "ID",
    "SHA",
    "QR",
    "ZIP",
    "PDF",
    "JPG",
    "PNG",
    "TIFF",
    "xlsx",
    "CSV",
}
"""Names and abbreviations that are the same in both languages."""
COMMAND_LINE = (
    *("cli.py", "serving.py", "demo.py", "archive_cli.py", "backup_cli.py"),
    *("doctor_cli.py", "vault_key_cli.py"),
)
"""typer shows one help text; it holds both languages."""


def relative(path: Path) -> str:
    return path.relative_to(HOME).as_posix()


class Text(HTMLParser):
    """The visible texts of a page or template: text nodes and speaking attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        values = dict(attrs)
        shown = [values.get(name) for name in VISIBLE]
        if tag == "input" and values.get("type") in ("submit", "button"):
            shown.append(values.get("value"))
        self.found += [text for text in shown if text]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.found.append(data.strip())


def texts_of(html: str) -> list[str]:
    parser = Text()
    parser.feed(html)
    return parser.found


@cache
def pairs() -> frozenset[tuple[str, str]]:
    """Every (Chinese, English) that the templates, the views and the domain functions hold."""
    found = {pair for path in TEMPLATES for pair in _pairs_of_template(path)}
    for folder in ("webapp", "models"):
        for path in (HOME / folder).rglob("*.py"):
            found |= {(_fixed(zh), _fixed(en)) for zh, en in _side_by_side(path)}
    return frozenset(found)


def _side_by_side(path: Path) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(Chinese, English) neighbours in a call, a tuple or a dictionary, in either order."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Dict):
            neighbours = [(k, v) for k, v in zip(node.keys, node.values, strict=True) if k]
        else:
            items = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
            neighbours = list(pairwise(items))
        for one, other in (*neighbours, *(pair[::-1] for pair in neighbours)):
            zh, en = _fixed(one), _fixed(other)
            if HAN.search(_english(zh)) and en.strip() and not HAN.search(_english(en)):
                yield one, other


def _english(text: str) -> str:
    """Without terms in brackets: an English text may name the Chinese term."""
    return re.sub(r"[(（][^()（）]*[)）]", "", text)


def _pairs_of_template(path: Path) -> Iterator[tuple[str, str]]:
    for call in _parsed(path).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t":
            assert len(call.args) == 2, (relative(path), call.lineno)
            yield _said(call.args[0]), _said(call.args[1])


def _said(node: nodes.Node) -> str:
    """The fixed parts of an expression."""
    return "".join(
        str(const.value)
        for const in (node, *node.find_all(nodes.Const))
        if isinstance(const, nodes.Const)
    )


def _fixed(node: ast.expr) -> str:
    return "".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def _parsed(path: Path) -> nodes.Template:
    return jinja2.Environment().parse(path.read_text("utf-8"))


def test_there_is_something_to_look_at() -> None:
    assert len(TEMPLATES) >= 9
    assert len(pairs()) >= 60


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_a_template_holds_no_text_of_one_language(path: Path) -> None:
    parsed = _parsed(path)
    # What stands between the expressions, with a sign in each one's place. Blocks whose name
    # ends in _class fill an attribute.
    classes = {
        id(output)
        for block in parsed.find_all(nodes.Block)
        if block.name.endswith("_class")
        for output in block.find_all(nodes.Output)
    }
    fixed = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\u25a1"
        for output in parsed.find_all(nodes.Output)
        if id(output) not in classes
        for part in output.nodes
    )
    wrong = [
        text for text in texts_of(fixed) if HAN.search(text) or set(WORD.findall(text)) - NOT_WORDS
    ]
    assert wrong == []
    spoken = {
        id(const)
        for call in parsed.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == "t"
        for const in call.find_all(nodes.Const)
    }
    loose = [
        const.value
        for const in parsed.find_all(nodes.Const)
        if isinstance(const.value, str) and HAN.search(const.value) and id(const) not in spoken
    ]
    # The link to the other language is in the other language.
    assert loose in ([], ["中文"])


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_holds_no_text_of_one_language(path: Path) -> None:
    tree = _tree(path)
    spoken = {id(part) for pair in _side_by_side(path) for text in pair for part in ast.walk(text)}
    spoken |= {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "zh"
        for part in ast.walk(node)
    }
    help_texts = {
        id(part)
        for part in ast.walk(tree)
        if path.name in COMMAND_LINE and isinstance(part, ast.Constant)
    }
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    loose = [
        (part.lineno, part.value)
        for part in ast.walk(tree)
        if isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and HAN.search(part.value)
        and id(part) not in spoken | help_texts | docstrings
    ]
    assert [text for text in loose if text[1] not in DATA] == []


DATA = frozenset(
    {"示例：2024年度科学研究系列", "王主任", "陈经办", "马秘书", "需重新提交", "是否通过"}
)
"""Chinese that is data, not a message: the demo's round and people, a sheet's name."""


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_holds_no_text_of_one_language(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text("utf-8"), flags=re.S | re.M)
    text = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)"""
    called = rf"\bt\(\s*{text}\s*,\s*{text}\s*,?\s*\)"
    for zh, en in re.findall(called, code):
        assert HAN.search(zh), zh
        assert not HAN.search(en), en
    assert HAN.findall(re.sub(called, "", code)) == []


def test_each_text_is_said_in_its_language() -> None:
    for path in TEMPLATES:
        for zh, en in _pairs_of_template(path):
            assert not HAN.search(_english(en)), (relative(path), en)
            # Units and names may be the same in both.
            assert HAN.search(zh) or not WORD.search(en) or zh == en, (relative(path), zh, en)
            assert bool(zh.strip()) == bool(en.strip()), (relative(path), zh, en)
    for path in MODULES:
        for call in ast.walk(_tree(path)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("t", "Sentence"):
                zh, en = map(_fixed, call.args[:2])
                assert not HAN.search(_english(en)), (relative(path), en)
                assert HAN.search(zh) or not WORD.search(zh), (relative(path), zh)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_leftovers_of_the_other_language(
    office: Flask, vault: Engine, settings: Settings, role: str, language: str
) -> None:
    furnished = furnish(vault, settings)
    client = person(office, vault, role)
    client.set_cookie(COOKIE, language)
    if language == "en":
        strange = {zh for zh, en in pairs() if zh != en and HAN.search(zh) and len(zh) > 1}
    else:
        strange = {en for zh, en in pairs() if zh != en and len(en.split()) > 2}
    strange -= OWN_NAMES
    for method, rule, _ in known(office):
        answer = client.get(path_of(rule, furnished)) if method == "GET" else None
        if answer is None or answer.mimetype != "text/html" or answer.status_code == 302:
            continue
        shown = [text for text in texts_of(answer.text) if text not in OWN_NAMES]
        leftovers = {text for text in shown if text in strange}
        assert leftovers == set(), rule
        wanted = "en" if language == "en" else "zh-CN"
        if "<html" in answer.text:
            assert f'<html lang="{wanted}"' in answer.text


OWN_NAMES = frozenset({"中文", "English"})

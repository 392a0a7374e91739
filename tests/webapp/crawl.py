"""Odd requests to every address of an app: what a broken client or an attacker may send.

The apps have no OpenAPI document; their addresses, their own forms and the names that their views
ask for stand in for it. One field or header at a time is odd, so that the others let it through.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from traceback import format_exception
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, got_request_exception
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

ALLOWED = (507,)
"""No room on the disk: a sentence of ours, by design."""
LEAKS = (b"Traceback (most recent call last)", b"sqlalchemy.", b"werkzeug.exceptions")

ODD_TEXTS = (
    "",
    " ",
    "a\0b",
    "-1",
    "0",
    "1",
    "²",
    "٣",
    "9" * 19,
    "9" * 5_000,
    "1e999",
    "NaN",
    "-0.5",
    "1,5",
    "\U0001f600",
    "\u202e诸葛\u2028\u0600",
    "\r\nX-Header: 1",
    "' OR 1=1 --",
    "<script>alert(1)</script>{{7*7}}%s%n{0}",
    "../../../etc/passwd",
    "C:\\con\\nul",
    "//evil.example/",
    "2024-02-30",
    "9999-12-31T23:59:60",
    "R99",
    "诸" * 3_000,
)
ODD_BYTES = (b"\xff\xfe\x80", b"\xed\xa0\x80", b"%00%zz", b"=&;&=")
ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**63, 10**400, 1.5, 1e308, "", "1", "x" * 3_000, "a\0b", "\ud800",
    [], {}, [None], [[]], [{}], {"a": {"b": []}}, [[0, 0]] * 4,
)  # fmt: skip
ODD_HEADERS = (
    ("Accept-Language", "xx;q=abc,,;"),
    ("Content-Encoding", "gzip"),
    ("Content-Length", "-1"),
    ("Content-Range", "bytes 9-1/0"),
    ("Content-Type", "application/json; charset=nonsense"),
    ("Content-Type", "multipart/form-data"),
    ("Content-Type", "multipart/form-data; boundary=" + "x" * 300),
    ("Content-Type", "application/x-www-form-urlencoded; charset=utf-32"),
    ("Content-Type", "image/png\xff"),
    ("Cookie", "=;;mp_office=\xff\xfe; mp_office_form=e30.x.y"),
    ("Cookie", "mp_office_form=eyJhIjoxfQ.aaaaaa.bbbbbb; mp_language=%00"),
    ("Date", "yesterday"),
    ("Host", "evil.example:99999"),
    ("Host", "[::1"),
    ("HX-Current-URL", "http://[bad"),
    ("HX-Request", "true"),
    ("HX-Target", "\xff<script>"),
    ("If-Modified-Since", "Thu, 99 Foo 99999 99:99:99 GMT"),
    ("If-None-Match", "W/\""),
    ("If-Range", "x"),
    ("Range", "bytes=-"),
    ("Range", "bytes=5-1,99999999999999999999-"),
    ("Referer", "http://[::1/\xff"),
    ("Transfer-Encoding", "chunked, chunked"),
    ("User-Agent", "\xff" * 3_000),
    ("X-CSRFToken", "\xff.\xff"),
    ("X-Forwarded-For", "a" * 3_000),
    ("X-HTTP-Method-Override", "DELETE"),
)  # fmt: skip
ODD_FILES = (
    ("", b""),
    ("a\0.xlsx", b"PK\x03\x04" + b"\0" * 60),
    ("诸葛" * 200 + ".csv", "姓名,单位\n诸葛\0,\ud7ff".encode()),
    ("roster.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600),
    ("..\\..\\x.toml", b"extends = [[[[\n\xff"),
    ("x.toml", b'[notice]\ntitle = 1\n[[criterion]]\nid = ""\nmax = "1e999"\n'),
    ("x.zip", b"PK\x05\x06" + b"\xff" * 18),
    ("x.pdf", b"%PDF-1.7\n%%EOF"),
    ("x.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    ("x.csv", b",".join([b'"'] * 999)),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO")


Values = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Door:
    """One address of an app and what its own pages send there."""

    rule: Rule
    method: str
    names: tuple[str, ...]
    forms: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class Asked:
    """One request. `body`: bytes, JSON-like values or form fields (files as (name, content))."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    form: Sequence[tuple[str, Any]] | None = None
    json: Any = None
    raw: bytes | None = None
    headers: Sequence[tuple[str, str]] = ()


@dataclass
class Crawl:
    """The odd requests to one app, and every answer that must not be."""

    app: Flask
    values: Values
    """Values that exist, by the name of the part of an address; several sets of them."""
    start: int = 0
    asked: int = 0
    faults: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._seed = self.start

    def visit(self, client: FlaskClient, token: str, door: Door, times: int) -> None:
        """Asks a door `times` odd things; the first fault is kept."""
        self._seed += 1
        faults: list[str] = []

        @seed(self._seed)
        @settings(
            max_examples=times,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(odd_requests(door, self.values))
        def ask(one: Asked) -> None:
            faults.append(self.ask(client, one, token))

        ask()
        self.faults += [fault for fault in faults if fault][:1]

    def ask(self, client: FlaskClient, one: Asked, token: str) -> str:
        """What is wrong with the answer; "" for nothing."""
        raised: list[BaseException] = []

        def note(_app: Flask, exception: BaseException, **_more: Any) -> None:
            raised.append(exception)

        self.asked += 1
        with got_request_exception.connected_to(note, self.app):
            try:
                answer = client.open(
                    one.path,
                    method=one.method,
                    query_string=MultiDict(one.query) if one.query else None,
                    **_body(one),
                    headers=_headers(one, token),
                )
                data, status = answer.data, answer.status_code
            except UnicodeEncodeError:
                return ""  # the test's own client cannot even send it
            except Exception as error:
                return f"{one}\n{''.join(format_exception(error))[-1500:]}"
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 500 and status not in ALLOWED:
            told = "".join("".join(format_exception(e))[-1500:] for e in raised)
            return f"{status} for {_short(one)}\n{told}"
        if any(leak in data for leak in LEAKS):
            return f"a leak for {_short(one)}\n{data[:500]!r}"
        return ""


def doors_of(app: Flask, client: FlaskClient, values: Values) -> list[Door]:
    """Every address, with the fields that views ask for and the forms that pages show."""
    forms = _forms(app, client, values)
    doors = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        names = _names_asked(inspect.unwrap(view).__module__)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            own = forms.get((rule.endpoint, method), ())
            doors.append(Door(rule, method, names, tuple(dict.fromkeys(own))))
    return doors


@st.composite
def odd_requests(draw: st.DrawFn, door: Door, values: Values) -> Asked:
    """A request to a door of which at least one part is odd."""
    method = door.method
    odd = draw(st.sampled_from(_KINDS[door.method == "GET"]))
    known = draw(st.sampled_from(list(values)))
    text = st.sampled_from(ODD_TEXTS) | st.text(max_size=30)
    name = st.sampled_from(door.names or ("x",))

    def part(found: re.Match[str]) -> str:
        if odd == "path" and draw(st.booleans()):
            return quote(draw(text)[:400], safe="") or "-"
        return known.get(found.group(2), "1")

    path = re.sub(r"<(\w+(?:\([^)]*\))?:)?(\w+)>", part, door.rule.rule)
    query: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    if odd == "query" or draw(st.integers(0, 4)) == 0:
        query = draw(st.lists(st.tuples(name, text), min_size=1, max_size=4))
    if odd == "header":
        headers = draw(st.lists(st.sampled_from(ODD_HEADERS), min_size=1, max_size=3))
    if odd == "method":
        method = draw(st.sampled_from(METHODS))
    form, body, raw = _drawn_body(draw, door, odd, name, text)
    return Asked(method, path, query, form, body, raw, headers)


_KINDS = {
    True: ("path", "query", "query", "header", "method", "none"),
    False: ("path", "query", "header", "method", "form", "form", "form", "json", "json", "raw",
            "file", "none"),
}  # fmt: skip


def _drawn_body(
    draw: st.DrawFn,
    door: Door,
    odd: str,
    name: st.SearchStrategy[str],
    text: st.SearchStrategy[str],
) -> tuple[list[tuple[str, Any]] | None, Any, bytes | None]:
    """(form, json, raw), of which one at most is not None."""
    if door.method == "GET":
        return None, None, None
    if odd == "json" or (not door.forms and draw(st.booleans())):
        if odd == "json" and draw(st.integers(0, 5)) == 0:
            return None, draw(st.sampled_from(ODD_VALUES)), None
        value = st.sampled_from(ODD_VALUES) | st.integers(-2, 9)
        value |= st.lists(st.dictionaries(name, value, max_size=4), min_size=1, max_size=2)
        return None, draw(st.dictionaries(name, value, max_size=8)), None
    if odd == "raw":
        return None, None, draw(st.sampled_from(ODD_BYTES) | st.binary(max_size=200))
    form: list[tuple[str, Any]] = list(draw(st.sampled_from(door.forms))) if door.forms else []
    if odd == "file":
        files = [(draw(name), draw(st.sampled_from(ODD_FILES))) for _ in range(2)]
        # The field that the view reads is among the few that hold files.
        files += [(known, draw(st.sampled_from(ODD_FILES))) for known in _FILE_NAMES]
        return [*form, *files], None, None
    if odd == "form" or not form:
        for _ in range(draw(st.integers(1, 3))):
            act = draw(st.sampled_from(("change", "change", "add", "twice", "drop")))
            at = draw(st.integers(0, len(form) - 1)) if form else 0
            if not form or act == "add":
                form.append((draw(name), draw(text | st.sampled_from(ODD_BYTES))))
            elif act == "change":
                form[at] = (form[at][0], draw(text | st.sampled_from(ODD_BYTES)))
            elif act == "twice":
                form.append((form[at][0], draw(text)))
            else:
                del form[at]
    return form, None, None


_FILE_NAMES = ("roster", "list", "policy_file", "scans")


def _headers(one: Asked, token: str) -> Headers:
    headers = Headers()
    if token:
        headers["X-CSRFToken"] = token
    for name, value in one.headers:
        headers[name] = value
    if one.raw is not None and "Content-Type" not in headers:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return headers


def _body(one: Asked) -> dict[str, Any]:
    if one.raw is not None:
        return {"data": one.raw}
    if one.json is not None:
        return {"json": one.json}
    if one.form is None:
        return {}
    form: dict[str, list[Any]] = {}
    for name, value in one.form:
        if isinstance(value, tuple):
            value = (io.BytesIO(value[1]), value[0])
        elif isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
        form.setdefault(name, []).append(value)
    return {"data": form}


def _short(one: Asked) -> str:
    return re.sub(r"(.)\1{40,}", r"\1\1\1...", repr(one))[:1_500]


@cache
def _names_asked(module: str) -> tuple[str, ...]:
    """Names by which a view's module, and the modules of ours that it imports, ask for values."""
    found: set[str] = set()
    for name in (module, *_imported(module)):
        for node in ast.walk(_tree(name)):
            key: ast.AST | None = None
            if isinstance(node, ast.Subscript):
                key = node.slice
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("get", "getlist", "pop", "_strings")
                and node.args
            ):
                key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isascii():
                found.add(key.value)
    return tuple(sorted(found))


def _imported(module: str) -> Iterator[str]:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("webapp."):
            yield str(node.module)


@cache
def _tree(module: str) -> ast.Module:
    source = inspect.getsource(sys.modules[module]) if module in sys.modules else ""
    return ast.parse(source)


def _forms(
    app: Flask, client: FlaskClient, values: Values
) -> dict[tuple[str, str], list[tuple[tuple[str, str], ...]]]:
    """(endpoint, method) -> the fields of every form that leads there, as the pages fill it in."""
    adapter = app.url_map.bind("localhost")
    found: dict[tuple[str, str], list[tuple[tuple[str, str], ...]]] = {}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        for known in values if rule.arguments else values[:1]:
            path = re.sub(
                r"<(\w+(?:\([^)]*\))?:)?(\w+)>",
                lambda m, known=known: known.get(m.group(2), "1"),  # type: ignore[misc]
                rule.rule,
            )
            answer = client.get(path)
            if answer.mimetype != "text/html" or answer.status_code != 200:
                continue
            page = _Forms(path)
            page.feed(answer.text)
            for action, method, fields in page.found:
                try:
                    endpoint, _ = adapter.match(urlsplit(action).path, method=method)
                except HTTPException:  # a form that only our scripts send
                    continue
                found.setdefault((endpoint, method), []).append(tuple(fields))
    return found


class _Forms(HTMLParser):
    """(action, method, fields) of every form of a page."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, list[tuple[str, str]]]] = []
        self._path = path
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = has.get("action") or has.get("hx-post") or self._path
            method = "POST" if "hx-post" in has else has.get("method", "get").upper()
            self.found.append((action, method, []))
        if not self.found:
            return
        fields = self.found[-1][2]
        if tag in ("input", "textarea", "button") and has.get("name", "csrf_token") != "csrf_token":
            if has.get("type") != "file":
                fields.append((has["name"], has.get("value", "1")))
        elif tag == "select":
            self._select = has.get("name", "")
        elif (
            tag == "option"
            and self._select
            and ("selected" in has or self._select not in dict(fields))
        ):
            fields.append((self._select, has.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""

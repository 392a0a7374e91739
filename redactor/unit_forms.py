"""All ways in which a work unit may be written: short forms, levels, document numbers."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from redactor.normal_text import is_han, key
from redactor.page import Kind
from redactor.term import Script, Term, Tolerance, han_term, literal, native_term, script_of

# A place that the table does not know, at the start of a unit: two characters and its class word.
_PLACE = re.compile(
    r"^(.{2,8}?(?:族自治州|族自治县)|第[一二三四五六七八九十]{1,3}师|.{2,4}?(?:省|地区|盟|市|县|区|旗)"
    r"|.{2,6}?(?:镇|乡|街道))(?=.{3,})"
)
_NO_PLACE = re.compile(
    r"(?:城市|都市|市区|园区|地区|社区|灌区|库区|林区|牧区|景区|矿区|保护区|校区|院区)$"
)
# Words after which a subordinate organisation may follow.
_PARENT = re.compile(
    r"(?:局|厅|委员会|人民政府|科学院|研究院|大学|学院|医院|集团|公司|中学|总站|委)(?=[^）)]{3,})"
)
_ORGAN_END = re.compile(
    r"(?:局|厅|委员会|办公室|站|所|中心|队|科|室|处|院|校|场|公司|园|馆|台|厂|部|系|股|学|班|组)$"
)
_NOT_SUB = re.compile(r"^(?:管理|服务|建设|办公室$|有限|股份|责任|监督|附属中学$)")
_COMPANY = re.compile(r"(?:集团)?(?:股份有限公司|有限责任公司|有限公司|总公司|公司)$|集团$")
_LEVEL_WORDS = ("自治区", "自治州", "自治县", "地区", "兵团", "省", "市", "州", "县", "区", "师")
_NUMBERED = re.compile(r"第([一二三四五六七八九十]{1,3})(?:高级)?(中学|小学)")
_MAX_FORMS = 120
_NO_UNIT = frozenset(("自由职业", "自由职业者", "无", "无业", "待业", "个体", "个人", "退休"))


@cache
def _facts() -> dict[str, Any]:
    text = (resources.files("redactor") / "data" / "units.toml").read_text(encoding="utf-8")
    facts = tomllib.loads(text)
    for table in ("places", "place_codes", "sectors", "sector_codes"):
        facts[table] = {key(k): tuple(key(v) for v in vs) for k, vs in facts[table].items()}
    words = {key(w) for w in facts["generic"]["words"].split()}
    for full, shorts in facts["sectors"].items():
        words |= {full, *shorts}
    facts["words"] = tuple(sorted(words))
    return facts


@dataclass(frozen=True)
class UnitParts:
    """A unit cut up: `places` from large to small, `levels` from the parent organisation down."""

    places: tuple[str, ...]
    levels: tuple[str, ...]


def unit_parts(unit: str) -> UnitParts:
    """Places and organisation levels of a normalised unit name."""
    places: list[str] = []
    rest = unit
    while True:
        place = _leading_place(rest)
        if place is None:
            break
        places.append(place)
        rest = rest[len(place) :]
    return UnitParts(tuple(places), _levels(rest))


def _leading_place(text: str) -> str | None:
    table: dict[str, tuple[str, ...]] = _facts()["places"]
    known = [name for name in table if text.startswith(name) and len(text) >= len(name) + 2]
    if known:
        return max(known, key=len)
    shorts = {s for v in table.values() for s in v if not _is_level_word(s)}
    short = [s for s in shorts if text.startswith(s) and len(text) >= len(s) + 3]
    if short:
        longest = max(short, key=len)
        # 和静县 begins with no known short form, but 哈密市 does: the class word belongs to it.
        tail = text[len(longest) : len(longest) + 1]
        return longest + tail if tail in ("省", "市", "县", "区") else longest
    match = _PLACE.match(text)
    if match is None or _NO_PLACE.search(match.group(1)):
        return None
    division = match.group(1).startswith("第")
    return match.group(1) if division or not _is_generic(match.group(1)) else None


def _is_level_word(text: str) -> bool:
    return text in _LEVEL_WORDS or text in ("开发区", "经开区")


def _levels(body: str) -> tuple[str, ...]:
    found: list[str] = []
    start = 0
    for match in _PARENT.finditer(body):
        head, tail = body[start : match.end()], body[match.end() :]
        if len(head) >= 3 and _ORGAN_END.search(tail) and not _NOT_SUB.match(tail):
            found.append(head)
            start = match.end()
    return (*found, body[start:]) if body[start:] else tuple(found)


def _is_generic(text: str) -> bool:
    """Whether a text consists of shared words only (shortest cover by a greedy longest match)."""
    reach = {0}
    for start in range(len(text)):
        if start in reach:
            ends = (start + len(w) for w in _facts()["words"] if text.startswith(w, start))
            reach.update(ends)
    return len(text) in reach


def place_shorts(place: str) -> tuple[str, ...]:
    """Short forms of a place: by the table, else without its class word; then the class word."""
    known = _facts()["places"].get(place)
    if known is None:
        known = next(
            (
                (s, *v)
                for s, v in _facts()["places"].items()
                if place in v and not _is_level_word(s)
            ),
            (),
        )
    autonomous = re.search(r"(?:自治区|自治县|自治旗)$", place)
    bare = place if autonomous else re.sub(r"(?:省|地区|市|县|区|盟|旗|镇|乡|街道)$", "", place)
    division = re.sub(r"^第([一二三四五六七八九十]+)师$", r"\1师", place)
    more = [s for s in (bare, division) if len(s) >= 2 and s != place]
    return tuple(dict.fromkeys((*known, *more)))


def _level_words(place: str) -> tuple[str, ...]:
    """What people of the place call it: 州, 自治州 / 市 / 县."""
    known = _facts()["places"].get(place, ())
    long = [w for w in known if _is_level_word(w)]
    full = next((k for k, v in _facts()["places"].items() if place in v), place)
    class_words = ("州", "市", "县", "省", "地区", "师") + (
        () if full.endswith("自治区") else ("区",)
    )
    last = [w for w in class_words if full.endswith(w)]
    return tuple(dict.fromkeys((*long, *last)))


def body_forms(body: str) -> tuple[str, ...]:
    """One organisation level in full and in its well-founded short forms."""
    forms = {body: None}
    for full, shorts in _facts()["sectors"].items():
        if full in body:
            for known in tuple(forms):
                forms.update(dict.fromkeys(known.replace(full, s) for s in shorts if full in known))
    for known in tuple(forms):
        forms.update(dict.fromkeys(_shortened(known)))
    return tuple(f for f in forms if f)


def _shortened(text: str) -> Iterator[str]:
    school = _NUMBERED.sub(lambda m: m.group(1) + m.group(2)[0], text)
    if school != text:
        yield school
    if re.search(r"第[一二三四五六七八九十]+高级中学", text):
        yield text.replace("高级中学", "中学")
    if text.endswith("委员会"):
        yield text[:-2]
    if text.startswith("人民医院"):
        yield text.replace("人民医院", "医院", 1)
    for long, short in (
        ("工作站", "站"),
        ("管理站", "站"),
        ("工作总站", "总站"),
        ("管理总站", "总站"),
        ("研究院", "院"),
        ("研究所", "所"),
        ("科学研究院", "科院"),
        ("科学研究所", "科所"),
        ("服务中心", "中心"),
        ("职业技术学院", "职院"),
        ("职业技术学校", "职校"),
        ("农村信用合作联社", "农信社"),
    ):
        if text.endswith(long) and len(text) > len(long):
            yield text[: -len(long)] + short
    if "(" in text and ")" in text:
        yield re.sub(r"[()]", "", text)
        yield re.sub(r"\([^)]*\)", "", text)


def is_organisation(text: str) -> bool:
    """Whether a normalised text ends like an organisation and is more than words all share."""
    ends = _ORGAN_END.search(text) or _COMPANY.search(text)
    return ends is not None and not _is_generic(text)


def company_core(body: str) -> str | None:
    """天山水务有限责任公司 -> 天山水务; None for what is no company."""
    plain = re.sub(r"\([^)]*\)", "", body)
    match = _COMPANY.search(plain)
    return plain[: match.start()] if match and match.start() >= 2 else None


def unit_terms(unit: str, source: str) -> Iterator[Term]:
    """Terms for a unit in full, its parents, and its short forms. `source`: e.g. "unit".

    Never produced, because too many share them: a place alone; an organisation made only of
    general words without its place (林草局, 人民医院, 第三中学, 种苗站); 三中 and the like without
    a place (三中 is also a party plenum). The roster's 单位简称 can add such a form.
    """
    text = key(unit)
    if len(text) < 2 or text in _NO_UNIT:
        return
    yield han_term(Kind.UNIT, text, source)
    if script_of(text) is not Script.HAN:
        return
    parts = unit_parts(text)
    seen = 0
    for text_form, form, alone in _unit_forms(parts):
        if seen >= _MAX_FORMS:
            return
        if len(text_form) >= 3 and text_form != text:
            seen += 1
            yield han_term(Kind.UNIT, text_form, f"{form} of the {source}", standalone=alone)


def _unit_forms(parts: UnitParts) -> Iterator[tuple[str, str, bool]]:
    """(text, derivation, must stand alone)."""
    whole = "".join(parts.places)
    for depth in range(len(parts.levels), 0, -1):
        label = "short form" if depth == len(parts.levels) else "parent organisation"
        bodies = _level_bodies(parts.levels[:depth])
        for body, distinctive in bodies:
            if distinctive and len(body) >= 4 and (len(parts.levels) == 1 or depth == 1):
                yield body, f"{label} without place", False
            elif distinctive and len(body) >= 4:
                yield body, f"{label} without place", True
            if not parts.places:
                continue
            yield whole + body, label, False
            yield from _placed(parts.places, body, label, distinctive)


def _placed(
    places: tuple[str, ...], body: str, label: str, distinctive: bool
) -> Iterator[tuple[str, str, bool]]:
    last = places[-1]
    yield last + body, label, False
    shorts = [s for s in place_shorts(last) if not _is_level_word(s)]
    for short in shorts:
        yield short + body, label, len(short + body) < 5
    for word in () if distinctive else _level_words(last):
        yield word + body, f"{label} with the class word of the place", True
    if len(places) > 1:
        for outer in (places[-2], *place_shorts(places[-2])):
            for inner in (last, *shorts[:2]):
                if not _is_level_word(outer):
                    yield outer + inner + body, label, False
        outer_bodies = (places[-2], *place_shorts(places[-2]))
        if places[-1] in _facts()["places"] and places[-2].endswith("自治区"):
            return
        for outer in outer_bodies:
            if not _is_level_word(outer) and len(body) >= 6:
                yield outer + body, f"{label} with the larger place", False


def _level_bodies(levels: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Bodies of a chain of levels with whether they identify without a place.

    The chain in full and short, and the last level alone (州种苗站 for 林草局 + 种苗站).
    """
    if len(levels) > 1:
        heads = ["".join(row) for row in itertools.product(*(body_forms(p) for p in levels[:-1]))]
        for head in heads[:6]:
            for last in body_forms(levels[-1])[:6]:
                yield head + last, not _is_generic(head + last)
    for body in body_forms(levels[-1]):
        yield body, not _is_generic(body)
    core = company_core(levels[-1])
    if core:
        for tail in ("公司", "有限公司", "集团", ""):
            text = core + tail
            enough = len(core) >= 3 and not _is_generic(core)
            if tail or enough:
                yield text, enough


def short_terms(short: str) -> Iterator[Term]:
    """The roster's own short form; taken as it is, even if it is only two characters."""
    text = key(short)
    if len(text) >= 2:
        yield han_term(Kind.UNIT, text, "short form given in the roster")


def native_unit_terms(unit: str, source: str) -> Iterator[Term]:
    """A unit in the script of a minority; nobody shortens it there in a way that is known."""
    text = key(unit)
    if len(text) >= 4:
        yield native_term(Kind.UNIT, text, source)


# ---- document numbers ------------------------------------------------------------------------


def organ_codes(unit: str) -> tuple[str, ...]:
    """Codes that a unit and its parents put before the year: 巴林草, 巴州林草, 天山水务."""
    parts = unit_parts(key(unit))
    starts: list[str] = []
    for place in parts.places[-1:]:
        full = next((k for k, v in _facts()["places"].items() if place in v), place)
        starts += _facts()["place_codes"].get(full, (place[0],))
        starts += [s for s in place_shorts(place) if len(s) <= 3 and not _is_level_word(s)][:2]
        if len(_level_words(place)) > 0:
            starts += [w for w in _level_words(place) if len(w) == 1]
    codes: list[str] = []
    for level in parts.levels:
        for sector, marks in _facts()["sector_codes"].items():
            if level.startswith((sector, *_facts()["sectors"].get(sector, ()))):
                codes += [start + mark for start in starts for mark in marks]
        core = company_core(level)
        if core and not _is_generic(core):
            codes.append(core)
    return tuple(dict.fromkeys(c for c in codes if len(c) >= 2))


def document_terms(unit: str, source: str, *, whole: bool = False) -> Iterator[Term]:
    """Terms for document numbers: organ code, up to 4 more characters, year, number.

    `text` is the organ code; `pattern` matches the whole number (brackets may be missing when
    号 is there). With `whole` the given text itself is a code as well (for 单位简称).
    """
    codes = organ_codes(unit)
    if whole and len(key(unit)) >= 2 and all(is_han(c) for c in key(unit)):
        codes = (*codes, key(unit))
    year = r"(?:19|20)\d{2}"
    number = r"第?\d{1,5}"
    tail = rf"(?:\({year}\){number}号?|[(\[l1i]?{year}[)\]l1i]?{number}号)"
    for code in codes:
        pattern = rf"{literal(code)}[^\W\d_a-z]{{0,4}}字?{tail}"
        yield Term(
            Kind.DOCUMENT_NUMBER,
            code,
            f"document number of the {source}",
            Script.HAN,
            Tolerance.SHAPE,
            False,
            0,
            pattern,
        )

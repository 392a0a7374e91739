"""Small pages, each with its applicant's name in a known place, for benchmarks/soak.py."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

from sample_scans.canvas import Span, Style
from tests.redactor.golden.pages import sheet

_FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭"
_FIRST = "晓志建国秀文海丽永春玉桂红明德庆瑞宏静雪"
_SECOND = "岚强英华梅军芳伟霞刚燕平辉玲波涛琴勇娟鹏"
_UNITS = (
    "库尔勒市第三中学",
    "且末县农业技术推广中心",
    "和静县畜牧兽医工作站",
    "轮台县水利管理总站",
)


@dataclass(frozen=True)
class Person:
    """A made-up applicant. `number`: the place on the roster, from 1."""

    number: int
    name: str
    unit: str

    @property
    def folder(self) -> str:
        return f"{self.number:02d}{self.name}"


@dataclass(frozen=True)
class Sent:
    """A page that the server acknowledged. `boxes`: x0, y0, x1, y1 of the name, in pixels."""

    path: str
    sha256: str
    boxes: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True)
class Scan:
    """A page to be sent."""

    path: str
    data: bytes
    boxes: tuple[tuple[int, int, int, int], ...]

    def sent(self) -> Sent:
        return Sent(self.path, hashlib.sha256(self.data).hexdigest(), self.boxes)


def people(number: int) -> list[Person]:
    """So many applicants, each with a name of its own."""
    names = ("".join(parts) for parts in product(_SECOND, _FIRST, _FAMILY))
    turned = (name[2] + name[1] + name[0] for name in names)
    return [
        Person(at, name, _UNITS[at % len(_UNITS)])
        for at, name in enumerate(islice(turned, number), 1)
    ]


def scans_of(person: Person, pages: int) -> Iterator[Scan]:
    """Pages of one dossier; no two have the same pixels."""
    for number in range(1, pages + 1):
        canvas = sheet(120, 40)
        named = Span(person.name, "name", "plain", person.number)
        canvas.line(10, 8, ["第", str(number), "项 本单位职工", named, "同志"], Style(size=12))
        canvas.line(10, 22, "承担胡杨林更新项目，成绩优秀。", Style(size=12))
        out = io.BytesIO()
        canvas.image.save(out, "JPEG", quality=90, dpi=(canvas.dpi, canvas.dpi))
        boxes = []
        for item in canvas.items:
            corners = [corner for quad in item.quads for corner in quad]
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            boxes.append((round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))))
        path = f"{person.folder}/{person.name}-证书{number:03d}.jpg"
        yield Scan(path, out.getvalue(), tuple(boxes))

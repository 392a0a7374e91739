"""What a page function is given: whose page, on what sheet, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sample_scans.canvas import Canvas, Colour, Span
from sample_scans.fonts import Fonts
from sample_scans.people import Person, other_name

_INTERPUNCTS = "·•・．.﹒- "


@dataclass(frozen=True)
class Context:
    """One page's making. The methods return spans whose owner is the applicant."""

    person: Person
    rng: Random
    dpi: int
    fonts: Fonts

    def sheet(
        self, width: float = 210, height: float = 297, paper: Colour = (253, 253, 251)
    ) -> Canvas:
        return Canvas(self.fonts, self.rng, self.dpi, width, height, paper)

    def span(self, kind: str, text: str, form: str = "plain", labelled: bool = False) -> Span:
        return Span(text, kind, form, self.person.serial, labelled)

    def name(self, labelled: bool = False, form: str = "plain") -> Span:
        """The name, an interpunct sometimes written in another way."""
        text = self.person.name
        if "·" in text and form == "plain" and self.rng.random() < 0.6:
            sign = self.rng.choice(_INTERPUNCTS + "0")
            text = text.replace("·", "" if sign == "0" else sign)
            if sign != "·":
                form = "interpunct"
        return self.span("name", text, form, labelled)

    def spaced(self, labelled: bool = False) -> Span:
        """张　三 for two characters, 张 晓 岚 for more; long names stay whole."""
        text = self.person.name
        if len(text) > 4:
            return self.name(labelled)
        return self.span("name", ("　" if len(text) == 2 else " ").join(text), "spaced", labelled)

    def given(self) -> Span:
        """The given name alone of an interpunct name; else the whole name."""
        if self.person.given:
            return self.span("name", self.person.given, "given")
        return self.name()

    def traditional(self) -> Span:
        text = self.person.traditional
        same = text == self.person.name
        return self.span("name", text, "plain" if same else "traditional")

    def pinyin(self, index: int) -> Span:
        return self.span("name", self.person.pinyin[index % len(self.person.pinyin)], "pinyin")

    def unit(self, labelled: bool = False, form: str = "plain") -> Span:
        return self.span("unit", self.person.unit.full, form, labelled)

    def short(self, index: int = 0) -> Span:
        shorts = self.person.unit.shorts
        return self.span("unit", shorts[index % len(shorts)], "short_form")

    def former(self, short: bool = False) -> Span:
        unit = self.person.unit
        return self.span("unit", unit.former_short if short else unit.former, "former")

    def id_number(self, labelled: bool = True) -> Span:
        return self.span("id_number", self.person.id_number, "plain", labelled)

    def phone(self, labelled: bool = True) -> Span:
        digits = self.person.phone
        text = self.rng.choice(
            (
                digits,
                f"{digits[:3]}-{digits[3:7]}-{digits[7:]}",
                f"{digits[:3]} {digits[3:7]} {digits[7:]}",
                f"+86 {digits}",
                f"+86-{digits[:3]}-{digits[3:7]}-{digits[7:]}",
            )
        )
        return self.span("phone", text, "plain" if text == digits else "grouped", labelled)

    def email(self, labelled: bool = True) -> Span:
        return self.span("email", self.person.email, "plain", labelled)

    def address(self) -> Span:
        return self.span("address", self.person.address, "plain", True)

    def number(self, digits: int, prefix: str = "") -> Span:
        """A certificate number behind its label."""
        text = prefix + "".join(self.rng.choice("0123456789") for _ in range(digits))
        return self.span("cert_number", text, "plain", True)

    def document_number(self) -> Span:
        year, number = self.rng.randrange(2018, 2025), self.rng.randrange(2, 96)
        return self.span("document_number", f"{self.person.unit.mark}〔{year}〕{number}号")

    def other(self) -> str:
        """Somebody else's name."""
        return other_name(self.rng, self.person.name)

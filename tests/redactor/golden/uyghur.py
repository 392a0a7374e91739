"""Pages with Uyghur script, drawn; the words mean what a form would say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import fontpkg_noto_sans_arabic
import numpy as np
import pylopdf_fonts_zh_cn
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from redactor import geometry
from redactor.page import Image, Quad

NAME = "ئابدۇراخمان مەمەت"
UNIT = "بايىنغولىن ئوبلاستلىق ئورمانچىلىق ئىدارىسى"
LABEL, UNIT_LABEL, SEX = "ئىسمى", "ئورنى", "ئەر"
TEXT = "بۇ يىل خىزمەت جەريانىدا ئورمان كۆچەتلىرىنى پەرۋىش قىلىش"

_FILES = Path(fontpkg_noto_sans_arabic.__file__).parent / "files"


@cache
def _font(size: int, chinese: bool) -> ImageFont.FreeTypeFont:
    path = pylopdf_fonts_zh_cn.serif_path() if chinese else next(_FILES.glob("*Arabic*.ttf"))
    layout = ImageFont.Layout.BASIC if chinese else ImageFont.Layout.RAQM
    return ImageFont.truetype(str(path), size, layout_engine=layout)


class Sheet:
    """A white page to write on; `quad` of what was written is the box of its ink."""

    def __init__(self, size: tuple[int, int] = (1600, 2200), paper: int = 250) -> None:
        self._image = Pillow.new("RGB", size, (paper, paper, paper))
        self._draw = ImageDraw.Draw(self._image)

    def write(self, text: str, x: float, y: float, size: int = 40, ink: int = 30) -> Quad:
        """Writes one line from its top left corner."""
        chinese = not any("\u0600" <= c <= "\u06ff" for c in text)
        font, way = _font(size, chinese), None if chinese else "rtl"
        self._draw.text((x, y), text, (ink, ink, ink), font, "la", direction=way)
        return geometry.rectangle(*self._draw.textbbox((x, y), text, font, "la", direction=way))

    def rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draws the frame of a cell."""
        self._draw.rectangle((x0, y0, x1, y1), outline=(20, 20, 20), width=3)

    @property
    def pixels(self) -> Image:
        """The page as the finders get it."""
        return np.ascontiguousarray(np.asarray(self._image)[:, :, ::-1])

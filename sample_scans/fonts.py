"""Finds the fonts of the pages in installed packages, because none is kept in the repository."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import fontpkg_noto_sans_arabic
import pylopdf_fonts_zh_cn
from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

_DEBIAN = Path("/usr/share/fonts/truetype")

# Per face: candidates, best first. PyPI's Song and Sans always exist, so a machine without the
# Debian packages still renders every page, only with fewer hands.
_CANDIDATES: dict[str, tuple[Path, ...]] = {
    "song": (pylopdf_fonts_zh_cn.serif_path(),),
    "sans": (pylopdf_fonts_zh_cn.sans_path(),),
    "kai": (
        _DEBIAN / "arphic-gkai00mp/gkai00mp.ttf",
        _DEBIAN / "lxgw-wenkai/LXGWWenKai-Regular.ttf",
        pylopdf_fonts_zh_cn.serif_path(),
    ),
    "hand": (
        _DEBIAN / "lxgw-wenkai/LXGWWenKai-Light.ttf",
        pylopdf_fonts_zh_cn.serif_path(),
    ),
    "arabic": (
        next(
            (Path(fontpkg_noto_sans_arabic.__file__).parent / "files").glob("NotoSansArabic*.ttf")
        ),
    ),
}
_CANDIDATES["uyghur"] = (
    _DEBIAN / "fonts-ukij-uyghur/UKIJTuT.ttf",
    _DEBIAN / "fonts-ukij-uyghur/UKIJEs.ttf",
    *_CANDIDATES["arabic"],
)
_JOINED = frozenset(_CANDIDATES["arabic"] + _CANDIDATES["uyghur"])
_FALLBACK = "sans"


class Fonts:
    """Font files by face name ("song", "sans", "kai", "hand", "arabic", "uyghur").

    `debian=False` leaves only the fonts of PyPI packages, which makes the pages the same on
    every machine.
    """

    def __init__(self, debian: bool = True) -> None:
        self._paths = {
            face: next(p for p in paths if p.exists() and (debian or _DEBIAN not in p.parents))
            for face, paths in _CANDIDATES.items()
        }

    def path(self, face: str) -> Path:
        """The file of a face."""
        return self._paths[face]

    def sized(self, face: str, size: int, text: str) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels per em, or the sans face when it lacks a character of text."""
        path = self._paths[face]
        if not all(ord(c) in _characters(path) for c in text):
            path = self._paths[_FALLBACK]
        return _load(path, size)


@lru_cache(maxsize=256)
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    layout = ImageFont.Layout.RAQM if path in _JOINED else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size, layout_engine=layout)


@lru_cache(maxsize=16)
def _characters(path: Path) -> frozenset[int]:
    font = TTCollection(str(path)).fonts[0] if path.suffix == ".ttc" else TTFont(str(path))
    return frozenset(font.getBestCmap())

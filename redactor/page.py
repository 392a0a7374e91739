"""The values that travel along a page's way: pixels, reading, findings; frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, BGR, origin top left, x right, y down."""
Quad = npt.NDArray[np.float64]
"""(4, 2) float, pixels, clockwise from the top left corner in reading direction."""
Matrix = npt.NDArray[np.float64]
"""(3, 3) homography that maps column vectors (x, y, 1)."""


class Kind(StrEnum):
    """What a mask hides; the values are those of report.json (CONTRACT.md)."""

    NAME = "name"
    UNIT = "unit"
    ID_NUMBER = "id_number"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    CERT_NUMBER = "cert_number"
    DOCUMENT_NUMBER = "document_number"
    CODE = "code"
    SEAL = "seal"
    SIGNATURE = "signature"
    EYES = "eyes"
    FACE = "face"
    LABEL_VALUE = "label_value"
    CUSTOM = "custom"


class State(StrEnum):
    """Whether a page may leave the vault. Only CLEAN may without a person's decision."""

    CLEAN = "clean"
    REVIEW = "review"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Char:
    """One character as read. `quad` in page pixels; `score` is its own probability, 0..1.

    `others`: what else it may be, with probabilities, most likely first; () when it is sure.
    """

    text: str
    quad: Quad
    score: float
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Line:
    """A run of characters in reading order. `vertical` when the characters are stacked.

    `layer`: "ink" for the page as it is, "lifted" for text under red ink, "pale" for watermarks,
    "text" for the text layer of a PDF. The same glyphs may be read in more than one layer.
    """

    chars: tuple[Char, ...]
    quad: Quad
    score: float
    vertical: bool = False
    layer: str = "ink"

    @property
    def text(self) -> str:
        return "".join(c.text for c in self.chars)


@dataclass(frozen=True, eq=False)
class SourcePage:
    """A page as it came out of a file, EXIF orientation applied, not yet turned upright.

    `pixels`: Image. `dpi`: true resolution, estimated where the file does not say, pixels/inch.
    `text_layer`: lines of a PDF's own text in the page's pixels, () when there is none.
    `source_size`: (width, height) of the page as stored in the file.
    `source_to_page`: maps stored pixels (PDF: rendered pixels) to `pixels`.
    """

    pixels: Image
    dpi: float
    text_layer: tuple[Line, ...] = ()
    source_size: tuple[int, int] = (0, 0)
    source_to_page: Matrix = field(default_factory=lambda: np.eye(3))


@dataclass(frozen=True, eq=False)
class Reading:
    """All text of an upright page, and the ruled cells that hold it.

    `cells`: quads of ruled table cells, smallest first. `size`: (width, height) of the upright
    page in pixels. `rotation`: degrees clockwise that turned the loaded page upright (0, 90, 180,
    270). `reader`: version string of the reader.
    """

    lines: tuple[Line, ...]
    cells: tuple[Quad, ...]
    size: tuple[int, int]
    rotation: int
    reader: str


@dataclass(frozen=True, eq=False)
class Finding:
    """One place to mask on the upright page, with the reason a clerk can check.

    `lifted`: the ink of a seal is taken off the paper instead of painting all of it over.
    """

    kind: Kind
    quad: Quad
    text: str
    score: float
    why: str
    finder: str
    lifted: bool = False

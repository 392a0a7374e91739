"""Whether a masked page may be believed, and what a person is told who has to look at it (pure)."""

from __future__ import annotations

import numpy as np

from redactor.errors import Sentence
from redactor.page import Finding, Kind, Reading, State
from redactor.quality import Quality

FEWEST_CHARACTERS = 4
"""Legible characters from which a page counts as read: a certificate's title has as many."""
POORLY_READ = 0.6
"""Mean character probability below which a page of text counts as not read."""


def judge(
    reading: Reading,
    findings: tuple[Finding, ...],
    hits: tuple[Finding, ...],
    quality: Quality,
) -> tuple[State, str]:
    """Whether the page may be believed; the reason when a person must look.

    A page of which nothing could be read proves nothing: unless it is blank, or a photo whose
    face was found, somebody has to see it.
    """
    if hits:
        return State.REVIEW, str(_HITS.get(hits[0].finder, _DOUBT))
    if "blurred" in quality.flags:
        return State.REVIEW, str(_BLURRED)
    if "blank" in quality.flags:
        return State.CLEAN, ""
    scores = [c.score for line in reading.lines if line.layer == "ink" for c in line.chars]
    legible = sum(score >= POORLY_READ for score in scores)
    pictured = any(f.kind in (Kind.EYES, Kind.FACE, Kind.CODE) for f in findings)
    if legible < FEWEST_CHARACTERS and not pictured:
        return State.REVIEW, str(_NOTHING_READ)
    if len(scores) >= FEWEST_CHARACTERS and float(np.mean(scores)) < POORLY_READ:
        return State.REVIEW, str(_POORLY_READ)
    return State.CLEAN, ""


_HITS = {
    "second reading": Sentence(
        "复核时在遮盖后的页面上仍读到疑似身份信息，请查看标出的位置。",
        "A second reading of the masked page found what may still tell who it is. Look at the "
        "places shown.",
    ),
    "photo_frames": Sentence(
        "页面上有疑似照片，但未找到人脸，请查看标出的位置。",
        "There seems to be a photo without a face that could be found. Look at the place shown.",
    ),
    "embossed": Sentence(
        "页面上有疑似钢印，未能确认，请查看标出的位置。",
        "There may be an embossed seal. Look at the place shown.",
    ),
    "seals": Sentence(
        "页面上有疑似印章，未能确认，请查看标出的位置。",
        "There may be another seal. Look at the place shown.",
    ),
    "fingerprints": Sentence(
        "页面上有疑似手印，未能确认，请查看标出的位置。",
        "There may be a fingerprint. Look at the place shown.",
    ),
    "arabic_script": Sentence(
        "姓名或单位栏旁有未能识别的民族文字，请查看标出的位置。",
        "Beside a label of a name or unit stands script that could not be read. Look at the place "
        "shown.",
    ),
}
"""What a person is told, by the finder of the first hit."""
_DOUBT = Sentence(
    "页面上有未能确认的内容，请查看标出的位置。",
    "Something on the page could not be made sure of. Look at the place shown.",
)
_BLURRED = Sentence(
    "页面模糊，遮盖可能不全。请查看，或请申报人重新扫描。",
    "The page is blurred and masks may be missing. Look at it, or have it scanned again.",
)
_NOTHING_READ = Sentence(
    "页面上几乎没有识别出文字，也没有找到人像。请查看。",
    "Hardly any text was read on the page, and no face was found. Look at it.",
)
_POORLY_READ = Sentence(
    "页面文字识别不可靠，遮盖可能不全。请查看，或请申报人重新扫描。",
    "The text was read unreliably and masks may be missing. Look at it, or have it scanned again.",
)

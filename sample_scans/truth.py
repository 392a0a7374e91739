"""What is where on every sample page: the yardstick that recall is measured against."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

VERSION = 1
Quad = tuple[tuple[float, float], ...]
"""Four corners (x, y) in pixels of the stored page, clockwise from the glyph's own top left."""
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Item:
    """One thing that identifies.

    `kind`: a kind of report.json. `form`: how it is written (plain, spaced, wrapped, vertical,
    pinyin, short_form, former, traditional, handwritten, watermark, ring, letterhead, ...).
    `applicant`: roster 序号, 0 when it belongs to somebody else (the seal of a school).
    `labelled`: a form label (姓名, 工作单位, ...) stands before it. `quads`: one per inked
    glyph; a code or a finger print has one quad in all. `outline`: the whole seal.
    """

    kind: str
    text: str
    form: str
    applicant: int
    labelled: bool
    quads: tuple[Quad, ...]
    outline: Quad | None = None


@dataclass(frozen=True)
class Keep:
    """Glyphs that must stay. `decoy`: looks like an identity but is none. `under`: the kind of
    an item that lies on these glyphs, so that masking the item takes them too; "" else.
    `what`: "" for glyphs, else the name of a thing without text (red_line, emblem, ...)."""

    text: str
    quads: tuple[Quad, ...]
    decoy: bool = False
    under: str = ""
    what: str = ""


@dataclass(frozen=True)
class Face:
    """A portrait: eye centres, their distance in pixels, the face's box, whose it is (0: other)."""

    centres: tuple[tuple[float, float], tuple[float, float]]
    distance: float
    face: Quad
    applicant: int


@dataclass(frozen=True)
class PageTruth:
    """One page of one file.

    `source`: path below the scans folder. `source_page`: 0-based. `size`: (width, height) in
    pixels after EXIF orientation; of a PDF page, rendered at `dpi`. `rotation`: degrees clockwise
    that turn the page upright. `page_type`: the generator's name of it. `text_layer`: a PDF page
    that carries its text.
    """

    source: str
    source_page: int
    applicant: int
    page_type: str
    size: tuple[int, int]
    rotation: int
    dpi: int
    tags: tuple[str, ...]
    items: tuple[Item, ...]
    keep: tuple[Keep, ...]
    eyes: tuple[Face, ...]
    text_layer: bool = False


@dataclass(frozen=True)
class Truth:
    """All pages of a set, with the seed that made it."""

    seed: int
    pages: tuple[PageTruth, ...]


def carried(page: PageTruth, move: Callable[[Points], Points]) -> PageTruth:
    """The page with every point moved by `move`, which maps (N, 2) points to (N, 2) points."""

    def quad(q: Quad) -> Quad:
        moved = move(np.array(q, dtype=np.float64))
        return tuple((float(x), float(y)) for x, y in moved)

    def face(f: Face) -> Face:
        left, right = move(np.array(f.centres, dtype=np.float64))
        return Face(
            ((float(left[0]), float(left[1])), (float(right[0]), float(right[1]))),
            float(np.hypot(*(right - left))),
            quad(f.face),
            f.applicant,
        )

    return replace(
        page,
        items=tuple(
            replace(
                i,
                quads=tuple(map(quad, i.quads)),
                outline=None if i.outline is None else quad(i.outline),
            )
            for i in page.items
        ),
        keep=tuple(replace(k, quads=tuple(map(quad, k.quads))) for k in page.keep),
        eyes=tuple(map(face, page.eyes)),
    )


def save_truth(truth: Truth, path: Path) -> None:
    """Write as JSON, gzipped when the name ends in .gz; the same truth gives the same bytes."""
    data = json.dumps(
        {"version": VERSION, "seed": truth.seed, "pages": [_page_out(p) for p in truth.pages]},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def load_truth(path: Path) -> Truth:
    """Read truth.json or truth.json.gz.

    Raises:
        ValueError: the file is of another version.
    """
    data = path.read_bytes()
    raw = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    if raw["version"] != VERSION:
        raise ValueError(f"{path}: truth version {raw['version']}, this program reads {VERSION}")
    return Truth(raw["seed"], tuple(_page_in(p) for p in raw["pages"]))


def _quads_out(quads: tuple[Quad, ...]) -> list[list[list[float]]]:
    return [[[round(x), round(y)] for x, y in q] for q in quads]


def _quad_in(raw: list[list[float]]) -> Quad:
    return tuple((float(x), float(y)) for x, y in raw)


def _page_out(page: PageTruth) -> dict[str, Any]:
    out: dict[str, Any] = {
        "source": page.source,
        "source_page": page.source_page,
        "applicant": page.applicant,
        "page_type": page.page_type,
        "size": list(page.size),
        "rotation": page.rotation,
        "dpi": page.dpi,
        "tags": list(page.tags),
        "text_layer": page.text_layer,
        "items": [],
        "keep": [],
        "eyes": [
            {
                "centres": [[round(v, 1) for v in c] for c in f.centres],
                "distance": round(f.distance, 1),
                "face": _quads_out((f.face,))[0],
                "applicant": f.applicant,
            }
            for f in page.eyes
        ],
    }
    for item in page.items:
        entry: dict[str, Any] = {
            "kind": item.kind,
            "text": item.text,
            "form": item.form,
            "applicant": item.applicant,
            "labelled": item.labelled,
            "quads": _quads_out(item.quads),
        }
        if item.outline is not None:
            entry["outline"] = _quads_out((item.outline,))[0]
        out["items"].append(entry)
    for keep in page.keep:
        entry = {"text": keep.text, "quads": _quads_out(keep.quads)}
        if keep.decoy:
            entry["decoy"] = True
        if keep.under:
            entry["under"] = keep.under
        if keep.what:
            entry["what"] = keep.what
        out["keep"].append(entry)
    return out


def _page_in(raw: dict[str, Any]) -> PageTruth:
    return PageTruth(
        source=raw["source"],
        source_page=raw["source_page"],
        applicant=raw["applicant"],
        page_type=raw["page_type"],
        size=(raw["size"][0], raw["size"][1]),
        rotation=raw["rotation"],
        dpi=raw["dpi"],
        tags=tuple(raw["tags"]),
        text_layer=raw["text_layer"],
        items=tuple(
            Item(
                i["kind"],
                i["text"],
                i["form"],
                i["applicant"],
                i["labelled"],
                tuple(map(_quad_in, i["quads"])),
                _quad_in(i["outline"]) if "outline" in i else None,
            )
            for i in raw["items"]
        ),
        keep=tuple(
            Keep(
                k["text"],
                tuple(map(_quad_in, k["quads"])),
                k.get("decoy", False),
                k.get("under", ""),
                k.get("what", ""),
            )
            for k in raw["keep"]
        ),
        eyes=tuple(
            Face(
                (
                    (f["centres"][0][0], f["centres"][0][1]),
                    (f["centres"][1][0], f["centres"][1][1]),
                ),
                f["distance"],
                _quad_in(f["face"]),
                f["applicant"],
            )
            for f in raw["eyes"]
        ),
    )

"""Turns a page upright and reads it: looks first, then proof by reading a few lines.

The orientation model sees a small centre crop, so a page with one line, or a certificate in
landscape, may fool it. A reading proves the guess: text in the wrong direction reads badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.seals import SealRegion, find_seals
from redactor.layers import Layer, find_layers
from redactor.page import Image, Line, Quad, Reading
from redactor.reading import DETECTION_SIDE, TALL, Reader, crop_line, reader_version
from redactor.seal_layers import is_grey, seal_layers
from redactor.tables import find_cells

PROBES = 6
"""Lines read to prove an orientation."""
READS_WELL, LOOKS_SURE = 0.88, 0.8
"""Mean character probability of upright text; probability of the orientation model."""
DOUBTFUL = 0.7
"""Characters read better speak for a direction, those read worse against it."""
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def turn(pixels: Image, rotation: int) -> Image:
    """`pixels` turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.asarray(cv2.rotate(pixels, TURNS[rotation])) if rotation else pixels


@dataclass(frozen=True, eq=False)
class Upright:
    """A page turned upright and what was learnt on the way.

    `seals`: those of a grey copy, doubtful ones, too, which were sought to read the print under
    them; None where nobody looked, because colour tells print from ink.
    """

    pixels: Image
    reading: Reading
    seals: tuple[SealRegion, ...] | None


def read_upright(reader: Reader, pixels: Image, dpi: float) -> Upright:
    """Turns a page upright and reads everything on it. `dpi`: resolution of `pixels`."""
    rotation, sure = reader.classify(pixels)
    page = turn(pixels, rotation)
    quads = reader.detect(page)
    if not quads:
        rotation, page = 0, pixels
    lines = reader.read_lines(page, quads)
    proof = _proof(reader, page, quads, lines)
    if quads and (proof < READS_WELL or sure < LOOKS_SURE):
        further = _best_turn(reader, page, _probes(quads))
        if further:
            rotation = (rotation + further) % 360
            page = turn(pixels, rotation)
            lines = reader.read_lines(page, reader.detect(page))
    seals = find_seals(page, dpi, doubtful=True) if is_grey(page) else None
    sure_seals = [seal for seal in seals or () if seal.sure]
    for layer in (*find_layers(page, lines), *seal_layers(page, sure_seals)):
        lines += read_layer(reader, layer, page.shape)
    size = (page.shape[1], page.shape[0])
    reading = Reading(lines, find_cells(page), size, rotation, reader_version())
    return Upright(page, reading, seals)


def _proof(reader: Reader, page: Image, quads: Sequence[Quad], lines: Sequence[Line]) -> float:
    """How well the page reads as it lies, 0..1: the largest lines, unless stacked ones prevail."""
    flat = [line for line in lines if not line.vertical]
    if sum(len(x.chars) for x in flat) < sum(len(x.chars) for x in lines) / 2:
        return _reads(reader, page, _probes(quads))
    largest = sorted(flat, key=lambda line: -geometry.area(line.quad))[:PROBES]
    scores = [char.score for line in largest for char in line.chars]
    return float(np.mean(scores)) if scores else 0.0


def read_layer(reader: Reader, layer: Layer, shape: tuple[int, ...]) -> tuple[Line, ...]:
    """Lines of a layer, in page pixels; its text is detected at the scale of the whole page."""
    share = max(layer.pixels.shape[:2]) / max(shape[:2])
    side = max(256, round(DETECTION_SIDE * share))
    lines = reader.read_lines(layer.pixels, reader.detect(layer.pixels, side), layer.name)
    return tuple(_moved(line, layer.origin) for line in lines)


def _moved(line: Line, origin: tuple[int, int]) -> Line:
    shift = np.array(origin, dtype=np.float64)
    chars = tuple(replace(c, quad=c.quad + shift) for c in line.chars)
    return replace(line, chars=chars, quad=line.quad + shift)


def _probes(quads: Sequence[Quad]) -> list[Quad]:
    """The lines that tell most about the orientation: large, and long rather than square."""
    return sorted(quads, key=lambda q: -geometry.area(q))[:PROBES]


def _best_turn(reader: Reader, page: Image, probes: Sequence[Quad]) -> int:
    """Degrees clockwise by which the page still has to be turned."""
    size = (page.shape[1], page.shape[0])
    evidence = {}
    for rotation in (0, 180, 90, 270):  # the guess wins a tie
        matrix = geometry.quarter_turn(rotation, size)
        turned = [_from_top_left(geometry.mapped(q, matrix)) for q in probes]
        scores = _probe_scores(reader, turn(page, rotation), turned)
        # A sum: a few glyphs that look the same on their side (二) must not outweigh a whole line.
        evidence[rotation] = sum(score - DOUBTFUL for score in scores)
    return max(evidence, key=lambda rotation: evidence[rotation])


def _from_top_left(quad: Quad) -> Quad:
    """The same corners, starting at the one nearest the page's top left corner."""
    return np.roll(quad, -int(quad.sum(axis=1).argmin()), axis=0)


def _reads(reader: Reader, page: Image, probes: Sequence[Quad]) -> float:
    """How well the probes read with their glyphs upright: mean character probability, 0..1."""
    scores = _probe_scores(reader, page, probes)
    return float(np.mean(scores)) if scores else 0.0


def _probe_scores(reader: Reader, page: Image, probes: Sequence[Quad]) -> list[float]:
    """Probabilities of the characters that are read when the probes' glyphs stand upright.

    A tall line is cut into squares: stacked upright characters read well one by one, a line of
    text lying on its side does not.
    """
    crops: list[Image] = []
    for quad in probes:
        tallness = geometry.height(quad) / max(geometry.width(quad), 1.0)
        if tallness < TALL:
            crops.append(crop_line(page, quad))
            continue
        pieces = min(3, max(1, round(tallness)))
        step = 1 / max(tallness, 1)
        crops += [
            crop_line(page, geometry.between_down(quad, i * step, min(1, (i + 1) * step)))
            for i in range(pieces)
        ]
    return [score for decoded in reader.recognise(crops) for score in decoded.scores]

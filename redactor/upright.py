"""Turns a page upright and reads it: looks first, then proof by reading a few lines.

The orientation model sees a small centre crop, so a page with one line, or a certificate in
landscape, may fool it. A reading proves the guess: text in the wrong direction reads badly.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.layers import Layer, find_layers
from redactor.page import Image, Line, Quad, Reading
from redactor.reading import DETECTION_SIDE, TALL, Reader, crop_line, reader_version
from redactor.tables import find_cells

PROBES = 6
"""Lines read to prove an orientation."""
READS_WELL, LOOKS_SURE = 0.88, 0.8
"""Mean character probability of upright text; probability of the orientation model."""
SMALL_PAGE = 1000
"""Pages with a shorter long side are enlarged twofold for the detector."""
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def turn(pixels: Image, rotation: int) -> Image:
    """`pixels` turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.asarray(cv2.rotate(pixels, TURNS[rotation])) if rotation else pixels


def read_page(reader: Reader, pixels: Image) -> tuple[Image, Reading]:
    """(the page turned upright, everything read on it)."""
    guess, sure = reader.classify(pixels)
    page = turn(pixels, guess)
    quads = reader.detect(page)
    rotation = guess
    if quads:
        probes = _probes(quads)
        proof = _reads(reader, page, probes)
        if proof < READS_WELL or sure < LOOKS_SURE:
            further = _best_turn(reader, page, probes, proof)
            if further:
                rotation = (guess + further) % 360
                page = turn(pixels, rotation)
                quads = reader.detect(page)
    else:
        rotation, page = 0, pixels
    lines = list(reader.read_lines(page, quads))
    for layer in find_layers(page):
        lines += _read_layer(reader, layer, page.shape)
    size = (page.shape[1], page.shape[0])
    return page, Reading(tuple(lines), find_cells(page), size, rotation, reader_version())


def _read_layer(reader: Reader, layer: Layer, shape: tuple[int, ...]) -> tuple[Line, ...]:
    """Lines of a layer, in page pixels; its text is detected at the scale of the whole page."""
    share = max(layer.pixels.shape[:2]) / max(shape[:2])
    side = max(256, round(DETECTION_SIDE * share))
    lines = reader.read_lines(layer.pixels, reader.detect(layer.pixels, side), layer.name)
    return tuple(_moved(line, layer.origin) for line in lines)


def _moved(line: Line, origin: tuple[int, int]) -> Line:
    from dataclasses import replace

    shift = np.array(origin, dtype=np.float64)
    chars = tuple(replace(c, quad=c.quad + shift) for c in line.chars)
    return replace(line, chars=chars, quad=line.quad + shift)


def _probes(quads: Sequence[Quad]) -> list[Quad]:
    """The lines that tell most about the orientation: large, and long rather than square."""
    return sorted(quads, key=lambda q: -geometry.area(q))[:PROBES]


def _best_turn(reader: Reader, page: Image, probes: Sequence[Quad], proof: float) -> int:
    """Degrees clockwise by which the page still has to be turned."""
    size = (page.shape[1], page.shape[0])
    proofs = {0: proof + 0.02}  # the guess wins a tie
    for rotation in (180, 90, 270):
        matrix = geometry.quarter_turn(rotation, size)
        turned = [_from_top_left(geometry.mapped(q, matrix)) for q in probes]
        proofs[rotation] = _reads(reader, turn(page, rotation), turned)
    return max(proofs, key=lambda rotation: proofs[rotation])


def _from_top_left(quad: Quad) -> Quad:
    """The same corners, starting at the one nearest the page's top left corner."""
    return np.roll(quad, -int(quad.sum(axis=1).argmin()), axis=0)


def _reads(reader: Reader, page: Image, probes: Sequence[Quad]) -> float:
    """How well the probes read with their glyphs upright: mean character probability, 0..1.

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
    scores = [score for decoded in reader.recognise(crops) for score in decoded.scores]
    return float(np.mean(scores)) if scores else 0.0

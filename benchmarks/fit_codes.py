"""Fits the numbers of redactor/data/code_looks.json to drawn codes and to pages without codes.

    python -m benchmarks.fit_codes SET [SET ...] [--codes 1800] [--seed 5]

SET: folders as sample_scans/generate.py makes them; their pages, but for their codes, are what a
code must not be taken for, together with large characters and drawings made here. Prints what is
right of a fifth of the blocks that was held back.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy.optimize import minimize

from benchmarks.codes import A4_MM, MM, bare_pages, cases, drawn, upright
from redactor import geometry
from redactor.finders.code_looks import Network, measure, scaled
from redactor.finders.code_texture import BLOCK_SIDE, Grey, blocks, shrunk, working_scale
from redactor.page import Image, Quad
from sample_scans.fonts import Fonts

OUT = Path(__file__).parent.parent / "redactor" / "data" / "code_looks.json"
HIDDEN_UNITS, DECAY, STEPS = 32, 4.0, 400
"""Of the network: size, weight decay, and the most steps of the fit."""
OWN, APART = 0.6, 0.02
"""Shared area of a block and a code, per area of both: from here on the block is the code; below
this it has nothing of it. Blocks between are left out."""
CHARACTERS = (
    "国家职称评审委员会证书中华人民共和林业草原局聘任表年度考核申报"
    "贰零壹叁器回田口日目图圆醒黯囍龘888ABEHM#%"
)

Row = tuple[list[float], int]


def rows(page: Image, scale: float, codes: Sequence[Quad], positive: bool) -> Iterator[Row]:
    """(measures, 1 for a code) of the blocks of a page; `positive`: only those that are codes."""
    grey = np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    for block in blocks(shrunk(grey, scale), scale):
        share = max((_shared(block.quad, code) for code in codes), default=0.0)
        label = 1 if share > OWN else 0
        if APART <= share <= OWN or (positive and not label):
            continue
        found = measure(grey, block, scale)
        if found is not None:
            yield found, label


def _shared(a: Quad, b: Quad) -> float:
    both = cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))[0]
    return float(both) / (geometry.area(a) + geometry.area(b) - float(both))


def code_rows(count: int, seed: int, backgrounds: Sequence[Image]) -> Iterator[Row]:
    """Codes of 0.2 to 0.9 mm a module on pieces of pages."""
    rng = np.random.default_rng(seed)
    for case in cases(count, seed):
        case = replace(case, module=float(np.exp(rng.uniform(np.log(0.2), np.log(0.9)))))
        page = backgrounds[int(rng.integers(len(backgrounds)))]
        w, h = (round(side * case.dpi / MM) for side in (120, 110))
        x, y = (
            int(rng.integers(max(1, n - m))) for n, m in zip(page.shape[1::-1], (w, h), strict=True)
        )
        piece = cv2.resize(page[y : y + h, x : x + w], (w, h))
        page, _, quad = drawn(case, np.asarray(piece, dtype=np.uint8))
        scale = min(1.0, BLOCK_SIDE * MM / A4_MM[1] / case.dpi)
        yield from rows(page, scale, [quad], positive=True)


def large_characters(seed: int) -> Image:
    """A page of single characters and short words, 3 to 30 mm high, upright and turned."""
    rng = np.random.default_rng(seed)
    fonts = Fonts()
    dpi = int(rng.choice((100, 150, 200)))
    sheet = Pillow.new("L", tuple(round(side * dpi / MM) for side in A4_MM), 250)
    for _ in range(60):
        size = round(float(np.exp(rng.uniform(np.log(3), np.log(30)))) * dpi / MM)
        face = str(rng.choice(("song", "sans", "kai", "hand")))
        text = "".join(rng.choice(list(CHARACTERS), int(rng.choice((1, 1, 2, 4)))))
        stamp = Pillow.new("L", (size * (len(text) + 1), size * 2), 0)
        ImageDraw.Draw(stamp).text((size // 2, size // 3), text, 255, fonts.sized(face, size, text),
                                   stroke_width=int(rng.integers(0, 2 + size // 25)))  # fmt: skip
        angle = float(rng.choice((0, 0, 0, 90, rng.uniform(-45, 45))))
        stamp = stamp.rotate(angle, Pillow.Resampling.BICUBIC, expand=True)
        place = tuple(int(rng.integers(-20, side)) for side in sheet.size)
        sheet.paste(int(rng.integers(0, 120)), place, stamp)
    return _scanned(np.asarray(sheet), rng)


def drawings(seed: int) -> Image:
    """A page of grids, hatching, halftones and blotches."""
    rng = np.random.default_rng(seed)
    dpi = int(rng.choice((100, 150, 200)))
    page = np.full(tuple(round(side * dpi / MM) for side in A4_MM[::-1]), 250, np.uint8)
    for _ in range(14):
        w, h = (round(float(rng.uniform(8, 60)) * dpi / MM) for _ in range(2))
        y, x = (int(rng.integers(max(1, n - m))) for n, m in zip(page.shape, (h, w), strict=True))
        piece = page[y : y + h, x : x + w]
        step, kind = float(rng.uniform(0.6, 5) * dpi / MM), int(rng.integers(5))
        ys, xs = np.mgrid[0 : piece.shape[0], 0 : piece.shape[1]].astype(np.float32)
        angle = float(rng.choice((0, np.pi / 2, np.pi / 4, rng.uniform(0, np.pi))))
        u, v = xs * np.cos(angle) + ys * np.sin(angle), ys * np.cos(angle) - xs * np.sin(angle)
        if kind == 0:
            marks = (u % step) < step * rng.uniform(0.15, 0.6)
        elif kind == 1:
            line = step * rng.uniform(0.1, 0.4)
            marks = ((u % step) < line) | ((v % step) < line)
        elif kind == 2:
            tone = 0.5 + 0.4 * np.sin(xs / w * 5) * np.cos(ys / h * 4)
            dots = 0.5 + 0.25 * (np.cos(u * 6.28 / step) + np.cos(v * 6.28 / step))
            marks = dots < tone
        else:
            noise = cv2.GaussianBlur(rng.normal(0, 1, piece.shape), (0, 0), step / 2)
            marks = noise > np.quantile(noise, rng.uniform(0.3, 0.8))
        if kind == 4:
            piece[:] = cv2.normalize(noise, None, 20, 240, cv2.NORM_MINMAX)
        else:
            piece[marks] = int(rng.integers(0, 140))
    return _scanned(page, rng)


def _scanned(page: Grey, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.3, 1.2)))
    noisy = np.clip(soft + rng.normal(0, 2.5, page.shape), 0, 255).astype(np.uint8)
    quality = int(rng.choice((40, 60, 80)))
    stored = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), dtype=np.uint8)


def other_rows(sets: Iterable[Path], seed: int) -> Iterator[tuple[Image, list[Row]]]:
    """(page, rows of blocks that are no codes) of sets and of pages drawn here."""
    pages = [
        upright(page, rotation, quads)
        for folder in sets
        for _, page, rotation, quads in bare_pages(folder)
    ]
    pages += [(large_characters(seed + i), []) for i in range(40)]
    pages += [(drawings(seed + i), []) for i in range(40)]
    for page, quads in pages:
        grey = np.asarray(page[:, :, 0])
        yield (
            page,
            [row for row in rows(page, working_scale(grey), quads, positive=False) if not row[1]],
        )


def fit(measures: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """The network's numbers: least cross-entropy with weight decay, by L-BFGS.

    The scaling of the measures to mean 0 and spread 1 is worked into the first layer.
    """
    middle, spread = measures.mean(axis=0), measures.std(axis=0) + 1e-6
    inputs = (measures - middle) / spread
    shapes = ((inputs.shape[1], HIDDEN_UNITS), (HIDDEN_UNITS,), (HIDDEN_UNITS, 1), (1,))
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def layers(flat: np.ndarray) -> list[np.ndarray]:
        parts = np.split(flat, cuts)
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        first, first_bias, second, second_bias = layers(flat)
        hidden = np.maximum(inputs @ first + first_bias, 0)
        logits = (hidden @ second + second_bias)[:, 0]
        off = (1 / (1 + np.exp(-logits)) - labels)[:, None]
        back = off @ second.T * (hidden > 0)
        value = float((np.logaddexp(0, logits) - labels * logits).sum())
        slope = [inputs.T @ back, back.sum(axis=0), hidden.T @ off, off.sum(axis=0)]
        slope[0], slope[2] = slope[0] + DECAY * first, slope[2] + DECAY * second
        value += DECAY / 2 * float((first**2).sum() + (second**2).sum())
        return value, np.concatenate([part.ravel() for part in slope])

    rng = np.random.default_rng(seed)
    start = np.concatenate(
        [rng.normal(0, 1 / np.sqrt(shape[0]), shape).ravel() for shape in shapes]
    )
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    first, first_bias, second, second_bias = layers(found.x)
    hidden = first / spread[:, None]
    bias = first_bias - middle @ hidden
    return dict(zip(Network._fields, (hidden, bias, second, second_bias), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--codes", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pages, table = [], []
    for page, found in other_rows(arguments.sets, arguments.seed):
        pages.append(page)
        table += found
    others = len(table)
    table += code_rows(arguments.codes, arguments.seed, pages)
    measures = scaled(np.array([row for row, _ in table]))
    labels = np.array([label for _, label in table])
    print(f"{others} other blocks on {len(pages)} pages, {labels.sum()} blocks of codes")
    held = np.random.default_rng(arguments.seed).random(len(labels)) < 0.2
    for part in (~held, np.ones_like(held)):
        numbers = fit(measures[part], labels[part], arguments.seed)
        if not part.all():
            report(measures[held], labels[held], Network(**numbers))
    rounded = {name: np.round(array, 4).tolist() for name, array in numbers.items()}
    OUT.write_text(json.dumps(rounded) + "\n", encoding="utf-8")


def report(measures: np.ndarray, labels: np.ndarray, network: Network) -> None:
    """Prints how many held-back blocks lie on the right side of some limits."""
    output = network.likelihood(measures)
    for limit in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9):
        right, wrong = output[labels == 1] >= limit, output[labels == 0] >= limit
        print(f"limit {limit}: codes {right.mean():.3f}, others {wrong.sum()} of {len(wrong)}")


if __name__ == "__main__":
    main()

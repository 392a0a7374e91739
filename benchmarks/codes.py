"""Measures which drawn codes are masked, and what is masked on pages without a code.

    python -m benchmarks.codes [PAGES] [--cases 600] [--seed 1] [--show FOLDER]
    python -m benchmarks.codes --bare SET [--readings FOLDER] [--show FOLDER]

Each case draws one code of a random kind, angle, module size, resolution and damage on a page of
the folder PAGES (any images) or, without it, on a page of drawn text. A code counts as hidden when
97 % of what is left of its modules lies under the masks. --bare runs over a set as
sample_scans/generate.py makes it, or over a folder of images without codes, and lists every mask
that lies on no code; with --readings the pages are read first, as the redactor does, and the
readings kept in that folder.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp
from scipy.stats import binomtest

from redactor import geometry
from redactor.finders.codes import find_codes
from redactor.loading import load_page
from redactor.masking import paint
from redactor.page import Finding, Image, Line, Quad, SourcePage
from redactor.pipeline import read
from redactor.reading import shared_reader
from redactor.reading_cache import ReadingCache
from redactor.upright import turn
from sample_scans.truth import load_truth

Grey = npt.NDArray[np.uint8]
Format = zxingcpp.BarcodeFormat

FINE = 12
"""Pixels per module in which a code is drawn before it is shrunk onto the page."""
HIDDEN, TOUCHED = 0.97, 0.30
"""Share of a code's pixels under a mask: from here on it is hidden; below this it leaks."""
A4_MM = (210, 297)
MM = 25.4

FORMS: dict[str, tuple[Format, Callable[[str], str]]] = {
    "QR": (Format.QRCode, lambda n: f"https://www.chsi.example.com/bg.do?vcode={n}"),
    "micro QR": (Format.MicroQRCode, lambda n: n[:9]),
    "Data Matrix": (Format.DataMatrix, lambda n: f"CERT-2024-{n}"),
    "Aztec": (Format.Aztec, lambda n: f"AZTEC{n}"),
    "PDF417": (Format.PDF417, lambda n: f"XJ-2024-{n}"),
    "Code 128": (Format.Code128, lambda n: f"ZC{n}"),
    "EAN-13": (Format.EAN13, lambda n: f"69{n[:10]}"),
    "Code 39": (Format.Code39, lambda n: f"XJ{n[:8]}"),
    "ITF": (Format.ITF, lambda n: n[:12]),
}
LINEAR = ("Code 128", "EAN-13", "Code 39", "ITF")
ANGLES: dict[str, tuple[float, ...]] = {
    "0 +-3": (0, 90, 180, 270),
    "15 +-3": (15, 105, 195, 285, 75, 165, 255, 345),
    "30 +-3": (30, 120, 210, 300, 60, 150, 240, 330),
    "45 +-3": (45, 135, 225, 315),
}
MODULES_MM = (0.25, 0.33, 0.5)
RESOLUTIONS = (100, 150, 200, 300)
DAMAGES = ("none", "JPEG 40", "blur", "seal", "torn", "folded", "stroke", "faint")


@dataclass(frozen=True)
class Case:
    """What is drawn. `module`: mm. `angle`: degrees, of the class `tilt`. `number`: digits."""

    form: str
    tilt: str
    angle: float
    module: float
    dpi: int
    damage: str
    number: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What became of a case. `outcome`: hidden, partly or leaked. `spare`: mask area per area of
    the code. `seconds`: CPU time."""

    case: Case
    outcome: str
    decoded: bool
    spare: float
    seconds: float


def cases(count: int, seed: int) -> Iterator[Case]:
    """Seeded cases that go through kinds in turn; all else is drawn."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        tilt = list(ANGLES)[int(rng.integers(len(ANGLES)))]
        yield Case(
            form=list(FORMS)[index % len(FORMS)],
            tilt=tilt,
            angle=float(rng.choice(ANGLES[tilt]) + rng.uniform(-3, 3)),
            module=float(rng.choice(MODULES_MM)),
            dpi=int(rng.choice(RESOLUTIONS)),
            damage=str(rng.choice(DAMAGES)),
            number="".join(str(d) for d in rng.integers(0, 10, 12)),
            seed=int(rng.integers(1 << 30)),
        )


def modules(form: str, number: str) -> Grey:
    """The code at FINE pixels per module, 0 and 255, without quiet zone."""
    kind, text = FORMS[form]
    made = zxingcpp.create_barcode(text(number), kind)
    one = np.asarray(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=False))
    one = one.reshape(one.shape[:2])
    if form in LINEAR:
        one = np.repeat(one[:1], max(24, one.shape[1] // 4), axis=0)
    return np.kron(one, np.ones((FINE, FINE), np.uint8))


def damaged(fine: Grey, damage: str, rng: np.random.Generator) -> tuple[Grey, Grey]:
    """(the spoilt code, 1 where any of it is left); both with a quiet zone of four modules."""
    room = 4 * FINE
    code = np.pad(fine, room, constant_values=255)
    left = np.pad(np.ones_like(fine), room)
    h, w = code.shape
    if damage == "torn":
        # A ragged tear takes off a fifth to two fifths at one end of the longer side.
        keep = w * (1 - rng.uniform(0.2, 0.4))
        edge = keep + np.cumsum(rng.normal(0, FINE / 4, h)) + (np.arange(h) - h / 2) * 0.2
        gone = np.arange(w)[None, :] > edge[:, None]
        code[gone], left[gone] = 255, 0
    elif damage == "folded":
        # What lies beyond the crease is shifted along it, and the crease is dark and worn.
        at, shift = int(w * rng.uniform(0.3, 0.7)), int(FINE * rng.uniform(0.5, 2.0))
        code[:, at:] = np.roll(code[:, at:], shift, axis=0)
        code[:, at - FINE : at + FINE] = 90 + code[:, at - FINE : at + FINE] // 2
    elif damage == "stroke":
        thick = max(FINE, round(0.05 * min(h, w)))
        for _ in range(2):
            a, b = rng.uniform(0.1, 0.9, 2), rng.uniform(0.1, 0.9, 2)
            ends = ((0, int(a[0] * h)), (w, int(b[0] * h)))
            cv2.line(code, *ends, (30,), thick)
    elif damage == "faint":
        code = (255 - (255 - code.astype(np.float32)) * 0.45).astype(np.uint8)
    return code, left


@cache
def text_page(dpi: int, seed: int) -> Image:
    """A page of drawn text on slightly tinted paper."""
    w, h = (round(side * dpi / MM) for side in A4_MM)
    page = np.full((h, w), 248, np.uint8)
    rng = np.random.default_rng(seed)
    size = dpi / 190
    for y in range(dpi // 2, h - dpi // 2, round(dpi * 0.27)):
        words = " ".join("".join(chr(c) for c in rng.integers(97, 123, n)) for n in (4, 7, 3, 9))
        cv2.putText(page, (words + " ") * 2, (dpi // 2, y), cv2.FONT_HERSHEY_SIMPLEX, size, (35,),
                    max(1, dpi // 100), cv2.LINE_AA)  # fmt: skip
    return np.dstack([page] * 3)


def background(case: Case, pages: Sequence[Path]) -> Image:
    """The page that a case is drawn on, at the case's resolution, as if it were A4."""
    if not pages:
        return text_page(case.dpi, case.seed % 4)
    page = cv2.imread(str(pages[case.seed % len(pages)]), cv2.IMREAD_COLOR)
    assert page is not None
    scale = case.dpi * A4_MM[1] / MM / max(page.shape[:2])
    return np.asarray(cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def drawn(case: Case, page: Image) -> tuple[Image, Image, Quad]:
    """(a copy of the page with the code, its pixels that hold what is left of the code as 1, the
    code's whole quad)."""
    rng = np.random.default_rng(case.seed)
    page = page.copy()
    fine, left = damaged(modules(case.form, case.number), case.damage, rng)
    h, w = fine.shape
    over = 3  # drawn at three times the page's resolution, then averaged
    scale = case.module * case.dpi / MM / FINE
    reach = math.ceil(math.hypot(h, w) * scale / 2) + 3
    side = 2 * reach
    matrix = cv2.getRotationMatrix2D((w / 2 - 0.5, h / 2 - 0.5), -case.angle, scale * over)
    matrix[:, 2] += reach * over - 0.5 - np.array([w / 2 - 0.5, h / 2 - 0.5])
    size = (side * over, side * over)
    # What is shrunk by more than two must be averaged first, or modules are lost.
    soft = cv2.blur(fine, (max(1, round(0.5 / scale / over)),) * 2)
    layers = [
        cv2.resize(cv2.warpAffine(layer, matrix, size, borderValue=(0,)), (side, side),
                   interpolation=cv2.INTER_AREA)
        for layer in (soft, np.full_like(fine, 255), left * 255)
    ]  # fmt: skip
    limits = [max(1, length - side) for length in page.shape[1::-1]]
    x0, y0 = (int(rng.integers(limit)) for limit in limits)
    y1, x1 = min(page.shape[0], y0 + side), min(page.shape[1], x0 + side)
    ink, there, remains = (layer[: y1 - y0, : x1 - x0] for layer in layers)
    under = page[y0:y1, x0:x1].astype(np.float32)
    share = there[:, :, None].astype(np.float32) / 255
    paper = np.array([248, 249, 250], np.float32)
    printed = ink[:, :, None].astype(np.float32) * paper / 255 + 18 * share
    page[y0:y1, x0:x1] = np.clip(under * (1 - share) + printed, 0, 250).astype(np.uint8)
    truth = np.zeros(page.shape[:2], np.uint8)
    truth[y0:y1, x0:x1] = remains > 127
    edge = 4 * FINE
    corners = np.array([[edge, edge], [w - edge, edge], [w - edge, h - edge], [edge, h - edge]])
    quad = (cv2.transform(corners[None].astype(np.float64), matrix)[0] + 0.5) / over + (x0, y0)
    return spoilt(page, case, quad, rng), truth, quad


def spoilt(page: Image, case: Case, quad: Quad, rng: np.random.Generator) -> Image:
    """What happens to the whole sheet: a seal over the code, a soft or coarse scanner, noise."""
    if case.damage == "seal":
        ink = np.zeros(page.shape[:2], np.uint8)
        centre = quad.mean(axis=0) + rng.uniform(-0.3, 0.3, 2) * geometry.width(quad)
        radius = 19 * case.dpi / MM
        middle = (round(float(centre[0])), round(float(centre[1])))
        cv2.circle(ink, middle, round(radius), (255,), max(1, round(1.2 * case.dpi / MM)))
        for step in range(14):
            turned = 2.4 + 0.33 * step
            place = centre + 0.8 * radius * np.array([math.cos(turned), math.sin(turned)])
            cv2.putText(ink, "XJBZLYHCGZJDWY"[step], (int(place[0]), int(place[1])),
                        cv2.FONT_HERSHEY_DUPLEX, case.dpi / 160, (255,), 2)  # fmt: skip
        share = (ink[:, :, None] / 255 * 0.8).astype(np.float32)
        red = np.array([40, 30, 200], np.float32) / 255
        page = (page * (1 - share * (1 - red))).astype(np.uint8)
    if case.damage == "blur":
        page = cv2.GaussianBlur(page, (0, 0), max(0.8, 0.16 * case.dpi / MM)).astype(np.uint8)
    noisy = page.astype(np.float32) + rng.normal(0, 2.5, page.shape[:2])[:, :, None]
    quality = 40 if case.damage == "JPEG 40" else 75
    page = np.clip(noisy, 0, 255).astype(np.uint8)
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    )


def measure(case: Case, pages: Sequence[Path], show: Path | None) -> Outcome:
    """Draws a case and looks for it."""
    page, truth, quad = drawn(case, background(case, pages))
    start = time.process_time()
    findings = find_codes(page, ())
    seconds = time.process_time() - start
    near = [f for f in findings if geometry.overlap(f.quad, quad) > 0.01]
    mask = paint(np.full_like(page, 255), (f.quad for f in near))[:, :, 0] == 0
    share = float(mask[truth > 0].mean())
    outcome = "hidden" if share >= HIDDEN else "leaked" if share < TOUCHED else "partly"
    decoded = any(f.text for f in near)
    if show is not None and outcome != "hidden":
        name = f"{outcome}_{case.form}_{case.damage}_{case.dpi}_{case.module}_{case.seed}.png"
        picture(page, near, quad, show / name)
    spare = float(mask.sum()) / max(1, int(truth.sum()))
    return Outcome(case, outcome, decoded, spare, seconds)


def picture(page: Image, findings: Sequence[Finding], quad: Quad, path: Path) -> None:
    """Writes a place of a page with the masks outlined."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = page.copy()
    for finding in findings:
        cv2.polylines(seen, [np.round(finding.quad).astype(np.int32)], True, (0, 160, 0), 1)
    x0, y0, x1, y1 = (int(v) for v in geometry.bounds(quad))
    cv2.imwrite(str(path), seen[max(0, y0 - 60) : y1 + 60, max(0, x0 - 60) : x1 + 60])


def interval(successes: int, total: int) -> tuple[float, float]:
    """Wilson 95 % interval of a share, in percent."""
    found = binomtest(successes, total).proportion_ci(method="wilson")
    return 100 * found.low, 100 * found.high


def table(outcomes: Sequence[Outcome], title: str, key: Callable[[Case], str]) -> str:
    """A Markdown table with a row for each key."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[key(outcome.case)].append(outcome)
    lines = [
        f"| {title} | codes | hidden | partly | leaked | decoded | hidden, Wilson 95 % | spare |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, group in sorted(groups.items()):
        count = {o: sum(x.outcome == o for x in group) for o in ("hidden", "partly", "leaked")}
        low, high = interval(count["hidden"], len(group))
        lines.append(
            f"| {name} | {len(group)} | {count['hidden']} | {count['partly']} | {count['leaked']} "
            f"| {sum(x.decoded for x in group)} "
            f"| {100 * count['hidden'] / len(group):.1f} % ({low:.1f} - {high:.1f}) "
            f"| {np.median([x.spare for x in group]):.2f} |"
        )
    return "\n".join(lines) + "\n"


def bare_pages(folder: Path) -> Iterator[tuple[str, SourcePage, int, list[Quad]]]:
    """(name, page, degrees that turn it upright, quads of its codes) of a set's pages, or of a
    folder of upright images without codes."""
    truths = sorted(folder.glob("truth.json*"))
    if not truths:
        images = (p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        for path in sorted(images):
            yield path.name, load_page(path, 0), 0, []
        return
    for page in load_truth(truths[0]).pages:
        source = load_page(folder / "scans" / page.source, page.source_page)
        codes = [i for i in page.items if i.kind == "code"]
        quads = [np.array(quad, dtype=float) for item in codes for quad in item.quads]
        name = f"{page.page_type} {page.source} {page.source_page}"
        yield name, source, page.rotation, quads


def upright(source: SourcePage, rotation: int, quads: Sequence[Quad]) -> tuple[Image, list[Quad]]:
    """The page turned upright, and the codes on it."""
    matrix = geometry.quarter_turn(rotation, source.pixels.shape[1::-1])
    return turn(source.pixels, rotation), [geometry.mapped(quad, matrix) for quad in quads]


def measure_bare(folder: Path, readings: Path | None, show: Path | None) -> None:
    """Prints the masks that lie on no code, the codes missed, and the CPU time of a page."""
    seconds, falsely, missed, count, codes = [], 0, 0, 0, 0
    cache = ReadingCache(readings) if readings else None
    for name, source, rotation, stored in bare_pages(folder):
        lines: tuple[Line, ...] | None = None
        if cache is not None:
            reading = read(source, shared_reader, cache)[0].reading
            lines, rotation = reading.lines, reading.rotation
        pixels, quads = upright(source, rotation, stored)
        start = time.process_time()
        findings = find_codes(pixels, lines)
        seconds.append(time.process_time() - start)
        wrong = [f for f in findings if not any(geometry.overlap(f.quad, q) > 0.1 for q in quads)]
        mask = paint(np.full_like(pixels, 255), (f.quad for f in findings))[:, :, 0] == 0
        leaks = [q for q in quads if mask[_inside(mask, q)].mean() < HIDDEN]
        codes, missed, count = codes + len(quads), missed + len(leaks), count + 1
        falsely += bool(wrong)
        for finding in wrong:
            box = [round(v) for v in geometry.bounds(finding.quad)]
            print(f"false: {name}: {finding.why} {finding.score} {box}")
        print("".join(f"missed: {name}\n" for _ in leaks), end="")
        if show is not None and wrong:
            picture(pixels, wrong, geometry.around([f.quad for f in wrong]),
                    show / f"false_{name.replace('/', '_')}.png")  # fmt: skip
    low, high = interval(falsely, count)
    print(f"{count} pages, {falsely} with a false mask ({low:.1f} - {high:.1f} %); "
          f"{codes} codes, {missed} missed; "
          f"CPU-s per page: mean {np.mean(seconds):.3f}, worst {np.max(seconds):.3f}")  # fmt: skip


def _inside(like: npt.NDArray[np.bool_], quad: Quad) -> npt.NDArray[np.bool_]:
    """The pixels of an array of this shape that lie in a quad."""
    return paint(np.full((*like.shape, 3), 255, np.uint8), [quad])[:, :, 0] == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="?", type=Path)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bare", type=Path, help="measure false masks on this set instead")
    parser.add_argument("--readings", type=Path, help="read those pages, keep readings here")
    parser.add_argument("--show", type=Path, help="write what was missed or falsely masked here")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.bare:
        measure_bare(arguments.bare, arguments.readings, arguments.show)
        return
    pages = sorted(arguments.pages.glob("*.[jp][pn]*g")) if arguments.pages else []
    outcomes = [measure(c, pages, arguments.show) for c in cases(arguments.cases, arguments.seed)]
    print(table(outcomes, "all", lambda _: "all"))
    for title, key in (
        ("symbology", lambda c: c.form),
        ("angle", lambda c: c.tilt),
        ("module, mm", lambda c: f"{c.module:.2f}"),
        ("dpi", lambda c: f"{c.dpi:3d}"),
        ("pixels per module", lambda c: f"{min(4, int(c.module * c.dpi / MM))} to below the next"),
        ("damage", lambda c: c.damage),
    ):
        print(table(outcomes, title, key))  # type: ignore[arg-type]
    seconds = [o.seconds for o in outcomes]
    print(f"CPU-s per page: mean {np.mean(seconds):.3f}, worst {np.max(seconds):.3f}")


if __name__ == "__main__":
    main()

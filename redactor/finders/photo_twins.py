"""Finds a dossier's known portraits again where no face was found.

Copies are bilevel, dim, pale or small. A face that was found on one page tells what to look for in
the pictures of the others. It is kept as a small patch around its eyes, upright and of one size. In
a picture without a face the patch is sought at many sizes by normalised correlation, then fitted
closely: also against what a threshold leaves of it, because a photocopier may know black and white
only. The eyes are where they are in the patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.finders.face_search import SURE
from redactor.finders.faces import CERTAIN
from redactor.finders.faces import FINDER as FACES
from redactor.finders.photo_frames import Box, masked_share, portrait_around
from redactor.finders.pictures import Picture
from redactor.page import Finding, Image, Kind, Quad
from redactor.reduction import reduced

FINDER = "photo_twins"
WHY = "portrait, known from another page of the dossier"

PER_MM = 4.0
"""Pixels per mm at which portraits are sought, so that a page's small copy shows all of them."""
BAR = 2.5
"""Distances between the eyes (the unit of all that follows) that a mask is long."""
ASIDE, UP, DOWN = 1.4, 1.0, 2.0
"""How far a patch reaches from the middle of the mask: from the hair to below the chin."""
FINE, COARSE = 16.0, 5.0
"""Pixels between the eyes in a print, and where places are proposed."""
INNER, MIDDLE = (1.2, 1.45), 0.45
"""Half axes and middle (below the eyes) of the part of a patch that counts: not the ground."""
SHARPEST = 12.0
"""Pixels between the eyes of the least portrait of which a print is kept."""
ALIKE = 0.85
"""Likeness from which two prints are of one photo."""
MOST_PRINTS = 6
"""Portraits of a page, and of a dossier, that are sought."""
LEAST_MM, MOST_MM, STEP = 1.5, 11.0, 1.18
"""Distances between the eyes that are tried, and from one to the next; a ghost's are 1.6 mm."""
SHARES = (0.08, 0.6)
"""The distance as a share of a picture's shorter side at least, of its longer at most."""
ROOM = 0.25
"""A copy may leave a portrait's hair alone: its eyes may be beyond the picture by this share."""
LARGE_MM, LEAST_IN_LARGE = 75.0, 3.0
"""Larger pictures are no portraits, but may hold some, with eyes so far apart at least."""
SOFT, DETAIL = 1.0, 3.3
"""Blur (pixels of a print) under which grain does not count, and over which there are masses."""
THRESHOLDS = (15, 30, 45, 60, 75)
"""Percentiles of a patch at which a copier may tell black from white."""
STEPS = ((0.12, 0.60), (0.06, 0.72), (0.03, 0.0))
"""Moves by which a place is fitted, and the likeness without which it is given up after them."""
HOPEFUL = (0.26, 0.40, 0.46, 0.52)
"""Likeness without which it is given up before each round of the first moves: most other places
stay below, portraits hardly ever."""
LEAST_LEFT = 0.6
"""Likeness of what a threshold leaves to the portrait; what is left of less could be anything."""
PROMISING, SAME = 0.5, 0.82
"""Correlation from which a place is looked at closely; likeness from which it is the portrait.
Portraits of others reached 0.73, a seal across print 0.81, all else on 70 sample pages 0.71."""
MOST_TWINS = 4
"""How often one portrait may stand unfound in a picture."""
COVERED = 0.8
"""Share of a picture under one mask from which on nothing is left to see."""
MARGIN = 1.1
"""A mask is larger than that of the print by this factor."""

Plane = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PhotoPrint:
    """A portrait as it looked on the page where its face was found.

    `patch`: (48, 45) uint8, grey, upright, `FINE` pixels between the eyes, the middle of its mask
    at (`ASIDE`, `UP`). `corners`: (4, 2) its mask around that middle, in distances between the
    eyes. `kind`: of the mask. `apart`: pixels between the eyes on that page.
    """

    patch: Grey
    corners: Points
    kind: str
    apart: float


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a portrait may be: middle of its mask, direction (radians) and distance of the eyes."""

    middle: Points
    turn: float
    apart: float

    def moved(self, along: float, down: float, turn: float, larger: float) -> _Place:
        """Moved by shares of the distance, turned by radians and made larger."""
        shift = np.array([along, down]) * self.apart
        return _Place(self.middle + shift, self.turn + turn, self.apart * larger)


def describe_portraits(pixels: Image, findings: Iterable[Finding]) -> tuple[PhotoPrint, ...]:
    """Prints of the faces on a page whose eyes were placed surely, the sharpest first."""
    sure = [f for f in findings if f.finder == FACES and f.score >= SURE and f.why == CERTAIN]
    prints = [_print_of(pixels, finding) for finding in sure]
    return distinct_portraits(print_ for print_ in prints if print_.apart >= SHARPEST)


def distinct_portraits(prints: Iterable[PhotoPrint]) -> tuple[PhotoPrint, ...]:
    """One print of each photo, the sharpest; `MOST_PRINTS` at most."""
    kept: list[PhotoPrint] = []
    for one in sorted(prints, key=lambda print_: -print_.apart):
        template = _Template(one)
        if not any(template.likeness(other.patch) >= ALIKE for other in kept):
            kept.append(one)
    return tuple(kept[:MOST_PRINTS])


def open_pictures(pictures: Iterable[Picture], found: Sequence[Finding]) -> tuple[Picture, ...]:
    """Those in which a portrait may stand unmasked."""
    faces = _faces(found)
    return tuple(
        picture
        for picture in pictures
        if all(masked_share(picture, finding.quad) < COVERED for finding in found)
        and not any(_within(picture, face) for face in faces)
    )


def find_photo_twins(
    pixels: Image,
    dpi: float,
    prints: Sequence[PhotoPrint],
    pictures: Sequence[Picture],
    found: Sequence[Finding],
) -> tuple[Finding, ...]:
    """Masks where one of the `prints` stands in one of the `pictures` though no face was found.

    `pictures`: of an upright page, from `find_pictures`. `found`: what is masked already.
    """
    unseen = open_pictures(pictures, found) if prints else ()
    if not unseen:
        return ()
    faces = _faces(found)
    scale = min(1.0, PER_MM * 25.4 / dpi)
    small = reduced(_grey(pixels), scale)
    scale = small.shape[1] / pixels.shape[1]
    templates = [_Template(print_) for print_ in prints]
    twins: list[Finding] = []
    for picture in unseen:
        for _ in range(MOST_TWINS):
            known = [*faces, *map(_around, twins)]
            if any(_within(picture, face) for face in known):
                break
            twin = _twin(small, scale, dpi, templates, picture, known)
            if twin is None:
                break
            twins.append(twin)
    return tuple(twins)


def _print_of(pixels: Image, finding: Finding) -> PhotoPrint:
    quad = finding.quad
    apart = geometry.width(quad) / BAR
    direction = (quad[1] - quad[0]) / max(geometry.width(quad), 1e-6)
    place = _Place(quad.mean(axis=0), float(np.arctan2(direction[1], direction[0])), apart)
    x0, y0, x1, y1 = _box_of(place, pixels.shape)
    part = reduced(_grey(pixels[y0:y1, x0:x1]), min(1.0, FINE / apart))
    scale = part.shape[1] / max(1, x1 - x0)
    patch = _patch(part, _Place((place.middle - (x0, y0)) * scale, place.turn, apart * scale))
    down = np.array([-direction[1], direction[0]])
    corners = (quad - place.middle) @ np.array([direction, down]).T / apart
    return PhotoPrint(patch, corners, str(finding.kind), apart)


def _grey(pixels: Image) -> Grey:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


def _scaled(box: Box, scale: float) -> Box:
    x0, y0, x1, y1 = box
    return x0 * scale, y0 * scale, x1 * scale, y1 * scale


def _box_of(place: _Place, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """What of a page a patch may show, however it is turned."""
    reach = 2.0 * DOWN * place.apart
    (left, top), (right, bottom) = place.middle - reach, place.middle + reach
    return (
        max(0, int(left)), max(0, int(top)),
        min(shape[1], int(right) + 1), min(shape[0], int(bottom) + 1),
    )  # fmt: skip


def _patch(grey: Grey, place: _Place) -> Grey:
    """(48, 45) what stands at a place, turned upright, `FINE` pixels between the eyes."""
    step = place.apart / FINE
    cos, sin = np.cos(place.turn) * step, np.sin(place.turn) * step
    turned = np.array([[cos, -sin], [sin, cos]])
    start = place.middle - 0.5 - turned @ (ASIDE * FINE - 0.5, UP * FINE - 0.5)
    return np.asarray(
        cv2.warpAffine(
            grey,
            np.column_stack([turned, start]),
            (round(2 * ASIDE * FINE), round((UP + DOWN) * FINE)),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _weights(height: int, width: int) -> Plane:
    """How much each pixel of a patch counts, 0..1: the head does, what is behind it does not."""
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    across = ((xs + 0.5) / width * 2 - 1) * ASIDE / INNER[0]
    down = ((ys + 0.5) / height * (UP + DOWN) - UP - MIDDLE) / INNER[1]
    return np.asarray(np.exp(-(across**4) - down**4), np.float32)


WEIGHTS = _weights(round((UP + DOWN) * FINE), round(2 * ASIDE * FINE)).ravel()
ROOTS = np.sqrt(WEIGHTS)


class _Template:
    """A print ready to be sought: `coarse` patches, and all that a copier may leave of it."""

    def __init__(self, print_: PhotoPrint) -> None:
        self.print = print_
        patch = print_.patch
        levels = [float(np.percentile(patch, percent)) for percent in THRESHOLDS]
        copies = [np.asarray((patch > level) * 255, np.uint8) for level in levels]
        size = (round(2 * ASIDE * COARSE), round((UP + DOWN) * COARSE))
        rough = (patch, copies[len(copies) // 2])
        self.coarse = [cv2.resize(form, size, interpolation=cv2.INTER_AREA) for form in rough]
        own = _looks(patch)
        looks = [_looks(copy) for copy in copies]
        self._fine = np.array([own, *(look for look in looks if own @ look / 2 >= LEAST_LEFT)])

    def likeness(self, patch: Grey) -> float:
        """How like a patch is to what is most like it of the print, -1..1."""
        return float((self._fine @ _looks(patch)).max()) / 2


def _looks(patch: Grey) -> Plane:
    """A patch in one row: its masses, which any dark blob with a pale middle shares, then its
    details, which the eyes, nose and mouth of one photo have. Both of length 1."""
    soft = cv2.GaussianBlur(patch, (0, 0), SOFT).astype(np.float32)
    return np.concatenate([_normal(soft), _normal(soft - cv2.GaussianBlur(soft, (0, 0), DETAIL))])


def _normal(plane: Plane | np.ndarray) -> Plane:
    """Weighted values of mean 0 and length 1 in one row; all 0 when there is nothing to see."""
    values = plane.ravel()
    weighted = (values - values @ WEIGHTS / WEIGHTS.sum()) * ROOTS
    length = float(np.linalg.norm(weighted))
    return np.asarray(weighted / max(length, len(values) ** 0.5), np.float32)


def _twin(
    small: Grey,
    scale: float,
    dpi: float,
    templates: Sequence[_Template],
    picture: Picture,
    known: Sequence[Box],
) -> Finding | None:
    """The surest twin in a picture, away from what is `known`. `small`: the page at `scale`."""
    per_mm = dpi / 25.4 * scale
    more = ROOM * max(picture.width, picture.height)
    whole = (picture.x0 - more, picture.y0 - more, picture.x1 + more, picture.y1 + more)
    box = _scaled(whole, scale)
    away = [_scaled(face, scale) for face in known]
    best: tuple[float, _Place, PhotoPrint] | None = None
    for place, likeness, template in _proposals(small, per_mm, templates, box, away):
        if likeness >= PROMISING:
            score, fitted = _fitted(small, place, template)
            if score >= SAME and (best is None or score > best[0]):
                best = score, fitted, template.print
    if best is None:
        return None
    score, place, print_ = best
    return Finding(Kind(print_.kind), _quad(print_, place) / scale, "", score, WHY, FINDER)


def _proposals(
    small: Grey,
    per_mm: float,
    templates: Sequence[_Template],
    box: Box,
    away: Sequence[Box],
) -> Iterator[tuple[_Place, float, _Template]]:
    """(the likeliest place in `box`, its correlation) of each template."""
    short, long = sorted((box[2] - box[0], box[3] - box[1]))
    low = max(LEAST_MM * per_mm, SHARES[0] * short)
    high = min(MOST_MM * per_mm, SHARES[1] * long)
    if long > LARGE_MM * per_mm:
        low, high = LEAST_IN_LARGE * per_mm, MOST_MM * per_mm
    best: list[tuple[float, _Place] | None] = [None] * len(templates)
    apart = low
    while apart <= high * STEP:
        part, factor, (left, top) = _cut(small, box, apart)
        open_ = _open(part.shape, factor, (left, top), away)
        for number, template in enumerate(templates):
            for form in template.coarse:
                match = cv2.matchTemplate(part, form, cv2.TM_CCOEFF_NORMED)
                height, width = match.shape
                # Where a window is even the correlation is not defined.
                match = np.where(np.isfinite(match), match, 0) * open_[:height, :width]
                _, score, _, (x, y) = cv2.minMaxLoc(match)
                known = best[number]
                if known is None or score > known[0]:
                    middle = np.array([x + ASIDE * COARSE, y + UP * COARSE]) / factor + (left, top)
                    best[number] = score, _Place(middle, 0.0, COARSE / factor)
        apart *= STEP
    for found, template in zip(best, templates, strict=True):
        if found is not None:
            yield found[1], found[0], template


def _cut(small: Grey, box: Box, apart: float) -> tuple[Grey, float, tuple[float, float]]:
    """(what patches around all points of `box` show, with `COARSE` pixels for `apart`; its pixels
    per pixel of `small`; its corner there). Beyond the page goes on what stands at its edge."""
    around = (-ASIDE, -UP, ASIDE, DOWN)
    x0, y0, x1, y1 = (round(v + a * apart * 1.05) for v, a in zip(box, around, strict=True))
    height, width = small.shape
    inside = small[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)]
    more = (max(0, -y0), max(0, y1 - height), max(0, -x0), max(0, x1 - width))
    part = cv2.copyMakeBorder(inside, *more, cv2.BORDER_REPLICATE)
    factor = COARSE / apart
    if factor < 1:
        cut = reduced(np.asarray(part, np.uint8), factor)
    else:
        larger = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        cut = np.asarray(larger, np.uint8)
    factor = cut.shape[1] / part.shape[1]
    return np.asarray(cv2.GaussianBlur(cut, (0, 0), 0.6), np.uint8), factor, (x0, y0)


def _open(
    shape: tuple[int, ...], factor: float, corner: tuple[float, float], away: Sequence[Box]
) -> Plane:
    """1 where the corner of a patch may lie so that its eyes are not where a face is known."""
    open_ = np.ones(shape, np.float32)
    for box in away:
        x0, x1 = (round((v - corner[0]) * factor - ASIDE * COARSE) for v in (box[0], box[2]))
        y0, y1 = (round((v - corner[1]) * factor - UP * COARSE) for v in (box[1], box[3]))
        open_[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = 0
    return open_


def _fitted(small: Grey, place: _Place, template: _Template) -> tuple[float, _Place]:
    """(correlation, place) after moving, turning and stretching a place a little."""
    x0, y0, x1, y1 = _box_of(place, small.shape)
    if min(x1 - x0, y1 - y0) < 2:
        return 0.0, place
    part = reduced(small[y0:y1, x0:x1], min(1.0, FINE / place.apart))
    scale = part.shape[1] / (x1 - x0)
    own = _Place((place.middle - (x0, y0)) * scale, place.turn, place.apart * scale)
    best = template.likeness(_patch(part, own)), own
    for step, least in STEPS:
        turn = 0.7 * step
        ways = (
            (step, 0.0, 0.0, 1.0), (-step, 0.0, 0.0, 1.0), (0.0, step, 0.0, 1.0),
            (0.0, -step, 0.0, 1.0), (0.0, 0.0, turn, 1.0), (0.0, 0.0, -turn, 1.0),
            (0.0, 0.0, 0.0, 1 + turn), (0.0, 0.0, 0.0, 1 / (1 + turn)),
        )  # fmt: skip
        for hopeful in HOPEFUL:
            before, start = best
            if before < hopeful:
                return before, place
            for way in ways:
                moved = start.moved(*way)
                score = template.likeness(_patch(part, moved))
                if score > best[0]:
                    best = score, moved
            if best[0] - before < 1e-4:
                break
        if best[0] < least:
            return best[0], place
    score, own = best
    return score, _Place(own.middle / scale + (x0, y0), own.turn, own.apart / scale)


def _quad(print_: PhotoPrint, place: _Place) -> Quad:
    """The mask of a print at a place."""
    cos, sin = np.cos(place.turn), np.sin(place.turn)
    turned = print_.corners @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(MARGIN * place.apart * turned + place.middle, np.float64)


def _faces(found: Iterable[Finding]) -> list[Box]:
    return [_around(finding) for finding in found if finding.kind in (Kind.EYES, Kind.FACE)]


def _around(finding: Finding) -> Box:
    """The portrait of a face that is masked."""
    if finding.kind is Kind.EYES:
        return portrait_around(finding)
    return geometry.bounds(finding.quad)


def _within(picture: Picture, face: Box) -> bool:
    """Whether most of a picture is the portrait of a face that is masked."""
    x0, y0, x1, y1 = face
    return masked_share(picture, geometry.rectangle(x0, y0, x1, y1)) >= COVERED

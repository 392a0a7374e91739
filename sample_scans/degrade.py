"""Turns a clean sheet into an office scan or a phone photo, and tells where every point went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Move = Callable[[Points], Points]


@dataclass(frozen=True)
class Recipe:
    """One way to spoil a page. `skew` degrees, `blur` sigma in pixels, `noise` standard deviation
    of 255, `quality` of the JPEG, `rotation` degrees clockwise that the stored page is turned,
    `contrast` > 1 is a hard photocopy, `shake` the share of the page by which the corners of a
    photo are off, `curl` the bending of the sheet in pixels per 1000, `crumple` how far a crumpled
    sheet's points wander, in the same unit; `bilevel` leaves black and white, as a fax does."""

    name: str
    dpi: int = 200
    quality: int = 70
    grey: bool = False
    skew: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    contrast: float = 1.0
    rotation: int = 0
    photo: bool = False
    shake: float = 0.03
    shadow: float = 0.0
    fold: bool = False
    warm: float = 0.0
    curl: float = 0.0
    crumple: float = 0.0
    bilevel: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        named = {
            "photo": self.photo,
            "grey": self.grey,
            "skew": self.skew != 0,
            "blur": self.blur > 0.7,
            "noise": self.noise > 3,
            "rotated": self.rotation != 0,
            "fold": self.fold,
            "curl": self.curl != 0,
            "crumple": self.crumple != 0,
            "bilevel": self.bilevel,
            "low_dpi": self.dpi < 150,
            "jpeg_low": self.quality <= 50,
            "copy": self.contrast > 1.2,
        }
        return (self.name, *(tag for tag, on in named.items() if on))


RECIPES: dict[str, Recipe] = {
    r.name: r
    for r in (
        Recipe("clean", dpi=200, quality=80),
        Recipe("office", dpi=200, quality=65, skew=0.7, blur=0.5, noise=2),
        Recipe("office_grey", dpi=200, quality=60, grey=True, skew=-1.1, blur=0.6, noise=3),
        Recipe("skewed", dpi=150, quality=70, skew=2.0, blur=0.4, noise=2),
        Recipe("skewed_left", dpi=150, quality=75, skew=-1.8, blur=0.4, noise=2),
        Recipe("poor_jpeg", dpi=150, quality=40, skew=0.4, blur=0.6),
        Recipe("low", dpi=100, quality=80, skew=0.3),
        Recipe("fine", dpi=300, quality=55, skew=-0.5, blur=0.6),
        Recipe("copy", dpi=200, quality=55, grey=True, skew=0.9, blur=0.7, contrast=1.5),
        Recipe("turned_90", dpi=150, quality=70, skew=0.5, blur=0.4, rotation=90),
        Recipe("turned_180", dpi=150, quality=70, skew=-0.6, blur=0.4, rotation=180),
        Recipe("turned_270", dpi=150, quality=65, grey=True, blur=0.4, noise=2, rotation=270),
        Recipe("photo", dpi=170, quality=70, photo=True, blur=0.6, noise=2, shadow=0.3, warm=0.5),
        Recipe("photo_fold", dpi=180, quality=65, photo=True, shake=0.045, blur=0.6, noise=2,
               shadow=0.35, fold=True, warm=0.9, curl=5.0),
        Recipe("photo_dim", dpi=170, quality=60, photo=True, shake=0.05, blur=0.8, noise=3,
               shadow=0.5, warm=1.0),
        Recipe("blurred", dpi=200, quality=70, skew=0.5, blur=1.4, noise=2),
        Recipe("dark_copy", dpi=200, quality=45, grey=True, skew=-1.0, blur=0.8, noise=5,
               contrast=2.0),
        Recipe("fax", dpi=200, quality=75, grey=True, skew=0.8, blur=0.7, noise=14, bilevel=True),
        Recipe("crumpled", dpi=180, quality=65, skew=-0.6, blur=0.5, noise=2, shadow=0.15,
               crumple=2.2),
        Recipe("askew", dpi=200, quality=70, skew=3.2, blur=0.4, noise=2),
    )
}  # fmt: skip


def degrade(sheet: Pixels, recipe: Recipe, rng: np.random.Generator) -> tuple[Pixels, Move]:
    """Spoil an RGB sheet; the second value maps its (N, 2) points to the result's pixels."""
    moves: list[Move] = []
    pixels = sheet
    if recipe.curl:
        pixels, move = _curl(pixels, recipe.curl)
        moves.append(move)
    if recipe.crumple:
        pixels, move = _crumple(pixels, recipe.crumple, rng)
        moves.append(move)
    if recipe.fold:
        pixels = _fold(pixels, rng)
    if recipe.photo:
        pixels, move = _photograph(pixels, recipe, rng)
        moves.append(move)
    elif recipe.skew:
        pixels, move = _skew(pixels, recipe.skew)
        moves.append(move)
    if recipe.shadow:
        pixels = _shade(pixels, recipe.shadow, rng)
    if recipe.warm:
        tint = 1 - recipe.warm * np.array([0.0, 0.05, 0.16])
        pixels = np.clip(pixels * tint, 0, 255).astype(np.uint8)
    if recipe.grey:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = np.repeat(np.asarray(grey, dtype=np.uint8)[..., None], 3, axis=2)
    if recipe.contrast != 1:
        pixels = np.clip((pixels - 150.0) * recipe.contrast + 165, 0, 255).astype(np.uint8)
    if recipe.blur:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), recipe.blur), dtype=np.uint8)
    if recipe.noise:
        shape = pixels.shape[:2] + ((1,) if recipe.grey else (3,))
        pixels = np.clip(pixels + rng.normal(0, recipe.noise, shape), 0, 255).astype(np.uint8)
    if recipe.bilevel:
        pixels = np.where(pixels > 150, 255, 0).astype(np.uint8)
    if recipe.rotation:
        pixels, move = _turn(pixels, recipe.rotation)
        moves.append(move)

    def carry(points: Points) -> Points:
        for move in moves:
            points = move(points)
        return points

    return np.ascontiguousarray(pixels, dtype=np.uint8), carry


def _by_matrix(matrix: npt.NDArray[np.float64]) -> Move:
    def move(points: Points) -> Points:
        # cv2 samples pixel centres, truth uses pixel corners: shift by half a pixel around it.
        moved = cv2.perspectiveTransform((points - 0.5).reshape(-1, 1, 2), matrix)
        return np.asarray(moved.reshape(-1, 2) + 0.5, dtype=np.float64)

    return move


def _skew(pixels: Pixels, degrees: float) -> tuple[Pixels, Move]:
    height, width = pixels.shape[:2]
    matrix = np.vstack(
        [cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0), [0.0, 0.0, 1.0]]
    )
    border = (246, 246, 245)
    warped = cv2.warpPerspective(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT, borderValue=border,
    )  # fmt: skip
    return np.asarray(warped, dtype=np.uint8), _by_matrix(matrix)


def _curl(pixels: Pixels, per_thousand: float) -> tuple[Pixels, Move]:
    """Bend the sheet's lines: y moves by an amount that depends on x alone."""
    height, width = pixels.shape[:2]
    reach = per_thousand / 1000 * height

    def rise(x: Points) -> Points:
        return np.asarray(reach * np.sin(np.pi * x / width), dtype=np.float64)

    xs = np.arange(width, dtype=np.float64)
    map_x = np.repeat(xs[None, :], height, axis=0).astype(np.float32)
    map_y = np.arange(height, dtype=np.float64)[:, None] - rise(xs)[None, :]
    bent = cv2.remap(pixels, map_x, map_y.astype(np.float32), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip

    def move(points: Points) -> Points:
        return np.column_stack([points[:, 0], points[:, 1] + rise(points[:, 0])])

    return np.asarray(bent, dtype=np.uint8), move


def _crumple(pixels: Pixels, per_thousand: float, rng: np.random.Generator) -> tuple[Pixels, Move]:
    """Points wander smoothly over the sheet; straight creases, one side of each a little darker."""
    height, width = pixels.shape[:2]
    reach = per_thousand / 1000 * height
    coarse = rng.normal(0, 1, (2, 9, 7)).astype(np.float32)
    wander = [
        np.asarray(cv2.resize(c, (width, height), interpolation=cv2.INTER_CUBIC)) for c in coarse
    ]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    bent = cv2.remap(pixels, xs - reach * wander[0], ys - reach * wander[1], cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    light = np.ones((height, width), np.float32)
    for _ in range(9):
        angle = rng.uniform(0, np.pi)
        at = rng.uniform(0.15, 0.85, 2) * (width, height)
        away = ((xs - at[0]) * np.cos(angle) + (ys - at[1]) * np.sin(angle)) / height
        light -= 0.1 * np.exp(-((away / 0.0012) ** 2)) + 0.03 * np.exp(-np.maximum(away, 0) / 0.05)
        light += 0.03 * (away < 0)

    def move(points: Points) -> Points:
        # The remap looks back from where a point went; a few rounds find that place.
        there = points.copy()
        for _ in range(6):
            x = np.clip(there[:, 0].astype(int), 0, width - 1)
            y = np.clip(there[:, 1].astype(int), 0, height - 1)
            there = points + reach * np.column_stack([wander[0][y, x], wander[1][y, x]])
        return np.asarray(there, dtype=np.float64)

    light *= 0.97 / light.max()
    return np.clip(bent * light[..., None], 0, 255).astype(np.uint8), move


def _fold(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A crease across: dark line with a bright side, and one half a little darker."""
    height = pixels.shape[0]
    at = height * rng.uniform(0.4, 0.6)
    away = (np.arange(height) - at) / height
    light = 1 - 0.13 * np.exp(-((away / 0.004) ** 2)) - 0.05 / (1 + np.exp(-away / 0.004))
    light += 0.04 * np.exp(-(((away + 0.012) / 0.006) ** 2))
    return np.asarray(np.clip(pixels * light[:, None, None], 0, 255), dtype=np.uint8)


def _photograph(pixels: Pixels, recipe: Recipe, rng: np.random.Generator) -> tuple[Pixels, Move]:
    """The sheet on a desk, seen at a slant."""
    height, width = pixels.shape[:2]
    margin = 0.05
    out_w, out_h = round(width * (1 + 2 * margin)), round(height * (1 + 2 * margin))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    inset = corners + np.array([width * margin, height * margin])
    off = rng.uniform(-recipe.shake, recipe.shake, (4, 2)) * (width, height)
    target = (inset + off).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    grain = rng.normal(0, 9, (max(2, out_h // 40), 1)).astype(np.float32)
    desk = np.array([118, 92, 68], np.float32) + cv2.resize(grain, (out_w, out_h))[..., None]
    seen = cv2.warpPerspective(pixels, matrix, (out_w, out_h), flags=cv2.INTER_CUBIC)
    cover = cv2.warpPerspective(
        np.full((height, width), 255, np.uint8), matrix, (out_w, out_h), flags=cv2.INTER_LINEAR
    )
    weight = cover[..., None].astype(np.float32) / 255
    mixed = np.clip(seen * weight + desk * (1 - weight), 0, 255).astype(np.uint8)
    return mixed, _by_matrix(matrix.astype(np.float64))


def _shade(pixels: Pixels, depth: float, rng: np.random.Generator) -> Pixels:
    """The photographer's shadow: a soft slanting edge, darker on one side."""
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, at = rng.uniform(0, 6.28), rng.uniform(-0.15, 0.2)
    along = (xs / width - 0.5) * np.cos(angle) + (ys / height - 0.5) * np.sin(angle) - at
    light = 1 - depth / (1 + np.exp(-along / 0.06))
    return np.asarray(np.clip(pixels * light[..., None], 0, 255), dtype=np.uint8)


def _turn(pixels: Pixels, clockwise: int) -> tuple[Pixels, Move]:
    height, width = pixels.shape[:2]
    turned = np.rot90(pixels, -(clockwise // 90))

    def move(points: Points) -> Points:
        x, y = points[:, 0], points[:, 1]
        if clockwise == 90:
            return np.column_stack([height - y, x])
        if clockwise == 180:
            return np.column_stack([width - x, height - y])
        return np.column_stack([y, width - x])

    return np.asarray(turned, dtype=np.uint8), move

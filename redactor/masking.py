"""Turns findings into solid masks and fresh files: nothing of what is under a mask survives."""

from __future__ import annotations

import io
from collections.abc import Iterable

import cv2
import numpy as np
from PIL import Image as PillowImage

from redactor import geometry
from redactor.page import Finding, Image, Kind, Quad

MASK_COLOUR = (0, 0, 0)
"""Solid black: blur and mosaic can be undone (Hill et al., PoPETs 2016)."""
ALONG, ACROSS = 0.05, 0.07
"""Margin of a text mask, in line heights: covers the blur at a glyph's edge, not its neighbour."""
TEXT_KINDS = frozenset(
    {
        Kind.NAME,
        Kind.UNIT,
        Kind.ID_NUMBER,
        Kind.PHONE,
        Kind.EMAIL,
        Kind.ADDRESS,
        Kind.CERT_NUMBER,
        Kind.DOCUMENT_NUMBER,
    }
)
JPEG_QUALITY = 88
"""Close to a scanner's own: higher only grows files, lower would draw rings around small print."""


def mask_quad(finding: Finding) -> Quad:
    """The quad that is filled for a finding: text grows by its margins, other kinds are exact."""
    if finding.kind not in TEXT_KINDS:
        return finding.quad
    thickness = min(geometry.height(finding.quad), geometry.width(finding.quad))
    return geometry.grown(finding.quad, ALONG * thickness + 0.5, ACROSS * thickness + 0.5)


def paint(pixels: Image, quads: Iterable[Quad]) -> Image:
    """A copy of `pixels` with every quad filled solid; edges are not softened."""
    masked = pixels.copy()
    for quad in quads:
        corners = np.round(quad * 16).astype(np.int32)
        # Pixel (0, 0) covers 0..1, cv2 draws its centre at 0: shift by half a pixel.
        cv2.fillConvexPoly(masked, corners - 8, MASK_COLOUR, lineType=cv2.LINE_8, shift=4)
    return masked


def encode(pixels: Image, file_format: str, dpi: float) -> bytes:
    """A fresh JPEG or PNG (`file_format` "jpg" or "png") of the pixels and nothing else.

    The only metadata is the resolution in `dpi`. Grey pages are stored as grey.
    """
    picture = _picture(pixels)
    buffer = io.BytesIO()
    resolution = (round(dpi), round(dpi))
    if file_format == "png":
        picture.save(buffer, "PNG", dpi=resolution, compress_level=4)
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, dpi=resolution, subsampling="4:2:0")
    return buffer.getvalue()


def _picture(pixels: Image) -> PillowImage.Image:
    blue, green, red = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return PillowImage.fromarray(np.ascontiguousarray(blue))
    return PillowImage.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))

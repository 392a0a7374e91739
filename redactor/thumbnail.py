"""Small pictures for the vault's report: the masked page with every mask outlined by kind."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from redactor.page import Finding, Image, Kind

WIDTH = 640
"""Width of a thumbnail, pixels."""
COLOURS: dict[Kind, tuple[int, int, int]] = {
    Kind.NAME: (60, 60, 230),
    Kind.UNIT: (220, 120, 30),
    Kind.ID_NUMBER: (30, 160, 230),
    Kind.PHONE: (60, 170, 60),
    Kind.EMAIL: (160, 170, 0),
    Kind.ADDRESS: (120, 120, 120),
    Kind.CERT_NUMBER: (170, 80, 170),
    Kind.DOCUMENT_NUMBER: (200, 60, 140),
    Kind.CODE: (130, 90, 30),
    Kind.SEAL: (40, 40, 160),
    Kind.SIGNATURE: (30, 110, 160),
    Kind.EYES: (180, 140, 60),
    Kind.FACE: (180, 140, 60),
    Kind.LABEL_VALUE: (90, 90, 170),
    Kind.CUSTOM: (0, 0, 0),
}
"""BGR outline colour of each kind; the report's legend uses the same."""


def thumbnail(masked: Image, findings: Iterable[Finding]) -> bytes:
    """JPEG of the masked page, at most WIDTH wide, with an outline around every mask."""
    scale = min(1.0, WIDTH / masked.shape[1])
    small = cv2.resize(masked, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for finding in findings:
        corners = np.round(finding.quad * scale).astype(np.int32)
        cv2.polylines(small, [corners], True, COLOURS[finding.kind], 2, cv2.LINE_AA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 70])
    return data.tobytes() if done else b""

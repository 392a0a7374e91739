"""Prints a typst layout of this project with data as a PDF; the same data gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst


def print_pdf(layout: Traversable, data: Mapping[str, Any]) -> bytes:
    """The PDF of a layout. `data` (JSON values) reaches it as data, never as markup.

    A layout says `#set document(date: none)`, or the time of printing would be in the bytes.
    """
    pdf: object = typst.compile(  # type: ignore[misc]  # the stub leaves its parameter open
        layout.read_bytes(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        font_paths=[str(Path(pylopdf_fonts_zh_cn.__file__).parent)],
        ignore_system_fonts=True,
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single document")
    return pdf

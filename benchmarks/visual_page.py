"""Draws one page with a portrait, a seal over a signature and a QR code, before and after.

    python -m benchmarks.visual_page docs/visual-before-after.jpg

The page is drawn by the sample generator, masked by the pipeline with seals painted over and with
seals lifted, and the three stand side by side.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np

from benchmarks.before_after import row
from redactor.applicant import Applicant
from redactor.identity import identity_of
from redactor.page import Image, SourcePage
from redactor.pipeline import redact_page
from redactor.profile import STRICT
from redactor.reading import shared_reader
from sample_scans.canvas import Canvas, Style
from sample_scans.fonts import Fonts
from sample_scans.marks import portrait, qr, seal

DPI = 150
WHO = Applicant(1, 4, "诸葛晓岚", "巴音郭楞蒙古自治州林业和草原局", id_number="652899198501014510")
TEXT = Style(size=12)


def page() -> Image:
    """The page as BGR, soft as a scan."""
    canvas = Canvas(Fonts(debian=False), Random(7), DPI, 150, 200, (253, 253, 251))
    canvas.line(75, 14, "专业技术人员考核登记表", Style(face="sans", size=20), "center")
    portrait(canvas, 112, 28, 25, WHO.number, grey=False)
    for line, text in enumerate(
        (
            f"姓名：{WHO.name}",
            "性别：女    民族：汉族",
            f"工作单位：{WHO.unit}",
            f"身份证号码：{WHO.id_number}",
            "现任专业技术职务：工程师",
        )
    ):
        canvas.line(14, 32 + 11 * line, text, TEXT)
    canvas.paragraph(
        14,
        92,
        122,
        "主要业绩：主持胡杨林更新项目两项，发表论文三篇；推广滴灌技术三千余亩，亩均增收二百六十元，"
        "群众反映良好，年度考核为优秀等次。",
        TEXT,
    )
    canvas.line(14, 132, "本人签字：", TEXT)
    canvas.line(38, 130, WHO.name, Style(face="hand", size=20, colour=(30, 40, 110)))
    canvas.line(14, 150, "以上内容属实，同意上报。", TEXT)
    seal(canvas, 58, 144, WHO.unit, WHO.number, size=42)
    qr(canvas, 110, 152, 30, f"https://rs.example.com/zc?id={WHO.id_number}", WHO.number)
    pixels = np.ascontiguousarray(np.asarray(canvas.image, np.uint8)[:, :, ::-1])
    return np.asarray(cv2.GaussianBlur(pixels, (3, 3), 0.5), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    before = page()
    source, who = SourcePage(before, float(DPI)), identity_of(WHO)
    shown = [before]
    for profile in (STRICT, replace(STRICT, seals="lift")):
        done = redact_page(source, who, profile, shared_reader)
        print(profile.seals, done.state, done.reason)
        shown.append(done.masked)
    cv2.imwrite(str(arguments.picture), row(shown), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()

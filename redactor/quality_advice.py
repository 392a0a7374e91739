"""Says what is wrong with a scan and how to mend it, with the figures, for the applicant."""

from __future__ import annotations

from dataclasses import dataclass

from redactor.errors import Sentence
from redactor.quality import (
    BLURRED_BELOW,
    CAST_ABOVE,
    DARK_PAPER_BELOW,
    FAINT_INK_ABOVE,
    LOW_DPI_BELOW,
    SMALL_TEXT_BELOW,
    Quality,
)


@dataclass(frozen=True)
class Advice:
    """One fault of a page: what is wrong, the figures it was told by, how to mend it."""

    problem: Sentence
    figures: Sentence
    remedy: Sentence

    @property
    def sentence(self) -> Sentence:
        """All of it in one go."""
        zh = f"{self.problem.zh}（{self.figures.zh}）" if self.figures.zh else self.problem.zh
        en = f"{self.problem.en} ({self.figures.en})" if self.figures.en else self.problem.en
        return Sentence(f"{zh}。{self.remedy.zh}", f"{en}. {self.remedy.en}")


def advice(quality: Quality) -> tuple[Advice, ...]:
    """One advice per flag, in the order of the flags."""
    return tuple(_advice(flag, quality) for flag in quality.flags)


def _advice(flag: str, quality: Quality) -> Advice:
    figure = quality.figures.get
    problem, remedy = _WORDS[flag]
    none = Sentence("", "")
    figures = {
        "blurred": Sentence(
            f"清晰度 {quality.sharpness:.2f}，应不低于 {BLURRED_BELOW:.2f}",
            f"sharpness {quality.sharpness:.2f}, at least {BLURRED_BELOW:.2f} is needed",
        ),
        "dark": Sentence(
            f"纸面亮度 {figure('paper', 0):.0f}，应不低于 {DARK_PAPER_BELOW}",
            f"paper at {figure('paper', 0):.0f}, at least {DARK_PAPER_BELOW} is needed",
        ),
        "overexposed": Sentence(
            f"墨色亮度 {figure('ink', 255):.0f}，应不高于 {FAINT_INK_ABOVE}",
            f"ink at {figure('ink', 255):.0f}, at most {FAINT_INK_ABOVE} is needed",
        ),
        "small": _size(quality),
        "upside_down": Sentence("旋转 180 度", "turned by 180 degrees"),
        "sideways": Sentence(
            f"需顺时针旋转 {figure('rotation', 90):.0f} 度",
            f"has to be turned clockwise by {figure('rotation', 90):.0f} degrees",
        ),
        "colour_cast": Sentence(
            f"纸面色彩饱和度 {figure('saturation', 1):.2f}，应不高于 {CAST_ABOVE:.2f}",
            f"saturation of the paper {figure('saturation', 1):.2f}, at most {CAST_ABOVE:.2f} "
            "is usual",
        ),
    }
    return Advice(problem, figures.get(flag, none), remedy)


def _size(quality: Quality) -> Sentence:
    """Pixels and resolution; the height of the text where that is what is too small."""
    wide, high = (quality.figures.get(name, 0) for name in ("width", "height"))
    zh = f"{wide:.0f} × {high:.0f} 像素，约 {quality.dpi:.0f} dpi，应不低于 {LOW_DPI_BELOW:.0f} dpi"
    en = f"{wide:.0f} x {high:.0f} pixels, about {quality.dpi:.0f} dpi, at least "
    en += f"{LOW_DPI_BELOW:.0f} dpi is needed"
    text = quality.figures.get("text_height", SMALL_TEXT_BELOW)
    if text < SMALL_TEXT_BELOW:
        zh += f"；文字高约 {text:.0f} 像素，应不低于 {SMALL_TEXT_BELOW:.0f} 像素"
        en += f"; text about {text:.0f} pixels high, at least {SMALL_TEXT_BELOW:.0f} are needed"
    return Sentence(zh, en)


_WORDS = {
    "blurred": (
        Sentence("图像模糊", "The picture is blurred"),
        Sentence("请放平并对焦后重新扫描。", "Lay it flat, focus and scan it again."),
    ),
    "dark": (
        Sentence("图像太暗", "The picture is too dark"),
        Sentence("请在光线充足处重新拍摄或扫描。", "Scan it again in better light."),
    ),
    "overexposed": (
        Sentence("字迹太浅", "The print is washed out"),
        Sentence("请降低曝光或亮度后重新扫描。", "Scan it again with less exposure."),
    ),
    "small": (
        Sentence("图像太小，文字难以辨认", "The picture is too small to read"),
        Sentence("请以 200 至 300 dpi 重新扫描。", "Scan it again at 200 to 300 dpi."),
    ),
    "blank": (
        Sentence("页面空白", "The page is blank"),
        Sentence(
            "请检查是否放反，重新扫描有内容的一面，或删除此页。",
            "Scan the side with the content, or remove the page.",
        ),
    ),
    "cropped": (
        Sentence("页面边缘的文字被裁掉", "Text at the edge of the page is cut off"),
        Sentence("请放正后完整扫描。", "Place it straight and scan all of it."),
    ),
    "upside_down": (
        Sentence("页面上下颠倒", "The page is upside down"),
        Sentence("请转正后重新保存或扫描。", "Turn it upright and save or scan it again."),
    ),
    "sideways": (
        Sentence("页面横放", "The page lies on its side"),
        Sentence("请转正后重新保存或扫描。", "Turn it upright and save or scan it again."),
    ),
    "negative": (
        Sentence("黑白颠倒（深底浅字）", "The tones are turned round (light print on dark paper)"),
        Sentence(
            "请关闭扫描仪的“反色”（负片）设置后重新扫描。",
            "Switch off the scanner's negative (inverted) setting and scan it again.",
        ),
    ),
    "colour_cast": (
        Sentence("页面偏色", "The colours of the page are wrong"),
        Sentence(
            "请在白光下重新拍摄或扫描；如原件就是彩色纸，请说明。",
            "Scan it again in white light; if the original is on coloured paper, say so.",
        ),
    ),
}

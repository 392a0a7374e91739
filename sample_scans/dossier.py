"""Says which pages an applicant hands in, in which files, and spoiled in which way; writes them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from sample_scans.canvas import Canvas
from sample_scans.degrade import RECIPES, Recipe, degrade
from sample_scans.faded import without_faded
from sample_scans.fonts import Fonts
from sample_scans.pages import PAGES
from sample_scans.pages.context import Context
from sample_scans.pdf_files import image_pdf, typeset_pdf
from sample_scans.people import Person
from sample_scans.truth import Item, Keep, PageTruth, Points, Quad, carried

_SCANS = ("office", "skewed", "poor_jpeg", "office_grey", "turned_90", "copy", "photo", "clean",
          "skewed_left", "turned_180", "photo_fold", "fine", "low", "turned_270", "photo_dim")  # fmt: skip  # noqa: E501
WIDE_SCANS = (*_SCANS, "blurred", "dark_copy", "fax", "crumpled", "askew", "copy")
"""21 recipes: 4 and 21 share no factor, so that a dossier goes through all of them."""
# Small print and pale marks need a resolution at which a person could still read them.
_ONLY = {
    "small_print": ("clean", "fine", "office"),
    "watermark": ("clean", "office", "skewed"),
    "plain": ("office", "clean", "skewed", "office_grey"),
}


@dataclass(frozen=True)
class Plan:
    """One file of a dossier: its page types in order, its category folder, name and format
    (jpg, png, exif, tiff, pdf for a scan in a PDF, text_pdf for a typeset one)."""

    category: str
    title: str
    pages: tuple[str, ...]
    format: str = "jpg"


PLANS: tuple[Plan, ...] = (
    Plan("身份证", "{name}-身份证", ("id_card",)),
    Plan("学历证书", "毕业证书", ("degree",)),
    Plan("学历证书", "学信网报告", ("xuexin",)),
    Plan("年度考核", "{name}2023年考核表", ("appraisal",)),
    Plan("任职资格", "聘任文件", ("appointment",)),
    Plan("任职资格", "职称证书", ("title_certificate",), "png"),
    Plan("获奖证书", "荣誉证书", ("award",)),
    Plan("论文", "论文首页", ("paper",)),
    Plan("工作总结", "{name}工作总结", ("summary", "summary_end"), "tiff"),
    Plan("继续教育", "继续教育证书", ("continuing_education",)),
    Plan("社保证明", "社保", ("insurance",), "exif"),
    Plan("承诺书", "承诺书", ("pledge",)),
    Plan("其他证明", "聘书", ("couplet",)),
    Plan("其他证明", "内部资料", ("watermark",)),
    Plan("其他证明", "图纸说明", ("small_print",)),
    Plan("其他证明", "工作证", ("badge",)),
    Plan("其他证明", "合影", ("group",)),
    Plan("其他证明", "技术资料", ("plain",)),
    Plan("论文", "论文扫描件", ("paper", "paper_body"), "pdf"),
    Plan("论文", "论文电子版", ("paper_body",), "text_pdf"),
)
# What a measurement adds: dense with seals, codes, faces and scripts, so that few pages tell much.
WIDE_PLANS: tuple[Plan, ...] = (
    *PLANS,
    Plan("任职资格", "工作简报", ("bulletin",)),
    Plan("其他证明", "用印样张", ("stamps",)),
    Plan("其他证明", "标签", ("labels",)),
    Plan("身份证", "照片采集表", ("photos",)),
    Plan("其他证明", "展板", ("board",)),
    Plan("年度考核", "双语登记表", ("bilingual",)),
    Plan("承诺书", "聘用合同签署页", ("contract",)),
)
_SUFFIX = {"exif": "jpg", "tiff": "tif", "text_pdf": "pdf"}


def plans_for(index: int, per_person: int) -> tuple[Plan, ...]:
    """A different window of the plans for each applicant, so that a set holds every page type."""
    if per_person >= len(PLANS):
        return PLANS
    start = index * 7
    chosen = {(start + i) % len(PLANS) for i in range(per_person)}
    return tuple(PLANS[i] for i in sorted(chosen))


def write_dossier(
    scans: Path,
    person: Person,
    index: int,
    seed: int,
    plans: tuple[Plan, ...],
    fonts: Fonts,
    wide: bool = False,
) -> list[PageTruth]:
    """Write one applicant's files below `scans` and return the truth of their pages.

    `wide`: more degradations, every fifth file turned in any of them, and what cannot be seen any
    more is left out of the truth.
    """
    truths: list[PageTruth] = []
    for number, plan in enumerate(plans):
        rng = Random(f"{seed}/{person.serial}/{number}/{plan.title}")
        recipe = _recipe(plan, index + number * 4 + seed, WIDE_SCANS if wide else _SCANS)
        if wide and plan.format == "jpg" and (number + index + seed) % 5 == 0:
            recipe = replace(recipe, rotation=(90, 180, 270)[(number // 5 + seed) % 3])
        made = [_page(person, kind, recipe, rng, fonts) for kind in plan.pages]
        suffix = _SUFFIX.get(plan.format, plan.format)
        name = plan.title.format(name=person.name)
        file = scans / person.folder / plan.category / f"{name}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        source = file.relative_to(scans).as_posix()
        if wide:
            made = [(pixels, without_faded(t, pixels), canvas) for pixels, t, canvas in made]
        truths += [
            replace(t, source=source, source_page=page) for page, (_, t, _) in enumerate(made)
        ]
        file.write_bytes(_encode(plan.format, recipe, made, fonts))
    return truths


Made = tuple[np.ndarray, PageTruth, Canvas]


def _recipe(plan: Plan, turn: int, recipes: tuple[str, ...]) -> Recipe:
    names = next((_ONLY[p] for p in plan.pages if p in _ONLY), recipes)
    recipe = RECIPES[names[turn % len(names)]]
    if plan.format == "text_pdf":
        return replace(RECIPES["clean"], name="typeset", dpi=200)
    if plan.format == "tiff":
        return replace(RECIPES["copy"], name="bilevel", dpi=200, noise=0, blur=0.4)
    if plan.format == "png":
        return replace(RECIPES["clean"], name="png", dpi=120, skew=0.8)
    if plan.format == "exif":
        return replace(RECIPES["photo"], name="photo_exif", rotation=0)
    return recipe


def _page(person: Person, kind: str, recipe: Recipe, rng: Random, fonts: Fonts) -> Made:
    canvas, tags = PAGES[kind](Context(person, rng, recipe.dpi, fonts))
    sheet = np.asarray(canvas.image, dtype=np.uint8)
    clean = replace(recipe, skew=0.0) if recipe.name == "typeset" else recipe
    jitter = replace(clean, skew=clean.skew * rng.uniform(0.5, 1.0))
    pixels, move = degrade(sheet, jitter, np.random.default_rng(rng.randrange(1 << 30)))
    height, width = pixels.shape[:2]
    truth = PageTruth(
        source="",
        source_page=0,
        applicant=person.serial,
        page_type=kind,
        size=(width, height),
        rotation=(360 - recipe.rotation) % 360,
        dpi=recipe.dpi,
        tags=recipe.tags + tags,
        items=tuple(canvas.items),
        keep=_with_covers(canvas.keep, canvas.items),
        eyes=tuple(canvas.faces),
        text_layer=recipe.name == "typeset",
    )
    return pixels, _on_page(carried(truth, move)), canvas


def _with_covers(keep: list[Keep], items: list[Item]) -> tuple[Keep, ...]:
    """Split keep-runs so that glyphs under a seal, code or watermark are told apart."""
    out: list[Keep] = []
    for run in keep:
        if run.what:
            out.append(run)
            continue
        chars = [c for c in run.text if not c.isspace()]
        covers = [_cover(q, items) for q in run.quads]
        if not any(covers) or len(chars) != len(run.quads):
            out.append(replace(run, under=max(covers)))
            continue
        for cover in sorted(set(covers)):
            at = [i for i, c in enumerate(covers) if c == cover]
            text, quads = "".join(chars[i] for i in at), tuple(run.quads[i] for i in at)
            out.append(Keep(text, quads, run.decoy, cover))
    return tuple(out)


def _cover(quad: Quad, items: list[Item]) -> str:
    x0, y0, x1, y1 = _bounds(quad)
    for item in items:
        for other in item.quads if item.outline is None else (item.outline,):
            a0, b0, a1, b1 = _bounds(other)
            across, down = min(x1, a1) - max(x0, a0), min(y1, b1) - max(y0, b0)
            if across > 0 and down > 0 and across * down > 0.08 * (x1 - x0) * (y1 - y0):
                return item.kind
    return ""


def _bounds(quad: Quad) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in quad], [p[1] for p in quad]
    return min(xs), min(ys), max(xs), max(ys)


def _on_page(page: PageTruth) -> PageTruth:
    """Clip what a skew or a photo pushed over the edge; glyphs wholly outside are dropped."""
    width, height = page.size

    def clip(quad: Quad) -> Quad:
        return tuple((min(max(x, 0), width), min(max(y, 0), height)) for x, y in quad)

    def seen(quads: tuple[Quad, ...]) -> tuple[Quad, ...]:
        clipped = []
        for quad in quads:
            x0, y0, x1, y1 = _bounds(clip(quad))
            if x1 - x0 >= 1 and y1 - y0 >= 1:
                clipped.append(clip(quad))
        return tuple(clipped)

    return replace(
        page,
        items=tuple(
            replace(i, quads=seen(i.quads), outline=i.outline and clip(i.outline))
            for i in page.items
            if seen(i.quads) or i.outline
        ),
        keep=tuple(replace(k, quads=seen(k.quads)) for k in page.keep if seen(k.quads)),
    )


def _encode(form: str, recipe: Recipe, made: list[Made], fonts: Fonts) -> bytes:
    images = [Image.fromarray(p).convert("L" if recipe.grey else "RGB") for p, _, _ in made]
    out = io.BytesIO()
    dpi = (recipe.dpi, recipe.dpi)
    if form == "text_pdf":
        return typeset_pdf([c for _, _, c in made], fonts)
    if form == "pdf":
        return image_pdf(images, recipe.dpi, recipe.quality)
    if form == "tiff":
        two = [i.convert("L").point(lambda v: 255 * (v > 150)).convert("1") for i in images]
        two[0].save(out, "TIFF", save_all=True, append_images=two[1:], compression="group4",
                    dpi=dpi)  # fmt: skip
    elif form == "png":
        images[0].quantize(64, dither=Image.Dither.NONE).save(out, "PNG", dpi=dpi, optimize=True)
    elif form == "exif":
        # Stored lying on its side with orientation 6, as a phone held upright writes it.
        exif = Image.Exif()
        exif[0x0112] = 6
        exif[0x010F], exif[0x0110] = "Sample", "Phone 1"
        turned = images[0].transpose(Image.Transpose.ROTATE_90)
        turned.save(out, "JPEG", quality=recipe.quality, exif=exif)
    else:
        images[0].save(out, "JPEG", quality=recipe.quality, dpi=dpi, subsampling=2)
    return out.getvalue()


Move = Callable[[Points], Points]

"""Running text: official papers, articles, summaries, and the odd ways text comes on paper."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from sample_scans.canvas import BLACK, RED, Canvas, Part, Span, Style
from sample_scans.marks import emblem, seal
from sample_scans.pages.context import Context
from sample_scans.people import romanise
from sample_scans.truth import Item, Quad

Page = tuple[Canvas, tuple[str, ...]]
_BODY = Style("song", 12)
_FILLER = (
    "项目区位于塔里木盆地东北缘，属暖温带大陆性干旱气候，年均降水量五十八毫米，蒸发强烈。",
    "试验采用随机区组设计，设三个处理、四次重复，小区面积六十六平方米，灌水定额按生育期分配。",
    "结果表明，处理二的成活率达到百分之九十一点六，比对照提高十二点三个百分点，差异显著。",
    "通过现场观摩、入户指导和集中培训，带动农户三百二十户，亩均增收二百六十元，群众反映良好。",
    "监测数据每旬整理一次，异常值经复核后剔除，全部原始记录归档保存，便于今后查考。",
    "建议在同类地区扩大示范面积，完善技术规程，加强后期管护，巩固已取得的成果。",
)


def _fill(ctx: Context, count: int) -> list[str]:
    return [ctx.rng.choice(_FILLER) for _ in range(count)]


def _decoy(ctx: Context) -> Span:
    text = ctx.rng.choice(ctx.person.decoys) if ctx.person.decoys else (
        f"同行专家{ctx.other()}、{ctx.other()}到场指导。"
    )  # fmt: skip
    return Span(text, decoy=True)


def appointment(ctx: Context) -> Page:
    """An official document (红头文件) that appoints several people."""
    c, p = ctx.sheet(), ctx.person
    head = f"{p.unit.full}文件"
    size = min(44.0, 160 / len(head) * 72 / 25.4)
    letter = Style("song", size, RED, bold=True)
    c.line(105, 34, [ctx.span("unit", p.unit.full, "letterhead"), "文件"], letter, "center")
    c.line(105, 62, [ctx.document_number()], Style("song", 14), "center")
    c.rule(25, 72, 185, 72, RED, 0.7, "red_line")
    title = Style("song", 19, bold=True)
    c.line(105, 84, ["关于", ctx.name(), "等同志聘任"], title, "center")
    c.line(105, 94, "专业技术职务的通知", title, "center")
    body = Style("song", 14)
    y = c.paragraph(28, 112, 154, "各科室、局属各单位：", body, 1.7, 0)
    y = c.paragraph(
        28,
        y,
        154,
        ["经", ctx.short(), "党组研究，决定聘任下列同志专业技术职务，聘期三年："],
        body,
        1.7,
    )
    appointed: tuple[list[Part], ...] = (
        [ctx.spaced(), f"　　聘任为{p.title or '助理工程师'}"],
        [ctx.other(), "　　聘任为工程师"],
        [ctx.other(), "　　聘任为助理工程师"],
    )
    for parts in appointed:
        c.line(40, y + 2, parts, body)
        y += 9
    y = c.paragraph(28, y + 4, 154, ["请", ctx.name(), "同志认真履职。原文件", ctx.document_number(),  # noqa: E501
                    "同时废止。"], body, 1.7)  # fmt: skip
    c.line(178, y + 18, [ctx.unit()], body.but(size=12.0), "right")
    c.line(165, y + 27, "2023年6月20日", body, "right")
    seal(c, 146, y + 24, p.unit.full, p.serial, turn=ctx.rng.uniform(-10, 10),
         colour=ctx.rng.choice(((205, 28, 32), (225, 60, 50), (180, 20, 50))))  # fmt: skip
    c.rule(25, 272, 185, 272, BLACK, 0.3)
    c.line(28, 275, [ctx.short(1), "办公室　　2023年6月20日印发"], Style("song", 11))
    return c, ("letterhead", "seal_over_text")


def paper(ctx: Context) -> Page:
    """The first page of an article with co-authors, in Chinese and English."""
    c, p = ctx.sheet(), ctx.person
    others = (ctx.other(), ctx.other())
    c.line(
        20,
        14,
        "第41卷 第3期　　　　　　　　　　　干旱区研究　　　　　　　　　　　2022年5月",
        Style("song", 9),
    )
    c.rule(20, 20, 190, 20)
    c.line(105, 28, f"干旱区{p.unit.field}技术研究", Style("sans", 20), "center")
    c.line(
        105, 42, [ctx.name(), "1，", others[0], "2，", others[1], "2"], Style("kai", 14), "center"
    )
    small = Style("song", 9)
    c.line(
        105,
        51,
        ["（1. ", ctx.unit(), "，新疆 库尔勒 841000；2. 中国科学院某研究所）"],
        small,
        "center",
    )
    y = c.paragraph(24, 60, 162, ["摘 要：", *_fill(ctx, 4)], Style("kai", 10.5), 1.5, 0)
    y = c.paragraph(
        24, y + 1, 162, "关键词：干旱区；造林；成活率；示范推广", Style("kai", 10.5), 1.5, 0
    )
    english = Style("song", 10.5)
    c.line(
        105, y + 5, "Technique for Arid Land Restoration", Style("song", 13, bold=True), "center"
    )
    c.line(
        105,
        y + 13,
        [ctx.pinyin(0), ", ", romanise(others[0]), ", ", romanise(others[1])],
        english,
        "center",
    )
    y = c.paragraph(24, y + 21, 162, "Abstract: Field tests were carried out in four blocks with three "  # noqa: E501
                    "treatments. The survival rate rose by 12.3 percent.", english, 1.4, 0)  # fmt: skip  # noqa: E501
    y = c.paragraph(24, y + 3, 162, _parts(ctx, 9), Style("song", 10.5), 1.55)
    c.rule(24, 250, 80, 250)
    c.paragraph(
        24, 252, 162,
        ["作者简介：", ctx.name(), f"（{p.born.year}—），{p.sex}，{p.title or '助理工程师'}，就职于",  # noqa: E501
         ctx.short(), "，主要从事", p.unit.field, "。E-mail：", ctx.email()],
        small, 1.5, 0,
    )  # fmt: skip
    return c, ("dense", "latin")


def paper_body(ctx: Context) -> Page:
    """A page of an article: running head, text, references."""
    c, p = ctx.sheet(), ctx.person
    c.line(105, 14, [ctx.name(), f"等：干旱区{p.unit.field}技术研究"], Style("song", 9), "center")
    c.rule(20, 20, 190, 20)
    y = c.paragraph(24, 28, 162, _parts(ctx, 18), Style("song", 10.5), 1.6)
    c.line(24, y + 4, "参考文献：", Style("sans", 11))
    small = Style("song", 9)
    y += 12
    sources: tuple[list[Part], ...] = (
        [
            ctx.name(),
            "，",
            ctx.other(),
            "．荒漠植被恢复研究［J］．干旱区研究，2019，36(2)：11-18．",
        ],
        [ctx.other(), "．节水灌溉制度［M］．北京：科学出版社，2015．"],
        [
            ctx.pinyin(3),
            ", ",
            romanise(ctx.other()),
            ". Arid land research [J]. 2020, 12: 33-41.",
        ],
        [ctx.pinyin(4), ", Smith J. Water use of young stands [J]. 2021, 8: 5-9."],
    )
    for number, parts in enumerate(sources, 1):
        y = c.paragraph(24, y, 162, [f"［{number}］", *parts], small, 1.6, 0)
    return c, ("dense", "latin")


def _parts(ctx: Context, count: int) -> list[Part]:
    """Filler with decoys: nothing in it is the applicant's."""
    parts: list[Part] = []
    for i, text in enumerate(_fill(ctx, count)):
        parts.append(text)
        if i % 4 == 2:
            parts.append(_decoy(ctx))
        if i % 5 == 4:
            parts.append("\n")
    return parts


def summary(ctx: Context) -> Page:
    """A dense summary that names its author and units in passing, over line ends."""
    c, p = ctx.sheet(), ctx.person
    c.line(105, 22, "专业技术工作总结", Style("song", 20, bold=True), "center")
    parts: list[Part] = [
        "本人", ctx.name(), f"，{p.sex}，{p.nation}，先后在", ctx.former(), "、", ctx.unit(), "工作，现任",  # noqa: E501
        p.title or "技术员", "。\n", *_fill(ctx, 2), "在", ctx.short(), "工作期间，", ctx.given(),
        "同志主持", p.unit.field, "项目两项。", _decoy(ctx), *_fill(ctx, 1), "\n",
        "在", ctx.former(True), "期间，完成调查任务五项。", *_fill(ctx, 2), "课题组成员", ctx.other(), "、",  # noqa: E501
        ctx.name(), "、", ctx.other(), "共同完成验收。", *_fill(ctx, 1), _decoy(ctx), "\n",
        *_fill(ctx, 2), "根据", ctx.document_number(), "文件，", ctx.short(1), "推广面积一万二千亩。",  # noqa: E501
        *_fill(ctx, 2), ctx.unit(), "给予通报表扬。", *_fill(ctx, 1), "\n", *_fill(ctx, 3),
    ]  # fmt: skip
    c.paragraph(26, 42, 158, parts, _BODY.but(size=13.0), 1.62)
    return c, ("dense",)


def summary_end(ctx: Context) -> Page:
    """The last page of the summary: traditional letters once, then the letter-spaced signature."""
    c = ctx.sheet()
    parts: list[Part] = [
        *_fill(ctx, 4), "\n", _decoy(ctx), *_fill(ctx, 3), "\n", "书法作品落款为“", ctx.traditional(),  # noqa: E501
        "”，收入", ctx.short(), "职工作品集。", *_fill(ctx, 2),
    ]  # fmt: skip
    y = c.paragraph(26, 26, 158, parts, _BODY.but(size=13.0), 1.62)
    c.line(130, y + 16, ["申报人：", ctx.spaced(True)], _BODY.but(size=14.0))
    c.line(130, y + 27, "2024年9月10日", _BODY.but(size=14.0))
    return c, ("dense",)


def couplet(ctx: Context) -> Page:
    """A letter of appointment set in columns from right to left."""
    c = ctx.sheet(297, 210, (250, 240, 220))
    c.area(8, 8, 289, 202, None, RED, 1)
    c.column(262, 30, "聘书", Style("kai", 48, RED), 0.4)
    text = Style("kai", 24)
    c.column(226, 24, ["兹聘请", ctx.name(), "先生"], text)
    c.column(200, 24, "为本会技术顾问", text)
    c.column(174, 24, "任期自二〇二三年起", text)
    c.column(148, 24, ["单位", ctx.short()], text)
    c.column(118, 24, _decoy(ctx), text.but(size=15.0))
    c.column(86, 24, "新疆某某学会敬聘", text)
    c.column(58, 60, "二〇二三年三月", text.but(size=18.0))
    seal(c, 84, 140, "新疆某某学会", 0, "square", 34)
    return c, ("vertical", "landscape", "calligraphy")


def watermark(ctx: Context) -> Page:
    """A page of notes with name and unit printed pale across it."""
    c, p = ctx.sheet(), ctx.person
    style = Style("sans", 30)
    pale = ctx.rng.choice((214, 222, 228))
    for x, y, kind, text in (
        (60.0, 70.0, "name", p.name), (140.0, 140.0, "unit", p.unit.shorts[0]),
        (70.0, 200.0, "name", p.name), (135.0, 255.0, "unit", p.unit.shorts[-1]),
    ):  # fmt: skip
        quads = _slanted(c, x, y, text, style, pale)
        c.items.append(Item(kind, text, "watermark", p.serial, False, quads))
    c.line(105, 22, f"{p.unit.field}技术要点", Style("song", 18, bold=True), "center")
    c.paragraph(26, 44, 158, _parts(ctx, 12), _BODY.but(size=12.0), 1.8)
    return c, ("watermark",)


def _slanted(c: Canvas, x: float, y: float, text: str, style: Style, pale: int) -> tuple[Quad, ...]:
    """Text along a rising line centred at (x, y) mm, in a pale grey."""
    size = round(style.size * c.dpi / 72)
    font = c.fonts.sized(style.face, size, text)
    turn = math.radians(-28)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    quads = []
    for i, char in enumerate(text):
        sheet = Image.new("L", (size * 2, size * 2), 0)
        ImageDraw.Draw(sheet).text((size, size), char, 255, font, "mm")
        tight = sheet.getbbox() or (0, 0, 1, 1)
        along = np.array([(i - (len(text) - 1) / 2) * size * 1.06, 0.0])
        cx, cy = rotation @ along + (c.px(x), c.px(y))
        turned = sheet.rotate(28, Image.Resampling.BICUBIC)
        c.image.paste((pale, pale, pale), (round(cx - size), round(cy - size)), turned)
        left, top, right, bottom = tight
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) - size
        moved = corners @ rotation.T + (round(cx - size) + size, round(cy - size) + size)
        quads.append(tuple((float(a), float(b)) for a, b in moved))
    return tuple(quads)


def small_print(ctx: Context) -> Page:
    """A drawing's note sheet with the drafter's data in six points."""
    c, p = ctx.sheet(), ctx.person
    c.area(12, 12, 198, 285, None, BLACK, 0.5)
    c.line(105, 22, f"{p.unit.field}示范区平面布置说明", Style("sans", 16), "center")
    c.paragraph(22, 44, 166, _parts(ctx, 8), Style("song", 11), 1.7)
    for i in range(6):
        c.rule(30 + 26 * i, 170, 40 + 22 * i, 230, (90, 90, 90), 0.2)
    tiny = Style("sans", 6)
    c.paragraph(
        110, 262, 84,
        ["设计：", ctx.name(True), "　单位：", ctx.unit(True), "　电话：", ctx.phone(), "　邮箱：",
         ctx.email(), "　校核：", ctx.other(), "　图号：LC-2022-07"],
        tiny, 1.5, 0,
    )  # fmt: skip
    return c, ("small",)


def plain(ctx: Context) -> Page:
    """Nothing of the applicant: decoys, red things that are no seals, other people."""
    c = ctx.sheet()
    emblem(c, 105, 30, 20)
    c.line(105, 46, "技术交流资料汇编", Style("song", 24, RED, bold=True), "center")
    c.rule(30, 62, 180, 62, RED, 0.8, "red_line")
    c.paragraph(26, 72, 158, _parts(ctx, 14), _BODY, 1.7)
    c.line(26, 270, ["主编：", ctx.other(), "　审稿：", ctx.other()], Style("kai", 12, RED))
    return c, ("no_identity",)

"""Cards and certificates: little text, pictures, seals, coloured ground."""

from __future__ import annotations

from sample_scans.canvas import BLACK, RED, Canvas, Part, Span, Style
from sample_scans.marks import barcode, emblem, portrait, qr, seal
from sample_scans.pages.context import Context

Page = tuple[Canvas, tuple[str, ...]]
_BLUE = (60, 100, 150)


def id_card(ctx: Context) -> Page:
    """Both sides of an ID card copied onto one sheet."""
    c, p = ctx.sheet(), ctx.person
    label, value = Style("sans", 8, _BLUE), Style("sans", 10)
    x, y = 62.0, 60.0
    c.area(x, y, x + 86, y + 54, (226, 236, 244), (170, 180, 190), 0.2, 3)
    c.line(x + 6, y + 6, "姓名", label)
    c.line(x + 17, y + 5.6, ctx.name(True, "as_roster"), value)
    if p.uyghur:
        c.script(x + 17, y + 1.2, ctx.span("name", p.uyghur, "uyghur", True), Style("arabic", 8))
    c.line(x + 6, y + 13, ["性别"], label)
    c.line(x + 17, y + 12.6, p.sex, value)
    c.line(x + 28, y + 13, "民族", label)
    c.line(x + 38, y + 12.6, p.nation.removesuffix("族"), value)
    c.line(x + 6, y + 20, "出生", label)
    c.line(x + 17, y + 19.6, f"{p.born.year} 年 {p.born.month} 月 {p.born.day} 日", value)
    c.line(x + 6, y + 27, "住址", label)
    c.paragraph(x + 17, y + 26.6, 38, ctx.address(), value, 1.25, 0)
    c.line(x + 6, y + 45, "公民身份号码", label)
    c.line(x + 30, y + 44.4, ctx.id_number(), Style("sans", 12, gap=0.05))
    portrait(c, x + 60, y + 8, 21, p.serial, grey=False)
    portrait(c, x + 4, y + 33, 7, p.serial, ghost=True)
    y += 80
    c.area(x, y, x + 86, y + 54, (230, 238, 240), (170, 180, 190), 0.2, 3)
    emblem(c, x + 14, y + 15, 17)
    c.line(x + 53, y + 8, "中华人民共和国", Style("song", 15, gap=0.1), "center")
    c.line(x + 53, y + 18, "居 民 身 份 证", Style("song", 18, gap=0.1), "center")
    c.line(x + 18, y + 38, "签发机关  库尔勒市公安局", value)
    c.line(x + 18, y + 45, "有效期限  2016.05.11-2036.05.11", value)
    return c, ("card",)


def degree(ctx: Context) -> Page:
    """A graduation certificate, landscape."""
    c, p = ctx.sheet(285, 200, (250, 246, 232)), ctx.person
    c.area(7, 7, 278, 193, None, (176, 140, 80), 1.2)
    body = Style("kai", 17)
    c.line(142, 24, "普通高等学校", Style("song", 20, RED, gap=0.3), "center")
    c.line(142, 36, "毕 业 证 书", Style("kai", 40, RED, gap=0.2), "center")
    portrait(c, 28, 68, 33, p.serial)
    c.paragraph(
        82, 70, 170,
        ["学生 ", ctx.name(), f" 性别{p.sex}，{p.born.year}年{p.born.month}月{p.born.day}日生，于"
         f"{p.born.year + 19}年九月至{p.born.year + 23}年七月在本校林学专业四年制本科学习，"
         "修完教学计划规定的全部课程，成绩合格，准予毕业。"],
        body, 1.7,
    )  # fmt: skip
    c.line(82, 138, f"校　名：{p.school}", body)
    c.line(82, 152, ["校（院）长：", ctx.other()], body)
    c.line(30, 168, ["证书编号：", ctx.number(18)], Style("song", 12))
    c.line(190, 168, f"{p.born.year + 23}年七月一日", Style("kai", 14))
    seal(c, 206, 150, p.school, 0, size=40, turn=ctx.rng.uniform(-12, 12))
    seal(c, 62, 110, p.school, 0, size=22, colour=(150, 150, 160), strength=0.35, form="embossed")
    return c, ("landscape",)


def title_certificate(ctx: Context) -> Page:
    """A certificate of professional title with picture, unit and codes."""
    c, p = ctx.sheet(210, 148, (246, 248, 243)), ctx.person
    c.area(5, 5, 205, 143, None, (150, 40, 40), 0.8)
    label, value = Style("sans", 11), Style("song", 12)
    c.line(105, 13, "专业技术职务任职资格证书", Style("song", 20, RED, bold=True), "center")
    portrait(c, 18, 34, 27, p.serial)
    rows: tuple[tuple[str, list[Part]], ...] = (
        ("姓    名：", [ctx.name(True)]),
        ("性    别：", [p.sex]),
        ("工作单位：", [ctx.unit(True)]),
        ("资格名称：", [p.title or "助理工程师"]),
        ("专    业：", [p.specialty]),
        ("身份证号：", [ctx.id_number()]),
        ("证书编号：", [ctx.number(12, "XJ")]),
    )
    for i, (name, parts) in enumerate(rows):
        c.line(58, 32 + 11 * i, name, label)
        c.paragraph(82, 32 + 11 * i, 105, parts, value, 1.2, 0)
    qr(c, 20, 82, 25, f"https://rs.example.com/zc?no={p.id_number[-6:]}&n={p.name}", p.serial)
    barcode(c, 15, 118, 48, 9, f"ZC{p.id_number[-8:]}", p.serial)
    c.line(110, 120, "发证机关：自治区人力资源和社会保障厅", label)
    seal(c, 160, 116, "自治区职称评审专用章", 0, "oval", 44, (200, 40, 60), 0.7)
    return c, ("landscape",)


def award(ctx: Context) -> Page:
    """An award in large brush letters."""
    c, p = ctx.sheet(297, 210, (252, 246, 226)), ctx.person
    c.area(6, 6, 291, 204, None, RED, 2.2)
    c.area(10, 10, 287, 200, None, (212, 170, 80), 0.8)
    emblem(c, 148, 27, 18)
    c.line(148, 42, "荣 誉 证 书", Style("kai", 52, RED, gap=0.15), "center")
    c.line(36, 82, [ctx.name(form="calligraphy"), " 同志："], Style("kai", 34))
    c.paragraph(
        36, 104, 226,
        ["您在", ctx.short(), f"{p.unit.field}工作中成绩突出，被评为2022年度",
         "先进工作者", "。特发此证，以资鼓励。"],
        Style("kai", 25), 1.6,
    )  # fmt: skip
    c.line(255, 164, "巴音郭楞蒙古自治州总工会", Style("kai", 18), "right")
    c.line(255, 175, "二〇二三年一月", Style("kai", 18), "right")
    seal(c, 222, 165, "巴音郭楞蒙古自治州总工会", 0, size=44, turn=ctx.rng.uniform(-20, 20))
    return c, ("landscape", "calligraphy")


def continuing_education(ctx: Context) -> Page:
    """A training certificate with white letters on a coloured band."""
    c, p = ctx.sheet(210, 148), ctx.person
    ground = ctx.rng.choice(((20, 92, 150), (24, 120, 84), (150, 32, 40)))
    c.area(0, 0, 210, 30, ground)
    white = Style("sans", 20, (255, 255, 255), bold=True)
    c.line(105, 6, "专业技术人员继续教育证书", white, "center")
    c.line(
        105, 19, [ctx.span("unit", p.unit.full, "white_on_colour")], white.but(size=12.0), "center"
    )
    portrait(c, 165, 40, 26, p.serial)
    body = Style("song", 13)
    c.paragraph(
        18, 44, 138,
        ["学员", ctx.name(), "（身份证号：", ctx.id_number(), "）于2024年3月至2024年11月参加",
         "专业技术人员继续教育公需课和专业课学习，共90学时，考核合格，特发此证。"],
        body, 1.8,
    )  # fmt: skip
    c.line(18, 100, ["证书编号：", ctx.number(14, "JX")], body)
    barcode(c, 18, 112, 60, 16, f"JX{p.id_number}", p.serial, ctx.rng.choice(("code128", "pdf417")))
    barcode(c, 92, 110, 18, 18, p.phone + p.name, p.serial, "datamatrix")
    seal(c, 160, 112, "库尔勒市继续教育基地", 0, "oval", 42)
    return c, ("landscape", "white_on_colour")


def badge(ctx: Context) -> Page:
    """A staff card: white on blue, a picture, copied together with an old seal in blue ink."""
    c, p = ctx.sheet(210, 148), ctx.person
    x, y = 18.0, 20.0
    c.area(x, y, x + 62, y + 96, (24, 70, 140), None, radius=4)
    white = Style("sans", 13, (255, 255, 255))
    c.line(x + 31, y + 6, "工 作 证", white.but(size=18.0), "center")
    portrait(c, x + 18, y + 18, 26, p.serial, grey=False)
    c.line(x + 31, y + 60, [ctx.span("name", p.name, "white_on_colour")], white, "center")
    c.paragraph(x + 5, y + 69, 53, [ctx.span("unit", p.unit.full, "white_on_colour")],
                white.but(size=9.5), 1.3, 0)  # fmt: skip
    c.line(x + 5, y + 84, ["电话：", ctx.phone()], white.but(size=9.0))
    body = Style("song", 12)
    c.paragraph(
        92, 34, 100,
        ["兹证明", ctx.name(), "同志系", ctx.unit(), "在职职工，曾在", ctx.former(),
         "工作，从事", f"{p.unit.field}工作。"],
        body, 1.7,
    )  # fmt: skip
    c.line(160, 88, [ctx.unit()], body.but(size=9.0), "center")
    seal(c, 155, 92, p.unit.full, p.serial, size=40, colour=ctx.rng.choice(((40, 60, 150), (200, 30, 60))),  # noqa: E501
         strength=0.7, turn=ctx.rng.uniform(-30, 30))  # fmt: skip
    c.line(168, 116, "2024年5月6日", body.but(size=10.0), "center")
    return c, ("landscape", "white_on_colour", "seal_over_text")


def group(ctx: Context) -> Page:
    """A team photo: several faces, names below, only one of them the applicant's."""
    c, p = ctx.sheet(210, 148), ctx.person
    c.area(14, 14, 196, 96, (150, 170, 190), BLACK, 0.2)
    place = ctx.rng.randrange(4)
    names: list[str | Span] = []
    for i in range(4):
        own = i == place
        portrait(c, 22 + 44 * i, 32 + 4 * (i % 2), 34 - 3 * (i % 2), p.serial if own else 0)
        names += [ctx.name() if own else ctx.other(), "  " if i < 3 else ""]
    c.line(105, 100, [ctx.short(), f"{p.unit.field}项目组合影"], Style("song", 13), "center")
    c.line(105, 110, ["左起：", *names], Style("kai", 12), "center")
    return c, ("landscape", "faces")

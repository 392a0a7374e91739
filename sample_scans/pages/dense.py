"""Pages for measuring: many seals, codes, portraits, scripts and grounds on few sheets."""

from __future__ import annotations

from sample_scans.canvas import BLACK, INK, RED, Canvas, Colour, Part, Span, Style
from sample_scans.marks import barcode, fingerprint, portrait, qr, seal
from sample_scans.pages.context import Context

Page = tuple[Canvas, tuple[str, ...]]
_SONG = Style("song", 12)
_HAND = Style("hand", 16, INK, hand=True)
_EYES_OF_WIDTH = 0.228
"""Distance of the eyes, as a share of a portrait's width (marks.portrait crops at random)."""
_BLUE: Colour = (40, 60, 150)
_VIOLET: Colour = (110, 50, 130)
_DARK: Colour = (40, 40, 46)


def bulletin(ctx: Context) -> Page:
    """A work bulletin: red letterhead, the unit in the running head, in the foot and in a logo."""
    c, p = ctx.sheet(), ctx.person
    small = Style("song", 9)
    c.line(26, 12, [ctx.unit()], small)
    c.line(184, 12, "2024年第6期", small, "right")
    c.rule(25, 18, 185, 18, BLACK, 0.2)
    logo = Style("sans", 11, (255, 255, 255), bold=True)
    c.area(26, 24, 62, 36, (20, 92, 150), radius=3)
    c.line(44, 28, [ctx.span("unit", p.unit.shorts[-1], "white_on_colour")], logo, "center")
    c.line(105, 42, "工 作 简 报", Style("song", 40, RED, bold=True), "center")
    head = Style("song", min(22.0, 150 / len(p.unit.full) * 72 / 25.4), RED, bold=True)
    c.line(105, 62, [ctx.span("unit", p.unit.full, "letterhead")], head, "center")
    c.line(26, 76, [ctx.document_number()], _SONG)
    c.line(184, 76, "2024年7月1日", _SONG, "right")
    c.rule(25, 84, 185, 84, RED, 0.9, "red_line")
    c.line(105, 92, f"{p.unit.field}工作取得新进展", Style("sans", 18), "center")
    body = _SONG.but(size=13.0)
    c.paragraph(
        26, 108, 158,
        ["日前，", ctx.short(), "技术人员", ctx.name(), "同志带队深入田间地头，现场讲解技术要点。"
         "项目负责人", ctx.other(), "介绍了进展。\n", ctx.short(1), ctx.given(),
         "表示，将继续做好示范推广。通讯地址：", ctx.address(), "；电子邮箱：", ctx.email(), "。\n",
         "参加人员：", ctx.other(), "、", ctx.spaced(), "、", ctx.other(), "。"],
        body, 1.7,
    )  # fmt: skip
    c.rule(25, 268, 185, 268, RED, 0.5, "red_line")
    c.line(26, 271, ["编辑：", ctx.name(True), "　电话：", ctx.phone()], Style("song", 10))
    c.line(105, 284, ["— ", ctx.unit(), " —"], small, "center")
    return c, ("letterhead", "header_footer", "logo")


def stamps(ctx: Context) -> Page:
    """Own-unit seals of every shape and ink: over print, faint, cut at the sheet's edges."""
    c, p = ctx.sheet(), ctx.person
    unit, rng = p.unit.full, ctx.rng
    c.line(105, 20, "印章使用登记（样张）", Style("song", 18, bold=True), "center")
    body = _SONG.but(size=11.0)
    for y in (40.0, 94.0, 148.0, 202.0):
        c.paragraph(
            28, y, 154,
            ["经核对，上述材料与原件相符，同意上报。经办人", ctx.name(), "，所在单位", ctx.unit(),
             "。复核人", ctx.other(), "，材料共四十六页，装订成册，骑缝处加盖印章，涂改无效。"],
            body, 1.7,
        )  # fmt: skip

    def turn() -> float:
        return rng.uniform(-180, 180) if rng.random() < 0.3 else rng.uniform(-25, 25)

    seal(c, 60, 60, unit, p.serial, size=41, turn=turn(), foot="人事专用章")
    seal(c, 150, 62, unit, p.serial, size=38, colour=_BLUE, strength=0.75, turn=turn())
    seal(c, 58, 118, unit, p.serial, "oval", 45, strength=0.75, turn=rng.uniform(-12, 12))
    seal(c, 150, 116, unit, p.serial, size=40, colour=_DARK, strength=0.7, turn=turn())
    seal(c, 60, 172, unit, p.serial, size=42, colour=(225, 70, 60), strength=0.32, turn=turn())
    seal(c, 150, 172, unit, p.serial, "square", 32, (200, 24, 48), 0.75, rng.uniform(-8, 8))
    seal(c, 105, 236, unit, p.serial, "triangle", 40, _VIOLET, 0.75, rng.uniform(-8, 8))
    # The sheet's part of a seal across several sheets: about half of it, at either side.
    seal(c, rng.choice((2.0, 208.0)), rng.uniform(215, 255), unit, p.serial, size=42, turn=turn())
    seal(c, 160, 250, p.school, 0, size=36, turn=turn())
    return c, ("seals", "seal_over_text", "seal_cut")


def labels(ctx: Context) -> Page:
    """Codes of four symbologies, turned, small, one of them damaged by a pen."""
    c, p = ctx.sheet(), ctx.person
    rng = ctx.rng
    c.line(105, 18, "档案标签粘贴页", Style("song", 18, bold=True), "center")
    secret = f"{p.id_number}|{p.name}"

    def angle() -> float:
        return rng.choice((-1, 1)) * rng.uniform(4, 86)

    qr(c, 30, 36, 30, f"https://da.example.com/{p.id_number}", p.serial, angle())
    qr(c, 96, 40, 15, p.phone, p.serial, rng.uniform(-10, 10))
    barcode(c, 130, 46, 54, 12, f"DA{p.id_number}", p.serial, "code128", rng.uniform(-8, 8))
    barcode(c, 20, 98, 52, 14, p.id_number, p.serial, "code128", angle())
    barcode(c, 108, 96, 62, 22, secret, p.serial, "pdf417", angle() / 3)
    barcode(c, 34, 160, 20, 20, secret, p.serial, "datamatrix", angle())
    barcode(c, 92, 164, 12, 12, p.phone, p.serial, "datamatrix", rng.uniform(-6, 6))
    barcode(c, 126, 156, 58, 20, p.id_number + p.email, p.serial, "pdf417", rng.choice((-90, 90)))
    qr(c, 40, 212, 28, f"https://zs.example.com/q?n={p.name}&i={p.id_number}", p.serial)
    for _ in range(2):
        x, y = 44 + rng.uniform(0, 18), 214 + rng.uniform(0, 10)
        c.rule(x, y, x + rng.uniform(-10, 10), y + 16, (30, 40, 120), 1.1)
    barcode(c, 104, 220, 60, 8, f"BX{p.phone}", p.serial, "code128", rng.uniform(-3, 3))
    c.line(28, 262, ["归档编号：", ctx.number(12, "DA"), "　立卷人：", ctx.name(True)], _SONG)
    c.line(28, 272, ["立卷单位：", ctx.unit(True), "　保管期限：长期"], _SONG.but(size=11.0))
    return c, ("codes",)


def photos(ctx: Context) -> Page:
    """Portraits of falling size: stamped, embossed, pale, copied in grey."""
    c, p = ctx.sheet(), ctx.person
    rng = ctx.rng
    c.line(105, 18, "申报人照片采集表", Style("song", 18, bold=True), "center")

    def wide(eyes: float) -> float:
        """Width in mm of a portrait whose eyes are so many pixels apart."""
        return c.mm(eyes / _EYES_OF_WIDTH)

    portrait(c, 24, 36, 25, p.serial)
    seal(c, 46, 66, p.unit.full, p.serial, size=38, turn=rng.uniform(-30, 30), strength=0.7)
    portrait(c, 84, 36, 25, p.serial)
    seal(c, 104, 64, p.unit.full, p.serial, size=24, colour=(150, 150, 160), strength=0.35,
         form="embossed")  # fmt: skip
    portrait(c, 142, 36, 25, p.serial, grey=True)
    seal(c, 154, 50, p.unit.full, p.serial, size=36, turn=rng.uniform(-30, 30), strength=0.55)
    for x, eyes, grey, ghost in (
        (24.0, rng.uniform(26, 34), False, True), (70.0, rng.uniform(19, 24), False, True),
        (110.0, rng.uniform(20, 25), True, False), (150.0, rng.uniform(14.5, 18), None, False),
    ):  # fmt: skip
        portrait(c, x, 108, wide(eyes), p.serial, grey=grey, ghost=ghost)
    x = 24.0
    for eyes in (rng.uniform(14, 17), rng.uniform(17, 20), rng.uniform(20, 24)):
        portrait(c, x, 170, wide(eyes), p.serial, ghost=rng.random() < 0.3)
        x += wide(eyes) + 14
    c.line(24, 222, ["姓名：", ctx.name(True), "　性别：", p.sex], _SONG)
    c.line(24, 232, ["单位：", ctx.unit(True)], _SONG)
    c.line(24, 242, ["身份证号码：", ctx.id_number()], _SONG)
    c.line(24, 252, "照片须为近期免冠正面彩色照片，不得修饰。", _SONG)
    return c, ("faces", "stamped_photo")


def board(ctx: Context) -> Page:
    """A display board: everything in white or yellow on a dark ground."""
    c, p = ctx.sheet(297, 210), ctx.person
    ground: Colour = ctx.rng.choice(((18, 44, 92), (96, 20, 28), (18, 74, 58), (46, 46, 52)))
    c.area(0, 0, 297, 210, ground)
    white = Style("sans", 15, (250, 250, 250))

    def own(kind: str, text: str) -> Span:
        return ctx.span(kind, text, "white_on_colour")

    c.line(148, 14, [own("unit", p.unit.full)], white.but(size=22.0, bold=True), "center")
    c.line(
        148, 30, f"{p.unit.field}成果展示", white.but(size=30.0, colour=(250, 226, 120)), "center"
    )
    c.paragraph(
        20, 54, 170,
        ["项目负责人：", own("name", p.name), "，", p.title or "技术员", "，就职于",
         own("unit", p.unit.shorts[0]), "，曾在", own("unit", p.unit.former),
         "工作。项目组成员：", ctx.other(), "、", ctx.other(), "。\n",
         "建成示范区一千二百亩，成活率达到百分之九十一，节水百分之十八，群众反映良好。"],
        white, 1.6,
    )  # fmt: skip
    lines: tuple[list[Part], ...] = (
        ["身份证号：", own("id_number", p.id_number)],
        ["联系电话：", own("phone", p.phone)],
        ["电子邮箱：", own("email", p.email)],
        ["通讯地址：", own("address", p.address)],
        ["证书编号：", own("cert_number", ctx.number(14, "CG").text)],
        ["批准文号：", own("document_number", ctx.document_number().text)],
        [own("name", p.pinyin[0]), ", ", "senior technician"],
    )
    y = 128.0
    for size, parts in zip((14, 14, 12, 12, 10, 10, 12), lines, strict=True):
        c.line(20, y, parts, white.but(size=float(size)))
        y += 10.5
    portrait(c, 216, 58, 44, p.serial)
    c.line(238, 124, [own("name", p.name)], white.but(size=13.0), "center")
    qr(c, 222, 140, 32, f"https://cg.example.com/{p.id_number}", p.serial)
    c.line(238, 176, "扫码了解更多", white.but(size=9.0), "center")
    return c, ("landscape", "white_on_colour")


def bilingual(ctx: Context) -> Page:
    """A form in Chinese and Uyghur, with a vertical spine, Latin letters and handwriting."""
    c, p = ctx.sheet(), ctx.person
    label, value = _SONG.but(size=11.0), _SONG.but(size=12.0)
    uyghur = Style("uyghur", 13)
    c.line(105, 16, "职工登记表", Style("song", 18, bold=True), "center")
    c.script(80, 27, Span("خىزمەتچىلەر تىزىملىتىش جەدۋىلى"), uyghur)
    rows: list[tuple[str, str, list[Part]]] = [
        ("姓名", "ئىسمى", [ctx.name(True, "as_roster")]),
        ("性别", "جىنسى", [p.sex]),
        ("民族", "مىللىتى", [p.nation]),
        ("工作单位", "خىزمەت ئورنى", [ctx.unit(True)]),
        ("身份证号码", "كىملىك نومۇرى", [ctx.id_number()]),
        ("联系电话", "تېلېفون نومۇرى", [ctx.phone()]),
        ("家庭住址", "ئائىلە ئادرېسى", [ctx.address()]),
    ]
    cells = c.table(30, 40, (56, 100), [16] * len(rows))
    for (han, script, parts), (left, right) in zip(rows, cells, strict=True):
        x, y, _, _ = left
        c.line(x + 3, y + 5.5, han, label)
        c.script(x + 29, y + 4.6, Span(script), uyghur.but(size=10.0))
        if han == "姓名" and p.uyghur:
            c.line(right[0] + 2, y + 5.5, parts, value)
            c.script(right[0] + 56, y + 4.6, ctx.span("name", p.uyghur, "uyghur", True), uyghur)
        else:
            c.cell(right, parts, value, "left")
    c.column(20, 44, [ctx.short()], Style("song", 14), 0.2)
    body = _SONG.but(size=12.0)
    y = c.paragraph(
        30, 166, 156,
        ["该同志", ctx.given(), "，英文名 ", ctx.pinyin(0), "，工作以来从事", f"{p.unit.field}。",
         "证明人：", ctx.other(), "。"],
        body, 1.7,
    )  # fmt: skip
    if p.uyghur:
        c.line(30, y + 4, "维吾尔文姓名：", body)
        c.script(62, y + 3, ctx.span("name", p.uyghur, "uyghur", True), uyghur.but(size=15.0))
    c.line(30, y + 18, ["填表人：", ctx.span("signature", p.name, "handwritten", True)], _HAND)
    c.line(120, y + 20, "2024年3月5日", body)
    return c, ("form", "scripts", "vertical")


def contract(ctx: Context) -> Page:
    """The last sheet of a contract: signatures on dotted lines, under a seal, thumb prints."""
    c, p = ctx.sheet(), ctx.person
    body = _SONG.but(size=13.0)
    c.line(105, 20, "聘用合同（签署页）", Style("song", 18, bold=True), "center")
    y = c.paragraph(
        26, 38, 158,
        ["本合同一式三份，甲乙双方各执一份，存档一份，自双方签字盖章之日起生效。"
         "乙方在聘期内应当遵守各项规章制度，完成岗位任务。"],
        body, 1.7,
    )  # fmt: skip
    c.line(26, y + 10, ["甲方（盖章）：", ctx.unit(True)], body)
    c.line(26, y + 26, ["法定代表人（签字）：", "………………………"], body)
    c.line(76, y + 22, ctx.other(), _HAND.but(size=20.0))
    seal(c, 92, y + 34, p.unit.full, p.serial, turn=ctx.rng.uniform(-40, 40))
    y += 64
    c.line(26, y, ["乙方（签字）：", "…………………………"], body)
    c.line(64, y - 4.5, [ctx.span("signature", p.name, "handwritten", True)],
           _HAND.but(size=22.0, colour=ctx.rng.choice((INK, BLACK))))  # fmt: skip
    fingerprint(c, 112, y + 3, p.serial, ctx.rng.choice((RED, RED, _BLUE)))
    c.line(26, y + 16, ["身份证号码：", ctx.id_number()], body)
    c.line(26, y + 28, ["住址：", ctx.address()], body.but(size=11.0))
    c.line(26, y + 40, ["联系电话：", ctx.phone()], body)
    cells = c.table(26, y + 60, (40, 118), (16, 20))
    c.cell(cells[0][0], "紧急联系人", body)
    c.cell(cells[0][1], [ctx.other()], _HAND, "left")
    c.cell(cells[1][0], "本人确认签名", body)
    c.cell(cells[1][1], [ctx.span("signature", p.name, "handwritten", True)],
           _HAND.but(size=21.0), "left")  # fmt: skip
    c.line(150, 272, "2024年5月20日", body, "center")
    return c, ("handwriting", "signatures", "seal_over_text")

"""Forms: labels in ruled cells, values typed or written by hand."""

from __future__ import annotations

from sample_scans.canvas import INK, Canvas, Part, Style
from sample_scans.marks import barcode, fingerprint, portrait, qr, seal
from sample_scans.pages.context import Context

Page = tuple[Canvas, tuple[str, ...]]
_HAND = Style("hand", 15, INK, hand=True)
_SONG = Style("song", 12)


def xuexin(ctx: Context) -> Page:
    """The online verification report of a degree, with its QR code."""
    c, p = ctx.sheet(), ctx.person
    blue = (30, 110, 180)
    c.line(105, 22, "教育部学历证书电子注册备案表", Style("sans", 20, blue), "center")
    c.rule(20, 35, 190, 35, blue, 0.5)
    rows: tuple[tuple[str, list[Part]], ...] = (
        ("姓名", [ctx.name(True, "as_roster")]), ("性别", [p.sex]),
        ("证件号码", [ctx.id_number()]), ("出生日期", [f"{p.born:%Y年%m月%d日}"]),
        ("院校名称", [p.school]), ("专业", ["林学"]), ("层次", ["本科"]),
        ("证书编号", [ctx.number(18)]), ("毕结业结论", ["毕业"]),
    )  # fmt: skip
    cells = c.table(20, 46, (34, 92), [10] * len(rows))
    for (label, parts), (left, right) in zip(rows, cells, strict=True):
        c.cell(left, label, Style("sans", 11, (90, 90, 90)))
        c.cell(right, parts, Style("sans", 11), "left")
    portrait(c, 150, 48, 30, p.serial)
    code = "".join(ctx.rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(16))
    c.line(
        20, 150, ["在线验证码：", ctx.span("cert_number", code, "plain", True)], Style("sans", 12)
    )
    qr(c, 140, 145, 42, f"https://www.chsi.example.com/xlcx/bg.do?vcode={code}", p.serial)
    note = Style("sans", 9, (110, 110, 110))
    for i, text in enumerate(
        ("1. 报告内容如有修改，请以最新在线验证的内容为准。", "2. 未经学历信息权属人同意，不得将报告用于违背权属人意愿之用途。",  # noqa: E501
         "3. 报告在线验证有效期由报告权属人设置，过期作废。")
    ):  # fmt: skip
        c.line(20, 215 + 7 * i, text, note)
    return c, ("form",)


def appraisal(ctx: Context) -> Page:
    """The annual appraisal form, filled in by hand, with the opinions of the unit."""
    c, p = ctx.sheet(), ctx.person
    c.line(105, 18, "事业单位工作人员年度考核登记表", Style("song", 20, bold=True), "center")
    c.line(105, 30, "（2023年度）", _SONG, "center")
    heads: tuple[tuple[str | list[Part], ...], ...] = (
        ("姓名", [ctx.name(True)], "性别", [p.sex], "出生年月", [f"{p.born:%Y.%m}"]),
        ("政治面貌", [p.politics], "民族", [p.nation], "联系电话", [ctx.phone()]),
    )
    grid = c.table(18, 40, (24, 40, 20, 26, 26, 38), (12, 12))
    for row, texts in zip(grid, heads, strict=True):
        for i, text in enumerate(texts):
            c.cell(row[i], text, _HAND.but(size=13.0) if i % 2 else _SONG)
    wide = c.table(18, 64, (34, 140), (12, 12, 70, 44, 44))
    c.cell(wide[0][0], "工作单位", _SONG)
    c.cell(wide[0][1], [ctx.unit(True)], _HAND.but(size=12.0), "left")
    c.cell(wide[1][0], "从事工作", _SONG)
    c.cell(wide[1][1], p.unit.field, _HAND, "left")
    c.cell(wide[2][0], "个人总结", _SONG)
    left, top, width, _ = wide[2][1]
    c.paragraph(
        left + 3, top + 4, width - 6,
        ["一年来，本人在", ctx.short(), "认真履行岗位职责，承担", f"{p.unit.field}任务三项，"
         "培训技术人员一百二十人次，完成调查样地四十六块，撰写技术报告两篇，按时完成领导交办的各项工作。"],
        _HAND.but(size=13.0), 1.5,
    )  # fmt: skip
    c.line(left + width - 62, top + 60, ["签名：", ctx.span("signature", p.name, "handwritten", True)],  # noqa: E501
           _HAND.but(size=17.0))  # fmt: skip
    for number, label, text in (
        (3, "主管领导评语", "该同志工作踏实，业务熟练，建议评为优秀等次。"),
        (4, "单位考核意见", "同意评为优秀等次。"),
    ):
        c.cell(wide[number][0], label, _SONG)
        x, y, w, _ = wide[number][1]
        c.paragraph(x + 3, y + 4, w - 6, text, _SONG, 1.5)
        c.line(x + w - 64, y + 32, ["签名：", ctx.other()], _HAND.but(size=13.0))
        c.line(x + w - 30, y + 33, "2024年1月8日", _SONG.but(size=9.0))
    x, y, _, _ = wide[4][1]
    seal(c, x + 60, y + 24, p.unit.full, p.serial, turn=ctx.rng.uniform(-15, 15),
         strength=ctx.rng.choice((0.85, 0.85, 0.3)))  # fmt: skip
    return c, ("form", "handwriting", "seal_over_text")


def insurance(ctx: Context) -> Page:
    """A statement of social insurance; the other rows are other people and stay."""
    c, p = ctx.sheet(), ctx.person
    c.line(105, 18, "社会保险个人参保证明", Style("song", 20, bold=True), "center")
    barcode(c, 130, 30, 58, 12, p.id_number, p.serial)
    c.line(20, 34, ["单位名称：", ctx.unit(True)], Style("song", 9.5))
    c.line(20, 42, ["联系电话：", ctx.phone(), "  电子邮箱：", ctx.email()], Style("song", 10))
    widths = (14, 38, 48, 26, 24, 22)
    rows = 15
    own = ctx.rng.randrange(3, 12)
    cells = c.table(19, 52, widths, [9] * rows)
    small = Style("song", 9.5)
    for cell, head in zip(
        cells[0], ("序号", "姓名", "身份证号", "缴费基数", "起始年月", "月数"), strict=True
    ):
        c.cell(cell, head, Style("sans", 10))
    for i, row in enumerate(cells[1:], 1):
        mine = i == own
        c.cell(row[0], str(i), small)
        c.cell(row[1], [ctx.name(True)] if mine else ctx.other(), small)
        masked = f"6528**********{ctx.rng.randrange(1000, 9999)}"
        c.cell(row[2], [ctx.id_number()] if mine else masked, small)
        c.cell(row[3], f"{ctx.rng.randrange(4000, 9000)}.00", small)
        c.cell(row[4], f"20{ctx.rng.randrange(10, 23)}-0{ctx.rng.randrange(1, 9)}", small)
        c.cell(row[5], str(ctx.rng.randrange(6, 160)), small)
    qr(c, 24, 200, 30, f"https://sb.example.com/v/{p.id_number}", p.serial)
    c.paragraph(
        62, 205, 120, "本证明可通过扫描二维码核验，自打印之日起三个月内有效。", small, 1.5, 0
    )
    seal(c, 150, 225, "库尔勒市社会保险中心业务专用章", 0, "square", 30, (190, 20, 40))
    return c, ("form", "table")


def pledge(ctx: Context) -> Page:
    """A pledge signed by hand, with a thumb print over the name and a seal cut at the edge."""
    c, p = ctx.sheet(), ctx.person
    c.line(105, 30, "个人诚信承诺书", Style("song", 24, bold=True), "center")
    body = Style("song", 14)
    y = c.paragraph(
        26, 55, 160,
        ["本人", ctx.name(), "，身份证号", ctx.id_number(), "，现在", ctx.unit(), "工作，申报",
         p.wanted, "专业技术职务任职资格。本人郑重承诺："],
        body, 1.8,
    )  # fmt: skip
    for text in ("一、所提交的学历、资历、业绩、论文等材料真实有效，无弄虚作假行为。",
                 "二、遵守评审纪律，不以任何方式干扰评审工作。",
                 "三、如有违反，自愿接受取消申报资格、撤销任职资格等处理。"):  # fmt: skip
        y = c.paragraph(26, y + 2, 160, text, body, 1.8)
    c.line(88, y + 20, ["承诺人（签字）："], body)
    c.line(132, y + 17, [ctx.span("signature", p.name, "handwritten", True)], _HAND.but(size=24.0))
    if ctx.rng.random() < 0.6:
        fingerprint(c, 146, y + 22, p.serial)
    c.line(88, y + 36, ["联系电话：", ctx.phone()], body)
    c.line(132, y + 50, "2024 年 9 月 3 日", body)
    seal(c, 207, 150, p.unit.full, p.serial, turn=ctx.rng.uniform(-40, 40))
    return c, ("handwriting", "seal_cut")

"""The vault's reports: report.json for scripts, report.html to look at, key.xlsx for the office."""

from __future__ import annotations

import html
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from redactor.applicant import Applicant
from redactor.assembly import BlindPage
from redactor.errors import Sentence, language
from redactor.reason_words import reason_words, why_words
from redactor.thumbnail import COLOURS
from redactor.whole_file import write_whole

KIND_NAMES = {
    "name": "姓名",
    "unit": "单位",
    "id_number": "身份证号",
    "phone": "电话",
    "email": "邮箱",
    "address": "地址",
    "cert_number": "证书编号",
    "document_number": "文号",
    "code": "二维码/条码",
    "seal": "印章",
    "signature": "签名",
    "eyes": "眼部",
    "face": "面部",
    "label_value": "栏目内容",
    "custom": "其他",
}
STATE_NAMES = {"clean": "已核验", "review": "待人工查看", "failed": "失败"}
_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;
 margin:1.5rem;color:#222}
h1{font-size:1.4rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #bbb}
.pages{display:flex;flex-wrap:wrap;gap:1rem}
figure{margin:0;width:340px;background:#f6f6f6;padding:8px}
figure.review{background:#fff3d6} figure.failed{background:#fbdcdc}
img{width:100%;border:1px solid #999}
table{border-collapse:collapse;width:100%;font-size:12px}
td{border-top:1px solid #ddd;padding:1px 4px} .hit td{background:#ffd98a}
.k{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
"""


def report_values(
    pages: Sequence[BlindPage], profile: str, reader: str, started: str, seconds: float
) -> dict[str, Any]:
    """The value of report.json (CONTRACT.md), pages in roster and attachment order."""
    return {
        "version": 1,
        "profile": profile,
        "reader": reader,
        "started": started,
        "seconds": round(seconds, 2),
        "pages": [_page_values(page) for page in pages],
    }


def _page_values(page: BlindPage) -> dict[str, Any]:
    record = page.record
    return {
        "dossier": page.code,
        "page": page.page,
        "applicant": record.applicant,
        "source": record.source,
        "source_page": record.source_page,
        "category": record.category,
        "output": page.output,
        "held": page.held,
        "size": list(record.size),
        "source_to_output": [list(row) for row in record.source_to_output],
        "rotation": record.rotation,
        "quality": record.quality,
        "masks": list(record.masks),
        "verify": record.verify,
        "state": record.state,
        "reason": record.reason,
        "seconds": record.seconds,
        "thumbnail": record.thumbnail,
    }


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """report.json as UTF-8."""
    write_whole(path, (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode())


def write_key(path: Path, applicants: Sequence[Applicant], codes: Mapping[int, str]) -> None:
    """key.xlsx: who is behind which blind code. Stays in the vault."""
    buffer = io.BytesIO()
    # A cell is what was typed: a name that begins with = is no formula.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("对照表")
        bold = book.add_format({"bold": True})
        sheet.write_row(0, 0, ["序号", "姓名", "盲评编号"], bold)
        for row, applicant in enumerate(applicants, 1):
            code = codes.get(applicant.number, "")
            sheet.write_row(row, 0, [applicant.number, applicant.name, code])
        sheet.set_column(1, 2, 24)
        sheet.freeze_panes(1, 0)
    write_whole(path, buffer.getvalue())


def write_html(path: Path, values: Mapping[str, Any], problems: Sequence[tuple[str, str]]) -> None:
    """report.html: a picture of every page with its masks and why, grouped by dossier."""
    zh = language() == "zh"
    pages = values["pages"]
    states = Counter(page["state"] for page in pages)
    kinds = Counter(mask["kind"] for page in pages for mask in page["masks"])
    title = Sentence("盲评遮盖报告（仅供评委会办公室）", "Redaction report (for the office only)")
    parts = [
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><meta charset="utf-8">',
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>",
        f"<p>{_summary(states, len(pages), values['seconds'])}</p><p>",
        " ".join(f"{_swatch(kind)}{_kind(kind)} {n}" for kind, n in kinds.most_common()),
        "</p>",
    ]
    if problems:
        heading = Sentence("未处理的文件", "Files that were not processed")
        rows = (f"<li><b>{html.escape(where)}</b>: {html.escape(what)}" for where, what in problems)
        parts.append(f"<h2>{heading}</h2><ul>{''.join(rows)}</ul>")
    dossier = None
    for page in pages:
        if page["dossier"] != dossier:
            parts.append("" if dossier is None else "</div>")
            dossier = page["dossier"]
            parts.append(f"<h2>{dossier}</h2><div class=pages>")
        parts.append(_figure(page))
    parts.append("</div></html>\n")
    write_whole(path, "".join(parts).encode())


def _summary(states: Counter[str], total: int, seconds: float) -> Sentence:
    return Sentence(
        f"共 {total} 页：已核验 {states['clean']}，待人工查看 {states['review']}，"
        f"失败 {states['failed']}；用时 {seconds:.0f} 秒。",
        f"{total} pages: {states['clean']} verified, {states['review']} to review, "
        f"{states['failed']} failed; {seconds:.0f} seconds.",
    )


def _figure(page: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{_swatch(mask['kind'])}{_kind(mask['kind'])}"
        f"<td>{html.escape(mask['text'])}<td>{html.escape(_why(mask['why']))}"
        for mask in page["masks"]
    )
    rows += "".join(
        f"<tr class=hit><td>{Sentence('请查看', 'look at')} {_kind(hit['kind'])}"
        f"<td>{html.escape(hit['text'])}<td>{html.escape(_why(hit['why']))}"
        for hit in page["verify"]["hits"]
    )
    picture = (
        f'<img loading="lazy" src="thumbnails/{page["thumbnail"]}" alt="">'
        if page["thumbnail"]
        else ""
    )
    state = STATE_NAMES[page["state"]] if language() == "zh" else page["state"]
    return (
        f'<figure class="{page["state"]}">{picture}<figcaption><b>{page["page"]:03d}</b> '
        f"{html.escape(page['source'])} · {state} {html.escape(_reason(page['reason']))}"
        f"<table>{rows}</table></figcaption></figure>"
    )


def _why(why: str) -> str:
    return why_words(why, "zh" if language() == "zh" else "en")


def _reason(reason: str) -> str:
    return reason_words(reason, "zh" if language() == "zh" else "en")


def _kind(kind: str) -> str:
    return KIND_NAMES[kind] if language() == "zh" else kind.replace("_", " ")


def _swatch(kind: str) -> str:
    blue, green, red = next(colour for k, colour in COLOURS.items() if k == kind)
    return f'<span class=k style="background:rgb({red},{green},{blue})"></span>'

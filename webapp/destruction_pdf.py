"""Prints the certificate of a destruction, in Chinese and English."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from models.errors import Sentence
from models.vault_destruction import Destruction
from scoring.typst_pdf import print_pdf
from webapp.destruction import certificate_of

_LAYOUT = files("webapp") / "destruction.typ"
KINDS = {
    "scans": Sentence("申报材料原件", "originals"),
    "replaced": Sentence("被替换的原件", "replaced originals"),
    "uploads": Sentence("未完成的上传", "unfinished uploads"),
    "cache": Sentence("识别结果", "readings"),
    "staging": Sentence("遮盖后的页面", "masked pages"),
    "review": Sentence("待复核的页面", "pages held back"),
    "records": Sentence("处理记录", "records"),
    "thumbnails": Sentence("缩略图", "thumbnails"),
    "copies": Sentence("印章和指纹图样", "prints of seals"),
    "pictures": Sentence("网页图片", "pictures"),
}


def certificate_pdf(done: Destruction) -> bytes:
    """The PDF; the same certificate gives the same bytes. RuleError when it was changed."""
    certificate = certificate_of(done)
    return print_pdf(_LAYOUT, certificate_data(certificate, done.certificate_sha256))


def certificate_data(certificate: dict[str, Any], sha256: str) -> dict[str, Any]:
    """What the layout shows, as texts."""
    told = certificate["round"]
    facts = [
        (
            Sentence("评审轮次", "Round"),
            f"{told['name']}（{told['year']}，No. {told['review'] or '—'}）",
        ),
        (Sentence("结束日期", "Closed on"), certificate["closed_on"])
        if "closed_on" in certificate
        else (Sentence("中止日期", "Abandoned on"), certificate["given_up_on"]),
        (Sentence("保存天数", "Days kept"), str(certificate["retention_days"])),
        (Sentence("到期日", "Due on"), certificate["due_on"]),
        (Sentence("理由", "Reason"), certificate["reason"]),
        (Sentence("执行人", "Carried out by"), certificate["asked_by"]),
        (Sentence("确认人", "Confirmed by"), certificate["confirmed_by"]),
        (Sentence("开始（UTC）", "Begun (UTC)"), certificate["begun_at"]),
        (Sentence("完成（UTC）", "Done (UTC)"), certificate["done_at"]),
        (Sentence("覆写后删除的文件", "Files overwritten"), str(certificate["overwritten"])),
        (Sentence("仅删除的文件", "Only removed"), str(certificate["removed_without_overwriting"])),
        (Sentence("数据库", "Database"), certificate["database"]),
    ]
    kept = sorted(certificate["files"].items())
    return {
        "facts": [[_both(label), value] for label, value in facts],
        "files": [
            [_kind(kind), str(item["files"]), str(item["bytes"]), item["sha256"]]
            for kind, item in kept
        ],
        "rows": [
            [name, str(item["rows"]), item["sha256"]]
            for name, item in sorted(certificate["rows"].items())
        ],
        "sha256": sha256,
    }


def _kind(kind: str) -> str:
    return _both(KINDS[kind]) if kind in KINDS else kind


def _both(label: Sentence) -> str:
    return f"{label.zh} {label.en}"

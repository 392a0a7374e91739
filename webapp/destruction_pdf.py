"""Prints the certificate of a destruction, in Chinese and English."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from models.vault_destruction import Destruction
from scoring.typst_pdf import print_pdf
from webapp.destruction import certificate_of

_LAYOUT = files("webapp") / "destruction.typ"
KINDS = {
    "scans": "申报材料原件 originals",
    "replaced": "被替换的原件 replaced originals",
    "uploads": "未完成的上传 unfinished uploads",
    "cache": "识别结果 readings",
    "staging": "遮盖后的页面 masked pages",
    "review": "待复核的页面 pages held back",
    "records": "处理记录 records",
    "thumbnails": "缩略图 thumbnails",
    "copies": "印章和指纹图样 prints of seals",
    "pictures": "网页图片 pictures",
}


def certificate_pdf(done: Destruction) -> bytes:
    """The PDF; the same certificate gives the same bytes. RuleError when it was changed."""
    certificate = certificate_of(done)
    return print_pdf(_LAYOUT, certificate_data(certificate, done.certificate_sha256))


def certificate_data(certificate: dict[str, Any], sha256: str) -> dict[str, Any]:
    """What the layout shows, as texts."""
    told = certificate["round"]
    facts = [
        ("评审轮次 Round", f"{told['name']}（{told['year']}，No. {told['review']}）"),
        ("结束日期 Closed on", certificate["closed_on"]),
        ("保存期 Kept for", f"{certificate['retention_days']} 天 days"),
        ("到期日 Due on", certificate["due_on"]),
        ("理由 Reason", certificate["reason"]),
        ("执行人 Carried out by", certificate["asked_by"]),
        ("确认人 Confirmed by", certificate["confirmed_by"]),
        ("开始 Begun (UTC)", certificate["begun_at"]),
        ("完成 Done (UTC)", certificate["done_at"]),
        ("覆写后删除 Overwritten, removed", str(certificate["overwritten"])),
        ("仅删除 Removed only", str(certificate["removed_without_overwriting"])),
        ("数据库 Database", certificate["database"]),
    ]
    kept = sorted(certificate["files"].items())
    return {
        "facts": facts,
        "files": [
            [KINDS.get(kind, kind), str(item["files"]), str(item["bytes"]), item["sha256"]]
            for kind, item in kept
        ],
        "rows": [
            [name, str(item["rows"]), item["sha256"]]
            for name, item in sorted(certificate["rows"].items())
        ],
        "sha256": sha256,
    }

"""What kinds of masks, states of pages and reasons are called, in both languages."""

from __future__ import annotations

from redactor.page import Kind
from redactor.reason_words import reason_words, why_words
from redactor.report import KIND_NAMES
from webapp.language import current_language, t

KINDS = (
    Kind.NAME,
    Kind.UNIT,
    Kind.SEAL,
    Kind.SIGNATURE,
    Kind.ID_NUMBER,
    Kind.PHONE,
    Kind.EYES,
    Kind.CODE,
    Kind.CUSTOM,
    Kind.FACE,
    Kind.ADDRESS,
    Kind.EMAIL,
    Kind.CERT_NUMBER,
    Kind.DOCUMENT_NUMBER,
    Kind.LABEL_VALUE,
)
"""The first nine have the keys 1 to 9: what people draw most."""
_ENGLISH = {
    "name": "name",
    "unit": "work unit",
    "id_number": "ID number",
    "phone": "phone",
    "email": "e-mail",
    "address": "address",
    "cert_number": "certificate no.",
    "document_number": "document no.",
    "code": "QR or bar code",
    "seal": "seal",
    "signature": "signature",
    "eyes": "eyes",
    "face": "face",
    "label_value": "form field",
    "custom": "other",
}


def kind_name(kind: str) -> str:
    """What a kind of mask is called."""
    return t(KIND_NAMES.get(kind, kind), _ENGLISH.get(kind, kind))


def state_name(state: str) -> str:
    """What a state of a page is called."""
    names = {
        "clean": t("已核验", "verified"),
        "review": t("待查看", "to look at"),
        "failed": t("处理失败", "failed"),
        "checking": t("正在复核", "being checked"),
    }
    return names.get(state, state)


def decision_name(decision: str) -> str:
    """What a person's word on a page is called."""
    names = {
        "": t("未决定", "undecided"),
        "accepted": t("已通过", "accepted"),
        "returned": t("已退回", "returned"),
    }
    return names.get(decision, decision)


def why_text(why: str) -> str:
    """A reason of the redactor in the language of this request."""
    return why_words(why, "en" if current_language() == "en" else "zh")


def reason_text(reason: str) -> str:
    """Why a page failed or a person should look, in the language of this request."""
    return reason_words(reason, "en" if current_language() == "en" else "zh")

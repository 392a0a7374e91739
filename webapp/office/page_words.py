"""What kinds of masks, states of pages and reasons are called, in both languages."""

from __future__ import annotations

import re

from redactor import judgement
from redactor.errors import Sentence
from redactor.page import Kind
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
_WHY = (
    (r"roster name in its own script", "花名册姓名（本民族文字）"),
    (r"roster name", "花名册姓名"),
    (r"former name", "曾用名"),
    (r"surname and title", "姓氏加称谓"),
    (r"pinyin of the name", "姓名拼音"),
    (r"roster pinyin", "花名册拼音"),
    (r"unit in its own script", "单位（本民族文字）"),
    (r"former unit", "曾任职单位"),
    (r"short form given in the roster|roster short form", "花名册单位简称"),
    (r"parent organisation", "上级单位"),
    (r"short form", "单位简称"),
    (r"document number with the unit's code", "带单位代字的文号"),
    (r"document number of a letterhead", "红头文件文号"),
    (r"phone number without area code", "电话号码（无区号）"),
    (r"phone number", "电话号码"),
    (r"local part of the e-mail address", "邮箱用户名"),
    (r"e-mail address", "邮箱地址"),
    (r"number that a code on this page holds", "本页二维码或条码中的号码"),
    (r"number printed beside a code", "码旁印刷的号码"),
    (r"embossed seal, ([\d.]+) mm", r"钢印，\1 毫米"),
    (r"a faint ring of ([\d.]+) mm, perhaps an embossed seal", r"\1 毫米浅圆环，疑似钢印"),
    (r"face, eyes placed by landmarks", "人脸，按五官定位眼部"),
    (r"uncertain face, larger mask", "疑似人脸，已扩大遮盖"),
    (r"face that may stand in several ways, all of it masked", "人脸方向不定，全部遮盖"),
    (r"hardly readable face, all of the (\w+) masked", "人脸难以辨认，全部遮盖"),
    (r"fingerprint, ridges ([\d.]+) mm apart", r"指纹，纹距 \1 毫米"),
    (r"an oval patch of red ink, perhaps a fingerprint", "椭圆形红色印迹，疑似手印"),
    (r"pen strokes at the label (.+)", r"“\1”栏旁的手写笔迹"),
    (r"picture at a photo label, no face found", "照片栏中的图片，未找到人脸"),
    (r"picture of an ID photo's size and shape, no face found", "证件照大小的图片，未找到人脸"),
    (r"(\w+) seal, known from another page of the dossier", "印章，在该材料其他页上出现过"),
    (r"(\w+) seal, red ink", "红色印章"),
    (r"(\w+) seal, (\w+) ink", "印章"),
    (r"(\w+) decoded", r"\1 码已解码"),
    (r"seal names the unit (.+)|names the unit (.+)", r"印文含单位“\1\2”"),
    (r"cannot be read", "无法辨认"),
    (r"read only in part", "只认出一部分"),
    (r"letterhead of an official document", "红头文件抬头"),
    (r"letterhead that cannot be read", "无法辨认的红头抬头"),
    (r"letterhead of the own unit, as far as it was read", "本单位红头抬头"),
    (r"behind the label (.+)", r"“\1”栏的内容"),
    (r"unread script near a (\w+)", "姓名或单位旁未能识别的民族文字"),
    (r"name in Arabic letters", "民族文字姓名"),
    (r"unit in Arabic letters", "民族文字单位"),
    (r"beside the (name|unit) in Chinese", "在对应汉字旁"),
    (r"masked on another page", "在其他页上遮盖过"),
    (r"drawn by a person", "人工绘制"),
    (r"the same as on another page, by a person", "人工：与另一页相同"),
    (r"(\d+) (characters|letters) unsure", r"\1 个字符不确定"),
    (r"letter-spaced", "字间有空格"),
    (r"roster (\w+)", "花名册内容"),
    (r"^unit\b", "工作单位"),
)
"""The redactor writes its reasons in English for scripts; clerks read them in Chinese."""
_REASONS = {
    said: sentence
    for value in vars(judgement).values()
    for sentence in (value.values() if isinstance(value, dict) else (value,))
    if isinstance(sentence, Sentence)
    for said in (sentence.zh, sentence.en)
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
    if current_language() == "en":
        return why
    for pattern, chinese in _WHY:
        why = re.sub(pattern, chinese, why)
    return why


def reason_text(reason: str) -> str:
    """The reason why a person should look, in the language of this request."""
    known = _REASONS.get(reason)
    return reason if known is None else t(known.zh, known.en)

"""Why something is masked and why a page needs a person: the words for it in both languages.

Masks carry their reason in English, for scripts; pages carry theirs in the language of whoever ran
the redactor. Reports and the web show both in the language of whoever looks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from redactor import judgement
from redactor.errors import Sentence
from redactor.limits import TOOK_TOO_LONG

Language = Literal["zh", "en"]

_WHY = (
    (
        r"(?:end|beginning) of the (?:former |roster )?(?:unit|name) beside a mask",
        "遮盖旁露出的姓名或单位的一部分",
    ),
    (r"first half of the (former )?unit at a line's end", "行末的单位前半部分"),
    (r"the (former )?unit goes on in the next row", r"\1单位（下一行续）"),
    (r"the (former )?unit began in the row above", r"\1单位（接上一行）"),
    (r"(former )?unit in rows over each other", r"\1单位（分行排列）"),
    (r"former 单位", "曾任职单位"),
    (r"copy of a watermark: ", "水印的另一处："),
    (r"holds nothing of the roster", "不含花名册内容"),
    (r"holds ", "含"),
    (r" with the class word of the place", "（加地名通名）"),
    (r" with the larger place", "（加上级地名）"),
    (r" without place", "（不含地名）"),
    (r"document number(?= of the (former )?unit)", "文号"),
    (r" of the former unit", "（曾任职单位）"),
    (r" of the unit", ""),
    (r"first two parts of the ", "前两段："),
    (r"other spelling of the ", "另一写法："),
    (r"given name of the ", "名："),
    (r"number as long as a diploma's", "与证书编号等长的号码"),
    (r"dense modules or bars, not decodable", "密集的方块或条纹，无法解码"),
    (r"ink that runs out of a signature", "伸出签名的笔迹"),
    (r"a place dense with specks on a page to be signed", "签署页上的密集碎点"),
    (r"a picture on an ID card, no face found", "身份证上的图片，未找到人脸"),
    (r"perhaps a worn seal, grey ink", "疑似磨损的印章"),
    (r"fragment of a name", "姓名的一部分"),
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
    (r"an oval patch of pale ridges, perhaps a fingerprint", "椭圆形浅色纹路，疑似手印"),
    (r"an oval patch of specks, perhaps a fingerprint", "椭圆形碎点印迹，疑似手印"),
    (r"an oval patch of red ink, perhaps a fingerprint", "椭圆形红色印迹，疑似手印"),
    (r"pen strokes at the label (.+)", r"“\1”栏旁的手写笔迹"),
    (
        r"a code on a sheet of photos that cannot be decoded, perhaps a portrait",
        "照片页上无法解码的图块，可能是人像",
    ),
    (r"picture on a sheet of photos, no face found", "照片页上的图片，未找到人脸"),
    (r"unread print that runs out of a seal", "伸出印章的未识别文字"),
    (r"fragment of a unit", "单位的一部分"),
    (r"like a unit", "像单位名称"),
    (r"picture at a photo label, no face found", "照片栏中的图片，未找到人脸"),
    (r"picture of an ID photo's size and shape, no face found", "证件照大小的图片，未找到人脸"),
    (r"perhaps a (\w+) seal, (\w+) ink", "疑似印章"),
    (r"(\w+) seal, known from another page of the dossier", "印章，在该材料其他页上出现过"),
    (r"portrait, known from another page of the dossier", "人像照片，在该材料其他页上出现过"),
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
    (r"marked by the applicant", "申报人圈出"),
    (r"drawn by a person", "人工绘制"),
    (r"the same as on another page, by a person", "人工：与另一页相同"),
    (r"(\d+) (characters|letters) unsure", r"\1 个字符不确定"),
    (r"letter-spaced", "字间有空格"),
    (r"perhaps a fingerprint", "疑似手印"),
    (r"(citizen )?ID number", "身份证号"),
    (r", old 15-digit form", "（15 位旧号）"),
    (r", 18 digits", "（18 位）"),
    (r"partly hidden mobile number", "部分隐去的手机号"),
    (r"mobile number", "手机号"),
    (r"fixed-line number", "固定电话"),
    (r"bank card number", "银行卡号"),
    (r" with country code", "（含国家代码）"),
    (r"roster (\w+)", "花名册内容"),
    (r"^unit\b", "工作单位"),
)
"""(what a finder wrote, as a pattern; Chinese). Parts are replaced one after another."""
FAILURES = (
    (
        "{} 在加密后被改动或不完整。请从备份恢复它，或重新上传。",
        "{} was changed after it was sealed, or is incomplete. Restore it from a backup or upload "
        "it again.",
    ),
    (
        "这不是扫描图片，而是{}。请换成 JPG、PNG、TIFF、BMP、WebP、HEIC 或 PDF。",
        "This is not a scan but {}. Replace it by a JPG, PNG, TIFF, BMP, WebP, HEIC or PDF.",
    ),
    (
        "查找人像的模型返回无效结果，无法确认页面上是否有人像。请重新运行；如仍出现，请运行 "
        "mangping doctor 并重新安装 onnxruntime。",
        "The face detector returns invalid results, so nobody knows whether the page shows a "
        "face. Run again; if it stays, run mangping doctor and reinstall onnxruntime.",
    ),
    (
        "文件打不开（{}）。请检查读取权限。",
        "The file cannot be opened ({}). Check that it may be read.",
    ),
    (
        "文件不完整或已损坏，只能显示一部分。请重新扫描或重新上传。",
        "The file is cut off or damaged and would show only in part. Scan or upload it again.",
    ),
    (
        "没有第 {} 页，文件只有 {} 页。请重新选择文件。",
        "There is no page {}, the file has {}. Choose the file again.",
    ),
    (
        "文件页数超过上限 {} 页。请拆分成几个文件。",
        "The file has more than the {} pages allowed. Split it.",
    ),
    (
        "这不是普通文件。请换成扫描件。",
        "This is not a regular file. Replace it by a scan.",
    ),
    (
        "文件是空的（0 字节），可能上传中断。请重新上传。",
        "The file is empty (0 bytes); its upload may have been cut off. Upload it again.",
    ),
    (
        "文件有 {} MB，超过上限 {} MB。请降低扫描分辨率或拆分文件。",
        "The file has {} MB, more than the {} MB allowed. Scan at a lower resolution or split it.",
    ),
    (
        "文件打不开（{}）。请检查文件是否存在以及读取权限。",
        "The file cannot be opened ({}). Check that it exists and may be read.",
    ),
    (
        "这是动画图片，不是扫描件。请另存为静态的 JPG 或 PNG。",
        "This is an animation, not a scan. Save it as a still JPG or PNG.",
    ),
    (
        "图片为 {} × {} 像素，超过上限 {} 百万像素。请以 200 至 300 dpi 重新扫描。",
        "The picture has {} x {} pixels, more than the {} megapixels allowed. Scan it again at "
        "200 to 300 dpi.",
    ),
    (
        "图片只有 {} × {} 像素，没有内容。请重新扫描。",
        "The picture has only {} x {} pixels and shows nothing. Scan it again.",
    ),
    (
        "内存不足，无法打开此文件。请降低扫描分辨率，或减少并行任务数（--jobs）。",
        "Not enough memory to open the file. Scan at a lower resolution or use fewer --jobs.",
    ),
    (
        "图片的像素数超过上限。请以 200 至 300 dpi 重新扫描。",
        "The picture has more pixels than allowed. Scan it again at 200 to 300 dpi.",
    ),
    (
        "PDF 不完整或已损坏。请重新导出或重新上传。",
        "The PDF is cut off or damaged. Export or upload it again.",
    ),
    (
        "PDF 里没有页面。请重新导出。",
        "The PDF has no pages. Export it again.",
    ),
    (
        "PDF 页面为 {} × {} 厘米，太大。请按 A4 或 A3 重新导出。",
        "The PDF page measures {} x {} cm, too large. Export it again as A4 or A3.",
    ),
    (
        "PDF 页面含 {} 个字符，太多。请打印后扫描，或另存为图片型 PDF。",
        "The PDF page holds {} characters, too many. Print and scan it, or save it as a "
        "picture PDF.",
    ),
    (
        "PDF 内嵌图片为 {} × {} 像素，超过上限 {} 百万像素。请以 200 至 300 dpi 重新扫描。",
        "A picture in the PDF has {} x {} pixels, more than the {} megapixels allowed. Scan it "
        "again at 200 to 300 dpi.",
    ),
    (
        "PDF 已加密，需要密码才能打开。请去掉密码后重新上传。",
        "The PDF is encrypted and needs a password. Remove the password and upload it again.",
    ),
    (
        "无法读取本卷宗其他页面的印章和照片记录 {}，"
        "因此无法确认本页是否有同样的印章或照片。请重新处理该申报人的全部文件。",
        "The record {} of the seals and portraits on the dossier's other pages cannot be read, "
        "so nobody knows whether this page shows them, too. Redact all files of this applicant "
        "again.",
    ),
    (
        "处理此页时内存不足。请关闭其他程序，或用 --jobs 1 重新运行，并加上 --resume。",
        "There was not enough memory for this page. Close other programs, or run again with "
        "--jobs 1 --resume.",
    ),
    (
        "处理此页时程序出错（{}），未输出任何内容。请重新扫描此页；若仍出错，请报告此问题。",
        "The program failed on this page ({}) and wrote nothing of it. Scan the page again; if "
        "it fails again, report the problem.",
    ),
)
"""(Chinese, English) of why a file or page has failed; {} stands for what the message names."""


_FORMATS = {
    "网页（HTML），通常是下载时登录已过期": "a web page (HTML), often from an expired login",
    "Word 文档": "a Word document",
    "Excel 表格": "a workbook",
    "OFD 版式文件": "an OFD document",
    "压缩包（ZIP）": "a ZIP archive",
    "旧版 Office 文档": "an old Office document",
    "压缩包（RAR）": "a RAR archive",
    "压缩包（7z）": "a 7z archive",
    "SVG 图形": "an SVG drawing",
    "XML 文件": "an XML file",
    "RTF 文档": "an RTF document",
    "PostScript 文件": "a PostScript file",
    "Photoshop 文件": "a Photoshop file",
    "DjVu 文件": "a DjVu file",
    "视频": "a video",
    "文本文件": "a text file",
    "无法识别的格式": "of an unknown format",
}
"""What a file is that is no scan (redactor.file_format)."""


def why_words(why: str, language: Language) -> str:
    """A mask's reason in a language; parts that nobody has put into words stay as they are."""
    if language == "en":
        return why
    for pattern, chinese in _WHY:
        why = re.sub(pattern, chinese, why)
    return why


def reason_words(reason: str, language: Language) -> str:
    """A page's reason, written in either language, in the wanted one; unknown ones stay."""
    known = _judged().get(reason)
    if known is not None:
        return known.zh if language == "zh" else known.en
    wanted, written = (0, 1) if language == "zh" else (1, 0)
    for pair in FAILURES:
        found = re.fullmatch("(.+?)".join(map(re.escape, pair[written].split("{}"))), reason)
        if found is not None:
            named = _FORMATS if language == "en" else {en: zh for zh, en in _FORMATS.items()}
            return pair[wanted].format(*(named.get(part, part) for part in found.groups()))
    return reason


@cache
def _judged() -> dict[str, Sentence]:
    """Every sentence of a whole page that is kept as it is, by its text in either language."""
    return {
        said: sentence
        for value in (*vars(judgement).values(), TOOK_TOO_LONG)
        for sentence in (value.values() if isinstance(value, dict) else (value,))
        if isinstance(sentence, Sentence)
        for said in (sentence.zh, sentence.en)
    }

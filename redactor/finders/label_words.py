"""The labels of forms and certificates behind which an identifying value stands."""

from __future__ import annotations

import re

from redactor.page import Kind

LABELS: tuple[tuple[Kind, str], ...] = (
    (
        Kind.SIGNATURE,
        "(?:申报人|申请人|承诺人|本人|被考核人|填表人|作者|个人|负责人|领导|审核人|经办人|考核人|推荐人)?"
        "(?:签名|签字|签章)(?:\\(.{0,6}\\))?|承诺人",
    ),
    (
        Kind.NAME,
        "(?:申报人|申请人|被考核人|持证人|本人|学生|学员|作者|获奖者|申报者|参保人|考生|职工|人员)?姓名"
        "|申报人|申请人|被考核人|持证人|曾用名|获奖者|完成人姓名|英文名",
    ),
    (
        Kind.UNIT,
        "(?:现|原)?(?:工作|所在|申报|任职|用人|服务|推荐|完成|参保)单位(?:名称)?(?:及部门)?(?:\\(全称\\))?"
        "|单位名称|作者单位|工作部门",
    ),
    (
        Kind.ID_NUMBER,
        "(?:居民|公民)?身份证?件?(?:号码|号|编号)|公民身份号码|证件号码?|社会保障号码?|社保编?号",
    ),
    (
        Kind.PHONE,
        "(?:联系|办公|移动|固定|家庭|单位)?电话(?:号码)?|手机号?码?|联系方式|传真",
    ),
    (Kind.EMAIL, "电子(?:邮箱|邮件)(?:地址)?|邮箱(?:地址)?|e-?mail"),
    (Kind.ADDRESS, "(?:家庭|通讯|通信|联系|户籍|现|单位|常住)?(?:住址|地址)|住所"),
    (
        Kind.CERT_NUMBER,
        "(?:证书|资格证书|学历证书|学位证书|毕业证书?|结业证书?|合格证书?|登记|注册|管理|学籍|档案|批准|验证)"
        "(?:编号|号码|号)|证号|编号|在线验证码|学号|准考证号|银行卡号|账号|卡号",
    ),
)
STOPS = re.compile(
    "性别|民族|族别|出生|年龄|学历|学位|职务|职称|专业|政治面貌|籍贯|日期|时间|盖章|邮编|邮政编码|备注"
    "|校核|审核|审定|设计|制图|绘图|图号|比例|页码|页次|共\\d+页"
    "|(?:19|20)\\d{2}[年./-]|年月日|第[一二三]作者"
)
"""What ends a value that stands in one line with other fields."""

OTHERS = re.compile(
    "(?:领导|负责人|审核|经办|(?<!被)考核人|推荐|主管|专家|评委|组长|校长|院长|局长|处长|科长|单位)"
)
"""Before a signature label: it is somebody else who signs."""
VALUES: dict[Kind, re.Pattern[str]] = {
    Kind.ID_NUMBER: re.compile(r"[0-9Xx*＊ ]+"),
    Kind.PHONE: re.compile(r"[^\u4e00-\u9fff，。；]*"),
    Kind.EMAIL: re.compile(r"[!-~ ]+"),
    Kind.CERT_NUMBER: re.compile(r"[^，。；：]*"),
}
"""How far a value of running text can reach; other kinds go on to the next field."""
PLACE = re.compile("[\u3400-\u9fff]{2,8}?(?:省|自治区|自治州|地区|盟|市|县|区|旗)")
"""How an address begins: with a province, prefecture, town or county."""
REST = re.compile("[^;,.。，；:]{0,24}\\d[^;,.。，；:]{0,8}?[号栋幢楼室组队户][^;,.。，；:]{0,16}")
"""How the second half of an address reads: with the number of a house, a flat or a group."""
WHOLE_EMAIL = re.compile(r"@.+\.(?:com|cn|net|org|edu|gov)$", re.IGNORECASE)
"""How an e-mail address ends; one that ends otherwise goes on in the next row."""
REST_OF_EMAIL = re.compile(r"[a-z0-9@._-]{1,40}(?![a-z0-9])")
"""How its second half reads."""
ANY_LABEL = re.compile("|".join(f"(?P<k{i}>{words})" for i, (_, words) in enumerate(LABELS)))


def label_kind(match: re.Match[str]) -> Kind:
    """The kind of value that a match of ANY_LABEL announces."""
    return LABELS[int((match.lastgroup or "k0")[1:])][0]

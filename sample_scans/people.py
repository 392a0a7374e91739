"""Makes up applicants: names of every awkward sort, units with short forms, numbers that check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from pypinyin import Style as PinyinStyle
from pypinyin import lazy_pinyin

# Prefecture 2899 of Xinjiang does not exist, and 199 0000/0001 numbers are handed to nobody, so no
# number here can be a living person's.
_REGION = "652899"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Unit:
    """A work unit. `shorts` as texts write it; `mark` is its sign in document numbers."""

    full: str
    shorts: tuple[str, ...]
    mark: str
    former: str
    former_short: str
    field: str


@dataclass(frozen=True)
class Person:
    """One row of the roster and what else the pages say about the person.

    `slot` names the sort of name; `given` is the part used alone of an interpunct name; `decoys`
    are sentences that hold the name's characters as ordinary words.
    """

    serial: int
    slot: str
    name: str
    given: str
    traditional: str
    uyghur: str
    former_name: str
    pinyin: tuple[str, ...]
    sex: str
    nation: str
    politics: str
    born: date
    id_number: str
    phone: str
    email: str
    unit: Unit
    address: str
    school: str
    specialty: str
    level: str
    title: str
    title_since: str
    wanted: str
    exemption: str
    folder: str
    decoys: tuple[str, ...]


UNITS = (
    Unit(
        "巴音郭楞蒙古自治州林业和草原局",
        ("巴州林草局", "州林草局"),
        "巴林草",
        "巴音郭楞蒙古自治州林业局",
        "巴州林业局",
        "胡杨林更新",
    ),
    Unit(
        "库尔勒市第三中学",
        ("库尔勒市三中", "市三中", "三中"),
        "库三中",
        "库尔勒市第八小学",
        "市八小",
        "初中数学教学",
    ),
    Unit(
        "巴音郭楞蒙古自治州水利工程质量监督站",
        ("巴州水利质监站", "州水利质监站"),
        "巴水质",
        "巴音郭楞蒙古自治州塔里木河流域管理处",
        "巴州塔管处",
        "渠道防渗",
    ),
    Unit(
        "且末县农业技术推广中心",
        ("且末县农技推广中心", "县农技中心"),
        "且农技",
        "且末县种子管理站",
        "县种子站",
        "红枣丰产栽培",
    ),
    Unit(
        "新疆维吾尔自治区地质矿产勘查开发局第三地质大队",
        ("新疆地矿局第三地质大队", "第三地质大队"),
        "新地三",
        "新疆维吾尔自治区有色地质勘查局七〇三队",
        "有色七〇三队",
        "铜镍矿勘查",
    ),
    Unit(
        "和静县巴音布鲁克镇农牧业发展服务中心",
        ("和静县巴音布鲁克镇农牧中心", "镇农牧中心"),
        "和巴农牧",
        "和静县畜牧兽医站",
        "县畜牧站",
        "细毛羊选育",
    ),
    Unit(
        "巴州绿源生态工程有限责任公司",
        ("绿源生态公司", "绿源公司"),
        "绿源",
        "库尔勒市园林绿化工程处",
        "市园林处",
        "防风固沙林营造",
    ),
    Unit(
        "若羌县文化体育广播电视和旅游局",
        ("若羌县文旅局", "县文旅局"),
        "若文旅",
        "若羌县文化馆",
        "县文化馆",
        "群众文化",
    ),
)

_SURNAMES = "张陈周吴徐孙马朱胡林何郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_GIVEN = "岚晓颖鹏飞雪梅建军志强秀兰婷婷立新国栋海燕文博思远佳怡振宇春晖桂芳永庆玉洁俊杰"
_COMPOUND = ("诸葛", "欧阳", "司马", "上官", "皇甫", "慕容", "令狐", "尉迟")
# Characters that recognisers take for each other (未/末, 己/已, 昊/吴, 旻/昱, 玮/炜, 曰/日 ...).
_CONFUSABLE = ("戚昊旻", "祁玮未", "曹炜戍", "田由末", "段旸昱", "冼洗己", "荼茶侯", "候汩泊")
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("李明", ("桃李明年再开花，花开时节又逢君。", "该批材料由物业经理明确专人保管，行李明日发运。")),  # noqa: E501
    ("王一", ("国王一号品种在试验区表现突出。", "参展的棋王一共下了十二盘。")),
    ("方正", ("会议室地方正好，四方正在协商。", "南方正值雨季，北方正在春灌。")),
    ("马力", ("骏马力竭而不止，兵马力量充足。", "人马力求精干，车马力所能及。")),
    ("文静", ("原文静态页面已归档，天文静力学测算完成。", "水文静水位观测每日两次。")),
    ("林海", ("森林海拔高度在九百米以上。", "园林海绵设施完工，林海拔尖品种入库。")),
    ("高原", ("提高原料利用率，高原则性要求不变。", "升高原有堤防，拔高原定指标。")),
)  # fmt: skip
_INTERPUNCT = (
    ("阿布都热合曼·买买提", "阿布都热合曼", "Abdurahman Mamat", "ئابدۇراخمان مەمەت"),
    ("古丽米热·艾合买提", "古丽米热", "Gulmira Ahmat", "گۈلمىرە ئەخمەت"),
    ("努尔买买提·托合提", "努尔买买提", "Nurmamat Tohti", "نۇرمەمەت توختى"),
    ("帕提古丽·吐尔逊", "帕提古丽", "Patigul Tursun", "پاتىگۈل تۇرسۇن"),
    ("艾尔肯·阿不力孜", "艾尔肯", "Arkin Abliz", "ئەركىن ئابلىز"),
)
_TRADITIONAL = str.maketrans("张陈吴孙马罗郑谢韩冯董萧邓许苏卢蒋贾叶阎晓颖鹏飞军强兰国栋庆远诸欧葛侯",  # noqa: E501
                             "張陳吳孫馬羅鄭謝韓馮董蕭鄧許蘇盧蔣賈葉閻曉穎鵬飛軍強蘭國棟慶遠諸歐葛侯")  # fmt: skip  # noqa: E501
SLOTS = ("three", "two", "compound", "interpunct", "word", "confusable", "interpunct", "three")
_SCHOOLS = ("新疆农业大学", "石河子大学", "塔里木大学", "西北农林科技大学", "兰州大学", "长安大学")
_TITLES = (("助理工程师", "工程师", "中级"), ("工程师", "高级工程师", "副高级"),
           ("", "助理工程师", "初级"))  # fmt: skip
_SPECIALTIES = ("实验技术", "林业工程", "水利工程", "农业技术推广")


def check_digit(first17: str) -> str:
    """The 18th character of a citizen ID (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def make_people(rng: Random, count: int, first: int = 0) -> tuple[Person, ...]:
    """`count` applicants; the sorts of names go round in the order of SLOTS from the `first` on,
    none twice alike."""
    units = rng.sample(UNITS, len(UNITS))
    words = rng.sample(_WORDS, len(_WORDS))
    muslim = rng.sample(_INTERPUNCT, len(_INTERPUNCT))
    confusable = rng.sample(_CONFUSABLE, len(_CONFUSABLE))
    people: list[Person] = []
    taken: set[str] = set()
    for index in range(count):
        slot = SLOTS[(first + index) % len(SLOTS)]
        given = uyghur = romanised = ""
        decoys: tuple[str, ...] = ()
        if slot == "word":
            name, decoys = words[index // len(SLOTS) % len(words)]
        elif slot == "interpunct":
            name, given, romanised, uyghur = muslim[len(people) % len(muslim)]
        elif slot == "confusable":
            name = confusable[index // len(SLOTS) % len(confusable)]
        else:
            name = _han_name(rng, slot, taken)
        taken.add(name)
        people.append(
            _person(rng, index, slot, name, given, uyghur, romanised, units[index % 8], decoys)
        )
    return tuple(people)


def other_name(rng: Random, not_in: str) -> str:
    """A co-author or official who shares no character with the applicant's name."""
    while True:
        name = rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))
        if not set(name) & set(not_in):
            return name


def romanise(name: str) -> str:
    """Surname first, "Zhang Xiaolan"; compound surnames stay together."""
    cut = 2 if name[:2] in _COMPOUND else 1
    return f"{_pinyin(name[:cut])} {_pinyin(name[cut:])}"


def _han_name(rng: Random, slot: str, taken: set[str]) -> str:
    while True:
        if slot == "compound":
            name = rng.choice(_COMPOUND) + "".join(rng.sample(_GIVEN, 2))
        else:
            name = rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, 2 if slot == "three" else 1))
        if name not in taken:
            return name


def _pinyin(text: str) -> str:
    return "".join(lazy_pinyin(text, style=PinyinStyle.NORMAL)).capitalize()


def _pinyin_forms(name: str, romanised: str) -> tuple[str, ...]:
    if romanised:
        first, last = romanised.split()
        return (romanised, f"{first[0]}. {last}", f"{last} {first[0]}")
    surname, given = romanise(name).split()
    cut = 2 if name[:2] in _COMPOUND else 1
    initials = [s[0].upper() for s in lazy_pinyin(name[cut:])]
    return (
        f"{surname} {given}",
        f"{surname.upper()} {given}",
        f"{given} {surname}",
        f"{surname} {' '.join(initials)}",
        f"{'. '.join(initials)}. {surname}",
        f"{surname.upper()} {' '.join(initials)}",
    )


def _person(
    rng: Random,
    index: int,
    slot: str,
    name: str,
    given: str,
    uyghur: str,
    romanised: str,
    unit: Unit,
    decoys: tuple[str, ...],
) -> Person:
    serial = index + 1
    born = date(1972, 1, 1) + timedelta(days=rng.randrange(7300))
    female = rng.random() < 0.5
    first17 = f"{_REGION}{born:%Y%m%d}{rng.randrange(90):02d}{rng.randrange(5) * 2 + (not female)}"
    forms = _pinyin_forms(name, romanised)
    login = forms[0].lower().replace(" ", rng.choice(("", "_", ".")))
    title, wanted, level = rng.choice(_TITLES)
    folder = {
        0: f"{serial:02d}{name}",
        1: f"{name}-申报材料",
        2: f"{name}",
        3: f"{serial:02d}",
        4: f"材料袋A{rng.randrange(10, 99)}",
    }[index % 5]
    return Person(
        serial=serial,
        slot=slot,
        name=name,
        given=given,
        traditional=name.translate(_TRADITIONAL),
        uyghur=uyghur,
        former_name=_han_name(rng, "three", {name}) if index % 3 == 1 and not given else "",
        pinyin=forms,
        sex="女" if female else "男",
        nation="维吾尔族" if given else rng.choice(("汉族", "汉族", "回族", "蒙古族")),
        politics=rng.choice(("中共党员", "群众", "共青团员")),
        born=born,
        id_number=first17 + check_digit(first17),
        phone=f"199{rng.randrange(2):04d}{rng.randrange(10000):04d}",
        email=f"{login}{rng.randrange(100)}@{rng.choice(('example.com', 'example.org'))}",
        unit=unit,
        address=f"新疆库尔勒市{rng.choice(('人民东路', '萨依巴格路', '团结南路', '石化大道'))}"
        f"{rng.randrange(3, 199)}号{rng.randrange(1, 9)}栋{rng.randrange(1, 5)}单元{rng.randrange(1, 7)}01室",  # noqa: E501
        school=rng.choice(_SCHOOLS),
        specialty=rng.choice(_SPECIALTIES),
        level=level,
        title=title,
        title_since=f"{rng.randrange(2014, 2020)}-{rng.randrange(1, 13):02d}-15" if title else "",
        wanted=wanted,
        exemption=rng.choice(("", "", "", "访惠聚驻村", "且末县、若羌县工作")),
        folder=folder,
        decoys=decoys,
    )

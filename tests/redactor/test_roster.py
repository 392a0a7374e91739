"""The roster: every layout that offices send, and all bad cells at once."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from redactor.citizen_id import is_valid
from redactor.errors import UsageError
from redactor.roster import RosterError, check_row, read_roster
from redactor.roster_cells import date_text, read_grids, text_of
from redactor.roster_header import field_of

TWELVE = (
    "序号",
    "姓名",
    "性别",
    "族别",
    "政治面貌",
    "身份证号码",
    "现任专业职务",
    "获现任专业职务时间",
    "拟晋升专业技术职务",
    "工作单位",
    "是否通过",
    "备注",
)
GOOD_ID, OTHER_ID = "11010519491231002X", "440524188001010014"

# A workbook of Excel 97 (made once with xlwt, zlib + base 85): title merged over five columns,
# header in row 2, unit merged over rows 3 and 4, a date cell, an ID number stored as number in B4.
OLD_ROSTER = zlib.decompress(
    base64.b85decode(
        "c-rk)Ur1A76hGg+ce+hCx2b^!GK8$m#WoXKpfj^1YV*&GvZm&8N*Ef;2kXJi<&zbHL?yipEc%D(OBO{W^w2|K<U<"
        "e?TKUvdWErHc^PSz5nt_7~l>57U=YHp$@0{<?`TpJeV$?Vu8cLslMJNCf=E53?n<rzKG*QL?s1JvEHu_d$3M*Jq("
        "5NwxaVmJIdmhhY$m2Z$0t`wcNCDnq^1^X&w>10B{}DyhhC0UEkdKtXRg~x<jap?QdW2{)(YsXg5z#`DoF|%(Wyje"
        ";7<Ia{x5~5lfRIT#J#fFnWb>LNHb{kMd={VXVUe;b*d91qcWi|zGNeT42MlP5zu6z)d=gv(EkG5*;&NGvi^m}agW"
        "V5b!e)S}=&F8VR^<Oz&H&}#7RuxQAXj4$7t4DE37`YQhiQ>?;iT@BxJG0{ow~|%<uh;#5|QUA0hk@EV8?mhT64YT"
        "X?N&Qq!5~pRp}~Kz;0idb&qsUdsv$W*l=+0#CLbHJKepvBUJI#KXp+8Hd*a0-RE(Yioo{xwlz+BFk`OuH1v5*xPW"
        "X{n>Eko*y6C+b8S|uy$yX%Rllvi)VMoX=*4>6jrs<hn0BkpvDs$Vp-Ha8VntZcB2UYY7}}By3$`R3E!9M%^^in)B"
        "Q011j>*i;PcL1*GG{GGI_MaR99HZ2*gzQ0a0@inlZJ)|R|-HjS!^QONnY1dKAmU^mce&cS*o1b6{Ip}Nt=cB<Pyf"
        "5>*wV+V7}{P`TdNp_s)%&A1IkPl``<k8G=kaJnPY(KS9W0Ijrvr#{*~d&E$>k4bimUHaWFmklP-XPvj(+<;xmjB>"
        "EWi)OVx&NMys7uwi7wX@rZ8XoM4x6Mu3dd5Urpaw@qs!V;bZ@*F3ZkHm@xvR&YufPM7c5o8_r%;O~rd^47)7d`Eo"
        "51JzGU0lMuNZvKFjY!^Arq4GVt(SL1^t|m_8VfaYBK0Jq;r<g)GfCqtkXDpek^}{U3GVU6;{oyuT2P=sfdT~z6ew"
        "6#;1@uC=Mm+Lu}Z#h$IJh9W--kvze!dtDxd|QR{W^k3C;Kpz{!~A&l*s%s4uomo9O>Sj{R7B0Ghx@?P!X5{^CWR&"
        "F{~$4Gn*93B_9fTrBPU$MydJ2M`S6"
    )
)


def person(
    number: object,
    name: object,
    id_number: object = GOOD_ID,
    unit: object = "巴州林草局",
    since: object = "2019-12-01",
) -> list[object]:
    return [
        number,
        name,
        "女",
        "汉",
        "群众",
        id_number,
        "工程师",
        since,
        "高级工程师",
        unit,
        "",
        "",
    ]


def save(path: Path, rows: Sequence[Any], merges: Sequence[str] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "花名册"
    for row in rows:
        sheet.append(list(row))
    for span in merges:
        sheet.merge_cells(span)
    book.save(path)
    return path


def faults(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(RosterError) as caught:
        read_roster(path)
    return [(cell.row, cell.column) for cell in caught.value.cells]


def test_office_layout(tmp_path: Path) -> None:
    rows = [
        ["2024年度专业技术职务任职资格评审花名册"],
        ["单位（盖章）："],
        [f" {h[:2]}\n{h[2:]}（必填）*" for h in TWELVE],
        person(1, "张　晓 岚", "11010519491231002x ", since=datetime(2019, 12, 1)),
        person("０２", "阿布都热合曼·买买提", "４４０５２４１８８００１０１００１４", since=43800),
        [None] * 12,
        ["填表人：王五", None, None, "联系电话：0996-2012345"],
    ]
    roster = read_roster(save(tmp_path / "名册 🌲.xlsx", rows, ["A1:L1"]))
    first, second = roster.applicants
    assert (roster.sheet, len(roster.applicants), roster.warnings) == ("花名册", 2, ())
    assert (first.number, first.row, first.name, first.id_number) == (1, 4, "张晓岚", GOOD_ID)
    assert (first.title_since, second.title_since) == ("2019-12-01", "2019-12-01")
    assert (second.number, second.name, second.id_number) == (2, "阿布都热合曼·买买提", OTHER_ID)
    assert "张" not in repr(first)


def test_optional_columns_and_synonyms(tmp_path: Path) -> None:
    head = [
        "姓名",
        "身份证号",
        "单位",
        "曾用名",
        "单位简称",
        "曾任职单位",
        "姓名拼音",
        "手 机",
        "电子邮箱",
        "专业",
        "级别",
        "免答辩情形",
        "材料目录",
    ]
    row = [
        "李明（曾用名：李小明）",
        GOOD_ID,
        "库尔勒市第三中学",
        "李大明",
        "三中；市三中、库三中",
        "和静县一中",
        "Li, Ming；Lee Ming",
        13900001234,
        "a@b.cn",
        "语文",
        "中级",
        "支教",
        "李明 材料",
    ]
    (one,) = read_roster(save(tmp_path / "r.xlsx", [head, row])).applicants
    assert one.name == "李明"
    assert one.former_names == ("李小明", "李大明")
    assert one.unit_short == ("三中", "市三中", "库三中")
    assert one.pinyin == ("Li, Ming", "Lee Ming")
    assert (one.phones, one.emails, one.folder) == (("13900001234",), ("a@b.cn",), "李明 材料")
    assert (one.number, one.specialty, one.level, one.exemption) == (1, "语文", "中级", "支教")


def test_excel_97(tmp_path: Path) -> None:
    path = tmp_path / "r.xls"
    path.write_bytes(OLD_ROSTER)
    assert faults(path) == [(4, "B")]
    (grid,) = read_grids(path)
    assert [date_text(grid.at(row, 2)) for row in (2, 3)] == ["2019-12-01", "2019.12"]
    assert [text_of(grid.at(row, 3)) for row in (2, 3)] == ["巴州林草局", "巴州林草局"]
    assert text_of(grid.at(2, 4)) == "13900001234"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv(tmp_path: Path, encoding: str, mark: str) -> None:
    rows = [["花名册"], TWELVE, person(1, "张晓岚", f'="{GOOD_ID}"'), ["", "", ""]]
    text = "\r\n".join(mark.join(str(c) for c in row) for row in rows)
    path = tmp_path / "r.csv"
    path.write_bytes(text.encode(encoding))
    (one,) = read_roster(path).applicants
    assert (one.name, one.id_number, one.row) == ("张晓岚", GOOD_ID, 3)


def test_cells_merged_downwards_hold_for_all_their_rows(tmp_path: Path) -> None:
    rows = [TWELVE, person(1, "张晓岚"), person(2, "李明", OTHER_ID, None)]
    roster = read_roster(save(tmp_path / "r.xlsx", rows, ["J2:J3"]))
    assert [a.unit for a in roster.applicants] == ["巴州林草局", "巴州林草局"]


def test_person_over_two_rows_is_one(tmp_path: Path) -> None:
    rows = [
        [*TWELVE, "曾任职单位"],
        [*person(1, "张晓岚"), "和静县水利局"],
        [None] * 12 + ["博湖县水利局"],
    ]
    merges = [f"{c}2:{c}3" for c in "ABCDEFGHIJKL"]
    (one,) = read_roster(save(tmp_path / "r.xlsx", rows, merges)).applicants
    assert one.former_units == ("和静县水利局", "博湖县水利局")


def test_header_of_two_rows(tmp_path: Path) -> None:
    top = ["姓名", "工作单位", "联系", None]
    sub = [None, None, "手机号", "邮箱"]
    path = save(
        tmp_path / "r.xlsx",
        [top, sub, ["张晓岚", "巴州林草局", "13900001234", "a@b.cn"]],
        ["A1:A2", "B1:B2", "C1:D1"],
    )
    (one,) = read_roster(path).applicants
    assert (one.row, one.phones, one.emails) == (3, ("13900001234",), ("a@b.cn",))


def test_sheet_with_the_header_is_used(tmp_path: Path) -> None:
    path = save(tmp_path / "r.xlsx", [TWELVE, person(1, "张晓岚")])
    book = openpyxl.load_workbook(path)
    book.create_sheet("说明", 0).append(["填写说明"])
    other = book.create_sheet("第二批")
    other.append(["姓名", "工作单位"])
    other.append(["李明", "巴州水利局"])
    book.save(path)
    roster = read_roster(path)
    assert (roster.sheet, len(roster.applicants)) == ("花名册", 1)
    assert any("第二批" in warning.zh for warning in roster.warnings)


def test_all_bad_cells_at_once_and_no_value_repeated(tmp_path: Path) -> None:
    rows = [
        [*TWELVE, "手机号", "邮箱", "单位简称"],
        [*person(1, "张晓岚", "110105194912310021"), "139", "a@b.cn", ""],
        [*person(1, "李明", "11010519490230002X"), "", "无", "州"],
        [*person("甲", None, 440524188001010014), "", "", ""],
        [*person(4, "王五", "4405241880"), "", "", ""],
        [*person(5, "赵六", "#N/A", None), "", "", ""],
    ]
    path = save(tmp_path / "r.xlsx", rows)
    assert faults(path) == [
        (2, "A"),
        (2, "F"),
        (2, "M"),
        (3, "A"),
        (3, "F"),
        (3, "N"),
        (3, "O"),
        (4, "A"),
        (4, "B"),
        (4, "F"),
        (5, "F"),
        (6, "F"),
        (6, "J"),
    ]
    with pytest.raises(RosterError) as caught:
        read_roster(path)
    for text in (caught.value.sentence.zh, caught.value.sentence.en):
        assert "花名册" in text
        for secret in ("110105194912310021", "4405241880", "张晓岚", "李明"):
            assert secret not in text
    assert "第 4 行 F 列“身份证号码”" in caught.value.sentence.zh
    assert "文本" in caught.value.sentence.zh


def test_number_that_excel_rounded_is_refused_even_if_its_checksum_fits(tmp_path: Path) -> None:
    rounded = next(
        n for n in range(110105195001010000, 110105195912310000, 10000) if is_valid(str(n))
    )
    path = save(tmp_path / "r.xlsx", [TWELVE, person(1, "张晓岚", rounded)])
    assert faults(path) == [(2, "F")]


@pytest.mark.parametrize("number", ["E12345678", "H0123456789", "沪M888888"])
def test_number_of_another_paper_is_kept_as_written_with_a_warning(
    tmp_path: Path, number: str
) -> None:
    roster = read_roster(save(tmp_path / "r.xlsx", [TWELVE, person(1, "张晓岚", number)]))
    assert roster.applicants[0].id_number == number
    assert any("2" in warning.en and number not in warning.en for warning in roster.warnings)


@pytest.mark.parametrize("number", ["1234567", "65280119850315", "6528011985031512AB"])
def test_number_that_may_be_a_mistyped_id_is_an_error(tmp_path: Path, number: str) -> None:
    assert faults(save(tmp_path / "r.xlsx", [TWELVE, person(1, "张晓岚", number)])) == [(2, "F")]


def test_same_id_is_an_error_and_same_name_a_warning(tmp_path: Path) -> None:
    twice = [TWELVE, person(1, "张晓岚"), person(2, "李明")]
    assert faults(save(tmp_path / "a.xlsx", twice)) == [(2, "F"), (3, "F")]
    names = [TWELVE, person(1, "张晓岚"), person(2, "张 晓岚", OTHER_ID)]
    roster = read_roster(save(tmp_path / "b.xlsx", names))
    assert len(roster.applicants) == 2
    assert "2, 3" in roster.warnings[0].zh and "张" not in roster.warnings[0].zh


def test_old_and_new_form_of_one_id_are_the_same_person(tmp_path: Path) -> None:
    rows = [TWELVE, person(1, "张晓岚"), person(2, "李明", "110105491231002")]
    assert faults(save(tmp_path / "r.xlsx", rows)) == [(2, "F"), (3, "F")]


def test_missing_numbers_are_the_next_free_ones(tmp_path: Path) -> None:
    rows = [TWELVE, person(None, "张晓岚"), person(1, "李明", OTHER_ID), person("", "王五", None)]
    roster = read_roster(save(tmp_path / "r.xlsx", rows))
    assert [a.number for a in roster.applicants] == [2, 1, 3]
    assert "第 4 行" in roster.warnings[0].zh


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.xlsx", b"PK\x03\x04 broken"),
        ("r.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken"),
        ("r.xls", b"<html><table><tr><td>a</td></tr></table></html>"),
        ("r.csv", b"\x00\x01\x02\xff\xff"),
        ("r.csv", b""),
        ("r.csv", "姓名,工作单位\n".encode()),
        ("r.csv", "姓名,年龄\n张晓岚,3\n".encode()),
    ],
)
def test_files_that_are_no_roster(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_roster(path)
    assert "r." in caught.value.sentence.zh and "请" in caught.value.sentence.zh


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_roster(tmp_path / "none.xlsx")
    with pytest.raises(UsageError):
        read_roster(tmp_path)


NATIVE, NATIVE_UNIT = "ئابدۇراخمان مەمەت", "ئورمانچىلىق ئىدارىسى"


@pytest.mark.parametrize(
    ("name_heading", "unit_heading"),
    [
        ("维文姓名", "维文单位"),
        ("民族文字姓名", "民族文字单位"),
        ("姓名（维文）", "工作单位（维文）"),
        ("姓名\n(维吾尔文)", "单位名称(维吾尔文)"),
        ("少数民族文字姓名", "民文工作单位"),
        ("姓名(民族文字)", "单位（民文）"),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_names_and_units_in_their_own_script(
    tmp_path: Path, name_heading: str, unit_heading: str, first: bool
) -> None:
    head, row = [name_heading, unit_heading], [f"{NATIVE}؛ مەمەت", NATIVE_UNIT]
    heads = [*head, *TWELVE] if first else [*TWELVE, *head]
    cells = person(1, "阿布都热合曼·买买提")
    rows = [heads, [*row, *cells] if first else [*cells, *row]]
    (one,) = read_roster(save(tmp_path / "r.xlsx", rows)).applicants
    assert (one.name, one.unit) == ("阿布都热合曼·买买提", "巴州林草局")
    assert one.native_names == (NATIVE, "مەمەت")
    assert one.native_units == (NATIVE_UNIT,)


@pytest.mark.parametrize("text", ["阿布都热合曼", "Abdurahman", "ئابدۇراخمان 2", "ئابدۇراخمان阿"])
def test_a_native_name_must_be_in_its_script(tmp_path: Path, text: str) -> None:
    rows = [[*TWELVE, "维文姓名"], [*person(1, "张晓岚"), text]]
    assert faults(save(tmp_path / "r.xlsx", rows)) == [(2, "M")]


def test_a_nation_column_is_no_script(tmp_path: Path) -> None:
    heads = [*TWELVE[:3], "民族", *TWELVE[4:]]
    (one,) = read_roster(save(tmp_path / "r.xlsx", [heads, person(1, "张晓岚")])).applicants
    assert (one.ethnicity, one.native_names) == ("汉", ())


def test_a_form_row_is_checked_like_a_sheet() -> None:
    values = {
        "name": "诸葛晓岚（曾用名：诸葛岚岚）",
        "unit": "库尔勒市第三中学",
        "unit_short": "市三中；三中",
        "former_units": "甲厂\n乙厂",
        "id_number": "",
    }
    person = check_row(values, 7)
    assert (person.number, person.name, person.former_names) == (7, "诸葛晓岚", ("诸葛岚岚",))
    assert person.unit_short == ("市三中", "三中")
    assert person.former_units == ("甲厂", "乙厂")
    assert person.id_number is None


def test_every_bad_value_of_a_form_row_is_named_by_its_field() -> None:
    values = {"name": "", "unit": "局", "phones": "无", "emails": "a@b", "id_number": "123"}
    with pytest.raises(RosterError) as caught:
        check_row(values, 1)
    fields = [field_of(cell.heading) for cell in caught.value.cells]
    assert fields == ["name", "phones", "emails", "id_number"]

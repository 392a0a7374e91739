"""A roster that came as .xls comes back saying and looking the same, with the outcome filled in."""

from __future__ import annotations

import base64
import io
import zlib
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlrd

from tests.webapp.result_round import name_of
from webapp.office.passed_roster import write_passed

# Saved by LibreOffice 7 as Excel 97: a merged title, coloured heads, borders, dates, a formula, a
# text that begins with =, a note, cells merged downwards, a hidden second sheet.
ROSTER = zlib.decompress(
    base64.b85decode(
        "c-rk)Z)}y-8Gp|EzW4UM{d-%BLcwyy35B-Ua#8C9d!Zt@2_3XLSu0q|y|nW}n+k?*(_KWeMKJ12n0GNVE=ZOvnKMh=hZ"
        "!h-nIF0g=iIVI6EI<6fe&|!3o=LF{hsHX_ufmn&3cPjGUdGaoj=bx&w0+D=RD_m&&l6apL+F;y3;f%+(kA`cp(br(G*b"
        "b7s5oAp-p(6=aao_;r}XJGAZw&gZ&Etyyqo=3xt4Dpv>%Zg-Nf4&qvrqL-=-6gx1h5q$4y+#f0mjG5P&Xhi77%?WP;9$"
        ")CA=w%=^WZQ#G1f42R6{wskheFac8Py<{C)B>|aCx~tUW&?A8I$$m^54aJi2j&A2;3i-Ja5L~F;1*yZun1@X76VIwMxY"
        "6329^T10xdu*undR-%YoZ~+krcPHsDU+%W|I)tpHY<`L~;tu^Raf;2uM}7wOtBh@A_$*u`LgeqAxnTP}Nl8XEBn=Y;6R"
        "M?fzPvu<?sCHo`)tFT(e(5H9|V^GqS%7Lz0^fFLMuM7PxiC2pLA;c)sW_0=?D<-3VR^kN`S0YyQE8+QzP+FmhABdhmFU"
        "LSpiRz#}O41;0gC!h9i#mFTPuO>*1)mSKN@}>()z#KgOmXd7mL9XE-u-b`XDhTjj}BCUYZK1O*XVx4Uj_Fd?DQb5M`<m"
        "sCg%7+PU-YHYK6le8OuJ{qh;sOi;(TF;B+~xB4pG%<#dGY(c1W~_()%}-l?Y7*cOc<^fvF@+1tE*d%Y8)qpYMYOIun_i"
        "6uHh|MVhxR&OlAbQUV~kEchsiloyQj(!AdS7@CZb^FX@`r;|*O;ga9OhFG7qz7a?HQM;+(M$Ys4pd+7I<7-bV+GS)pWa"
        "~TrhRA%x(nSCdedb3(Sr0czaKX@o);}tr^w?poU$dYP6Z{cNjZ{UmnxC8HWl!G04v<)-}E#l86ELG?r{N`6q8JpN=Zzd"
        "85<izlA?6lqjWTZrsFh@_6d9*H%y>B?g^h~`qcfUOm`_Q5N()m9Q>Y_rZmc48ocP&8&6X-;Zbya9CWm1q=5vwPo(Ma;l"
        "sG16BJD+<f@JWX#r?a@PhD&Smpz;(?haWwtC~Kita-j58$l7U7@Yi#|JADhlp<iMJJRC5OqJR=p5`dJd(^eWR-#$(MMN"
        "%H8$n`RIR*xl*%%Ea~wxQm-Z=mI_{W?A&yb~-^1G1abag%_%iMVxI6!*T2*8Gohk}ha6DRo<+OXt(Jk+eCVFc3KK`vwz"
        "jMPTJ#coW99*clcAndEp$o}-n=868_%jdpc0SOxz7yGhZJfX7Onm+hn^bhqYukdGK)W@uu)FU0-#iC~lFet6pnP($=jm"
        "m8Hg9k!WK+|(Td8?NqKADmg^^oG(e%L9ANANgDCTJu&&@(@mV1uRy{rH?*jCcnB(E7CtSpoAnW9%Pq0L{rXhUS{!1q1e"
        "JvG!;qCLcZcNUPd2eV9Su^Xw~jqqjeMmhT1js@lGxmva-3>nQG^Ui&AdtLihp{H`^hi>8HLrrQQYEC#ygria7r=+d#hV"
        "B>I(-JSt@}F&Al$USF<}>Y!^YX94X$WCdB&udXT9cYx9^8N8kyGt{s^|e(;wNO<ik@++g!>7Z5u`Tc%1}b(*OOJL-2sW"
        "k(YC@Se^Q)*n5q(*5?YgX9}LYZK(h<boJq7x;>P>iaZHq0p_KcA(ng5`&#^8kl&oyYLdnjSY?PdA$&sHyzZ5_zm@NfS;"
        "+Z}PEwJSGz^~&Sn=LD^OBPC@Y)czI5DU&Q|4k@4@+-k6X?aX%%Ba4U>J`;n6tr~*0d!EB?JkH?nd#0J!G4`Bg3Gfd7F>"
        "~S$$}Re!FEnC-FBH^OAA(35RC%pTz3^juF`bnh|o$S#u1@a*%Av4XIrw+B}S-|H`~jF+FIx_>41guVxGZ<T4szv8F3Kb"
        "c?x6etxQ<Sp~|?v{d3rY*_ltok~x_MQHD?^T;OlfqEg}GnFLIGzJq>JuIbztFKU-6%RK2{L9pX2=X;_^+QL30s+f{^pY"
        "puZv|sVR;Bghk*v5p;_FU21ito9Tib=nh_&tgLDDj`<p77LcES+Sj-QxW^Zd<aqVX^95alz&#v*>l;DF3U9ukbJo_AIQ"
        "{98!~JS^*_}<%K^SJ9KVc`!nmR@7nlaLu;<~yeMgf^zkO{fttJ(((ASY>!aERF7~VtLaC|LVII1-L?oXncm#J_HS}gs|"
        "F|&kc4>Aa?@R92oWl-WKs((04N?A|{^#4IUTHE_Hug=XDq!N~%B#eA{86y(ualPst^3OO1+4om#pu4Pbzk<3u71z*-_$"
        "2OyHvm7gk7yHW4h{IeluA=*grD#*id43WX<0GcrtS59nIZ++v3S&TsC_3U?S0WHE%~Mr=c?n6P|cxh5Dsa2VVKd#m<57"
        "&t7n;anUdT%q#wqx$=}*L)N=>=AEh6tj>UWZ`y6%oKoi9>5w^2f4ijLkeFv^IKFFmbZ?T(yOL$zg<^SQxg!6SPxpT~`k"
        "~6tf7bICPxJlXzW?&lx#1Uoi1{~N{5iib1t!sY%{!Sg2<Of5e&fB8c`H-qP0KR#@I6{yt5w6p55`9x8ywno`5N*1Mwhl"
        "uIsVV`{a406NrwyZ$efJ%{5qtM(4+9*c^r=xz5X@Y)slI7MZBv%Ughg)2juRgVd}&fzBwcLcHSH8ba?It?#rH&PD)aI#"
        "^;ZHoMPX9W9F?^JE2{)2lL-aeX{rWK?@SHCrsgYm?2Q64h=?rposNf1-z4$e-9+|%NXLKfyIrdZ3gpS1N`*b`@e+$02="
        "7WnE"
    )
)
# Saved by xlwt: dates that count from 1904, frozen below the header and beside the name, a truth
# value, no column for the outcome.
MAC_ROSTER = zlib.decompress(
    base64.b85decode(
        "c-rk)O-NKx6#nj;H$M)}IAa=Updw^t6QXU}=*ys7Icged+K=WGVQCDxu%OJJRYgIoqK#mSHkPZ3B5D&6f{{WH1X{Ri6%"
        "<LRuXE0OGyX*2KnlkD9{1dH&OP_s^X~t9@5aMZL!-IVSb++-uwbUavqYyTr6q(AsN6J}P2@gGrh^TIG#?G5$Bk!!F)xo"
        "HkM}e*Jknng1wK=1!FfcxI%5Uvh<y@6tKt~Si7MP9O%OQ}Ri@CBLN^J0D3;HK?iI}qq2**drH)|Sh!*d$XK|xe2=*8h`"
        "dI3G6zfuC;|<T^E4P$o>qce#OzYVVR*<KsV;D4`Rk6-koaF%S^ZM)|l$<MRpF$Q5^)P;z1;F>jntoZ}=+{@TK>FF`dhc"
        "KKJ{rQ6`rDcg^ujzLOJtCyw4rl}OO5sg8m`yPp;5MFPGoWO*w1>(CYk~bI@HY3mYPHL)iuQas>|=5iRGUrcJ^BHKv{QF"
        "l-S6nQtXPJYEEi%ENz)+{d^qA_7PgPeFS7#r4wyOhVWroTp@~L?!mYB)or!LanbZjT-L#|mEQy=u5t~k9F!7wk`_yiok"
        "IJ>>lWd2g=Ucr<wdpGHglj~YzCyXh}zjLm@u|2;kOe%__gjy-ryHw2k|3S(-*TwJ{UtNq=T-V>hsf&h>EDYcNkBNM6T>"
        "j=#$W#KQ<(v7LwR?nD*(JfqD3a4GXm-?j4nsG`p`X$wiXO_NAmB7JXgT{Gtm>pR>IZUwTqvU)*z+rHkTyJxM!+<|9d$R"
        "@tw%B1X2>#IN7>WR0LFDY0L#?N<}OZznBZy1dV#FQs`z7e<Aai5KjaHs?iD+TNA4=!XLb4jede;J|@{HHVT*C*+!`+gE"
        "MA>Ur(|I`fnkoZlq>Ee@iKo(uF@xgVXB$I+A0{Mih*O88Q%tdsa($T&=`$I*c{iK8Rs`AZ*RYU%r|x?<?xEumD~Uq~g+"
        "HE#bm8Kmq3"
    )
)
DECISIONS = {(1, name_of(1)): "pass", (2, name_of(2)): "fail"}


@pytest.fixture
def after(tmp_path: Path) -> openpyxl.Workbook:
    path = tmp_path / "r.xls"
    path.write_bytes(ROSTER)
    written = write_passed(path, DECISIONS)
    assert (written.suffix, written.rows, written.left) == (".xlsx", 2, (f"3 {name_of(3)}",))
    assert written.note is not None and "公式保留为数值" in written.note.zh
    return openpyxl.load_workbook(io.BytesIO(written.data))


def test_the_outcome_is_filled_in_and_no_other_cell_changes(after: openpyxl.Workbook) -> None:
    before = xlrd.open_workbook(file_contents=ROSTER)
    assert after.sheetnames == before.sheet_names() == ["花名册", "说明"]
    sheet = after["花名册"]
    assert [sheet.cell(row, 6).value for row in range(2, 6)] == ["是否通过", "是", "否", None]
    checked = 0
    for old in before.sheets():
        for r in range(old.nrows):
            for c in range(old.ncols):
                told, cell = old.cell(r, c), after[old.name].cell(r + 1, c + 1)
                if (old.name, c) == ("花名册", 5) and r > 1:
                    continue
                value = cell.value
                if told.ctype == xlrd.XL_CELL_DATE:
                    assert cell.is_date
                    assert value == xlrd.xldate_as_datetime(told.value, old.book.datemode)
                else:
                    assert ("" if value is None else value) == told.value, cell.coordinate
                checked += told.value != ""
    assert checked == 26
    assert sheet["G4"].value == "=注" and sheet["G4"].data_type == "s"


def test_it_looks_the_same(after: openpyxl.Workbook) -> None:
    sheet = after["花名册"]
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["A1:G1", "G4:G5"]
    assert after["说明"].sheet_state == "hidden"
    assert sheet.column_dimensions["C"].width == pytest.approx(40, abs=1)
    assert sheet.row_dimensions[1].height == pytest.approx(36, abs=1)
    title, head, plain = sheet["A1"], sheet["B2"], sheet["F4"]
    assert (title.font.name, title.font.sz, title.font.b) == ("黑体", 16, True)
    assert (title.alignment.horizontal, title.alignment.vertical) == ("center", "center")
    assert (head.font.b, head.font.color.rgb, head.fill.fgColor.rgb) == (
        True, "FFC00000", "FFFFFF99",
    )  # fmt: skip
    assert (plain.border.left.style, plain.border.top.style) == ("thin", "double")
    assert (plain.font.name, plain.font.b, plain.fill.fill_type) == ("宋体", False, None)
    assert sheet["D3"].number_format.lower() == "yyyy\\-mm\\-dd"
    assert sheet["E3"].number_format == "0.00" and sheet["E3"].value == 20.5
    assert sheet["B3"].comment.text.strip() == "核对"
    assert after["说明"]["A1"].font.i


def test_dates_from_1904_frozen_panes_and_a_new_column(tmp_path: Path) -> None:
    path = tmp_path / "r.xls"
    path.write_bytes(MAC_ROSTER)
    written = write_passed(path, DECISIONS)
    sheet = openpyxl.load_workbook(io.BytesIO(written.data))["花名册"]
    assert sheet.freeze_panes == "C2"
    assert [cell.value for cell in sheet["F"]][:3] == ["是否通过", "是", "否"]
    assert [sheet.cell(row, 4).value.date() for row in (2, 3)] == [
        date(1986, 2, 20),
        date(1986, 2, 21),
    ]
    assert sheet["E2"].value is True and sheet["D2"].number_format.lower() == "yyyy/m/d"

"""An Excel 97 workbook as an .xlsx that says and looks the same, because nothing writes .xls well.

xlrd reads what cells say and how they look; formulas stay as their last values.
"""

from __future__ import annotations

import xlrd
from openpyxl import Workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Color, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

# The numbers of [MS-XLS] 2.5.280 and its neighbours, in their order.
_LINES = (
    None, "thin", "medium", "dashed", "dotted", "thick", "double", "hair", "mediumDashed",
    "dashDot", "mediumDashDot", "dashDotDot", "mediumDashDotDot", "slantDashDot",
)  # fmt: skip
_PATTERNS = (
    None, "solid", "mediumGray", "darkGray", "lightGray", "darkHorizontal", "darkVertical",
    "darkDown", "darkUp", "darkGrid", "darkTrellis", "lightHorizontal", "lightVertical",
    "lightDown", "lightUp", "lightGrid", "lightTrellis", "gray125", "gray0625",
)  # fmt: skip
_ACROSS = (
    "general", "left", "center", "right", "fill", "justify", "centerContinuous", "distributed",
)  # fmt: skip
_UPRIGHT = ("top", "center", "bottom", "justify", "distributed")
_UNDERLINES = {1: "single", 2: "double", 0x21: "singleAccounting", 0x22: "doubleAccounting"}
_STATES = ("visible", "hidden", "veryHidden")


def modern(data: bytes) -> Workbook:
    """The workbook of an .xls file that xlrd can read: cells, looks, widths, merges, notes."""
    old = xlrd.open_workbook(file_contents=data, formatting_info=True)
    new = Workbook()
    new.remove(new.worksheets[0])
    if old.datemode:
        new.epoch = CALENDAR_MAC_1904
    looks: dict[int, _Look] = {}
    for sheet in old.sheets():
        made = new.create_sheet(sheet.name)
        for r in range(sheet.nrows):
            for c in range(sheet.ncols):
                cell = sheet.cell(r, c)
                number = cell.xf_index
                if number is None:
                    continue
                if number not in looks:
                    looks[number] = _Look(old, old.xf_list[number])
                looks[number].put_on(made.cell(r + 1, c + 1))
                _say(made, r, c, cell)
        _lay_out(sheet, made)
    return new


class _Look:
    """How a cell looks."""

    def __init__(self, book: xlrd.book.Book, xf: xlrd.formatting.XF) -> None:
        font = book.font_list[xf.font_index]
        self.font = Font(
            name=font.name,
            sz=font.height / 20,
            b=font.weight > 550,  # the bit for bold is not always set
            i=bool(font.italic),
            strike=bool(font.struck_out),
            u=_UNDERLINES.get(font.underline_type),
            color=_color(book, font.colour_index),
        )
        fill = xf.background
        pattern = _named(_PATTERNS, fill.fill_pattern)
        self.fill = PatternFill(
            pattern,
            fgColor=_color(book, fill.pattern_colour_index) or Color(),
            bgColor=_color(book, fill.background_colour_index) or Color(),
        )
        edges = xf.border
        self.border = Border(
            **{
                side: Side(
                    _named(_LINES, getattr(edges, f"{side}_line_style")),
                    _color(book, getattr(edges, f"{side}_colour_index")),
                )
                for side in ("left", "right", "top", "bottom")
            }
        )
        lie = xf.alignment
        self.alignment = Alignment(
            _named(_ACROSS, lie.hor_align),
            _named(_UPRIGHT, lie.vert_align),
            textRotation=lie.rotation,
            wrap_text=bool(lie.text_wrapped),
            shrink_to_fit=bool(lie.shrink_to_fit),
            indent=lie.indent_level,
        )
        self.number_format = book.format_map[xf.format_key].format_str

    def put_on(self, cell: object) -> None:
        for name, value in vars(self).items():
            setattr(cell, name, value)


def _named(names: tuple[str | None, ...], number: int) -> str | None:
    return names[number] if number < len(names) else None


def _color(book: xlrd.book.Book, index: int) -> Color | None:
    """A colour of the palette; None for the one of the system."""
    rgb = book.colour_map.get(index)
    return None if rgb is None else Color(rgb="FF{:02X}{:02X}{:02X}".format(*rgb))


def _say(made: Worksheet, r: int, c: int, old: xlrd.sheet.Cell) -> None:
    if old.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return
    cell = made.cell(r + 1, c + 1)
    if old.ctype == xlrd.XL_CELL_ERROR:
        cell.value, cell.data_type = xlrd.error_text_from_code.get(old.value, "#N/A"), "e"
    elif old.ctype == xlrd.XL_CELL_BOOLEAN:
        cell.value = bool(old.value)
    elif old.ctype == xlrd.XL_CELL_TEXT:
        cell.value, cell.data_type = old.value, "s"  # a text that begins with = is no formula
    else:
        # A date is a number here as there; its format makes it one.
        cell.value = int(old.value) if float(old.value).is_integer() else old.value


def _lay_out(sheet: xlrd.sheet.Sheet, made: Worksheet) -> None:
    for low, high, left, right in sheet.merged_cells:
        made.merge_cells(None, low + 1, left + 1, high, right)
    for c, column in sheet.colinfo_map.items():
        place = made.column_dimensions[get_column_letter(c + 1)]
        place.width, place.hidden = column.width / 256, bool(column.hidden)
    for r, row in sheet.rowinfo_map.items():
        if row.height_mismatch:
            made.row_dimensions[r + 1].height = row.height / 20
        made.row_dimensions[r + 1].hidden = bool(row.hidden)
    if sheet.panes_are_frozen and (sheet.horz_split_pos or sheet.vert_split_pos):
        corner = get_column_letter(sheet.vert_split_pos + 1)
        made.freeze_panes = f"{corner}{sheet.horz_split_pos + 1}"
    made.sheet_state = _named(_STATES, sheet.visibility) or "visible"
    for (r, c), note in sheet.cell_note_map.items():
        cell = made.cell(r + 1, c + 1)
        if not isinstance(cell, MergedCell):
            cell.comment = Comment(note.text, note.author or "")

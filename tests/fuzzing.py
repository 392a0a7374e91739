"""Small valid files of every kind that is read here, ways to damage them, and who reads them."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import openpyxl
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pagesizes import A6
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from models.errors import RuleError as StoreError
from redactor.archive import Budget, unpack
from redactor.errors import RedactorError
from redactor.file_format import is_pdf
from redactor.intake import open_scans
from redactor.loading import Limits, open_file
from redactor.roster import read_roster
from scoring.example_rounds import EXAMPLES
from scoring.examples import example_policy
from scoring.policy_files import policy_from_document, shipped_policy
from scoring.round_json import read_round_json, round_document, round_from_document
from scoring.round_template import write_round_workbook
from scoring.round_xlsx import read_round_xlsx
from tests.redactor.test_roster import OLD_ROSTER
from webapp.office.expert_list import experts_of_file, pasted_experts
from webapp.policy_texts import own_policy, shipped_text

SMALL = Limits(file_bytes=5_000_000, pixels=4_000_000, pages=20)
"""What a damaged file may ask for is far beyond this, and must be refused before it is given."""
ROOM = Budget(total_bytes=50_000_000, entries=200, entry_bytes=5_000_000)
BIG = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
COLOUR_TIFFS = ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")
ODD_CELLS: tuple[object, ...] = (
    "", " ", "9" * 400, "-1", "1e999", "NaN", "２０２４", "2024-02-30", "\u202e诸葛", "诸" * 2_000,
    -1, 10**15, 1.5, True, None, "=1/0", "#REF!", "a\nb", "0", "R01", "<b>", "&#0;",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One reader: the files that it is given, and the errors that it may raise."""

    name: str
    files: Callable[[], st.SearchStrategy[bytes]]
    read: Callable[[bytes, Path], object]
    errors: tuple[type[Exception], ...]


def explore(target: Target, folder: Path, *, times: int, start: int = 0) -> None:
    """Lets the target read `times` damaged files; any other error than its own is raised."""

    @seed(start)
    @settings(
        max_examples=times,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(target.files())
    def read(data: bytes) -> None:
        outcome(target, data, folder)

    read()


def outcome(target: Target, data: bytes, folder: Path) -> str:
    """Name of the error by which the file was refused, "" when it was read."""
    try:
        target.read(data, folder)
    except target.errors as error:
        return type(error).__name__
    return ""


# -- damage


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """A sample with flipped bits, false lengths, and parts cut, doubled or taken from another."""
    data = bytearray(draw(st.sampled_from(list(samples))))
    for _ in range(draw(st.integers(1, 4))):
        # The head tells lengths and sizes; it matters most.
        most = draw(st.sampled_from((16, 64, 256, len(data))))
        at = draw(st.integers(0, max(0, min(most, len(data)) - 1)))
        act = draw(st.sampled_from(("bit", "bit", "length", "length", "cut", "double", "splice")))
        if act == "bit" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif act == "length":
            form = draw(st.sampled_from((">I", "<I", ">H", "<H")))
            value = draw(st.sampled_from(BIG)) & (0xFFFFFFFF if form[1] == "I" else 0xFFFF)
            data[at : at + struct.calcsize(form)] = struct.pack(form, value)
        elif act == "cut":
            end = at + draw(st.integers(1, 64))
            del data[at : None if draw(st.booleans()) else end]
        elif act == "double":
            part = data[at : at + draw(st.integers(1, 64))]
            data[at:at] = part * draw(st.sampled_from((1, 2, 50)))
        elif act == "splice":
            other = draw(st.sampled_from(list(samples)))
            begin = draw(st.integers(0, max(0, len(other) - 1)))
            data[at:at] = other[begin : begin + 200]
    return bytes(data)


@st.composite
def damaged_archives(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """The same within one member, packed again, so that no checksum gives it away."""
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged(samples))
    sample = draw(st.sampled_from(list(samples)))
    with zipfile.ZipFile(io.BytesIO(sample)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    name = draw(st.sampled_from(sorted(members)))
    act = draw(st.sampled_from(("damage", "damage", "drop", "swap", "empty")))
    if act == "damage":
        members[name] = draw(damaged([members[name]]))
    elif act == "drop":
        del members[name]
    elif act == "swap":
        members[name] = members[draw(st.sampled_from(sorted(members)))]
    else:
        members[name] = b""
    return packed_file(members)


def packed_file(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return out.getvalue()


@st.composite
def odd_documents(draw: st.DrawFn, samples: Sequence[object]) -> bytes:
    """JSON of which one or two values are of another kind, missing or doubled."""
    document = json.loads(json.dumps(draw(st.sampled_from(list(samples)))))
    for _ in range(draw(st.integers(1, 2))):
        place, key = document, None
        while isinstance(place, dict | list) and place and (key is None or draw(st.booleans())):
            held = place if key is None else place[key]
            if not isinstance(held, dict | list) or not held:
                break
            place = held
            key = draw(
                st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
            )  # type: ignore[type-var]
        if key is None:
            break
        if draw(st.integers(0, 4)) == 0:
            del place[key]
        else:
            place[key] = draw(st.sampled_from(ODD_CELLS) | st.sampled_from(([], {}, [[]], [None])))
    return json.dumps(document).encode()


# -- samples


@cache
def pictures() -> tuple[bytes, ...]:
    """48 x 32 pixels in every format that is read."""
    rng = np.random.default_rng(9)
    colour = Image.fromarray(rng.integers(0, 255, (32, 48, 3), np.uint8), "RGB")
    grey, ink = colour.convert("L"), colour.convert("1")
    made = [
        _saved(colour, "JPEG", dpi=(300, 300)),
        _saved(colour, "JPEG", progressive=True),
        _saved(colour.convert("CMYK"), "JPEG"),
        _saved(colour, "PNG", dpi=(300, 300)),
        _saved(colour.convert("P"), "PNG", transparency=3),
        _saved(Image.fromarray(rng.integers(0, 65535, (32, 48)).astype(np.uint16)), "PNG"),
        _saved(colour, "BMP"),
        _saved(colour.convert("P"), "GIF"),
        _saved(colour, "WEBP"),
        _saved(colour, "WEBP", lossless=True),
        _saved(colour, "HEIF", quality=50),
        _saved(colour, "TIFF"),
        *(
            _saved(colour, "TIFF", compression=c)
            for c in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")
        ),
        *(_saved(ink, "TIFF", compression=c) for c in ("group3", "group4")),
        _saved(grey, "TIFF", save_all=True, append_images=[colour, ink]),
        _saved(Image.fromarray(rng.random((32, 48)).astype(np.float32)), "TIFF"),
    ]
    exif = Image.Exif()
    exif[274] = 6
    made.append(_saved(colour, "JPEG", exif=exif))
    return tuple(made)


def _saved(image: Image.Image, form: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **how)  # type: ignore[arg-type]
    return out.getvalue()


@cache
def pdfs() -> tuple[bytes, ...]:
    """Pages with text, a picture over the whole page, a form and turned pages; packed and not."""
    made = []
    for packed in (0, 1):
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=A6, pageCompression=packed, invariant=1)
        canvas.drawString(30, 200, "Li Jianguo 652899198501014510")
        canvas.acroForm.textfield(name="n", value="x", x=30, y=100, width=90, height=20)
        canvas.showPage()
        canvas.setPageRotation(90)
        picture = ImageReader(io.BytesIO(pictures()[0]))
        canvas.drawImage(picture, 0, 0, *A6)
        canvas.showPage()
        canvas.save()
        made.append(out.getvalue())
    return tuple(made)


@cache
def archives() -> tuple[bytes, ...]:
    inner = packed_file({"a.jpg": pictures()[0], "诸葛/b.png": pictures()[3]})
    return inner, packed_file({"1/a.jpg": pictures()[0], "2/内层.zip": inner, "3/": b""})


@cache
def rosters() -> tuple[bytes, ...]:
    """A roster with a title, merged cells and dates."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["花名册"])
    sheet.append(["序号", "姓名", "工作单位", "身份证号码", "申报专业", "联系电话"])
    for n, name in enumerate(("诸葛晓岚", "李建国", "阿不都热合曼·买买提"), 1):
        sheet.append([n, name, f"第{n}中学", "652899198501014510", "林学", 13_900_000_000 + n])
    sheet.merge_cells("A1:F1")
    sheet.merge_cells("C3:C4")
    out = io.BytesIO()
    book.save(out)
    return (out.getvalue(),)


@cache
def roster_texts() -> tuple[bytes, ...]:
    text = '序号,姓名,工作单位,身份证号码\n1,诸葛晓岚,一中,652899198501014510\n2,李建国,"甲\n乙",\n'
    return tuple(text.encode(name) for name in ("utf-8-sig", "gb18030", "utf-16"))


@cache
def rounds() -> tuple[dict[str, object], ...]:
    return tuple(example.document() for example in EXAMPLES)


@cache
def round_books() -> tuple[bytes, ...]:
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for example in EXAMPLES[:2]:
            policy = example_policy(example.policy)
            round_ = round_from_document(example.document(), policy)
            write_round_workbook(Path(folder) / "a.xlsx", policy, round_)
            made.append((Path(folder) / "a.xlsx").read_bytes())
    return tuple(made)


@cache
def policies() -> tuple[bytes, ...]:
    return tuple(shipped_text(name).encode() for name in ("science_bazhou_2024",)) + (
        b'extends = "science_bazhou_2024"\n[[criterion]]\nid = "a"\nname = "a"\nmax = "60"\n'
        b'step = "0.5"\n[rounding]\nplaces = 2\nmode = "half_up"\n',
    )


# -- who reads


def _load(data: bytes, folder: Path) -> None:
    path = _written(data, folder)
    with open_file(path, SMALL) as file:
        for number in range(min(file.count, 3)):
            pixels = file.page(number).pixels
            assert pixels.dtype == np.uint8
            assert pixels.shape[0] * pixels.shape[1] <= SMALL.pixels or is_pdf(data)


def _unpacked(data: bytes, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        target = Path(place) / "inside"
        target.mkdir()
        (Path(place) / "a.zip").write_bytes(data)
        unpack(Path(place) / "a.zip", target, "a.zip", Budget(**vars(ROOM) | {"problems": []}))
        assert sorted(p.name for p in Path(place).iterdir()) == ["a.zip", "inside"]


def _listed(data: bytes, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "scans.zip"
        path.write_bytes(data)
        with open_scans(path, Budget(**vars(ROOM) | {"problems": []})) as intake:
            assert all(Path(file.path).exists() for file in intake.files)


def _round_json(data: bytes, folder: Path) -> None:
    policy = shipped_policy("science_bazhou_2024")
    round_document(read_round_json(_written(data, folder), policy))


def _round_book(data: bytes, folder: Path) -> None:
    read_round_xlsx(_written(data, folder, ".xlsx"), example_policy(EXAMPLES[0].policy))


def _pasted(data: bytes, _folder: Path) -> None:
    pasted_experts(data.decode("utf-8", "replace"))


def _written(data: bytes, folder: Path, ending: str = ".bin") -> Path:
    path = folder / f"file{ending}"
    path.write_bytes(data)
    return path


READ = (RedactorError,)
RULES = (RedactorError, StoreError)
TARGETS = (
    Target("pictures", lambda: damaged(pictures()), _load, READ),
    Target("pdf", lambda: damaged(pdfs()), _load, READ),
    Target("zip", lambda: damaged_archives(archives()), _unpacked, (zipfile.BadZipFile, OSError)),
    Target("scans", lambda: damaged_archives(archives()), _listed, READ),
    Target(
        "roster",
        lambda: damaged_archives(rosters()),
        lambda d, f: read_roster(_written(d, f)),
        READ,
    ),
    Target(
        "old roster",
        lambda: damaged([OLD_ROSTER]),
        lambda d, f: read_roster(_written(d, f)),
        READ,
    ),
    Target(
        "roster text",
        lambda: damaged(roster_texts()),
        lambda d, f: read_roster(_written(d, f)),
        READ,
    ),
    Target(
        "experts",
        lambda: damaged_archives(rosters()),
        lambda d, f: experts_of_file("a.xlsx", d, f),
        RULES,
    ),
    Target("pasted experts", lambda: damaged(roster_texts()), _pasted, RULES),
    Target("policy", lambda: damaged(policies()), lambda d, _: own_policy("a.toml", d), RULES),
    Target(
        "policy document",
        lambda: odd_documents([shipped_policy("science_bazhou_2024").document()]),
        lambda d, _: policy_from_document(json.loads(d)),
        RULES,
    ),
    Target("round document", lambda: odd_documents(rounds()), _round_json, RULES),
    Target(
        "round text",
        lambda: damaged([json.dumps(r, ensure_ascii=False).encode() for r in rounds()]),
        _round_json,
        RULES,
    ),
    Target("round workbook", lambda: damaged_archives(round_books()), _round_book, RULES),
)

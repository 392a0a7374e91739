"""A run refuses early what would end badly, and destroys nothing that is not its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from redactor.assembly import BlindPage
from redactor.batch import Order, Outcome, redact
from redactor.errors import ExitCode, Sentence, UsageError
from redactor.file_job import PageRecord
from redactor.profile import STRICT
from tests.redactor.golden.sets import small_set, write_roster


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """A run that could start: nothing is wrong with it."""
    scans, roster = small_set(tmp_path / "in", 1)
    blind, vault = tmp_path / "out" / "blind", tmp_path / "out" / "vault"
    return Order(scans, roster, blind, vault, STRICT, 1, False, "jpg")


def refused(order: Order, *, written: bool = False) -> str:
    """The sentence of a run that must not start; nothing was written."""
    out = order.scans.parents[1] / "out"
    before = sorted(out.rglob("*")) if out.exists() else []
    with pytest.raises(UsageError) as error:
        redact(order, lambda done, total: None)
    assert (sorted(out.rglob("*")) if out.exists() else []) == before
    return error.value.sentence.en


def test_folders_inside_each_other(order: Order) -> None:
    for blind, vault in (
        (order.blind, order.blind / "vault"),
        (order.vault / "blind", order.vault),
        (order.blind, order.blind),
        (order.scans / "blind", order.vault),
        (order.blind, order.scans / "01诸葛晓岚" / "vault"),
    ):
        assert "separate folders" in refused(replace(order, blind=blind, vault=vault))
    assert not (order.scans / "blind").exists()


def test_an_output_folder_that_is_not_empty(order: Order) -> None:
    order.blind.mkdir(parents=True)
    (order.blind / "thesis.docx").write_text("mine")
    assert "--resume" in refused(order)
    (order.blind / "thesis.docx").unlink()
    order.blind.rmdir()
    order.blind.write_text("a file")
    assert "not a folder" in refused(order)


def test_resume_into_a_folder_of_other_things_destroys_nothing(order: Order) -> None:
    """--resume clears BLIND to lay it out anew: the wrong folder must not be cleared."""
    mine = order.blind / "thesis"
    mine.mkdir(parents=True)
    (mine / "chapter1.docx").write_text("mine")
    refused(replace(order, resume=True))
    assert (mine / "chapter1.docx").read_text() == "mine"


def test_resume_with_the_blind_dossiers_of_another_vault_destroys_nothing(order: Order) -> None:
    dossier = order.blind / "K7QF-3M"
    dossier.mkdir(parents=True)
    (dossier / "001.jpg").write_bytes(b"a page of another round")
    (order.blind / "manifest.json").write_text("{}")
    refused(replace(order, resume=True))
    assert (dossier / "001.jpg").exists()


def test_scans_inside_the_blind_folder_are_not_cleared_either(order: Order) -> None:
    refused(replace(order, blind=order.scans.parent, resume=True))
    assert any(order.scans.rglob("*.jpg"))


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_place_below_a_regular_file(order: Order, mode: int) -> None:
    """Read-only for root, too."""
    file = order.scans.parents[1] / "file"
    file.write_text("")
    file.chmod(mode)
    for place in (
        replace(order, blind=file / "blind"),
        replace(order, vault=file / "vault"),
    ):
        assert "Choose another place" in refused(place) or "cannot be used" in refused(place)


def test_no_folder_of_anyone(order: Order) -> None:
    roster = write_roster(order.roster.with_name("b.csv"), [("7", "赵六", "男", "", "某局", "")])
    sentence = refused(replace(order, roster=roster))
    assert "01诸葛晓岚" in sentence
    assert "材料目录" in sentence


def test_no_roster_and_no_scans(order: Order) -> None:
    assert str(order.roster.with_name("none.xlsx").name) in refused(
        replace(order, roster=order.roster.with_name("none.xlsx"))
    )
    assert "none" in refused(replace(order, scans=order.scans.with_name("none")))


def page(state: str) -> BlindPage:
    record = PageRecord(1, "a", 0, "论文", state, "", 1.0)
    return BlindPage("K7QF-3M", 1, record, None, None)


@pytest.mark.parametrize(
    ("states", "problems", "code"),
    [
        (["clean", "clean"], 0, ExitCode.OK),
        ([], 0, ExitCode.OK),
        (["clean", "review"], 0, ExitCode.REVIEW),
        (["clean", "review", "failed"], 0, ExitCode.FAILED),
        (["clean"], 1, ExitCode.FAILED),
    ],
)
def test_the_exit_code_tells_the_worst(states: list[str], problems: int, code: ExitCode) -> None:
    left_out = tuple(("x", Sentence("坏", "bad")) for _ in range(problems))
    assert Outcome(tuple(map(page, states)), left_out, (), 1.0).exit_code is code

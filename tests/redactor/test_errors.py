"""Messages are Chinese unless the user or the machine says English."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import models.errors
import redactor.errors
from redactor.errors import ExitCode, OutputError, RedactorError, UsageError

NAMES = ("MANGPING_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.mark.parametrize("sentence", [redactor.errors.Sentence, models.errors.Sentence])
@pytest.mark.parametrize(
    ("set_to", "expected"),
    [
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "MANGPING_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "MANGPING_LANG": "en"}, "en"),
    ],
)
def test_language_is_the_one_said_first(
    monkeypatch: pytest.MonkeyPatch,
    sentence: Callable[[str, str], object],
    set_to: dict[str, str],
    expected: str,
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert str(sentence("zh", "en")) == expected


def test_an_error_says_itself_in_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RedactorError("打不开。", "Cannot be opened.")
    monkeypatch.setenv("MANGPING_LANG", "zh")
    assert str(error) == "打不开。"
    monkeypatch.setenv("MANGPING_LANG", "en")
    assert str(error) == "Cannot be opened."


def test_exit_codes_are_those_of_the_contract() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 130]
    assert UsageError("", "").exit_code == 2
    assert OutputError("", "").exit_code == 3

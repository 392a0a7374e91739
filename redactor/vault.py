"""The vault's folder: codes, records of finished files, staged pages; survives interruption."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from redactor.blind_code import new_codes
from redactor.errors import UsageError
from redactor.file_job import PageRecord, record_from_json
from redactor.whole_file import write_whole


class Vault:
    """Paths and small files below VAULT; everything is private to the user who made it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.staging = folder / "staging"
        self.records = folder / "records"
        self.held = folder / "review"
        self.thumbnails = folder / "thumbnails"
        self.copies = folder / "copies"

    def create(self, resume: bool) -> None:
        """Makes the folders, mode 0700; UsageError when there is an earlier run and no resume."""
        if not resume and self.records.exists():
            raise UsageError(
                f"保险库文件夹 {self.folder} 里已有一次运行的结果。"
                "要继续那次运行，请加 --resume；要重新开始，请另选一个空文件夹。",
                f"The vault folder {self.folder} holds the results of an earlier run. Add --resume "
                "to go on with it, or choose an empty folder to start anew.",
            )
        for folder in (
            self.folder,
            self.cache,
            self.staging,
            self.copies,
            self.records,
            self.held,
            self.thumbnails,
        ):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
            except OSError as error:
                raise UsageError(
                    f"无法使用保险库文件夹 {folder}：{error.strerror}。请换一个可写的位置。",
                    f"The vault folder {folder} cannot be used: {error.strerror}. Choose a place "
                    "that you may write to.",
                ) from error

    def codes(self, applicants: Iterable[int]) -> dict[int, str]:
        """Applicant number -> blind code; drawn once, then kept for every later run."""
        kept = self.kept_codes()
        missing = [number for number in applicants if number not in kept]
        kept.update(zip(missing, new_codes(len(missing), kept.values()), strict=True))
        write_whole(self.folder / "codes.json", json.dumps(kept).encode())
        return kept

    def kept_codes(self) -> dict[int, str]:
        """The codes of earlier runs by applicant number, {} when there was none."""
        path = self.folder / "codes.json"
        if not path.exists():
            return {}
        try:
            return {int(number): code for number, code in json.loads(path.read_text()).items()}
        except (OSError, ValueError, AttributeError) as error:
            raise UsageError(
                f"编号对照文件 {path} 已损坏，未写入任何内容。请从备份恢复它，或另选一个空的保险库"
                "文件夹重新开始（编号会改变）。",
                f"The file of codes {path} is damaged; nothing was written. Restore it from a "
                "backup, or start anew with an empty vault folder (the codes will change).",
            ) from error

    def finished(self, name: str) -> list[PageRecord] | None:
        """Records of a file that was done before, None when it has to be done (again)."""
        path = self.records / f"{name}.json"
        try:
            return [record_from_json(values) for values in json.loads(path.read_text("utf-8"))]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def all_records(self) -> list[PageRecord]:
        """Records of every file ever finished, readable ones only."""
        names = sorted(path.stem for path in self.records.glob("*.json"))
        return [record for name in names for record in self.finished(name) or ()]

    def keep(self, name: str, records: Iterable[PageRecord]) -> None:
        """Keeps the records of a finished file."""
        values = [record.as_json() for record in records]
        write_whole(self.records / f"{name}.json", json.dumps(values, ensure_ascii=False).encode())

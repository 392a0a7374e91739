"""A clerk who uploads: the calls of the upload script, and what lies where afterwards."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.vault_rounds import SourceFile
from tests.webapp.conftest import form_token
from webapp.office.work import scans_folder
from webapp.settings import Settings

JPG = b"\xff\xd8\xff\xe0" + b"scan" * 500
OTHER = b"\xff\xd8\xff\xe0" + b"anew" * 500
RECORD = {
    "source_page": 0,
    "state": "clean",
    "sha256": "a" * 64,
    "masks": [],
    "reason": "",
    "verify": {"hits": []},
    "quality": {},
}


class Desk:
    """A signed-in clerk with the calls of the upload script."""

    def __init__(self, client: FlaskClient, round_id: int) -> None:
        self.client, self.round_id = client, round_id
        self.root = f"/rounds/{round_id}/uploads"
        page = client.get("/account").text
        self.headers = {"X-CSRFToken": form_token(page)}

    def post(self, address: str, body: Any) -> Any:
        return self.client.post(f"{self.root}/{address}", json=body, headers=self.headers)

    def begin(self, path: str, data: bytes, modified: int = 1) -> dict[str, Any]:
        files = [{"path": path, "size": len(data), "modified": modified}]
        answer = self.post("begin", {"files": files})
        assert answer.status_code == 200, answer.text
        return dict(answer.json["files"][0])

    def chunk(self, upload_id: str, offset: int, data: bytes) -> Any:
        return self.client.post(
            f"{self.root}/{upload_id}/chunk?offset={offset}", data=data, headers=self.headers
        )

    def send(self, path: str, data: bytes, modified: int = 1) -> dict[str, Any]:
        """Sends a whole file in one chunk; the server's last word on it."""
        begun = self.begin(path, data, modified)
        if begun["state"] != "receiving":
            return begun
        return dict(self.chunk(begun["id"], begun["received"], data[begun["received"] :]).json)

    def match(self) -> dict[str, Any]:
        answer = self.post("match", {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def on_disk(settings: Settings, round_id: int) -> set[str]:
    folder = scans_folder(settings, round_id)
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def files_of(vault: Engine) -> dict[str, SourceFile]:
    with Session(vault) as session:
        rows = session.scalars(select(SourceFile).where(SourceFile.state != "replaced"))
        return {file.path: file for file in rows}

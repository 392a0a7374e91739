"""`make audit`: a list of all that an installation consists of, and what is known against it.

    python run.py audit [--out FILE] [--advisories URL]

The list (SBOM, CycloneDX 1.6) names the installed Python packages and what mangping's own wheel
carries besides: model files and the browser's libraries. pip-audit asks the database of advisories
at osv.dev, or another server of that kind, about the Python packages.

Exit codes: 0 nothing is known, or it could not be checked (it says which); 1 advisories.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
OSV = "https://api.osv.dev/v1/query"
OWN = "mangping"


class SbomError(Exception):
    """The list could not be made, or is not of its format."""


@dataclass(frozen=True)
class Audit:
    """`checked`: packages that were asked about. `unchecked`: those that were not, and why.

    `advisories`: a line for each. `trouble`: why nothing could be checked, "" when it was.
    """

    checked: int = 0
    unchecked: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def sentence(self) -> str:
        """What came out; "no advisories" is said of packages that were really asked about."""
        if self.trouble:
            return f"COULD NOT CHECK for advisories: {self.trouble}"
        left = f"; COULD NOT CHECK {', '.join(self.unchecked)}" if self.unchecked else ""
        if self.advisories:
            return f"{len(self.advisories)} advisories for {self.checked} packages{left}"
        return f"no advisories for {self.checked} packages{left}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py audit")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "mangping.cdx.json")
    parser.add_argument("--advisories", default=OSV, help="an address that answers as osv.dev")
    asked = parser.parse_args()
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    made = sbom()
    refuse_invalid(made)
    asked.out.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{asked.out}: {len(made['components'])} components", flush=True)
    found = audit(asked.advisories)
    for line in found.advisories:
        print(f"- {line}")
    print(found.sentence)
    return 1 if found.advisories else 0


# -- what there is


def sbom() -> dict[str, Any]:
    """The CycloneDX document of this environment; SbomError when it cannot be made.

    Packages that are there for tests alone have the scope "excluded".
    """
    command = [
        *(sys.executable, "-m", "cyclonedx_py", "environment", sys.executable),
        *("--pyproject", str(ROOT / "pyproject.toml"), "--sv", "1.6", "--output-reproducible"),
        "--no-validate",  # that is done when the list is whole
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise SbomError(done.stderr.strip())
    made: dict[str, Any] = json.loads(done.stdout)
    needed = _needed()
    for component in made["components"]:
        known = canonicalize_name(component["name"]) in needed
        component["scope"] = "required" if known else "excluded"
    made["components"] += [*_model_wheels(), *_browser_packages()]
    return made


def refuse_invalid(made: dict[str, Any]) -> None:
    """SbomError for what is no CycloneDX 1.6; takes half a minute for hundreds of components."""
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made))
    if wrong is not None:
        raise SbomError(str(wrong))


def _needed() -> set[str]:
    """Names of the packages that mangping needs to run, by way of others too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    waiting = [Requirement(t) for t in (*project["dependencies"], *extras["postgres"])]
    waiting += [Requirement(text) for text in extras["scale"]]
    met: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in ("", *wanted.extras):
            if (name, extra) not in met:
                met.add((name, extra))
                asked = (Requirement(text) for text in _requires(name))
                waiting += [one for one in asked if _holds(one, extra)]
    return {name for name, _ in met}


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # for another system
        return []


def _holds(wanted: Requirement, extra: str) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({"extra": extra})


def _model_wheels() -> list[dict[str, Any]]:
    """The wheels of which files of models are carried, with the files and their hashes."""
    manifest = tomllib.loads((ROOT / "redactor" / "model_files.toml").read_text("utf-8"))
    return [
        {
            "type": "library",
            "bom-ref": f"models:{wheel['project']}=={wheel['version']}",
            "name": wheel["project"],
            "version": wheel["version"],
            "purl": f"pkg:pypi/{canonicalize_name(wheel['project'])}@{wheel['version']}",
            "scope": "required",
            "hashes": [{"alg": "SHA-256", "content": wheel["sha256"]}],
            "components": [
                {
                    "type": "file",
                    "name": f"redactor/weights/{take['to']}",
                    "hashes": [{"alg": "SHA-256", "content": take["sha256"]}],
                }
                for take in wheel["take"]
            ],
        }
        for wheel in manifest["wheel"]
    ]


def _browser_packages() -> list[dict[str, Any]]:
    """The npm packages of the pages; those of tests are "excluded"."""
    lock = json.loads((ROOT / "webapp" / "browser" / "package-lock.json").read_text("utf-8"))
    found = []
    for path, entry in lock["packages"].items():
        if path:
            name = path.rpartition("node_modules/")[2]
            found.append(
                {
                    "type": "library",
                    "bom-ref": f"npm:{path}",
                    "name": name,
                    "version": entry["version"],
                    "purl": f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}",
                    "scope": "excluded" if entry.get("dev") else "required",
                    "hashes": [_npm_hash(entry["integrity"])],
                }
            )
    return found


def _npm_hash(integrity: str) -> dict[str, str]:
    name, _, value = integrity.partition("-")
    return {"alg": name.upper().replace("SHA", "SHA-"), "content": b64decode(value).hex()}


# -- what is known against it


def audit(advisories: str = OSV, paths: Sequence[Path] = ()) -> Audit:
    """What pip-audit says of the installed packages, or of those in the folders `paths`.

    Only an answer that names the packages counts as a check.
    """
    command = [
        *(sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv"),
        *("--osv-url", advisories, "--format", "json", "--desc", "off"),
        *("--progress-spinner", "off", "--timeout", "20"),
    ]
    for path in paths:
        command += ["--path", str(path)]
    with tempfile.TemporaryDirectory() as cache:
        command += ["--cache-dir", cache]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        answers = []
    if not answers:
        said = done.stderr.strip().splitlines() or [f"pip-audit ended with {done.returncode}"]
        return Audit(trouble=f"{advisories} gave no answer ({said[-1][:300]})")
    asked = [one for one in answers if "skip_reason" not in one]
    return Audit(
        checked=len(asked),
        unchecked=tuple(
            f"{one['name']} ({one['skip_reason']})"
            for one in answers
            if "skip_reason" in one and one["name"] != OWN
        ),
        advisories=tuple(_line(one, fault) for one in asked for fault in one["vulns"]),
    )


def _line(package: dict[str, Any], fault: dict[str, Any]) -> str:
    mended = ", ".join(fault["fix_versions"]) or "no version yet"
    names = ", ".join([fault["id"], *fault.get("aliases", [])])
    return f"{package['name']} {package['version']}: {names}; mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())

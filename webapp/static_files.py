"""Addresses of static files that change with their content: a browser keeps each for good."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from werkzeug.security import safe_join

YEAR = 31_536_000
"""Seconds; the longest that browsers keep anything."""
KEPT = f"private, max-age={YEAR}, immutable"


def static_url(name: str) -> str:
    """The address of a file below webapp/static; a missing file keeps its plain address."""
    version = _version(name)
    return url_for("static", filename=name, v=version or None)


def set_up_static_files(app: Flask) -> None:
    """Gives templates `static_url`, and lets browsers keep what they got at such an address."""
    app.jinja_env.globals["static_url"] = static_url

    @app.after_request
    def keep(response: Response) -> Response:
        asked = request.args.get("v", "")
        if request.endpoint != "static" or response.status_code not in (200, 206, 304) or not asked:
            return response
        # A page from before an upgrade must not make a browser keep the new file as the old one.
        if asked == _version((request.view_args or {})["filename"]):
            response.headers["Cache-Control"] = KEPT
        return response


def _version(name: str) -> str:
    """The start of a file's hash; "" when there is no such file."""
    path = safe_join(str(current_app.static_folder), name)
    try:
        found = Path(path or "").stat()
        return _hash(str(path), found.st_mtime_ns, found.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=512)
def _hash(path: str, _changed: int, _size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]

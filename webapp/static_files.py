"""Addresses of static files that change with their content: a browser keeps each for good.

Files that a page needs together come in one answer, because a page is painted only when its last
style sheet is there.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, abort, current_app, request, url_for
from werkzeug.security import safe_join

YEAR = 31_536_000
"""Seconds; the longest that browsers keep anything."""
KEPT = f"private, max-age={YEAR}, immutable"
AND = "+"
"""Stands between the names of files that come together."""
JOINED = {".css": "text/css", ".js": "text/javascript"}


def static_url(*names: str) -> str:
    """The address of files below webapp/static, all of one type, in the order of `names`.

    Without a version where one is missing: the browser's console then names it.
    """
    filename = AND.join(names)
    return url_for("static", filename=filename, v=_version(filename) or None)


def set_up_static_files(app: Flask) -> None:
    """Gives templates `static_url`, and lets browsers keep what they got at such an address."""
    app.jinja_env.globals["static_url"] = static_url

    def send(filename: str) -> Response:
        return _send_joined(filename) if AND in filename else app.send_static_file(filename)

    app.view_functions["static"] = send

    @app.after_request
    def keep(response: Response) -> Response:
        asked = request.args.get("v", "")
        if request.endpoint != "static" or response.status_code not in (200, 206, 304) or not asked:
            return response
        # A page from before an upgrade must not make a browser keep the new file as the old one.
        if asked == _version((request.view_args or {})["filename"]):
            response.headers["Cache-Control"] = KEPT
        return response


def _send_joined(filename: str) -> Response:
    kinds = {Path(name).suffix for name in filename.split(AND)}
    kind = JOINED.get(kinds.pop()) if len(kinds) == 1 else None
    found = _joined(filename) if kind else None
    if found is None:
        abort(404)
    content, version = found
    response = Response(content, mimetype=kind)
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(version)
    return response.make_conditional(request)  # type: ignore[return-value]


def _version(filename: str) -> str:
    """The start of the content's hash; "" when a file is missing."""
    found = _joined(filename)
    return "" if found is None else found[1]


def _joined(filename: str) -> tuple[bytes, str] | None:
    """(content, version) of one or several files; None when one is missing."""
    paths = [safe_join(str(current_app.static_folder), name) for name in filename.split(AND)]
    try:
        stats = [Path(path or "").stat() for path in paths]
        return _read(
            tuple(
                (str(path), s.st_mtime_ns, s.st_size) for path, s in zip(paths, stats, strict=True)
            )
        )
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _read(files: tuple[tuple[str, int, int], ...]) -> tuple[bytes, str]:
    content = b"\n".join(Path(path).read_bytes() for path, _, _ in files)
    return content, hashlib.sha256(content).hexdigest()[:16]

"""Every error of either app as a page with a sentence that says how to go on."""

from __future__ import annotations

from flask import Flask, g, render_template, request
from sqlalchemy.exc import DataError, DBAPIError
from werkzeug.exceptions import HTTPException

from models.errors import RuleError
from models.lost_connections import store_is_away
from redactor.errors import RedactorError
from webapp.language import sentences_of, t
from webapp.logs import log_of

log = log_of("errors")
Away = tuple[str, int, dict[str, str]]


def set_up_errors(app: Flask) -> None:
    """Every error is a page with a sentence; what was begun in the stores is undone."""

    @app.errorhandler(RuleError)
    @app.errorhandler(RedactorError)
    def refused(error: RuleError | RedactorError) -> tuple[str, int]:
        g.undo = True
        return _page(400, sentences_of(error)), 400

    @app.errorhandler(OverflowError)
    @app.errorhandler(DataError)
    def too_large(_error: OverflowError | DataError) -> tuple[str, int]:
        # A number that no row can hold, typed into an address or a form by hand.
        g.undo = True
        return _page(400, [_sentence(400)]), 400

    @app.errorhandler(HTTPException)
    def wrong(error: HTTPException) -> tuple[str, int] | Away:
        g.undo = True
        # A commit is made after the view, so that its errors come here.
        cause = getattr(error, "original_exception", None)
        if cause is not None:
            return _away() if store_is_away(cause) else broken(cause)
        code = error.code or 500
        return _page(code, [_sentence(code)]), code

    @app.errorhandler(DBAPIError)
    def refused_by_store(error: DBAPIError) -> tuple[str, int] | Away:
        g.undo = True
        return _away() if store_is_away(error) else broken(error)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> tuple[str, int]:
        g.undo = True
        route = request.url_rule.rule if request.url_rule is not None else "-"
        log.error("broken", route=route, method=request.method, exc_info=error)
        return _page(500, [_sentence(500)]), 500


def _away() -> Away:
    """For when the database restarts or cannot be reached; a moment later it may be back."""
    return _page(503, [_sentence(503)]), 503, {"Retry-After": "2"}


def _page(code: int, sentences: list[str]) -> str:
    part = "error_part.html" if request.headers.get("HX-Request") else "error.html"
    return render_template(part, code=code, sentences=sentences)


def _sentence(code: int) -> str:
    known = {
        400: t(
            "请求不完整或表单已过期。请刷新页面后重试。",
            "The request is incomplete or the form has expired. Reload the page and try again.",
        ),
        401: t("请先登录。", "Sign in first."),
        403: t(
            "您的角色无权进行此操作。如有需要，请联系管理员。",
            "Your role may not do this. Ask an administrator if you need it.",
        ),
        404: t("没有这个页面，可能已被移走。", "There is no such page; it may have moved."),
        413: t("文件过大，请分批上传。", "The file is too large; upload it in parts."),
        503: t(
            "数据库连接中断（可能正在重启）。请稍候刷新页面，查看此次操作是否已保存；未保存的，请重做。",
            "The connection to the database was lost; it may be restarting. Reload in a moment and "
            "see whether this step was kept; if not, do it again.",
        ),
        429: t("尝试次数过多，请一分钟后再试。", "Too many attempts; try again in a minute."),
    }
    return known.get(
        code,
        t(
            "程序出错，此次操作未保存。请重试；若仍出错，请报告此问题。",
            "The program failed and nothing of this step was kept. Try again; if it fails again, "
            "report the problem.",
        ),
    )

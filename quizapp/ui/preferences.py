"""Language, elder mode and text size: three cookies, read on every page, set by plain form buttons."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for

ZH, EN = "zh_Hans_CN", "en"
TEXT_SIZES = ("normal", "large", "largest")
_YEAR = 365 * 24 * 3600


def choose_locale() -> str:
    """The cookie's language, else the browser's, else Chinese."""
    lang = request.cookies.get("lang")
    if lang in ("zh", "en"):
        return EN if lang == "en" else ZH
    # By the first part of each tag: zh-TW wants Chinese as much as zh does.
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return EN if next((tag for tag in wanted if tag in ("zh", "en")), "zh") == "en" else ZH


def html_lang() -> str:
    """The `lang` attribute: zh-CN or en."""
    return "en" if choose_locale() == EN else "zh-CN"


def is_elder() -> bool:
    """Whether the elder edition (长辈版) is on."""
    return request.cookies.get("elder") == "1"


def text_size() -> str:
    """normal, large or largest."""
    size = request.cookies.get("text", "normal")
    return size if size in TEXT_SIZES else "normal"


def current_path() -> str:
    """Where a switch leads back to: this page, with its query where it was opened by GET."""
    if request.method == "GET" and request.query_string:
        return request.full_path
    return request.path


def safe_next(address: str | None, fallback: str = "/") -> str:
    """A path of our own host, or the fallback: `next` must never lead elsewhere."""
    if not address or "\\" in address or any(ord(character) < 32 for character in address):
        return fallback
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        if parts.scheme not in ("http", "https") or parts.netloc != request.host:
            return fallback
        address = parts._replace(scheme="", netloc="").geturl()
    return address if address.startswith("/") and not address.startswith("//") else fallback


def save_preferences(*, secure: bool) -> Response:
    """Set the cookies that the form names and go back to where the visitor was."""
    target = safe_next(request.form.get("next"), url_for("ui.preferences"))
    response = redirect(target, 303)
    allowed = {"lang": ("zh", "en"), "elder": ("0", "1"), "text": TEXT_SIZES}
    for name, values in allowed.items():
        value = request.form.get(name)
        if value in values:
            response.set_cookie(name, value, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax")
    assert isinstance(response, Response)  # noqa: S101 # redirect() is typed wider than it is
    return response

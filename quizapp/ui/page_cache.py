"""Pages that are the same for every visitor without a history: drawn once, given to a whole hall.

A thousand phones scan one poster within a minute. What they see depends on the delivery, the language and the edition, and on nothing of
theirs but two fresh tokens. Such a page is kept under everything that it depends on: a page under another key is another page, so
nothing is ever out of date, and nothing has to be thrown away when something changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from flask import g, request, session
from flask_wtf.csrf import generate_csrf

from quizapp.core.web import get_actor
from quizapp.ui.preferences import html_lang, is_elder, text_size

#: Pages kept in one process, about 10 KB each.
_KEPT = 64
#: Stands in a kept page where each visitor gets a token of their own.
CSRF_PLACE = "0csrf0csrf0csrf0"
TICKET_PLACE = "0ticket0ticket0ticket0"


class PageCache:
    """Drawn pages by what they depend on."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = Lock()

    def page(self, key: Hashable, draw: Callable[[], str]) -> str:
        """The page of a key for this visitor: drawn the first time, with a CSRF token of the visitor's own where it has one.

        Whatever the page shows must stand in the key, or in the frame (address, language, edition), which is added here.
        """
        full = (request.full_path, html_lang(), is_elder(), text_size(), key)
        page = self._pages.get(full)
        if page is None:
            page = _with_place(draw)
            with self._lock:
                self._pages[full] = page
                while len(self._pages) > _KEPT:
                    self._pages.popitem(last=False)
        return page.replace(CSRF_PLACE, generate_csrf()) if CSRF_PLACE in page else page


def no_history() -> bool:
    """Whether the visitor is a guest with nothing in the session that a page could show."""
    return not get_actor().signed_in and not session.get("_flashes")


def _with_place(draw: Callable[[], str]) -> str:
    """Draw a page that has the place in the token's stead."""
    own = g.pop("csrf_token", None)
    g.csrf_token = CSRF_PLACE
    try:
        return draw()
    finally:
        g.pop("csrf_token", None)
        if own is not None:
            g.csrf_token = own

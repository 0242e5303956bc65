"""Gives an application its look: `init_ui(app)`, once, after `init_web` and before the features' blueprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, url_for
from flask_babel import Babel, get_translations
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.routing import BuildError

from quizapp.core.registry import NavigationEntry
from quizapp.core.web import Runtime, get_actor, get_db
from quizapp.ui import error_pages, filters, headers, preferences, views
from quizapp.ui.assets import Assets, icon, static_url
from quizapp.ui.build import DIST, TRANSLATIONS
from quizapp.ui.cells import number_cells
from quizapp.ui.citations import cited
from quizapp.ui.environment import PageEnvironment

#: The one guard of all forms; a feature exempts a view with `csrf.exempt(view)`.
csrf = CSRFProtect()


def register(app: Flask) -> None:
    """Wire the look as the first of the features."""
    init_ui(app)


def init_ui(app: Flask, *, dist: Path = DIST) -> None:
    """Languages, filters, frame pages, headers, error pages and the built files."""
    assets = Assets(dist)
    app.extensions["quizapp_assets"] = assets
    app.wsgi_app = assets.wrap(app.wsgi_app)  # type: ignore[method-assign] # Flask's own way to add middleware

    app.jinja_environment = PageEnvironment  # before its first use
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # a page may stay open for a day; the session bounds it
    if "csrf" not in app.extensions:
        csrf.init_app(app)
    Babel(
        app,
        default_locale=preferences.ZH,
        default_timezone="Asia/Shanghai",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=preferences.choose_locale,
    )
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined] # the i18n extension that Babel() adds
        gettext=lambda text: page_catalogue().ugettext(text),
        ngettext=lambda one, many, count: page_catalogue().ungettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    filters.init_filters(app)
    app.jinja_env.filters["cited"] = cited
    app.jinja_env.filters["safe_next"] = preferences.safe_next
    app.jinja_env.globals.update(
        icon=icon,
        number_cells=number_cells,
        static_url=static_url,
        optional_url=optional_url,
        html_lang=preferences.html_lang,
        is_elder=preferences.is_elder,
        text_size=preferences.text_size,
        current_path=preferences.current_path,
        csrf_token=generate_csrf,
        ring_states=ring_states,
        staff_navigation=staff_navigation,
        waiting_at=waiting_at,
        actor_name=actor_name,
        is_demo=is_demo,
        filings=filings,
    )
    headers.init_headers(app)
    app.register_blueprint(views.bp)
    error_pages.init_error_pages(app)
    # The three switches change nothing but the visitor's own view, and stand on pages that carry no session.
    for view in (views.set_preferences, *headers.CSRF_FREE):
        csrf.exempt(view)


def page_catalogue() -> Any:
    """The catalogue of the page's language: found once a page, not once a word (a page has hundreds)."""
    locale = getattr(g.get("_flask_babel"), "babel_locale", None)
    known = g.get("page_catalogue")
    if known is None or known[0] is not locale or locale is None:
        found = get_translations()
        g.page_catalogue = known = (g.get("_flask_babel").babel_locale, found)
    return known[1]


def optional_url(endpoint: str, **values: Any) -> str | None:
    """The address of a view, or None where no such view is installed."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return None


def _runtime() -> Runtime | None:
    runtime: Runtime | None = current_app.extensions.get("quizapp")
    return runtime


def is_demo() -> bool:
    """Whether this is the demo district."""
    runtime = _runtime()
    return bool(runtime and runtime.settings.demo)


def filings() -> list[tuple[str, str]]:
    """The filing numbers of this site with their addresses."""
    runtime = _runtime()
    return runtime.settings.filings if runtime else []


def actor_name() -> str | None:
    """The name of who is signed in; None for a guest."""
    actor = get_actor() if _runtime() else None
    return (actor.name or "") if actor and actor.signed_in else None


def staff_navigation() -> list[tuple[Any, list[tuple[NavigationEntry, str]]]]:
    """The entries that the visitor may open, with their addresses, in groups, in order."""
    runtime = _runtime()
    groups: dict[str, tuple[Any, list[tuple[NavigationEntry, str]]]] = {}
    for entry in runtime.registry.navigation if runtime else ():
        url = optional_url(entry.endpoint)
        if url and get_actor().scope.allows(entry.permission):
            groups.setdefault(str(entry.group), (entry.group, []))[1].append((entry, url))
    return list(groups.values())


def waiting_at(entry: NavigationEntry) -> int:
    """How much waits behind an entry of the staff navigation; asked once a page, which draws the navigation twice."""
    if entry.waiting is None:
        return 0
    known: dict[str, int] = g.setdefault("waiting_at", {})
    if entry.endpoint not in known:
        known[entry.endpoint] = entry.waiting(get_db())
    return known[entry.endpoint]


def ring_states(count: int, done: int) -> list[str]:
    """A ring of `count` ticks of which the first `done` are full."""
    return ["all" if number < done else "none" for number in range(count)]

"""The template environment: Flask's, with global names that can be compared quickly.

For each `{% from … import … %}` of each page Jinja asks which global names the page has that the imported file lacks. Over a `ChainMap`
that is a loop in Python over all names, a twentieth of what a page costs; over a dictionary's own keys it is nothing.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import KeysView, MutableMapping
from typing import Any

from flask.templating import Environment


class PageGlobals(ChainMap[str, Any]):
    """A template's own globals over the environment's."""

    def keys(self) -> KeysView[str]:
        """All names, as a dictionary's keys."""
        own, common = self.maps
        return {**common, **own}.keys() if own else common.keys()


class PageEnvironment(Environment):
    """Flask's environment with `PageGlobals`."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Jinja: what a template sees beside what it is given."""
        return PageGlobals({} if d is None else d, self.globals)

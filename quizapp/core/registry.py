"""Where features meet without knowing each other.

Slots: a lower feature's page has a named place, a feature above puts something there. Parts: what must happen across features in one
transaction (merge of persons, erasure, re-score) is made of parts that each feature brings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quizapp.core.scope import Permission


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the staff navigation."""

    endpoint: str
    label: Any
    icon: str
    group: str
    permission: Permission
    order: int = 100


@dataclass
class Registry:
    """The slots, navigation and task names of one application."""

    navigation: list[NavigationEntry] = field(default_factory=list)
    slots: dict[str, list[Callable[..., Any]]] = field(default_factory=lambda: defaultdict(list))

    def add_navigation(self, entry: NavigationEntry) -> None:
        """Add an entry to the staff navigation."""
        self.navigation.append(entry)
        self.navigation.sort(key=lambda e: e.order)

    def fill(self, slot: str, provider: Callable[..., Any]) -> None:
        """Put a provider into a named slot."""
        self.slots[slot].append(provider)

    def collect(self, slot: str, *args: Any, **kwargs: Any) -> list[Any]:
        """What the providers of a slot give, in order, without the empty ones."""
        return [value for provider in self.slots[slot] if (value := provider(*args, **kwargs))]


#: Background tasks by name: `task(context, arguments)`; filled by the features' `tasks.py`.
TASKS: dict[str, Callable[..., Any]] = {}


def task(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a background task under the name by which services enqueue it."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        TASKS[name] = function
        return function

    return register

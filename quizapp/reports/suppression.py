"""Which cells of a tree of sums may not be shown, so that no small one can be computed from the others.

The numbers of a unit are the sum of its parts: whoever knows the sum and all parts but one knows that one too. And a reader knows more
than sums: an empty cell is shown as 0, so in each hidden one there is at least one. Five hidden parts that add up to 5 hold one each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from quizapp.core.small_cells import FEWEST_ANSWERS

#: Roles that see aggregates only see no cell of 1 up to this many.
SMALL_CELL = 4
#: What they can find out of a hidden number leaves it open by at least as much: from 1 to 5 where 1 is the least that it can be, so
#: that not even that it is small is known.
LEAST_WIDTH = 4


@dataclass(slots=True)
class Counts:
    """What is counted of a set of attempts. All but `started` are parts of `started`."""

    #: Every attempt, whatever became of it.
    started: int = 0
    #: Submitted, or scored when its time was over.
    closed: int = 0
    #: Closed first attempts: one per person and delivery, not void.
    first: int = 0
    #: Of those, passed.
    passed: int = 0
    #: Void: nothing was saved, or it was made void.
    void: int = 0
    #: Closed, and nobody knows whose.
    unidentified: int = 0
    #: Of the first attempts: the sum of their scores in per cent of the highest, and of its squares.
    score: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.started + other.started,
            self.closed + other.closed,
            self.first + other.first,
            self.passed + other.passed,
            self.void + other.void,
            self.unidentified + other.unidentified,
            self.score + other.score,
            self.squares + other.squares,
        )

    def include(self, other: Counts) -> None:
        """Add to this one: sums of thousands of units must not make a new object each."""
        self.started += other.started
        self.closed += other.closed
        self.first += other.first
        self.passed += other.passed
        self.void += other.void
        self.unidentified += other.unidentified
        self.score += other.score
        self.squares += other.squares

    @property
    def failed(self) -> int:
        """Closed first attempts that did not pass."""
        return self.first - self.passed

    @property
    def repeated(self) -> int:
        """Closed, identified, but not the first."""
        return self.closed - self.first - self.unidentified

    @property
    def running(self) -> int:
        """Started, neither closed nor void."""
        return self.started - self.closed - self.void


@dataclass(slots=True)
class Node:
    """A row: a unit with everything below it, or what belongs to a unit itself. `key` is unique in the tree."""

    key: str
    #: The unit, where the row is one.
    unit_id: int | None = None
    counts: Counts = field(default_factory=Counts)
    parts: dict[str, Node] = field(default_factory=dict)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, a part after its whole."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.parts.values()))


Size = Callable[[Counts], int]


def hide_cells(
    root: Node,
    *,
    size: Size,
    small: Callable[[Node], bool],
    tells: Callable[[Counts], bool] | None = None,
    width: int = 0,
    down_to: str | None = None,
) -> set[str]:
    """The keys of the nodes whose cell is hidden, for one column.

    Hidden is what is `small`; then, where some parts of a shown sum are hidden, the smallest shown parts as well, until at least two
    are hidden and what they add up to (which anybody can compute) no longer `tells` anything; and all that lies below a hidden cell,
    because it adds up to that cell. Parts of `size` 0 are never hidden: nothing is in them. A shown 0 or 100 % of 10 and more says the
    same of each part, so there nothing is left to protect. `down_to`: decide only what a page of this unit shows, which follows from the
    units above it, and so does not depend on where one stops.

    `width`: by how much a hidden size stays open to a reader who knows that nobody is hidden where 0 stands. Whatever is hidden of a
    shown sum and fills `n` cells at its ends has `n` people at least; any of these cells may have all the others: from 1 to 1 + sum − n.
    A cell whose parts cannot be kept open so far, even if all are hidden, is hidden itself. The parts hidden for others are then taken by
    the doubling of their size (8 to 15 counts alike), so that who knows this rule does not learn from what is shown how large they are.
    """
    tells = tells or (lambda counts: small(Node("", counts=counts)))
    filled = _filled(root, size) if width else {}
    secrets = _secrets(root, size, small, filled, width) if width else set[str]()

    def secret_(node: Node) -> bool:
        return node.key in secrets if width else small(node)

    def told(parts: Sequence[Node]) -> bool:
        total = add_up(part.counts for part in parts)
        return tells(total) or size(total) - sum(filled.get(part.key, 0) for part in parts) < width

    def rank(part: Node) -> tuple[int, str]:
        return (size(part.counts).bit_length() if width else size(part.counts)), part.key

    hidden: set[str] = {root.key} if size(root.counts) and secret_(root) else set()
    for node in root.walk() if down_to is None else _way_down(root, down_to):
        parts = [part for part in node.parts.values() if size(part.counts)]
        if node.key in hidden:
            hidden.update(part.key for part in parts)
            continue
        secret = [part for part in parts if secret_(part)]
        shown = sorted((part for part in parts if not secret_(part)), key=rank, reverse=True)
        while secret and shown and (len(secret) < 2 or told(secret)):
            secret.append(shown.pop())
        hidden.update(part.key for part in secret)
    return hidden


def _filled(root: Node, size: Size) -> dict[str, int]:
    """How many ends at or below each node have somebody in them: as many people are the least that it can have."""
    found: dict[str, int] = {}
    for node in reversed(list(root.walk())):
        below = sum(found[part.key] for part in node.parts.values())
        found[node.key] = below if node.parts else int(size(node.counts) > 0)
    return found


def _secrets(root: Node, size: Size, small: Callable[[Node], bool], filled: dict[str, int], width: int) -> set[str]:
    """What is small, and what has such parts and could not keep them open by `width` if it were shown."""
    found = set[str]()
    for node in reversed(list(root.walk())):
        parts = [part for part in node.parts.values() if size(part.counts)]
        tight = len(parts) < 2 or size(node.counts) - filled[node.key] < width
        if size(node.counts) and (small(node) or (tight and any(part.key in found for part in parts))):
            found.add(node.key)
    return found


def _way_down(root: Node, path: str) -> Iterator[Node]:
    """The nodes from the root to a unit, which are keyed by their paths."""
    node: Node | None = root
    while node is not None:
        yield node
        node = next((part for part in node.parts.values() if path.startswith(part.key)), None)


def add_up(counts: Iterable[Counts]) -> Counts:
    """The sum of several."""
    total = Counts()
    for one in counts:
        total.include(one)
    return total


@dataclass(frozen=True)
class Shown:
    """The keys of the hidden cells, by column."""

    rate: set[str]
    first: set[str] = field(default_factory=set)
    void: set[str] = field(default_factory=set)
    unidentified: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    #: Of more groups at once than a rate is shown of.
    narrow: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, tree: Node, *, strict: bool, down_to: str | None = None) -> Shown:
        """Decide for a whole tree, or for what the page of one unit shows; `strict`, always whole, for roles that see aggregates only."""
        if not strict:
            return cls(
                hide_cells(
                    tree,
                    size=lambda c: c.first,
                    small=lambda node: node.counts.first < FEWEST_ANSWERS,
                    tells=lambda c: c.first < FEWEST_ANSWERS or c.passed in (0, c.first),
                    down_to=down_to,
                )
            )
        first = _hide_people(tree, lambda c: c.first)
        void = _hide_people(tree, lambda c: c.void)
        nobody = _hide_people(tree, lambda c: c.unidentified)

        def tells_result(c: Counts) -> bool:
            return c.first < FEWEST_ANSWERS or _tiny(c.passed) or _tiny(c.failed)

        # Sums of two columns betray a third: what is left after the hidden ones is a cell too.
        def tells_closed(c: Counts) -> bool:
            return _tiny(c.closed) or _tiny(c.repeated)

        def tells_started(c: Counts) -> bool:
            return _tiny(c.started) or _tiny(c.running)

        rate = hide_cells(
            tree,
            size=lambda c: c.first,
            small=lambda node: node.key in first or tells_result(node.counts),
            tells=lambda c: tells_result(c) or c.passed in (0, c.first),
        )
        closed = hide_cells(
            tree,
            size=lambda c: c.closed,
            small=lambda node: node.key in first | nobody or tells_closed(node.counts),
            tells=tells_closed,
        )
        started = hide_cells(
            tree,
            size=lambda c: c.started,
            small=lambda node: node.key in closed | void or tells_started(node.counts),
            tells=tells_started,
        )
        return cls(rate, first, void, nobody, closed, started)


def _hide_people(tree: Node, size: Size) -> set[str]:
    """The hidden cells of a column of people, for who sees aggregates only."""
    return hide_cells(tree, size=size, small=lambda node: _tiny(size(node.counts)), width=LEAST_WIDTH)


def _tiny(count: int) -> bool:
    return 1 <= count <= SMALL_CELL

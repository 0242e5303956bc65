"""What the grid shows of one delivery, and what of it may change from one night to the next. Pure rules.

Every delivery stands for itself: a tree of units, and for its own unit one list of groups for each dimension. The trees of two
deliveries share no attempt, two lists only their total; months are sums of what is shown. So what may be computed can be seen from one
tree at a time. Why it is so small: docs/decisions/leader-grid.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from quizapp.core.small_cells import FEWEST_ANSWERS
from quizapp.reports.suppression import LEAST_WIDTH, SMALL_CELL, Counts, Node, Shown

#: The group dimensions of the grid (`figures.GroupDimension`).
DIMENSIONS = ("age_band", "sex", "education", "key_group", "industry")
#: Everything.
TOP = "/"
#: After the path: what belongs to the unit itself, to none of those below it.
OWN, NO_UNIT = "own", "no_unit"
#: The group of whom nobody knows it.
UNKNOWN = ""


@dataclass(frozen=True)
class GridCell:
    """One row of a sheet as it is shown. None: not shown."""

    key: str
    above: str | None
    unit_id: int | None
    first: int | None
    passed: int | None
    void: int | None
    unidentified: int | None
    #: The local day whose end it shows.
    state_of: date

    @property
    def failed(self) -> int | None:
        """Of the first attempts, not passed."""
        return None if self.first is None or self.passed is None else self.first - self.passed

    @property
    def shows(self) -> dict[str, int]:
        """The numbers that can be read from it, by name."""
        return {name: value for name in _NUMBERS if (value := getattr(self, name)) is not None}


_NUMBERS = ("first", "passed", "failed", "void", "unidentified")
#: Key → the row.
Sheet = Mapping[str, GridCell]


def unit_tree(rows: Iterable[tuple[str, bool, Counts]]) -> Node:
    """The tree of (path of the day, without a unit, counts): everything at its top.

    A unit of which nothing is counted below it stands for itself; else its own attempts are a part beside the units below.
    """
    root = Node(TOP)
    inner = set[str]()
    own: list[tuple[str, str, Counts]] = []
    for path, no_unit, counts in rows:
        node = root
        node.counts += counts
        steps = path.strip("/").split("/")
        for length in range(1, len(steps) + 1):
            step = f"/{'/'.join(steps[:length])}/"
            inner.add(node.key)
            node = node.parts.setdefault(step, Node(step, int(steps[length - 1])))
            node.counts += counts
        own.append((path, NO_UNIT if no_unit else OWN, counts))
    nodes = {node.key: node for node in root.walk()}
    both = {path for path, kind, _ in own if kind == NO_UNIT}
    for path, kind, counts in own:
        if path in inner or path in both:
            part = nodes[path].parts.setdefault(f"{path}{kind}", Node(f"{path}{kind}", nodes[path].unit_id))
            part.counts += counts
    return root


def group_tree(whole: Node, groups: Iterable[tuple[str | None, Counts]]) -> Node:
    """The groups of one dimension below the unit that they belong to."""
    root = Node(whole.key, whole.unit_id)
    for value, counts in groups:
        root.counts += counts
        part = root.parts.setdefault(f"={value or UNKNOWN}", Node(f"={value or UNKNOWN}"))
        part.counts += counts
    return root


def first_sheet(tree: Node, state_of: date, *, whole: GridCell | None = None) -> dict[str, GridCell]:
    """A sheet that nobody has seen yet. `whole`: the row of the units' tree that the groups of `tree` add up to; it shows no less."""
    shown = Shown.of(tree, strict=True)
    if whole is not None:
        shown = _below(tree, shown, whole)
    return {key: _cell(node, above, shown, state_of) for key, node, above in _with_above(tree)}


def _below(tree: Node, shown: Shown, whole: GridCell) -> Shown:
    """What the row above hides is hidden in all its groups. What it shows and these cannot keep open is hidden in every one, empty or not.

    So somebody need not be in each of them: "5 people, in five groups" would name them all.
    """
    groups = set(tree.parts)

    def hidden(column: set[str], number: int | None) -> set[str]:
        if number is None:
            return groups | {tree.key}
        return groups if tree.key in column else column

    return Shown(
        rate=hidden(shown.rate, whole.passed),
        first=hidden(shown.first, whole.first),
        void=hidden(shown.void, whole.void),
        unidentified=hidden(shown.unidentified, whole.unidentified),
    )


def _with_above(tree: Node) -> Iterator[tuple[str, Node, str | None]]:
    yield tree.key, tree, None
    for node in tree.walk():
        for part in node.parts.values():
            yield part.key, part, node.key


def _cell(node: Node, above: str | None, shown: Shown, state_of: date) -> GridCell:
    counts, key = node.counts, node.key
    first = None if key in shown.first else counts.first
    return GridCell(
        key=key,
        above=above,
        unit_id=node.unit_id,
        first=first,
        passed=None if first is None or key in shown.rate else counts.passed,
        void=None if key in shown.void else counts.void,
        unidentified=None if key in shown.unidentified else counts.unidentified,
        state_of=state_of,
    )


def next_sheet(before: Sheet, tree: Node, state_of: date, *, whole: GridCell | None = None) -> dict[str, GridCell]:
    """The sheet of the next night: what is hidden stays hidden, and a row changes by five people or not at all.

    A row whose numbers changed by 1 to 4, or would now have to be hidden, is kept with all below it. Where the rows kept and hidden of
    one sum changed by 1 to 4 together, which the sum and the others tell, more rows are kept. `whole` as in `first_sheet`.
    """
    if not any(value for cell in before.values() for value in cell.shows.values()):
        return first_sheet(tree, state_of, whole=whole)
    if whole is not None and whole.state_of != state_of:
        return dict(before)  # the row that they add up to is kept
    found = dict(before)
    nodes = {node.key: node for node in tree.walk()}
    _settle(before, nodes, tree.key, state_of, found)
    return found


def _settle(before: Sheet, nodes: Mapping[str, Node], key: str, state_of: date, found: dict[str, GridCell]) -> None:
    """Change a row and what may change below it, into `found`."""
    mine = _changed(before, nodes, key, state_of)
    if mine is None:
        return
    found[key] = mine
    parts = _parts(before, nodes, key)
    changed = {part: cell for part in parts if (cell := _changed(before, nodes, part, state_of)) is not None}
    remaining = -1
    while remaining != len(changed):  # what is kept for one number may tell another
        remaining = len(changed)
        for name in _NUMBERS:
            _keep_more(before, nodes, key, name, parts, changed)
    for part in changed:
        _settle(before, nodes, part, state_of, found)


def _keep_more(
    before: Sheet, nodes: Mapping[str, Node], key: str, name: str, parts: set[str], changed: dict[str, GridCell]
) -> None:
    """Keep further parts until what a sum tells of those that are kept is not small. The smallest change first.

    What is kept may be of different nights: it is compared with what is shown of it.
    """
    if key in before and name not in before[key].shows:
        return
    moves = {
        part: _number(nodes, part, name) - _shown_before(before, part, name)
        for part in parts
        if _seen(before, part, name)
    }
    while _tiny(sum(move for part, move in moves.items() if part not in changed)):
        movers = sorted((part for part in moves if part in changed and moves[part]), key=lambda p: (abs(moves[p]), p))
        if not movers:
            changed.clear()
            return
        del changed[movers[0]]


def _changed(before: Sheet, nodes: Mapping[str, Node], key: str, state_of: date) -> GridCell | None:
    """The row with its new numbers, the same of them hidden; None where it has to be kept."""
    counts = nodes[key].counts if key in nodes else Counts()
    old = before.get(key)
    if old is None:
        above = next((node.key for node in nodes.values() if key in node.parts), None)
        if above is not None and above in before and before[above].first is None:
            return None
        old = GridCell(key, above, nodes[key].unit_id, 0, 0, 0, 0, state_of)
    new = replace(
        old,
        first=None if old.first is None else counts.first,
        passed=None if old.passed is None else counts.passed,
        void=None if old.void is None else counts.void,
        unidentified=None if old.unidentified is None else counts.unidentified,
        state_of=state_of,
    )
    if any(_tiny(value - old.shows[name]) for name, value in new.shows.items()):
        return None
    if not _may_be_shown(new) or not _rest_is_safe(before, nodes, key, new):
        return None
    return new


def _may_be_shown(cell: GridCell) -> bool:
    if any(_tiny(value) for value in cell.shows.values()):
        return False
    return cell.passed is None or cell.first == 0 or (cell.first or 0) >= FEWEST_ANSWERS


def _rest_is_safe(before: Sheet, nodes: Mapping[str, Node], key: str, new: GridCell) -> bool:
    """Whether the hidden parts of a row, with their new numbers, are still more than one and together not small."""
    parts = _parts(before, nodes, key)
    for name in ("first", "passed", "void", "unidentified"):
        if name not in new.shows:
            continue
        hidden = [part for part in parts if not _seen(before, part, name)]
        counted = [nodes[part].counts for part in hidden if part in nodes]
        size = "first" if name == "passed" else name
        filled = [counts for counts in counted if getattr(counts, size)]
        total = sum(counted, Counts())
        if not filled:
            continue
        if len(filled) < 2 or _tiny(getattr(total, name)):
            return False
        ends = sum(_ends(nodes[part], name) for part in hidden if part in nodes)
        if name != "passed" and getattr(total, name) - ends < LEAST_WIDTH:
            return False
        if name == "passed" and (total.first < FEWEST_ANSWERS or _tiny(total.failed)):
            return False
    return True


def _ends(node: Node, name: str) -> int:
    """How many ends at or below a node have somebody counted in them."""
    return sum(1 for one in node.walk() if not one.parts and getattr(one.counts, name))


def _parts(before: Sheet, nodes: Mapping[str, Node], key: str) -> set[str]:
    old = {cell.key for cell in before.values() if cell.above == key}
    return old | set(nodes[key].parts if key in nodes else ())


def _seen(before: Sheet, key: str, name: str) -> bool:
    """Whether a number of a row was shown: a row that was not there was shown as 0."""
    return key not in before or name in before[key].shows


def _shown_before(before: Sheet, key: str, name: str) -> int:
    return before[key].shows[name] if key in before else 0


def _number(nodes: Mapping[str, Node], key: str, name: str) -> int:
    return int(getattr(nodes[key].counts, name)) if key in nodes else 0


def _tiny(count: int) -> bool:
    return 1 <= abs(count) <= SMALL_CELL

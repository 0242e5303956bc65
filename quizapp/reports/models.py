"""Sums of attempts that a job keeps, and the grid that roles see who see aggregates only."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from quizapp.core.db import Base, BigId, PathText


class RollupState(Base):
    """How far the sums reach: one row."""

    __tablename__ = "rollup_state"

    #: 1.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Rises whenever sums are written: a reader that finds it unchanged has read one state of them.
    version: Mapped[int] = mapped_column(BigId)
    #: Changes to attempts of days before this one are noted by the triggers. Never behind `before_day`.
    marks_before: Mapped[date] = mapped_column(Date)
    #: PostgreSQL: once every transaction older than this one has ended, all writers see `marks_before`. None: not asked yet.
    settled_at: Mapped[int | None] = mapped_column(BigInteger)
    #: Sums are kept for the days before this one.
    before_day: Mapped[date] = mapped_column(Date)


class RollupStale(Base):
    """A day of a delivery whose attempts changed after it was summed; written by triggers on `attempt`.

    Rows are appended and no key joins them: people who start at the same moment must not wait for one row.
    """

    __tablename__ = "rollup_stale"
    #: A number is never given twice: what a job has seen is known by it.
    __table_args__ = ({"sqlite_autoincrement": True},)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(BigId)
    #: The local day of the attempt's start.
    local_date: Mapped[date] = mapped_column(Date)


class ItemNote(Base):
    """An attempt, or a day of a delivery, that the item statistics lack; written by triggers on `attempt` (`reports.item_notes`)."""

    __tablename__ = "item_note"
    #: Appended, without a unique key, as `RollupStale`: nobody who submits waits for another.
    __table_args__ = (
        Index("ix_item_note_delivery_id_local_date", "delivery_id", "local_date"),
        {"sqlite_autoincrement": True},
    )

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(BigId)
    #: The local day of the attempt's start.
    local_date: Mapped[date] = mapped_column(Date)
    #: An attempt that began to count; None: the day has to be counted anew.
    attempt_id: Mapped[int | None] = mapped_column(BigId)


class ItemCountState(Base):
    """Which state of the item statistics this is: one row."""

    __tablename__ = "item_count_state"

    #: 1.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Rises whenever they are written: a job that finds another one than it has read writes nothing.
    version: Mapped[int] = mapped_column(BigId)


class _Sums:
    """What is summed of the attempts of one unit, by its path of the day."""

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Unit of the day; None where none was given.
    unit_id: Mapped[int | None] = mapped_column(BigId)
    #: Its path of the day.
    unit_path: Mapped[str | None] = mapped_column(PathText)
    #: As in `suppression.Counts`.
    started: Mapped[int]
    #: As in `suppression.Counts`.
    closed: Mapped[int]
    #: As in `suppression.Counts`.
    first: Mapped[int]
    #: As in `suppression.Counts`.
    passed: Mapped[int]
    #: As in `suppression.Counts`.
    void: Mapped[int]
    #: As in `suppression.Counts`.
    unidentified: Mapped[int]
    #: Points of the first attempts.
    score: Mapped[int] = mapped_column(BigInteger)
    #: Their squares.
    squares: Mapped[int] = mapped_column(BigInteger)


class RollupDay(_Sums, Base):
    """The sums of one delivery, local day and unit."""

    __tablename__ = "rollup_day"
    __table_args__ = (
        Index("ix_rollup_day_delivery_id_day", "delivery_id", "day"),
        Index("ix_rollup_day_day", "day"),
    )

    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: The local day.
    day: Mapped[date] = mapped_column(Date)


class RollupMonth(_Sums, Base):
    """The sums of one delivery, month and unit, of everybody or of one group."""

    __tablename__ = "rollup_month"
    __table_args__ = (
        Index("ix_rollup_month_dimension_delivery_id_day", "dimension", "delivery_id", "day"),
        Index("ix_rollup_month_dimension_day", "dimension", "day"),
    )

    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    #: The first day of the month; summed are its days before `RollupState.before_day`.
    day: Mapped[date] = mapped_column(Date)
    #: By what people are grouped (`figures.GroupDimension`); "" for everybody.
    dimension: Mapped[str] = mapped_column(String(12))
    #: The group, as text; None where nobody knows, and for everybody.
    value: Mapped[str | None] = mapped_column(String(20))


class RollupPlace(Base):
    """A unit with its path of some day, numbered for `RollupPeople`."""

    __tablename__ = "rollup_place"

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Unit of the day; None where none was given.
    unit_id: Mapped[int | None] = mapped_column(BigId, index=True)
    #: Its path of the day.
    unit_path: Mapped[str | None] = mapped_column(PathText)


class RollupPeople(Base):
    """Who closed an attempt in one month of a delivery: people are counted once in whatever units and days, which no sum can do.

    One entry a person, unit and day, kept as columns that are read whole; the entries are in the order of people.
    """

    __tablename__ = "rollup_people"

    #: The delivery.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True, autoincrement=False)
    #: The first day of the month; kept are its days before `RollupState.before_day`.
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    #: The key of the person of each entry, four bytes each, the lowest byte first.
    people: Mapped[bytes] = mapped_column(LargeBinary)
    #: The key of its `RollupPlace`, four bytes each.
    places: Mapped[bytes] = mapped_column(LargeBinary)
    #: Its day of the month, one byte each.
    days: Mapped[bytes] = mapped_column(LargeBinary)


class LeaderSheet(Base):
    """One delivery in the grid of the roles that see aggregates only."""

    __tablename__ = "leader_sheet"

    #: The delivery; it is closed.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True, autoincrement=False)
    #: First day of the month in which it closed, when it came into the grid.
    month: Mapped[date] = mapped_column(Date, index=True)
    #: The local day whose end the cells show, where nothing is kept from before.
    state_of: Mapped[date] = mapped_column(Date)


class LeaderCell(Base):
    """One row of a sheet: a unit with all below it, or a group of people of the delivery's unit. What may not be shown is not kept."""

    __tablename__ = "leader_cell"
    __table_args__ = (Index("ix_leader_cell_delivery_id_dimension", "delivery_id", "dimension"),)

    #: Key.
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Its sheet.
    delivery_id: Mapped[int] = mapped_column(ForeignKey("leader_sheet.delivery_id"))
    #: "" for units; else by what people are grouped.
    dimension: Mapped[str] = mapped_column(String(12))
    #: A unit: its path of the day, with what it is after it where it is not all of the unit; a group: its value.
    key: Mapped[str] = mapped_column(PathText)
    #: The key of the row that it is a part of; None for the top of a tree.
    above: Mapped[str | None] = mapped_column(PathText)
    #: The unit by whose place today the row may be seen.
    unit_id: Mapped[int | None] = mapped_column(BigId, index=True)
    #: The local day whose end the row shows.
    state_of: Mapped[date] = mapped_column(Date)
    #: Closed first attempts; None: not shown.
    first: Mapped[int | None]
    #: Of these passed; None: not shown.
    passed: Mapped[int | None]
    #: Void; None: not shown.
    void: Mapped[int | None]
    #: Closed, nobody knows whose; None: not shown.
    unidentified: Mapped[int | None]

"""Who holds a delivery's row: whoever changes it waits for the starts that have begun, and a start sees it as it is changed.

A start holds the row shared, so that a thousand starts do not wait for each other. A change takes it alone: behind that lock "nobody has
started" stays true, no attempt comes in with an end that has just been moved, and no paper is drawn that has just been given up.
(SQLite has one writer at a time: there the two never meet.)
"""

from __future__ import annotations

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, joinedload

from quizapp.core.errors import NotFound
from quizapp.quizzes.models import Delivery


def hold_delivery(db: Session, delivery: Delivery) -> None:
    """Read a delivery as it stands and keep it from being changed until this transaction ends; for starts."""
    (delivery_id,) = inspect(delivery).identity or (None,)  # without reading the row first
    query = (
        select(Delivery)
        .where(Delivery.id == delivery_id)
        .options(joinedload(Delivery.unit))
        .with_for_update(read=True, key_share=True, of=Delivery)
    )
    db.scalars(query.execution_options(populate_existing=True)).one()


def lock_delivery(db: Session, delivery_id: int) -> Delivery:
    """A delivery that nobody else starts or changes until this transaction ends. Raises NotFound."""
    query = select(Delivery).where(Delivery.id == delivery_id).with_for_update(of=Delivery)
    delivery = db.scalars(query.execution_options(populate_existing=True)).first()
    if delivery is None:
        raise NotFound
    return delivery

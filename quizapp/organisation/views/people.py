"""People who stand in the records twice: found, laid side by side, merged, and taken apart again."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.phones import mask_phone
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_scope, requires
from quizapp.organisation import people_search as search
from quizapp.organisation.errors import PersonIsMerged
from quizapp.organisation.merge_words import FACT_WORDS, REASON_WORDS, SOURCE_WORDS, consequences, sentences
from quizapp.organisation.merging import (
    UNDO_DAYS,
    find_later_merge,
    merge_people,
    preview_merge,
    undo_merge,
    undo_until,
)
from quizapp.organisation.models import Person, PersonSource
from quizapp.organisation.people_search import DoneMerge, KnownPerson
from quizapp.organisation.views import bp
from quizapp.ui.words import words_for


@bp.get("/people")
@requires(Permission.MERGE_PEOPLE)
def people() -> str:
    """A search through the own people, or those who may stand there twice."""
    db, scope = get_db(), get_scope()
    text, unit = request.args.get("q", "").strip()[:60], request.args.get("unit", "").strip()[:60]
    found = search.find_people(db, scope, keys=get_keys(), text=text, unit_text=unit)
    suspects = [] if text or unit else search.find_suspects(db, scope)
    return render_template(
        "organisation/people.html",
        text=text,
        unit=unit,
        rows=[_row(one) for one in found[: search.MOST_ROWS]],
        more=len(found) > search.MOST_ROWS,
        most=search.MOST_ROWS,
        suspects=[
            {
                "people": [_row(one) for one in group.people],
                "reasons": [str(REASON_WORDS[reason]) for reason in group.reasons],
                "strong": "phone" in group.reasons,
            }
            for group in suspects
        ],
    )


@bp.route("/people/merge", methods=["GET", "POST"])
@requires(Permission.MERGE_PEOPLE)
def merge() -> str | BaseResponse | tuple[str, int]:
    """Two people side by side with what would move (GET `person` twice, `keep` says who stays), and the merge itself (POST)."""
    db, scope = get_db(), get_scope()
    chosen = list(dict.fromkeys(request.values.getlist("person", type=int)))
    if len(chosen) != 2:
        flash(_("请正好勾选两个人，再比较。"), "attention")
        return redirect(url_for("organisation.people", q=request.values.get("q"), unit=request.values.get("unit")), 303)
    kept, merged = search.proposed_order(*(search.get_person(db, scope, one) for one in chosen))
    if request.values.get("keep", type=int) == merged.person.id:
        kept, merged = merged, kept
    refusal = None
    if request.method == "POST":
        try:
            with transaction(db):
                done = merge_people(
                    db, kept_id=kept.person.id, merged_id=merged.person.id, actor=get_actor(), now=get_now()
                )
        except NotFound:
            raise
        except DomainError as error:
            refusal = error
        else:
            flash(_("已合并。%(days)s 天内可以撤销。", days=UNDO_DAYS), "success")
            return redirect(url_for("organisation.merge_done", merge_id=done.id), 303)
    facts = preview_merge(db, kept_id=kept.person.id, merged_id=merged.person.id)
    refusals: list[DomainError | None] = [refusal, *(fact.refusal for fact in facts)]
    if kept.person.merged_into_id is not None or merged.person.merged_into_id is not None:
        refusals.append(PersonIsMerged())
    refused = list(dict.fromkeys(words_for(one) for one in refusals if one is not None))
    page = render_template(
        "organisation/merge.html",
        kept=_row(kept),
        merged=_row(merged),
        alike=kept.person.name_key == merged.person.name_key,
        facts=[{"label": FACT_WORDS[fact.kind].label, "kept": fact.kept, "merged": fact.merged} for fact in facts],
        consequences=consequences(facts),
        refused=refused,
        days=UNDO_DAYS,
    )
    return (page, refusal.status) if refusal is not None else page


@bp.get("/people/merges")
@requires(Permission.MERGE_PEOPLE)
def merges() -> str:
    """The merges that were done, the newest first."""
    rows = search.list_merges(get_db(), get_scope(), before_id=request.args.get("before", type=int))
    shown = rows[: search.MOST_ROWS]
    return render_template(
        "organisation/merges.html", rows=shown, more=shown[-1].merge.id if len(rows) > search.MOST_ROWS else None
    )


@bp.get("/people/merges/<int:merge_id>")
@requires(Permission.MERGE_PEOPLE)
def merge_done(merge_id: int) -> str:
    """One merge: who into whom, what moved, and the way back."""
    return _merge_page(search.get_merge(get_db(), get_scope(), merge_id))


@bp.post("/people/merges/<int:merge_id>/undo")
@requires(Permission.MERGE_PEOPLE)
def undo(merge_id: int) -> BaseResponse | tuple[str, int]:
    """Take it back."""
    db = get_db()
    found = search.get_merge(db, get_scope(), merge_id)
    try:
        with transaction(db):
            undo_merge(db, merge=found.merge, actor=get_actor(), now=get_now())
    except NotFound:
        raise
    except DomainError as error:
        flash(words_for(error), "error")
        return _merge_page(search.get_merge(db, get_scope(), merge_id)), error.status
    flash(_("已撤销，两人又分开了。"), "success")
    return redirect(url_for("organisation.merge_done", merge_id=merge_id), 303)


def _merge_page(done: DoneMerge) -> str:
    merge = done.merge
    return render_template(
        "organisation/merge_done.html",
        done=done,
        kept_phone=_phone(done.kept),
        merged_phone=_phone(done.merged),
        sentences=sentences(merge.moved.get("facts", [])),
        until=undo_until(merge),
        over=get_now() > undo_until(merge),
        later=find_later_merge(get_db(), merge),
        erased=not done.kept.name or not done.merged.name,
    )


def _row(known: KnownPerson) -> dict[str, Any]:
    """Somebody as a page shows them."""
    person = known.person
    return {
        "id": person.id,
        "name": person.name,
        "phone": _phone(person),
        "unit": known.unit.name if known.unit else None,
        "industry": known.industry.name if known.industry else None,
        "source": str(SOURCE_WORDS[PersonSource(person.source)]),
        "rostered_on": person.rostered_on,
        "created_at": person.created_at,
    }


def _phone(person: Person) -> str | None:
    """A number as staff see it."""
    if person.phone_encrypted is None:
        return None
    return mask_phone(get_keys().decrypt_phone(person.phone_encrypted) or "")

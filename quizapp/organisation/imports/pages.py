"""What the pages of all imports share: the file that comes in, the page that shows where it stands, the files that go out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.db import transaction
from quizapp.core.errors import Conflict, Invalid
from quizapp.core.spreadsheet import Column, Kind, write_xlsx
from quizapp.core.tables import MOST_BYTES, TableKind
from quizapp.core.web import get_db
from quizapp.jobs.models import Job, JobState
from quizapp.organisation.forms import FileForm
from quizapp.organisation.imports.batches import FIELDS, ROSTER, can_apply
from quizapp.organisation.imports.fields import NEEDED
from quizapp.organisation.imports.words import SEX_WORDS, fault_words, field_word
from quizapp.organisation.models import ImportBatch, ImportState, Residence, UnitKind
from quizapp.organisation.web import (
    JOB_ROLE_WORDS,
    KEY_GROUP_WORDS,
    KIND_WORDS,
    RESIDENCE_WORDS,
    job_role_word,
    key_group_word,
)
from quizapp.ui.words import WORDS, words_for

#: Faults on one page.
PAGE_SIZE = 50
#: Rows in which the heading may be said to stand.
HEAD_CHOICES = 20


@dataclass(frozen=True)
class Place:
    """Where an import belongs: its heading, the way to it, and the addresses of its steps."""

    heading: str
    subtitle: str
    #: (text, address) from the top down, without this page.
    steps: Sequence[tuple[str, str]]
    #: Takes a file.
    new: str
    #: The example to fill in.
    template: str
    #: What is seen when all is taken in.
    done: str
    done_text: str
    #: The entry of the navigation that is current.
    endpoint: str


@dataclass(frozen=True)
class Steps:
    """The addresses of one import."""

    show: str
    columns: str
    apply: str
    drop: str
    faults: str


def upload_page(place: Place, form: FileForm, kind: str, after: str | None) -> str:
    """The page that takes a file."""
    return render_template(
        "organisation/import_new.html",
        place=place,
        form=form,
        after=after,
        kind=kind,
        needed=[field_word(kind, name) for name in NEEDED[kind]],
        fields=[field_word(kind, field.key) for field in FIELDS[kind]],
        megabytes=MOST_BYTES // 1024 // 1024,
    )


def show_refusal(form: FileForm, error: Invalid) -> None:
    """Say at the field why a file is not taken."""
    form.file.errors = [*form.file.errors, words_for(error)]


def batch_page(db: Session, batch: ImportBatch, place: Place, steps: Steps) -> str:
    """Where an import stands: being read, faults and figures, taken in, given up."""
    job = db.get(Job, batch.job_id) if batch.job_id is not None else None
    state = batch.state
    if state in (ImportState.READING, ImportState.APPLYING) and job is not None and job.state == JobState.FAILED:
        state = ImportState.FAILED
    summary = batch.summary
    pages = max(1, -(-len(batch.faults) // PAGE_SIZE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    return render_template(
        "organisation/import.html",
        place=place,
        steps=steps,
        batch=batch,
        state=state,
        job=job,
        failure=_failure(batch) if state == ImportState.FAILED else None,
        faults=[
            (row, field_word(batch.kind, field), *fault_words(code, data))
            for row, field, code, data in batch.faults[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        ],
        page=page,
        pages=pages,
        missing=[field_word(batch.kind, name) for name in NEEDED[batch.kind] if name not in batch.columns],
        can_apply=can_apply(batch),
        notes=_notes(summary),
        fields=[(field.key, field_word(batch.kind, field.key), batch.columns.get(field.key)) for field in FIELDS[batch.kind]],
        sample=_sample(batch),
        head_choices=range(HEAD_CHOICES + 1),
        form=FileForm(formdata=None),
    )  # fmt: skip


def stepped(step: Callable[[], None], show: str) -> BaseResponse:
    """Take one step of an import and show where it stands; a step that came too late changes nothing, the page says why."""
    try:
        with transaction(get_db()):
            step()
    except Conflict as error:
        flash(words_for(error), "attention")
    return redirect(show, 303)


def chosen_columns(batch: ImportBatch) -> tuple[dict[str, int], int]:
    """The columns and the heading's row as a form sends them; what is not a column of the file counts as none."""
    width = len(batch.summary.get("heads", []))
    columns = {}
    for field in FIELDS[batch.kind]:
        text = request.form.get(f"column_{field.key}", "")
        if text.isdecimal() and int(text[:4]) < width:
            columns[field.key] = int(text)
    head_row = request.form.get("head_row", 1, type=int)
    return columns, min(max(0, head_row), HEAD_CHOICES)


def faults_file(batch: ImportBatch) -> Response:
    """All faults as a workbook: row, column, what is wrong, what to do. No value of the file."""
    content = write_xlsx(
        (
            Column(_("行"), Kind.WHOLE, 8),
            Column(_("列"), Kind.TEXT, 14),
            Column(_("问题"), Kind.TEXT, 44),
            Column(_("怎么改"), Kind.TEXT, 44),
        ),
        ((row, field_word(batch.kind, field), *fault_words(code, data)) for row, field, code, data in batch.faults),
        title=_("要改的行"),
        facts_title=_("说明"),
        facts=[(_("行"), _("表格程序左边显示的行号")), (_("提醒"), _("这里没有姓名和号码，可以转给做表的人。"))],
    )
    return _workbook(content, f"{batch.kind}-faults.xlsx")


def template_file(kind: str) -> Response:
    """A workbook to fill in: the headings, and one row as an example."""
    values = {
        "name": _("李建国"),
        "phone": "13800001234",
        "unit": _("紫兴社区"),
        "job_role": str(JOB_ROLE_WORDS[next(iter(JOB_ROLE_WORDS))]),
        "birth_year": "1980",
        "sex": str(SEX_WORDS["male"]),
    }
    if kind != ROSTER:
        values = {
            "name": _("紫兴社区"),
            "code": "ZX01",
            "parent": _("东岸街道"),
            "kind": str(KIND_WORDS[UnitKind.COMMUNITY]),
            "residence": str(RESIDENCE_WORDS[Residence.URBAN]),
        }
    comma = _("、")
    facts = [(_("要有的列"), comma.join(field_word(kind, name) for name in NEEDED[kind]))]
    if kind == ROSTER:
        facts += [
            (_("认人"), _("手机号和姓名一起认人；没有手机号就要写单位，单位里不能有同名的人。")),
            (_("单位"), _("写“单位”页上的名称；有重名的，填单位码。")),
            (_("岗位"), comma.join(str(word) for word in JOB_ROLE_WORDS.values())),
            (_("重点人群"), comma.join(str(word) for word in KEY_GROUP_WORDS.values())),
        ]
    else:
        facts += [
            (_("上级单位"), _("写名称或单位码；可以就在这份文件里，先后不论。")),
            (_("类型"), comma.join(str(word) for word in KIND_WORDS.values())),
            (_("城乡"), _("填城镇或乡村，或统计用的城乡分类代码；空着就和上级一样。")),
        ]
    facts.append((_("例子"), _("第 2 行是例子，填之前删掉。")))
    content = write_xlsx(
        [Column(field_word(kind, field.key), Kind.TEXT, 18) for field in FIELDS[kind]],
        [[values.get(field.key) for field in FIELDS[kind]]],
        title=_("名单") if kind == ROSTER else _("单位"),
        facts_title=_("填表说明"),
        facts=facts,
    )
    return _workbook(content, f"{kind}-template.xlsx")


def _workbook(content: bytes, name: str) -> Response:
    response = Response(content, mimetype=TableKind.XLSX.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _failure(batch: ImportBatch) -> str:
    code = str(batch.summary.get("error", ""))
    if code in WORDS:
        return str(WORDS[code])
    return str(_("读的时候出了问题，什么也没有改。再传一次；还不行，请告诉管理员。"))


def _notes(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """What is no fault but worth a look: a sentence, and the rows that it is about."""
    found = []
    if count := summary.get("repeats"):
        rows = _pairs(summary["repeated_rows"])
        found.append((_("%(count)s 行在文件里是同一个人再次出现，只算一次", count=count), rows))
    if count := summary.get("shared"):
        rows = _pairs(summary["shared_rows"])
        found.append((_("%(count)s 行的手机号和别的名字共用，按不同的人算", count=count), rows))
    if count := summary.get("on_roster"):
        comma = _("、")
        rows = comma.join(str(row) for (row,) in summary["on_roster_rows"][:20])
        found.append((_("%(count)s 人已经在名册上，不动", count=count), _("第 %(rows)s 行", rows=rows)))
    return found


def _pairs(rows: list[list[int]]) -> str:
    """ "第 7 行同第 3 行" of the first ones."""
    comma = str(_("；"))
    return comma.join(_("第 %(row)s 行同第 %(first)s 行", row=row, first=first) for row, first in rows[:10])


def _sample(batch: ImportBatch) -> tuple[list[str], list[list[Any]]]:
    """The first good rows, as the page may show them: headings and cells."""
    rows = batch.summary.get("sample", [])
    names = [field.key for field in FIELDS[batch.kind] if any(row.get(field.key) for row in rows)]
    words = {
        "job_role": job_role_word,
        "sex": lambda sex: str(SEX_WORDS[sex]) if sex else "",
        "key_group": key_group_word,
        "kind": _kind,
        "residence": _residence,
    }
    cells = [[row["row"], *(words.get(name, str)(row.get(name, "")) for name in names)] for row in rows]
    return [field_word(batch.kind, name) for name in names], cells


def _kind(kind: str) -> str:
    return str(KIND_WORDS[UnitKind(kind)])


def _residence(code: str) -> str:
    return str(RESIDENCE_WORDS[Residence(code)]) if code else ""

"""Certificates as files: one as PDF, all of a run as one PDF made by a job, and their list."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.certificates import queries
from quizapp.certificates.models import Certificate
from quizapp.certificates.paper import LANGUAGES, certificates_pdf
from quizapp.certificates.services import TASK, ask_for_file, note_export, page_of
from quizapp.certificates.views import bp
from quizapp.certificates.views.runs import wanted
from quizapp.certificates.views.words import certificate_state, rule_words, state_word, validity_words
from quizapp.core.clock import local_date
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError, NotFound
from quizapp.core.scope import Permission
from quizapp.core.spreadsheet import Column, Kind, write_xlsx
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, requires
from quizapp.files.services import read_file
from quizapp.jobs.models import Job, JobState
from quizapp.jobs.queries import get_own_job
from quizapp.jobs.views import JobWords
from quizapp.ui.filters import format_moment, is_english
from quizapp.ui.words import words_for

PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _download(content: bytes, kind: str, name: str) -> Response:
    response = Response(content, mimetype=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def asked_language() -> str:
    """The language that the address asks for, else the page's."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else "en" if is_english() else "zh"


def pdf_of(certificate: Certificate) -> Response:
    """One certificate as a download. Raises CertificateRevoked, FaceMissing."""
    page = page_of(get_db(), certificate, get_runtime().settings.public_url)
    return _download(certificates_pdf([page], asked_language()), PDF, f"certificate-{certificate.number}.pdf")


@bp.get("/certificates/<int:certificate_id>.pdf")
@requires(Permission.RUN_SESSIONS)
def one_pdf(certificate_id: int) -> Response:
    """A certificate for somebody without an account, printed by coordinator or trainer."""
    db = get_db()
    found = queries.get_certificate(db, get_scope(), certificate_id, Permission.RUN_SESSIONS)
    response = pdf_of(found)
    with transaction(db):
        note_export(db, run=found.run, form="pdf", rows=1, actor=get_actor(), now=get_now())
    return response


@bp.post("/runs/<int:run_id>/certificates/file")
@requires(Permission.RUN_SESSIONS)
def ask_file(run_id: int) -> BaseResponse:
    """Have the file of all certificates made; the progress page leads to it."""
    db = get_db()
    run = queries.get_run(db, get_scope(), run_id, Permission.RUN_SESSIONS)
    language = request.form.get("language", "")
    language = language if language in LANGUAGES else LANGUAGES[0]
    try:
        with transaction(db):
            job = ask_for_file(db, run=run, language=language, actor=get_actor(), now=get_now())
    except DomainError as error:
        flash(words_for(error), "note")
        return redirect(url_for("certificates.run_certificates", run_id=run_id), 303)
    return redirect(url_for("jobs.job", public_id=job.public_id), 303)


@bp.get("/runs/<int:run_id>/certificates/file/<public_id>")
@requires(Permission.RUN_SESSIONS)
def run_file(run_id: int, public_id: str) -> Response:
    """The file, for whoever asked for it, while they may still see the run; kept in the log as an export of personal data."""
    db, now, actor = get_db(), get_now(), get_actor()
    run = queries.get_run(db, get_scope(), run_id, Permission.RUN_SESSIONS)
    job = get_own_job(db, public_id, actor)
    result = job.result or {}
    if job.name != TASK or job.arguments.get("run_id") != run.id or job.state != JobState.DONE or not result:
        raise NotFound
    content = read_file(db, int(result["file_id"]), keys=get_keys(), now=now)
    with transaction(db):
        note_export(db, run=run, form="pdf", rows=int(result["pages"]), actor=actor, now=now)
    return _download(content, PDF, f"certificates-{run.id}-{result['language']}.pdf")


def job_words(job: Job) -> JobWords | None:
    """What the progress page says of a file of certificates."""
    if job.name != TASK:
        return None
    run_id = int(job.arguments["run_id"])
    if job.state == JobState.DONE and job.result:
        url = url_for("certificates.run_file", run_id=run_id, public_id=job.public_id)
        return JobWords(_("证书文件"), _("下载 PDF"), url)
    return JobWords(_("证书文件"), _("看证书"), url_for("certificates.run_certificates", run_id=run_id))


@bp.get("/runs/<int:run_id>/certificates.xlsx")
@requires(Permission.RUN_SESSIONS)
def run_list(run_id: int) -> Response:
    """The list as it is narrowed on the page, as a workbook; kept in the log as an export of personal data."""
    db, now, actor = get_db(), get_now(), get_actor()
    run = queries.get_run(db, get_scope(), run_id, Permission.RUN_SESSIONS)
    found = wanted(run)
    rows = queries.list_certificates(db, found, today=local_date(now))
    content = write_xlsx(
        (
            Column(_("编号"), Kind.TEXT, 18),
            Column(_("姓名"), Kind.TEXT, 14),
            Column(_("单位"), Kind.TEXT, 24),
            Column(_("学时"), Kind.DECIMAL, 8),
            Column(_("签发日期"), Kind.DAY, 12),
            Column(_("有效期至"), Kind.DAY, 12),
            Column(_("状态"), Kind.TEXT, 10),
            Column(_("撤销时间"), Kind.MOMENT, 18),
            Column(_("撤销的原因"), Kind.TEXT, 30),
        ),
        (
            (
                row.number,
                row.person.name,
                row.unit.name if row.unit else None,
                row.hours_tenths / 10,
                row.issued_on,
                row.valid_until,
                state_word(certificate_state(row)),
                row.revoked_at,
                row.revoke_reason,
            )
            for row in rows
        ),
        title=_("证书"),
        facts_title=_("说明"),
        facts=[
            (_("课程"), run.course.title),
            (_("期"), run.title),
            (_("签发单位"), run.unit.name),
            (_("条件"), rule_words(run)),
            (_("有效期"), validity_words(run)),
            (_("筛选"), _filter_words(found.text, state_word(found.state) if found.state else "")),
            (_("张数"), _("%(count)s 张证书", count=len(rows))),
            (_("导出时间"), format_moment(now, words=False)),
            (_("导出人"), actor.name),
            (_("提醒"), _("含个人信息，只用于这一期证书的管理。")),
        ],
    )
    with transaction(db):
        note_export(db, run=run, form="xlsx", rows=len(rows), actor=actor, now=now)
    return _download(content, XLSX, f"certificates-{run.id}.xlsx")


def _filter_words(*parts: str) -> str:
    return " · ".join(part for part in parts if part) or str(_("全部"))

"""What the progress page says of the jobs of surveys."""

from __future__ import annotations

from flask import url_for
from flask_babel import lazy_gettext as _l

from quizapp.jobs.models import Job
from quizapp.jobs.views import JobWords
from quizapp.surveys.services.estimating import TASK as ESTIMATE
from quizapp.surveys.services.printing import TASK as PRINT


def job_words(job: Job) -> JobWords | None:
    """A title, and where to go when it is done."""
    if job.name == ESTIMATE:
        address = url_for("surveys.estimate", survey_id=job.arguments["survey_id"])
        return JobWords(_l("估计素质比例"), _l("看结果"), address)
    if job.name != PRINT:
        return None
    survey_id, file = job.arguments["survey_id"], (job.result or {}).get("file")
    if file is None:
        return JobWords(_l("打印邀请卡"), _l("回到调查"), url_for("surveys.survey", survey_id=survey_id))
    address = url_for("surveys.printed", survey_id=survey_id, public_id=file)
    return JobWords(_l("打印邀请卡"), _l("下载邀请卡"), address)

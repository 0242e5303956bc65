"""Of those who took part: what can be said of a test that whoever liked took, and why it is not said of the population."""

from __future__ import annotations

from flask import render_template, url_for
from flask_babel import gettext as _

from quizapp.core.errors import NotFound
from quizapp.core.scope import Permission
from quizapp.core.web import get_db, get_scope, requires
from quizapp.measurement.sample_size import UNKNOWN_RATE, cluster_design_effect, sample_size
from quizapp.quizzes.models import Delivery
from quizapp.quizzes.queries.deliveries import get_delivery_in_scope, standard_of
from quizapp.quizzes.views.delivery_words import DeliveryLink, delivery_title
from quizapp.surveys.queries import surveys_of_delivery
from quizapp.surveys.services.planning import REFUSAL_MARGIN, Numbers
from quizapp.surveys.views import bp
from quizapp.surveys.views.words import STANDARD_WORDS


def delivery_links(delivery: Delivery) -> list[DeliveryLink]:
    """What a literacy test says of the population: nothing by itself, or its surveys."""
    if standard_of(delivery) is None:
        return []
    return [
        *(
            DeliveryLink(survey.title, _("抽样调查"), url_for("surveys.survey", survey_id=survey.id), "users")
            for survey in surveys_of_delivery(get_db(), delivery.id)
            if get_scope().covers(Permission.MANAGE_DELIVERIES, survey.unit.path)
        ),
        DeliveryLink(
            _("具备科学素质的人"),
            _("参加的人里有多少，为什么不能代表全体"),
            url_for("surveys.of_those_who_took_part", delivery_id=delivery.id),
            "chart-column",
        ),
    ]


def literacy_links(delivery: Delivery) -> list[DeliveryLink]:
    """From the figures of a literacy test to the survey that would speak for everybody, for whoever may plan one."""
    if standard_of(delivery) is None or not get_scope().covers(Permission.MANAGE_DELIVERIES, delivery.unit.path):
        return []
    address = url_for("surveys.new_survey", delivery=delivery.id)
    return [DeliveryLink(_("计划一次抽样调查"), "", address, "users")]


@bp.get("/surveys/took-part/<int:delivery_id>")
@requires(Permission.MANAGE_DELIVERIES)
def of_those_who_took_part(delivery_id: int) -> str:
    """Why the share of those who took part is no estimate, and the sample that would do for ± 2 points; the share stands in the figures."""
    db = get_db()
    delivery = get_delivery_in_scope(db, get_scope(), delivery_id)
    standard = standard_of(delivery)
    if standard is None:
        raise NotFound
    numbers = Numbers(margin=REFUSAL_MARGIN)
    clustered = cluster_design_effect(numbers.per_unit * numbers.response, numbers.likeness)
    return render_template(
        "surveys/took_part.html",
        delivery=delivery,
        title=delivery_title(delivery),
        standard_word=STANDARD_WORDS[standard.code],
        at_half=sample_size(UNKNOWN_RATE, REFUSAL_MARGIN),
        by_units=sample_size(UNKNOWN_RATE, REFUSAL_MARGIN, design_effect=clustered),
    )

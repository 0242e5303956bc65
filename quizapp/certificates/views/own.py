"""The holder's own certificate."""

from __future__ import annotations

from flask import Response, render_template
from markupsafe import Markup

from quizapp.certificates import queries
from quizapp.certificates.numbers import typed_code
from quizapp.certificates.services.printing import check_address
from quizapp.certificates.views import bp
from quizapp.certificates.views.files import pdf_of
from quizapp.core.qr import qr_svg
from quizapp.core.web import get_actor, get_db, get_runtime, signed_in


@bp.get("/me/certificates/<int:certificate_id>")
@signed_in
def own(certificate_id: int) -> str:
    """One's own certificate: what it says, its code to show, and the file; of a revoked one, why."""
    found = queries.get_own_certificate(get_db(), get_actor().person_id, certificate_id)
    address = check_address(get_runtime().settings.public_url, found)
    return render_template(
        "certificates/own.html",
        certificate=found,
        code=typed_code(found.check_code),
        address=address,
        qr=Markup(qr_svg(address)),  # noqa: S704 # our own drawing of our own address
    )


@bp.get("/me/certificates/<int:certificate_id>.pdf")
@signed_in
def own_pdf(certificate_id: int) -> Response:
    """One's own certificate as A4."""
    return pdf_of(queries.get_own_certificate(get_db(), get_actor().person_id, certificate_id))

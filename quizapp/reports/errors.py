"""What reports refuse.

ExportReasonMissing  422  records with names are asked for without a reason
ExportGrantChanged   409  the grants are not those with which the export was asked for
"""

from __future__ import annotations

from quizapp.core.errors import Conflict, Invalid


class ExportReasonMissing(Invalid):
    """Records are given out for a reason only."""

    code = "export_reason_missing"


class ExportGrantChanged(Conflict):
    """A grant came, went or changed since the file was asked for: it is not given out."""

    code = "export_grant_changed"

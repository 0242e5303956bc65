"""Scanning at the door: phones, what they write down, and the attendances that follow."""

from __future__ import annotations

from quizapp.trainings.services.scanning.devices import (
    admit_helper,
    open_pass,
    page_device,
    register_device,
    revoke_device,
    revoke_pass,
)
from quizapp.trainings.services.scanning.photos import read_photo
from quizapp.trainings.services.scanning.receiving import Taken, check_in_on_page, count_waiting, receive
from quizapp.trainings.services.scanning.settling import note_own_check_in, settle
from quizapp.trainings.services.scanning.wire import Sent, device_key, lookup_hash, parse_entries, signature

__all__ = [
    "Sent",
    "Taken",
    "admit_helper",
    "check_in_on_page",
    "count_waiting",
    "device_key",
    "lookup_hash",
    "note_own_check_in",
    "open_pass",
    "page_device",
    "parse_entries",
    "read_photo",
    "receive",
    "register_device",
    "revoke_device",
    "revoke_pass",
    "settle",
    "signature",
]

"""What is done with banks: loading their files, and looking at items whose answers say that something is wrong."""

from __future__ import annotations

from quizapp.banks.services.loading import (
    BANK_TITLES,
    LOAD_PARTS,
    Loaded,
    fingerprint,
    load_banks,
    loaded_content,
    note_content,
)
from quizapp.banks.services.looking import look_at, take_look_back

__all__ = [
    "BANK_TITLES",
    "LOAD_PARTS",
    "Loaded",
    "fingerprint",
    "load_banks",
    "loaded_content",
    "look_at",
    "note_content",
    "take_look_back",
]

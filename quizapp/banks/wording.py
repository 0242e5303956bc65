"""What a taker of a question saw and what was right: versions that are equal in it are the same question for measurement."""

from __future__ import annotations

import hashlib
import json

from quizapp.banks.models import ItemVersion


def wording_hash(version: ItemVersion) -> str:
    """SHA-256 over type, stem, options with their order rule, key and picture; not over rationale, citation, tags or estimates."""
    seen = [
        version.type,
        version.stem,
        version.options,
        version.ordered,
        sorted(version.key),
        version.image["sha256"] if version.image else None,
    ]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

"""Below how many answers a figure is not shown, whoever asks: it would say little, and could say something of one person."""

from __future__ import annotations

#: A rate or a mean of fewer answers, or of fewer people, is shown to nobody.
FEWEST_ANSWERS = 10

"""What kept files refuse.

FileTooLarge     422  more bytes than a photo may have; data["most"], megabytes
PhotoUnreadable  422  no picture that can be read: another kind of file, or a broken one
PhotoHeic        422  a photo in Apple's format, which this installation cannot read
PhotoTooLarge    422  more pixels than are decoded here
"""

from __future__ import annotations

from quizapp.core.errors import Invalid


class FileTooLarge(Invalid):
    """More bytes than are taken."""

    code = "file_too_large"


class PhotoUnreadable(Invalid):
    """No picture, or a broken one."""

    code = "picture_unreadable"


class PhotoHeic(Invalid):
    """Apple's format, for which no decoder is installed."""

    code = "picture_heic"


class PhotoTooLarge(Invalid):
    """More pixels than are decoded here: a small file can hold a huge picture."""

    code = "picture_too_large"

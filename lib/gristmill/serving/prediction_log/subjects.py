"""Whom or what a record is about, as one text however it was sent."""


def subject_text(value: object) -> str:
    """Return the value of an id column as the log, the traffic split and erasure have it.

    JSON writes one number in many ways, and tables turn whole ids into floats: ``987654``, ``987654.0``, ``9.87654e5`` and the text
    ``"987654"`` are one subject. A text is taken as it stands: ``"007"`` and ``"9e5"`` may be names of their own.
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

"""Takes out of a text what has the form of a secret: tokens in headers, values behind a telling name, passwords in URLs."""

import re

REDACTED = "[redacted]"

_HINTS = ("bearer", "basic", "token", "passw", "secret", "api", "authorization", "cookie", "gm_", "gristmill_", "://")
"""Most texts hold none of these, which is seen ten times faster than that no form fits."""

_FORMS = (
    (re.compile(r"\b(bearer|basic)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"(://)[^/\s\"'@]+@"), rf"\1{REDACTED}@"),
    (re.compile(r"\b(?:gm|gristmill)_[A-Za-z0-9._-]{16,}"), REDACTED),
    (
        re.compile(
            r"([\"'\\]*\b[\w-]*(?:token|passw(?:or)?d|secret|api[_-]?key|authorization|cookie)[\w-]*[\"'\\]*\s*[=:]\s*[\"'\\]*)"
            r"(?!(?:bearer|basic) \[redacted\])[^\s\"'\\,;&}]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
)


def without_secrets(text: str) -> str:
    """Return ``text`` with :data:`REDACTED` in the place of secrets."""
    lowered = text.lower()
    for hint in _HINTS:  # a loop, at half the cost of `any` over a generator: each request comes by here
        if hint in lowered:
            break
    else:
        return text
    for form, put in _FORMS:
        text = form.sub(put, text)
    return text

"""Says what a stage depends on (first form: a constant)."""


def fingerprint(notebook: str, case: str) -> str:
    """Return a digest of everything that stage ``notebook`` of ``case`` depends on."""
    return f"{notebook}:{case}"

"""Which exercises are solved (a placeholder in memory)."""

_SOLVED: set[str] = set()


def record(name: str) -> None:
    """An exercise was solved."""
    _SOLVED.add(name)


def solved() -> set[str]:
    """The exercises solved so far."""
    return set(_SOLVED)

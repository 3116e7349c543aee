"""One-line messages of exceptions, for people."""


def first_line(error: BaseException) -> str:
    """The exception in one line: strerror of an OSError that has one, else the first of its
    lines."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()

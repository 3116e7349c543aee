"""What an error says, for people."""


def first_line(error: BaseException) -> str:
    """The error in one line: the system's words for its own errors, else the first of its lines."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()

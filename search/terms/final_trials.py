"""Names of final trials: those that train a design once more, for as long as a budget allows."""

import re

_NAME = re.compile(r"final-\d+")


def final_name(trial: int) -> str:
    """The name of the final trial of another trial's design."""
    return f"final-{trial}"


def is_final(name: str) -> bool:
    """Whether a trial of this name is a final one."""
    return bool(_NAME.fullmatch(name))

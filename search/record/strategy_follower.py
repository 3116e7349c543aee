"""Feeds ledger lines to a strategy as observations: live as they are written, or replayed at a
resume, so that the strategy's state depends on the ledger alone."""

from typing import Any

from models.design import Design, from_dict
from search.record import ledger
from search.record.state import OWN_ENDS, SearchState
from search.terms.actions import Strategy
from search.terms.metric import score_of


class Follower:
    """A ledger follower that turns lines into calls of a strategy (started, told, ended, ...)."""

    def __init__(self, strategy: Strategy[Design], second: str = "") -> None:
        """With a `second` objective its measurements are passed on too."""
        self._strategy, self._second = strategy, second
        self._known: set[int] = set()

    def __call__(self, line: ledger.Line, known: SearchState) -> None:
        """Passes on the next line; `known` is the state after it."""
        match line["kind"]:
            case "run" if line["event"] == "start":
                self._strategy.went_on()
            case "decision" if line["action"] == "refuse":
                self._strategy.decided()
                self._strategy.refused(from_dict(line["design"]))
            case "trial":
                self._tell_trial(line)
            case "epoch":
                self._tell_epoch(line, score_of(line, known.metric))

    def _tell_trial(self, line: dict[str, Any]) -> None:
        number, state = line["trial"], line["state"]
        if number not in self._known:
            self._known.add(number)
            self._strategy.decided()  # only now: the decision line counts once this one is written
            design = from_dict(line["design"])
            to_epoch = line.get("to_epoch", design.epochs)
            self._strategy.started(number, design, to_epoch, line.get("name", ""))
            if self._second in ("parameters", "flops"):
                self._strategy.measured(number, line[self._second])
        elif line.get("action") == "resume":
            self._strategy.decided()
            self._strategy.resumed(number, line["to_epoch"])
        elif state in ("finished", "stopped", "failed"):
            # A machine fault, which older runs record as a failure, is no observation of a design.
            failed = state == "failed" and line.get("reason") in OWN_ENDS
            self._strategy.ended(number, failed=failed)

    def _tell_epoch(self, line: dict[str, Any], score: float | None) -> None:
        if self._second == "latency":  # evaluation time: of as many images for every trial
            self._strategy.measured(line["trial"], line["eval_seconds"])
        self._strategy.told(
            line["trial"], line["epoch"], score, line["train_seconds"], line["eval_seconds"]
        )

"""Table of the transcript's claims with verdicts: holds, does not hold, not tried."""

import pandas as pd

from analysis.claims.claim_evidence import Diverged, Evidence, NotTried
from analysis.claims.transcript_claims import CLAIMS, Claim
from analysis.tables.table_files import Table

HOLDS, FAILS, NOT_TRIED = "holds", "does not hold", "not tried"
COLUMNS = ("design", "claim", "criterion", "measured", "verdict")


def verdict(claim: Claim, evidence: Evidence) -> tuple[str, str]:
    """What was measured (or why nothing was), and "holds", "does not hold" or "not tried"."""
    try:
        finding = claim.check(evidence)
    except NotTried as reason:
        return str(reason), NOT_TRIED
    except Diverged as reason:
        return str(reason), FAILS
    return finding.measured, HOLDS if finding.holds else FAILS


def transcript_table(evidence: Evidence) -> Table:
    """Every claim with its criterion, what was measured, and the verdict."""
    rows = [
        (claim.design, claim.claim, claim.criterion, *verdict(claim, evidence)) for claim in CLAIMS
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    held, failed = ((frame["verdict"] == kind).sum() for kind in (HOLDS, FAILS))
    return Table(
        name="transcript",
        title="Claims beside measurements",
        frame=frame,
        shown=frame[["design", "verdict", "claim", "measured", "criterion"]],
        rule=(
            f"{held} of {len(frame)} claims hold, {failed} do not, {len(frame) - held - failed} "
            "were not tried. As the transcript did, these runs train on all training images and "
            "call the test images their validation images. About means within 3 percentage points. "
            "Training accuracies are of the network after the epoch, without dropout; Keras, with "
            "which the transcript worked, averages them during the epoch, with dropout. A claim is "
            "not tried if its design was not run, not for as long, not on all of CIFAR-10, or, "
            "where it is about hours, not on such a GPU."
        ),
    )

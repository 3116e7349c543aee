"""The transcript's claims about its designs, each with its criterion and check."""

from dataclasses import dataclass

from analysis.claims import claim_checks as checks
from analysis.claims.claim_checks import ABOUT, Check


@dataclass(frozen=True)
class Claim:
    """One claim about one design."""

    design: str
    claim: str
    """A short quotation, or close to one."""
    criterion: str
    """When it holds, with numbers."""
    check: Check


def _parameters(design: str, claim: str, number: int) -> Claim:
    criterion = f"within 5 % of {number:,}"
    return Claim(design, claim, criterion, checks.parameters(design, number))


CLAIMS: tuple[Claim, ...] = (
    _parameters("ann-1", "a single FC layer with ten neurons, 30k parameters", 30_000),
    Claim(
        "ann-1",
        "over ten epochs the training accuracy increases to about 37 %",
        "34 to 40 % after epoch 10",
        checks.reaches("ann-1", "train_accuracy", 10, 0.37 - ABOUT, 0.37 + ABOUT),
    ),
    Claim(
        "ann-1",
        "the validation accuracy is quite poor, less than 30 %",
        "less than 30 % after epoch 10",
        checks.reaches("ann-1", "val_accuracy", 10, 0.0, 0.30 - 1e-6),
    ),
    Claim(
        "ann-1",
        "and doesn't improve",
        "at most 3 points above epoch 1 until epoch 10",
        checks.stays("ann-1", 1, 10, ABOUT),
    ),
    Claim(
        "ann-3",
        "the accuracy is very similar to the single layer (training)",
        "within 3 points of ann-1 after the last common epoch, the 10th at least",
        checks.differs("ann-3", "ann-1", "train_accuracy", 10, -ABOUT, ABOUT),
    ),
    Claim(
        "ann-3",
        "the accuracy is very similar to the single layer (validation)",
        "within 3 points of ann-1 after the last common epoch, the 10th at least",
        checks.differs("ann-3", "ann-1", "val_accuracy", 10, -ABOUT, ABOUT),
    ),
    Claim(
        "ann-3",
        "maybe marginal improvement in the validation accuracy",
        "0 to 3 points above ann-1 after the last common epoch, the 10th at least",
        checks.differs("ann-3", "ann-1", "val_accuracy", 10, 0.0, ABOUT),
    ),
    _parameters("cnn-1", "the number of parameters has risen to 500k", 500_000),
    Claim(
        "cnn-1",
        "memorises the training set, reaching accuracy of 90 %",
        "training accuracy of 87 % or more within 10 epochs",
        checks.best_training("cnn-1", 10, 0.90 - ABOUT),
    ),
    Claim(
        "cnn-1",
        "relatively poor on the validation set, around 40-50 %",
        "37 to 53 % after epoch 10",
        checks.reaches("cnn-1", "val_accuracy", 10, 0.40 - ABOUT, 0.50 + ABOUT),
    ),
    Claim(
        "cnn-1",
        "does not improve much after the first couple of epochs",
        "at most 3 points above epoch 2 until epoch 10",
        checks.stays("cnn-1", 2, 10, ABOUT),
    ),
    _parameters("cnn-3", "a decrease in parameters to roughly 350k", 350_000),
    Claim(
        "cnn-3",
        "after three to four epochs the validation accuracy was around 65 %",
        "62 to 68 % after epoch 3 or 4",
        checks.reaches_by_either("cnn-3", (3, 4), 0.65 - ABOUT, 0.65 + ABOUT),
    ),
    Claim(
        "cnn-3",
        "performance was improved (over one convolution)",
        "validation accuracy above cnn-1's after the last common epoch, the 4th at least",
        checks.better("cnn-3", "cnn-1", 4),
    ),
    _parameters("cnn-5-dropout", "800k parameters were learned", 800_000),
    Claim(
        "cnn-5-dropout",
        "validation accuracy approached 70 % after seven epochs",
        "67 % or more after epoch 7",
        checks.reaches("cnn-5-dropout", "val_accuracy", 7, 0.70 - ABOUT),
    ),
    Claim(
        "cnn-5-dropout",
        "dropout narrowed the gap between the training and validation accuracy",
        "training minus validation accuracy below cnn-3's after the last common epoch, the 7th "
        "at least",
        checks.narrower_gap("cnn-5-dropout", "cnn-3", 7),
    ),
    Claim(
        "cnn-5-dropout",
        "an improvement on the previous network",
        "validation accuracy above cnn-3's after the last common epoch, the 7th at least",
        checks.better("cnn-5-dropout", "cnn-3", 7),
    ),
    Claim(
        "final",
        "the learning curve starts to seriously flatten around 280-300 epochs",
        "means of 20 epochs: at most 0.5 points from 261-280 to 281-300, but 1 point or more "
        "from 161-180 to 261-280",
        checks.flattens("final", 0.005, 0.01),
    ),
    Claim(
        "final",
        "another 50 to 100 epochs could improve by another 2-4 percentage points",
        "means of 20 epochs: 2 to 4 points from epoch 300 to epoch 350 or 400",
        checks.further_epochs("final", 300, (350, 400), 0.02, 0.04),
    ),
    Claim(
        "final",
        "the training time was 9 hours in total (300 epochs, one 40 GB GPU)",
        "8.1 to 9.9 hours of training for 300 epochs on one GPU of 40 GB",
        checks.takes_hours("final", 300, 9.0, 40),
    ),
    Claim(
        "final",
        "training accuracy improves very similarly to validation accuracy: no overfitting",
        "their difference is at most 3 points, mean of epochs 281-300",
        checks.small_gap("final", 300),
    ),
    Claim(
        "final",
        "cat and dog: the only pair with over a hundred mistakes",
        "no other cell of the test images' confusion matrix is over 100",
        checks.only_pair_over("final", "cat", "dog", 100),
    ),
    Claim(
        "final",
        "bird and frog are confused with a relatively high margin of error",
        "among the 5 most confused pairs, both directions summed",
        checks.among_most_confused("final", "bird", "frog", 5),
    ),
    Claim(
        "all",
        "CNN performs better than ANN for image data",
        "the best validation accuracy of a network with convolutions is above that of any "
        "without, both trained for 10 epochs at least",
        checks.convolutions_win(10),
    ),
)

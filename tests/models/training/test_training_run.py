import copy
import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from models import checkpoint
from models.data.dataset import Dataset
from models.data.images import Subset
from models.design import Design
from models.training import memory
from models.training import training_run as module
from models.training.device import FIXED, Precision
from models.training.training_run import EpochResult, Training
from models.transcript import TRANSCRIPT

CPU = torch.device("cpu")

RICH = Design(
    kernels=((6,), (8, 8)),
    batch_norm=True,
    block_dropout=(0.1, 0.2),
    dense=(16,),
    dense_dropout=0.3,
    optimizer="nesterov",
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=1e-4,
    schedule="one_cycle",
    batch_size=50,
    epochs=4,
    label_smoothing=0.1,
    augmentation="flip_crop_cutout",
    gradient_clip=1.0,
)


def start(
    design: Design, data: Dataset, train: Subset, validation: Subset, seed: int = 3
) -> Training:
    return Training(design, data, train, validation, seed=seed, device=CPU, precision=FIXED["fp32"])


class AllZeros(torch.nn.Module):
    """Tells every image to be of the first of ten classes."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.eye(10)[:1].expand(len(images), 10)


def losses(results: list[EpochResult]) -> list[tuple[float, float]]:
    return [(result.train_loss, result.val_loss) for result in results]


@pytest.mark.parametrize("name", TRANSCRIPT)
def test_named_designs_train(name: str, colours: Dataset, colour_images: Subset) -> None:
    """To a lower loss within ten epochs of 96 images, or 40 with the slow steps of `final`."""
    epochs = 40 if name == "final" else 10
    design = dataclasses.replace(TRANSCRIPT[name], epochs=epochs)
    training = start(design, colours, colour_images, colour_images)
    before = training.evaluate(colour_images)[0]
    for _ in range(epochs):
        result = training.run_epoch()
    assert result.epoch == epochs
    assert result.val_loss < 0.9 * before
    assert result.images_per_second > 0 and result.peak_memory_bytes > 0


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"])
def test_one_batch_is_overfitted(optimizer: str, colours: Dataset, colour_images: Subset) -> None:
    few = Subset(colour_images.images, torch.arange(16))
    rate = 0.05 if optimizer in ("sgd", "momentum", "nesterov") else 1e-3
    design = Design(
        kernels=((8,), (16,)),
        batch_norm=True,
        optimizer=optimizer,
        learning_rate=rate,
        momentum=0.9 if optimizer in ("momentum", "nesterov") else 0,
        batch_size=16,
        epochs=100,
    )
    training = start(design, colours, few, few)
    for _ in range(100):
        result = training.run_epoch()
    assert result.train_accuracy == 1.0
    assert result.train_loss < 0.1


@pytest.mark.parametrize("schedule", ["constant", "one_cycle", "cosine", "cycles", "triangular"])
@pytest.mark.parametrize("optimizer", ["nesterov", "adamw", "rmsprop"])
def test_resumed_training_equals_uninterrupted_bit_for_bit(
    schedule: str, optimizer: str, digits: Dataset, digits_subsets: tuple[Subset, Subset], tmp_path
) -> None:
    design = dataclasses.replace(
        RICH,
        schedule=schedule,
        optimizer=optimizer,
        momentum=0.9 if optimizer == "nesterov" else 0,
        learning_rate=0.01,
    )
    whole = start(design, digits, *digits_subsets)
    expected = [whole.run_epoch() for _ in range(4)]

    first = start(design, digits, *digits_subsets)
    results = [first.run_epoch(), first.run_epoch()]
    checkpoint.save(first.state(), tmp_path / "last.pt")
    torch.rand(17)  # what another trial may have drawn meanwhile
    second = start(design, digits, *digits_subsets)
    second.load_state(checkpoint.load(tmp_path / "last.pt"))
    results += [second.run_epoch(), second.run_epoch()]

    assert losses(results) == losses(expected)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name]), name


def test_losses_do_not_depend_on_what_was_trained_before(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    expected = [start(RICH, digits, *digits_subsets).run_epoch()]
    for width in (3, 4, 5):
        other = dataclasses.replace(RICH, kernels=((width,), (width,)), augmentation="none")
        start(other, digits, *digits_subsets, seed=width).run_epoch()
    assert losses([start(RICH, digits, *digits_subsets).run_epoch()]) == losses(expected)


def test_seeds_differ(digits: Dataset, digits_subsets: tuple[Subset, Subset]) -> None:
    one, other = (start(RICH, digits, *digits_subsets, seed=seed) for seed in (0, 1))
    assert one.run_epoch().val_loss != other.run_epoch().val_loss


def test_dropout_and_the_order_of_images_draw_from_streams_of_their_own(
    digits: Dataset, digits_subsets: tuple[Subset, Subset], monkeypatch
) -> None:
    """The order's is what it always was: trainings without dropout repeat earlier ones."""
    orders, dropouts = [], []

    def no_batches(*arguments: object, seed: int, **named: object) -> list:
        orders.append(seed)
        return []

    monkeypatch.setattr(module, "batches", no_batches)
    for rank in (0, 1):
        training = start(RICH, digits, *digits_subsets)
        training.rank = rank
        for _ in range(3):
            training._train_epoch()
            dropouts.append(torch.initial_seed())
    first = np.random.SeedSequence((3, 1, 0)).generate_state(1, np.uint64)[0] >> np.uint64(1)
    assert orders[0] == int(first) and orders[:3] == orders[3:]
    assert len({*orders, *dropouts}) == 3 + 6


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw", "rmsprop"])
def test_a_checkpoint_of_another_device_goes_on_as_this_one_computes(
    optimizer: str, digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    design = Design(
        kernels=((4,),),
        optimizer=optimizer,
        momentum=0.9 if optimizer == "momentum" else 0,
        learning_rate=0.01,
        epochs=2,
    )
    whole = start(design, digits, *digits_subsets)
    whole.run_epoch()
    state = copy.deepcopy(whole.state())
    for name in ("fused", "foreach"):
        state["optimizer"]["param_groups"][0][name] = None
    if "capturable" in state["optimizer"]["param_groups"][0]:  # a CPU refuses to step so
        state["optimizer"]["param_groups"][0]["capturable"] = True
    expected = whole.run_epoch()
    resumed = start(design, digits, *digits_subsets)
    resumed.load_state(state)
    assert losses([resumed.run_epoch()]) == losses([expected])


def test_divergence_is_seen(digits: Dataset, digits_subsets: tuple[Subset, Subset]) -> None:
    design = Design(kernels=(), dense=(8,), optimizer="sgd", learning_rate=1e30, epochs=1)
    result = start(design, digits, *digits_subsets).run_epoch()
    assert result.diverged


def test_no_epoch_beyond_the_last(digits: Dataset, digits_subsets: tuple[Subset, Subset]) -> None:
    training = start(dataclasses.replace(RICH, epochs=1), digits, *digits_subsets)
    training.run_epoch()
    with pytest.raises(ValueError, match="all 1 epochs"):
        training.run_epoch()


def test_evaluation_equals_a_plain_loop(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    training = start(dataclasses.replace(RICH, normalisation="scale"), digits, *digits_subsets)
    validation = digits_subsets[1]
    pixels = validation.images.pixels[validation.index].float() / 255
    labels = validation.images.labels[validation.index]
    training.network.eval()
    with torch.no_grad():
        logits = training.network(pixels)
    loss = torch.nn.functional.cross_entropy(logits, labels).item()
    accuracy = (logits.argmax(1) == labels).float().mean().item()
    balanced = balanced_accuracy_score(labels, logits.argmax(1))
    assert training.evaluate(validation) == pytest.approx((loss, accuracy, balanced), rel=1e-5)


def test_balanced_accuracy_counts_the_classes_that_are_there_alike(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    """97 zeros and 3 ones, all told to be zeros: 97 %, and half of the two classes."""
    images = digits_subsets[1].images
    zeros, ones = ((images.labels == label).nonzero().flatten() for label in (0, 1))
    uneven = Subset(images, torch.cat([zeros[:97], ones[:3]]))
    training = start(RICH, digits, *digits_subsets)
    training.network = AllZeros()
    found = training.evaluate(uneven)
    assert (found.accuracy, found.balanced_accuracy) == pytest.approx((0.97, 0.5))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_gpu_trains_as_the_cpu_does(
    dtype: str, digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    design = Design(kernels=((16,), (32,)), epochs=3)
    on_gpu = Training(
        design,
        digits,
        *digits_subsets,
        seed=0,
        device=torch.device("cuda"),
        precision=FIXED[dtype],
    )
    on_cpu = start(design, digits, *digits_subsets, seed=0)
    for _ in range(3):
        there, here = on_gpu.run_epoch(), on_cpu.run_epoch()
    assert there.val_loss == pytest.approx(here.val_loss, rel=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_cuda_graphs_train_as_plain_calls_do(
    dtype: str, digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    """With batch norm, whose statistics the capture must not have touched, and without dropout,
    whose random numbers a graph draws in its own order."""
    design = Design(kernels=((16,), (32,)), batch_norm=True, epochs=3)
    found = []
    for graphs in (False, True):
        training = Training(
            design,
            digits,
            *digits_subsets,
            seed=0,
            device=torch.device("cuda"),
            precision=Precision(dtype, channels_last=True, graphs=graphs),
        )
        found.append([training.run_epoch() for _ in range(3)])
    for plain, graphed in zip(*found, strict=True):
        assert graphed.train_loss == pytest.approx(plain.train_loss, rel=0.05)
        assert graphed.val_loss == pytest.approx(plain.val_loss, rel=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_an_epoch_on_a_gpu_waits_for_it_only_at_its_end(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    training = Training(
        dataclasses.replace(RICH, epochs=2),
        digits,
        *digits_subsets,
        seed=0,
        device=torch.device("cuda"),
        precision=FIXED["bf16"],
    )
    training.run_epoch()
    torch.cuda.set_sync_debug_mode("error")
    try:
        training._train_epoch()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_trial_s_memory_on_a_gpu_is_given_back(
    digits: Dataset, digits_subsets: tuple[Subset, Subset]
) -> None:
    device = torch.device("cuda")
    memory.release(device)
    before = torch.cuda.memory_reserved(device)
    training = Training(
        Design(kernels=((64,), (128,)), dense=(512,), epochs=1),
        digits,
        *digits_subsets,
        seed=0,
        device=device,
        precision=FIXED["bf16"],
    )
    assert training.run_epoch().peak_memory_bytes > 0
    del training
    memory.release(device)
    assert torch.cuda.memory_reserved(device) <= before + (32 << 20)  # libraries' workspaces

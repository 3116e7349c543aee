import sys

import pytest
import torch

from models.training import memory, process_state

CPU = torch.device("cpu")


def test_what_a_training_changed_is_put_back() -> None:
    before = process_state.capture()
    try:
        torch.set_num_threads(before.threads + 1)
        torch.set_default_dtype(torch.float64)
        torch.set_float32_matmul_precision("medium")
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = not before.cudnn_benchmark
        torch.set_grad_enabled(False)
        assert process_state.capture() != before
    finally:
        process_state.restore(before)
    assert process_state.capture() == before
    assert torch.get_num_threads() == before.threads and torch.is_grad_enabled()


@pytest.mark.skipif(sys.platform != "linux", reason="the count starts anew on Linux only")
def test_the_peak_is_of_the_trial_alone() -> None:
    memory.release(CPU)
    before = memory.peak(CPU)
    held = torch.ones(50_000_000)  # 200 MB
    assert memory.peak(CPU) > before + 150_000_000
    del held
    memory.release(CPU)
    assert memory.peak(CPU) < before + 50_000_000

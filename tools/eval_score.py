"""One sample's figures, and their means per subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from eval_metrics import (
    boundary_f,
    f_curve,
    gradient_error,
    iou,
    mean_error,
    sad,
)
from eval_structure import s_measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eval_dataset import Sample
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32

HEADINGS = ("n", "refused", "MAE", "maxF", "S", "IoU", "BF", "soft n", "SAD", "grad", "ms")


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The figures of one sample; ``refused`` when no subject was seen (alpha is then all 0)."""

    sample: Sample
    refused: bool
    mae: float
    curve: NDArray[np.float64]
    structure: float
    iou: float
    boundary: float
    sad: float | None
    gradient: float | None
    ms: float


def score(
    sample: Sample, alpha: ArrayF32, truth: ArrayF32, ms: float, *, refused: bool = False
) -> Score:
    """Compare alpha with the truth, both float32 (H, W) in [0, 1]."""
    mask, real = alpha > 0.5, truth > 0.5
    return Score(
        sample=sample,
        refused=refused,
        mae=mean_error(alpha, truth),
        curve=f_curve(alpha, real),
        structure=s_measure(alpha, real),
        iou=iou(mask, real),
        boundary=boundary_f(mask, real),
        sad=sad(alpha, truth) if sample.soft else None,
        gradient=gradient_error(alpha, truth) if sample.soft else None,
        ms=ms,
    )


def table(label: str, scores: Sequence[Score]) -> str:
    """Return a Markdown table with a line for each subject and one for all."""
    subjects = sorted({s.sample.subject.value for s in scores})
    lines = [f"| {label} | " + " | ".join(HEADINGS) + " |", "|---" * (len(HEADINGS) + 1) + "|"]
    lines.extend(_line(name, [s for s in scores if s.sample.subject == name]) for name in subjects)
    return "\n".join([*lines, _line("all", scores)]) + "\n"


def _line(name: str, scores: Sequence[Score]) -> str:
    max_f = float(np.mean([s.curve for s in scores], axis=0).max())
    soft = [s for s in scores if s.sad is not None]
    cells = [
        str(len(scores)),
        str(sum(s.refused for s in scores)),
        f"{_mean(s.mae for s in scores):.4f}",
        f"{max_f:.4f}",
        f"{_mean(s.structure for s in scores):.4f}",
        f"{_mean(s.iou for s in scores):.4f}",
        f"{_mean(s.boundary for s in scores):.4f}",
        str(len(soft)),
        f"{_mean(s.sad for s in soft if s.sad is not None):.2f}" if soft else "–",
        f"{_mean(s.gradient for s in soft if s.gradient is not None):.2f}" if soft else "–",
        f"{float(np.median([s.ms for s in scores])):.0f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))

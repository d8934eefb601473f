"""The figures of a sample, and their means per subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eval.metrics import (
    boundary_f,
    f_curve,
    ghost_share,
    gradient_error,
    iou,
    mean_error,
    sad,
)
from eval.structure import s_measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32
    from eval.dataset import Sample

HEADINGS = (
    *("n", "refused", "MAE", "maxF", "S", "IoU", "BF", "ghost share"),
    *("soft n", "SAD", "grad", "CPU ms"),
)
KIND_HEADINGS = ("n", "refused", "IoU", "worst", "confidence", "sure and wrong", "CPU ms")
SURE, WRONG = 0.8, 0.7  # of drawn pictures: least confidence of a sure answer, IoU of a wrong one


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The figures of a sample.

    ``refused`` is true when no subject was found; alpha is then all 0. ``cpu_ms`` is the processor
    time of the remover's own process with all its threads, without the decoder's process.
    """

    sample: Sample
    refused: bool
    mae: float
    curve: NDArray[np.float64]
    structure: float
    iou: float
    boundary: float
    ghost: float
    sad: float | None
    gradient: float | None
    cpu_ms: float
    confidence: float | None = None


def score(
    sample: Sample,
    alpha: ArrayF32,
    truth: ArrayF32,
    cpu_ms: float,
    *,
    refused: bool = False,
    confidence: float | None = None,
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
        ghost=ghost_share(alpha),
        sad=sad(alpha, truth) if sample.soft else None,
        gradient=gradient_error(alpha, truth) if sample.soft else None,
        cpu_ms=cpu_ms,
        confidence=confidence,
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
        f"{_mean(s.ghost for s in scores):.4f}",
        str(len(soft)),
        f"{_mean(s.sad for s in soft if s.sad is not None):.2f}" if soft else "–",
        f"{_mean(s.gradient for s in soft if s.gradient is not None):.2f}" if soft else "–",
        f"{_mean(s.cpu_ms for s in scores):.0f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def kind_table(label: str, scores: Sequence[Score]) -> str:
    """Return a Markdown table with a line for each kind of picture; empty without kinds."""
    kinds = sorted({s.sample.kind for s in scores} - {""})
    if not kinds:
        return ""
    lines = [f"| {label} | " + " | ".join(KIND_HEADINGS) + " |"]
    lines.append("|---" * (len(KIND_HEADINGS) + 1) + "|")
    lines += [_kind_line(kind, [s for s in scores if s.sample.kind == kind]) for kind in kinds]
    return "\n".join([*lines, _kind_line("all", [s for s in scores if s.sample.kind])]) + "\n"


def _kind_line(kind: str, scores: Sequence[Score]) -> str:
    known = [s.confidence for s in scores if s.confidence is not None]
    sure = sum(s.confidence is not None and s.confidence >= SURE and s.iou < WRONG for s in scores)
    cells = [
        str(len(scores)),
        str(sum(s.refused for s in scores)),
        f"{_mean(s.iou for s in scores):.3f}",
        f"{min(s.iou for s in scores):.3f}",
        f"{_mean(known):.2f}" if known else "–",
        str(sure),
        f"{_mean(s.cpu_ms for s in scores):.0f}",
    ]
    return f"| {kind} | " + " | ".join(cells) + " |"


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))

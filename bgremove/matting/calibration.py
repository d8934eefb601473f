"""The confidence of an answer, estimated from the evidence for its cut-out."""

from __future__ import annotations

import math

# Log-odds of the expected IoU: constant, weight of the map's certainty, weight of the agreement of
# two networks. Fitted by logistic regression on 241 photographs; docs/quality.md has both halves.
ONE_NETWORK = (0.43, 0.83)
TWO_NETWORKS = (0.68, 0.21, 0.41)
# Expected IoU below which an answer has the warning low-confidence: of 20 such photographs, 12 have
# an IoU under 0.5.
WARN_BELOW = 0.6
EXTREME = 0.01  # evidence is clipped to this distance from 0 and 1


def expected_iou(certainty: float, agreement: float | None) -> float:
    """Estimate the intersection over union of the mask with the true mask.

    Args:
        certainty: of the saliency map, in [0, 1], as `presence.certainty` returns it.
        agreement: intersection over union of two networks' subjects, in [0, 1]; None where one
            network ran.

    Returns:
        The estimate, in [0, 1].
    """
    if agreement is None:
        constant, weight = ONE_NETWORK
        odds = constant + weight * _logit(certainty)
    else:
        constant, weight, weight_agreement = TWO_NETWORKS
        odds = constant + weight * _logit(certainty) + weight_agreement * _logit(agreement)
    return 1 / (1 + math.exp(-odds))


def _logit(share: float) -> float:
    bounded = min(max(share, EXTREME), 1 - EXTREME)
    return math.log(bounded / (1 - bounded))

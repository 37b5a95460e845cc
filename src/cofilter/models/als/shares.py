"""What each rating of a history adds to a score of alternating least squares."""

from __future__ import annotations

import numpy as np

from cofilter.models.als.kernels.rows import Objective
from cofilter.recommender.sparse import Sparse


def row_shares(
    rows: Sparse,
    weight: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    item: np.ndarray,
    objective: Objective,
) -> list[np.ndarray]:
    """Of each pair (row, item) what its row's entries add to p·q_i (+ b), float64[entries].

    A row's minimum is linear in its targets (Hu, Koren, Volinsky 2008, section 6):

        (p, b) = W Σ_j c_j t_j z_j,   W = (Σ_j a_j z_j z_jᵀ + base + λ n I)⁻¹,
        share_j = z_iᵀ W z_j c_j t_j

    *explicit*: z = (q, 1), a = c = w, t = r − μ − b_j, no base, n the row's entries.
    *implicit*: z = q, a = w v, c = 1 + w v, t = 1, base = QᵀQ, n = 1.

    Parameters
    ----------
    rows, weight, objective:
        As `cofilter.models.als.kernels.rows.solve_rows` takes them.
    pairs:
        int[n] row, ascending, and int[n] item of each.
    item:
        float32[items, dim + 1], the bias in the last column.

    Cost: dim² · entries + dim³ a distinct row, dim² + dim · entries a pair; once items · dim² for
    the implicit base.
    """
    exact = item.astype(np.float64)
    z, bias = exact[:, :-1], exact[:, -1]
    base = z.T @ z if objective.implicit else 0.0
    if not objective.implicit:
        z = np.column_stack([z, np.ones(len(z))])
    of_row, of_item = pairs
    result: list[np.ndarray] = []
    distinct, first = np.unique(of_row, return_index=True)
    for row, wanted in zip(distinct, np.split(of_item, first[1:]), strict=True):
        entries = slice(rows.start[row], rows.start[row + 1])
        at = rows.at[entries]
        value = objective.slope * rows.value[entries].astype(np.float64) + objective.shift
        w = weight[entries] if len(weight) > 1 else np.ones(len(at))
        ridge = float(objective.regularization) * (1 if objective.implicit else len(at))
        own = z[at]
        a = w * value if objective.implicit else w
        pull = 1.0 + w * value if objective.implicit else w * (value - bias[at])
        normal = base + (own.T * a) @ own + ridge * np.eye(z.shape[1])
        found = (
            own @ np.linalg.solve(normal, z[wanted].T) if len(at) else np.empty((0, len(wanted)))
        )
        result += list((pull[:, None] * found).T)
    return result

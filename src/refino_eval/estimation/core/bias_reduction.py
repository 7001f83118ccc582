"""Bias-reduced covariances with absorbed cells, weights and clusters, and their Satterthwaite degrees of freedom.

A coefficient is b = sum_i t_i e~_i about its true value, with e~ the residual times the root weight. Under CR2 the weights
t of the residuals of cluster g are those of least squares times A_g (Bell and McCaffrey 2002; Pustejovsky and Tipton
2018, Journal of Business & Economic Statistics 36(4), eq. 6-8, with the identity as working model as in `clubSandwich`):

    A_g = B_g^(-1/2),  B_g = [(I - H)(I - H)']_gg,  H = X (X'WX)^-1 X'W,

with the generalised inverse where B_g is singular. CR3 has (I - H_gg)^-1 instead. Cells are part of X: the result holds
whether cells contain clusters, clusters contain cells, or they cross. (The simplification by which absorbed fixed effects may
be left out of A_g does not hold in general: Pustejovsky and Tipton 2018, theorem 2, and its correction.)

Nothing is n x n. With Q an orthonormal basis of W^(1/2) X, in which a cell is one column that is 0 outside the cell, the rows
of Q of a cluster have as many columns as the cluster has cells, and k more for the other regressors; A_g follows
from decompositions of that size. The degrees of freedom need traces of G x G matrices diag(a) + L C L' with L of low rank
(sparse in cells).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from refino_eval.estimation.core.absorbed_cells import Cells, build_cells
from refino_eval.estimation.core.arrays import FloatArray, IntArray

# Eigenvalues of I - H_gg below this are directions that the regression fits exactly.
FITTED_EXACTLY = 1e-10
# A coefficient with more than this share of its (squared) weights in such directions has no estimated variance.
UNOBSERVED = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class HatMatrix:
    """The columns that a regression fits: absorbed cells, and an orthonormal basis of the other columns within them.

    Attributes
    ----------
    cells
        Absorbed cells of n people.
    basis
        Shape (n, k), orthonormal, and orthogonal to the cells; rows times root weights.
    root_weights
        Square roots of the weights, shape (n,), or None.
    """

    cells: Cells
    basis: FloatArray
    root_weights: FloatArray | None

    @property
    def n(self) -> int:
        """Number of people."""
        return int(self.cells.codes.size)

    def cell_entries(self) -> FloatArray:
        """Entry of each person in the unit-length column of their cell, shape (n,)."""
        own = np.ones(self.n) if self.root_weights is None else self.root_weights
        return np.asarray(own / np.sqrt(self.cells.totals[self.cells.codes]))

    @property
    def leverage(self) -> FloatArray:
        """Diagonal of the hat matrix, shape (n,)."""
        return np.asarray(self.cells.leverage + np.einsum("ik,ik->i", self.basis, self.basis))

    def residuals(self, values: FloatArray) -> FloatArray:
        """Return the residuals of columns times root weights, shape (n, J)."""
        within = self.cells.demean(values)
        if self.root_weights is not None:
            within = within * self.root_weights[:, None]
        return np.asarray(within - self.basis @ (self.basis.T @ within))

    def rows(self, people: IntArray) -> tuple[FloatArray, IntArray]:
        """Return the rows of Q of some people without the columns of other cells, (m, c + k), and the c cells."""
        there, inverse = np.unique(self.cells.codes[people], return_inverse=True)
        indicator = np.zeros((people.size, there.size))
        own = 1.0 if self.root_weights is None else self.root_weights[people]
        indicator[np.arange(people.size), inverse] = own / np.sqrt(self.cells.totals[there])[inverse]
        return np.hstack((indicator, self.basis[people])), there

    def weighted_products(self) -> sparse.csr_array:
        """Return S = Q'WQ, cells first, shape (C + k, C + k); the identity without weights."""
        n_cells, k = self.cells.n_cells, self.basis.shape[1]
        if self.root_weights is None:
            return sparse.eye_array(n_cells + k, format="csr")
        weights = self.root_weights**2
        squares = np.bincount(self.cells.codes, weights=weights**2, minlength=n_cells) / self.cells.totals
        crossed = self._by_cell(self.basis * weights[:, None])
        inside = self.basis.T @ (self.basis * weights[:, None])
        return sparse.csr_array(
            sparse.vstack(
                (
                    sparse.hstack((sparse.diags_array(squares), crossed)),
                    sparse.hstack((crossed.T, sparse.csr_array(inside))),
                )
            )
        )

    def _by_cell(self, columns: FloatArray) -> sparse.csr_array:
        entries = self.cell_entries()[:, None] * columns
        sums = np.add.reduceat(entries[self.cells.order], self.cells.starts, axis=0)
        return sparse.csr_array(sums)


def adjusted_dual(hat: HatMatrix, dual: FloatArray, cluster: IntArray, power: int) -> FloatArray:
    """Return the weights of residuals in each coefficient, adjusted within clusters, shape (n, f).

    Parameters
    ----------
    hat
        What the regression fits.
    dual
        Weights of the residuals (times root weights) in each coefficient, shape (n, f).
    cluster
        Codes, shape (n,).
    power
        1 for CR2, 2 for CR3.

    Returns
    -------
    ndarray
        t of shape (n, f); sums of t e~ in clusters are the scores. NaN for a coefficient whose weights are partly in
        clusters that the regression fits exactly, such as the effect where one cluster is treated: no residual shows how much
        these vary, and the generalised inverse would take their variance for 0.
    """
    adjusted, unobserved = np.empty_like(dual), np.zeros(dual.shape[1])
    products = hat.weighted_products() if power == 1 and hat.root_weights is not None else None
    for people in _members(build_cells(cluster)):
        q, there = hat.rows(people)
        adjusted[people], lost = _shrunk(q, dual[people], power)
        unobserved += lost
        # Without weights B_g = I - H_gg; and CR3 is (I - H_gg)^-1 in coordinates times root weights.
        if products is not None:
            columns = np.concatenate((there, np.arange(hat.cells.n_cells, products.shape[0])))
            inner = products[columns][:, columns].toarray()
            assert hat.root_weights is not None
            root = hat.root_weights[people, None]
            # A_g multiplies residuals; the dual weights residuals times root weights, and so is multiplied by these before and
            # divided after.
            adjusted[people] = _weighted(q, inner, root) @ (dual[people] * root) / root
    adjusted[:, unobserved > UNOBSERVED * np.sum(dual**2, axis=0)] = np.nan
    return adjusted


def _members(groups: Cells) -> Iterator[IntArray]:
    """Yield the people of each group."""
    yield from np.split(groups.order, groups.starts[1:])


def _shrunk(q: FloatArray, dual: FloatArray, power: int) -> tuple[FloatArray, FloatArray]:
    """Return (I - qq')^(-power / 2) times the columns, and their squares in directions that are fitted exactly, shape (f,)."""
    # I - qq' has the eigenvalues 1 - s^2 along the left singular vectors of q and 1 in all other directions, so that only the
    # former are rescaled: c + k directions rather than a matrix of the cluster's people squared.
    vectors, values, _ = np.linalg.svd(q, full_matrices=False)
    slack = 1.0 - values**2
    exact = slack <= FITTED_EXACTLY
    scale = np.where(exact, 0.0, np.where(exact, 1.0, slack) ** (-power / 2))
    along = vectors.T @ dual
    return dual + vectors @ ((scale - 1.0)[:, None] * along), np.asarray(np.sum(along[exact] ** 2, axis=0))


def _weighted(q: FloatArray, inner: FloatArray, root: FloatArray) -> FloatArray:
    """Return B_g^(-1/2) with weights: B_g = I - H_gg - H_gg' + X_g (X'WX)^-1 X'W^2 X (X'WX)^-1 X_g'."""
    # In the coordinates of Q, X'WX is the identity: X_g is q / root, WX_g is q root, and X'W^2 X is S = Q'WQ (`inner`).
    scaled = q / root
    crossed = scaled @ (q * root).T
    block = np.eye(q.shape[0]) - crossed - crossed.T + scaled @ inner @ scaled.T
    values, vectors = np.linalg.eigh(block)
    exact = values <= FITTED_EXACTLY * max(1.0, float(values[-1]))
    scale = np.where(exact, 0.0, np.where(exact, 1.0, values) ** -0.5)
    return np.asarray((vectors * scale) @ vectors.T)


@dataclass(frozen=True, eq=False, repr=False)
class WorkingForm:
    """Quadratic forms of q estimates whose variance is a sum of squares over G clusters, under independent equal errors.

    With p_sg the weights of all outcomes in the score of cluster g for estimate s, P^st = (p_sg'p_th) of shape (G, G) is
    diag(a_st) + L_s C L_t'.

    Attributes
    ----------
    diagonal
        a_st, shape (q, q, G).
    loadings
        L_s, q matrices of shape (G, m).
    core
        C, shape (m, m).
    """

    diagonal: FloatArray
    loadings: tuple[sparse.csr_array, ...]
    core: sparse.csr_array

    @property
    def q(self) -> int:
        """Number of estimates."""
        return len(self.loadings)

    def traces(self) -> FloatArray:
        """Return trace P^st, the covariance of the estimates under the working model, shape (q, q)."""
        return np.array([[self._diagonal_of(s, t).sum() for t in range(self.q)] for s in range(self.q)])

    def _diagonal_of(self, s: int, t: int) -> FloatArray:
        low_rank = (self.loadings[s] @ self.core).multiply(self.loadings[t]).sum(axis=1)
        return np.asarray(self.diagonal[s, t] + np.asarray(low_rank).ravel())

    def __add__(self, other: WorkingForm) -> WorkingForm:
        """Add the form of the same estimates on other people, in the same clusters."""
        return WorkingForm(
            diagonal=self.diagonal + other.diagonal,
            loadings=tuple(
                sparse.csr_array(sparse.hstack((mine, theirs)))
                for mine, theirs in zip(self.loadings, other.loadings, strict=True)
            ),
            core=sparse.csr_array(sparse.block_diag((self.core, other.core))),
        )

    def combine(self, loadings: FloatArray) -> WorkingForm:
        """Return the form of linear combinations, loadings of shape (r, q)."""
        # Estimates without a variance are NaN, and do not count where their weight is 0.
        used = [np.flatnonzero(row) for row in loadings]
        matrices = tuple(
            sparse.csr_array(sum(row[s] * self.loadings[s] for s in there))
            for row, there in zip(loadings, used, strict=True)
        )
        diagonal = np.array(
            [
                [
                    np.einsum("s,stg,t->g", one[a], self.diagonal[np.ix_(a, b)], two[b])
                    for two, b in zip(loadings, used, strict=True)
                ]
                for one, a in zip(loadings, used, strict=True)
            ]
        )
        return WorkingForm(diagonal, matrices, self.core)

    def freedom_of(self, directions: FloatArray) -> float:
        """Return the degrees of freedom of combinations of the estimates, weights of shape (r, q)."""
        return self.combine(directions).freedom()

    def freedom(self) -> float:
        """Return eta, the degrees of freedom of the covariance of q estimates; Satterthwaite's for one.

        Returns
        -------
        float
            NaN when an estimate has no variance under the working model.

        Notes
        -----
        eta = q (q + 1) / sum_st Var(D_st), D the covariance in coordinates where its mean is the identity: Pustejovsky and
        Tipton (2018), eq. 12-14, `clubSandwich` "HTZ"; with q = 1 it is (sum of eigenvalues)^2 / sum of squares.
        """
        mean = self.traces()
        if not np.isfinite(mean).all():
            return float("nan")
        values, vectors = np.linalg.eigh(mean)
        size = np.abs(self.diagonal).sum()
        if not size > 0 or values[0] <= FITTED_EXACTLY * size:
            return float("nan")
        white = self.combine((vectors / np.sqrt(values)).T)
        products = [[white._product(s, t) for t in range(self.q)] for s in range(self.q)]
        total = 0.0
        for s in range(self.q):
            for t in range(self.q):
                # Var(D_st) = trace(P^ss P^tt) + trace(P^st P^st) for normal errors (Isserlis 1918); its mean is the identity by
                # `white`.
                total += white._trace(products, (s, s), (t, t)) + white._trace(products, (s, t), (s, t))
        return self.q * (self.q + 1) / total

    def _product(self, s: int, t: int) -> sparse.csr_array:
        """Return C L_s'L_t."""
        return sparse.csr_array(self.core @ (self.loadings[s].T @ self.loadings[t]))

    def _trace(self, products: list[list[sparse.csr_array]], one: tuple[int, int], two: tuple[int, int]) -> float:
        """Return trace(P^ab P^cd)."""
        (a, b), (c, d) = one, two
        first, second = self.diagonal[a, b], self.diagonal[c, d]
        # P^ab P^cd = (diag + L_a C L_b')(diag + L_c C L_d'), term by term.
        total = float(first @ second)
        total += float(first @ (self._diagonal_of(c, d) - second)) + float(second @ (self._diagonal_of(a, b) - first))
        # The last term, trace(L_a C L_b' L_c C L_d'), is trace((C L_d'L_a)(C L_b'L_c)): a sum of products of two small matrices.
        return total + float(products[d][a].multiply(products[b][c].T).sum())


def working_form(hat: HatMatrix, adjusted: FloatArray, groups: IntArray, n_groups: int) -> WorkingForm:
    """Return the quadratic forms of q estimates, from the adjusted weights of residuals.

    Parameters
    ----------
    hat
        What the regression fits.
    adjusted
        As `adjusted_dual`, or weights scaled by leverage, shape (n, q).
    groups
        Cluster of each person, 0 .. n_groups - 1; each person's row number without clusters, shape (n,).
    n_groups
        G.
    """
    n, q = adjusted.shape
    weights = np.ones(n) if hat.root_weights is None else hat.root_weights**2
    diagonal = np.empty((q, q, n_groups))
    for s in range(q):
        for t in range(q):
            product = adjusted[:, s] * adjusted[:, t] * weights
            diagonal[s, t] = np.bincount(groups, weights=product, minlength=n_groups)
    plain = [_summed(hat, adjusted[:, s], groups, n_groups) for s in range(q)]
    if hat.root_weights is None:
        # I - H is a projection without weights: P = diag(a) - U U', U the weights of residuals times the rows of Q, summed in
        # clusters.
        return WorkingForm(diagonal, tuple(plain), sparse.csr_array(-sparse.eye_array(plain[0].shape[1])))
    scaled = [_summed(hat, adjusted[:, s] * weights, groups, n_groups) for s in range(q)]
    # P = diag(a) - U V' - V U' + U S U', with U from the weights of residuals and V from these times weights.
    size = plain[0].shape[1]
    minus = -sparse.eye_array(size)
    products = hat.weighted_products()
    core = sparse.vstack((sparse.hstack((products, minus)), sparse.hstack((minus, 0.0 * minus))))
    loadings = tuple(sparse.csr_array(sparse.hstack(pair)) for pair in zip(plain, scaled, strict=True))
    return WorkingForm(diagonal, loadings, sparse.csr_array(core))


def _summed(hat: HatMatrix, values: FloatArray, groups: IntArray, n_groups: int) -> sparse.csr_array:
    """Return the sums in groups of values times the rows of Q, shape (G, C + k)."""
    entries = values * hat.cell_entries()
    by_cell = sparse.coo_array((entries, (groups, hat.cells.codes)), shape=(n_groups, hat.cells.n_cells))
    rest = np.zeros((n_groups, hat.basis.shape[1]))
    for k, column in enumerate(hat.basis.T):
        rest[:, k] = np.bincount(groups, weights=values * column, minlength=n_groups)
    return sparse.csr_array(sparse.hstack((by_cell.tocsr(), sparse.csr_array(rest))))

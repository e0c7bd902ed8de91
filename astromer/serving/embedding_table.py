"""Tables of embeddings: their schema, reading and exporting them, nearest neighbours in them.

``astromer embed`` writes them as Parquet, which pandas, polars and DuckDB read; TOPCAT takes the
export as FITS or VOTable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from astromer.serving.config import EXPORTS
from astromer.system.environment import require
from astromer.system.errors import DataNotFoundError, RecordError, UsageError
from astromer.system.text import brief, shortened

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = "3"
"""1 had no band, and ids of any type; 2 had no traits and no error of the period."""
SCHEMA_KEY, MODEL_FACTS = b"astromer_embeddings", b"astromer_model"
"""Keys of the metadata: the version of the schema, and the model as JSON."""

_COLUMNS = {
    "id": "the object's name in its survey",
    "band": "passband",
    "split": "split of the fold, empty for a survey",
    "label": "index of the class, -1 where unknown",
    "class": "name of the class, empty where unknown",
    "num_observations": "usable observations",
    "status": "0: embedded; others are explained in docs/serving.md",
    "mean": "mean of the last layer over the observed steps",
    "max": "maximum of the last layer over the observed steps",
    "period": "of the best harmonic series [days]",
    "period_error": "standard error of the period [days] (Montgomery & O'Donoghue 1999)",
    "false_alarm_probability": "that noise alone has a peak as high (Baluev 2008)",
    "embedding": "what heads and neighbours read",
    "periods": "the best one, then those of the highest peaks [days]",
    "powers": "of these peaks, 0 to 1",
}
_CLIP = 5.0
"""Standard deviations, beyond which a number of an embedding says no more."""
_ROWS = 65_536
"""Compared at once, which bounds memory."""
_COMPONENTS, _PERPLEXITY = 30, 30.0


@dataclass(frozen=True)
class Neighbours:
    """Objects like others, the nearest first.

    Attributes:
        positions: int64 [number], rows of the table.
        ids: str [number].
        distances: float64 [number], in standard deviations of the survey per number of the
            embedding: 0 for the same light curve, about 1.4 for two objects taken at random.
        nearest_to: int64 [number], which of the queries each is nearest to.
    """

    positions: np.ndarray
    ids: np.ndarray
    distances: np.ndarray
    nearest_to: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)


class VectorSpace:
    """Embeddings on one scale: each number in standard deviations about its mean.

    Args:
        vectors: float32 [num_curves, width].
        usable: bool [num_curves], rows that define the scale and can be neighbours.
    """

    def __init__(self, vectors: np.ndarray, usable: np.ndarray) -> None:
        self.usable = np.flatnonzero(usable)
        some = vectors[self.usable]
        self._mean = some.mean(axis=0, dtype=np.float64)
        spread = some.std(axis=0, dtype=np.float64)
        self._scale = np.where(spread > 1e-9, spread, np.inf)
        self.scaled = self.scale(some)

    def scale(self, vectors: np.ndarray) -> np.ndarray:
        """float32 [n, width], so that the length of a difference is a distance."""
        scaled = np.clip((vectors - self._mean) / self._scale, -_CLIP, _CLIP)
        return np.asarray(scaled / np.sqrt(vectors.shape[1]), np.float32)

    def nearest(
        self, queries: np.ndarray, number: int, without: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, distances and nearest queries, by brute force: exact.

        Args:
            queries: float32 [num_queries, width], as they are in the table.
            number: how many.
            without: int64 [n], rows that are no answer.
        """
        wanted = self.scale(queries)
        distances = np.full(len(self.usable), np.inf)
        closest = np.zeros(len(self.usable), np.int64)
        for index, query in enumerate(wanted):
            for first in range(0, len(self.usable), _ROWS):
                rows = slice(first, first + _ROWS)
                found = np.sqrt(((self.scaled[rows] - query) ** 2).sum(axis=1, dtype=np.float64))
                nearer = found < distances[rows]
                distances[rows] = np.where(nearer, found, distances[rows])
                closest[rows] = np.where(nearer, index, closest[rows])
        distances[np.isin(self.usable, without)] = np.inf
        number = min(number, int(np.isfinite(distances).sum()))
        best = np.argpartition(distances, number - 1)[:number] if number else np.empty(0, int)
        best = best[np.lexsort((best, distances[best]))]
        return self.usable[best], distances[best], closest[best]


def to_plane(vectors: np.ndarray, method: str, seed: int) -> tuple[np.ndarray, str]:
    """Points of a plane, float64 [num_curves, 2], and a description of the axes.

    Args:
        vectors: float [num_curves, width]; t-SNE gets their first 30 principal components.
        method: "pca" or "tsne"; of fewer than 5 light curves it is always PCA.
        seed: of t-SNE.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require("plots", "sklearn")
    from sklearn.decomposition import PCA

    points = np.zeros((len(vectors), 2))
    with np.errstate(invalid="ignore"):  # of points that are all the same
        analysis = PCA(min(_COMPONENTS, *vectors.shape), svd_solver="full")
        components = analysis.fit_transform(vectors.astype(np.float64))
    if method == "tsne" and len(vectors) > 4:
        from sklearn.manifold import TSNE

        perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
        made = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=-1)
        points[:] = made.fit_transform(components)
        return points, (
            f"t-SNE (perplexity {perplexity:g}, seed {seed}): neighbours mean something, "
            "distances between groups do not"
        )
    points[:, : components.shape[1]] = components[:, :2]
    share = np.nan_to_num(analysis.explained_variance_ratio_[:2]).sum()
    return points, f"the first two principal components, {share:.0%} of the variance"


class EmbeddingTable:
    """A table of embeddings that ``astromer embed`` wrote.

    Args:
        path: the Parquet file.

    Attributes:
        ids: str [num_curves].
        model: the model that made it: name, version, sha256, astromer_version.

    Raises:
        DataNotFoundError: there is no such file.
        RecordError: it is no table of embeddings.
    """

    def __init__(self, path: str | Path) -> None:
        require("records", "pyarrow")
        import pyarrow as pa

        from astromer.records.sources.tables import parquet_file

        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise DataNotFoundError(
                f"--embeddings must be a table of astromer embed. Received: {self.path}, which "
                f"{'is a folder' if self.path.is_dir() else 'does not exist'}. Make it with "
                "astromer embed --data SURVEY --out FILE."
            )
        try:
            self._file = parquet_file(self.path)
            schema = self._file.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise self._no_table(brief(error)) from error
        facts = schema.metadata or {}
        missing = [n for n in ("id", "status", "mean") if n not in schema.names]
        if missing:  # the first tables had no metadata
            raise self._no_table(f"which has no column {missing[0]}")
        self.columns = tuple(schema.names)
        try:
            self.model: dict[str, Any] = json.loads(facts.get(MODEL_FACTS, b"{}"))
        except ValueError as error:
            raise self._no_table("whose metadata are damaged") from error
        self.ids = self.column("id").astype(np.str_)

    def _no_table(self, what: str) -> RecordError:
        return RecordError(
            f"--embeddings must be a table of astromer embed. Received: {self.path}, {what}. Make "
            "it with astromer embed --data SURVEY --out FILE."
        )

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> np.ndarray:
        """A column, [num_curves] or [num_curves, width].

        Raises:
            RecordError: the table has none of this name.
        """
        if name not in self.columns:
            raise RecordError(
                f"A table of embeddings must have the column {name}. Received: {self.path}, "
                "which an older version of astromer embed or a model that does not fold wrote. "
                "Embed the light curves again."
            )
        found = self._file.read([name]).column(0).combine_chunks()
        if not hasattr(found, "values"):
            return np.asarray(found.to_numpy(zero_copy_only=False))
        flat = found.flatten().to_numpy(zero_copy_only=False)
        return np.asarray(flat.reshape(len(found), -1) if len(found) else flat.reshape(0, 0))

    @cached_property
    def usable(self) -> np.ndarray:
        """bool [num_curves], light curves that were embedded."""
        return self.column("status") == 0

    @property
    def vectors(self) -> np.ndarray:
        """float32 [num_curves, width], what neighbours are sought by."""
        return self.column("embedding" if "embedding" in self.columns else "mean")

    @cached_property
    def space(self) -> VectorSpace:
        """The embeddings on one scale."""
        return VectorSpace(self.vectors, self.usable)

    def positions(self, ids: Sequence[str]) -> np.ndarray:
        """int64 [n], the rows of objects.

        Raises:
            DataNotFoundError: the table has no such object.
        """
        where = dict(zip(reversed(self.ids.tolist()), range(len(self) - 1, -1, -1)))
        missing = [name for name in ids if name not in where]
        if missing:
            raise DataNotFoundError(
                f"--to must name objects of the table. Received: {shortened(missing[0])}, "
                f"which {self.path} does not have. Its ids look like {shortened(self.ids[0])}."
                if len(self)
                else f"--to must name objects of the table. Received: {self.path}, without any."
            )
        return np.array([where[name] for name in ids], np.int64)

    def similar(
        self,
        to: str | Sequence[str] = (),
        number: int = 20,
        *,
        vectors: np.ndarray | None = None,
    ) -> Neighbours:
        """The objects nearest to one or several others.

        Args:
            to: ids of objects of the table, which are no neighbours of theirs.
            number: how many.
            vectors: float32 [n, width], embeddings of other objects, instead of ids.

        Raises:
            DataNotFoundError: the table has no such object.
            UsageError: an object was not embedded, or the vectors are of another model.
        """
        ids = [to] if isinstance(to, str) else list(to)
        rows = self.positions(ids)
        refused = rows[~self.usable[rows]]
        if len(refused):
            raise UsageError(
                "Objects must have been embedded. Received: "
                f"{shortened(self.ids[refused[0]])}, of status "
                f"{self.column('status')[refused[0]]} (docs/serving.md)."
            )
        queries = self.vectors[rows] if vectors is None else vectors
        return _neighbours(self.space, self.ids, queries, number, rows)

    def export(self, path: str | Path) -> Path:
        """Writes the table as FITS or VOTable; vectors are columns of arrays.

        Raises:
            UsageError: the suffix is another.
            MissingExtraError: astropy is not installed.
        """
        path = Path(path)
        if path.suffix.lower() not in EXPORTS:
            raise UsageError(f"--export must end with {', '.join(EXPORTS)}. Received: {path}.")
        require("fits", "astropy")
        from astropy.table import Column, Table

        meanings = _COLUMNS | self._meanings()
        keys = {"name": "MODEL", "version": "MODELVER", "sha256": "MODELSHA"}
        table = Table(meta={key: str(self.model.get(name, "")) for name, key in keys.items()})
        for name in self.columns:
            values = self.column(name)
            values = values.astype(np.str_) if values.dtype == object else values
            table.add_column(Column(values, name=name, description=meanings.get(name, "")))
        kind = "fits" if path.suffix.lower() == ".fits" else "votable"
        table.write(str(path), format=kind, overwrite=True)  # astropy 6.1 takes no relative Path
        return path

    def _meanings(self) -> dict[str, str]:
        schema = self._file.schema_arrow
        return {
            field.name: (field.metadata or {}).get(b"description", b"").decode() for field in schema
        }


def _neighbours(
    space: VectorSpace, ids: np.ndarray, queries: np.ndarray, number: int, without: np.ndarray
) -> Neighbours:
    if number < 1:
        raise UsageError(f"number must be at least 1. Received: {number}.")
    if queries.ndim != 2 or queries.shape[1] != space.scaled.shape[1]:
        raise UsageError(
            f"Embeddings must be of the model that made the table, of width "
            f"{space.scaled.shape[1]}. Received: shape {list(queries.shape)}."
        )
    positions, distances, nearest_to = space.nearest(queries, number, without)
    return Neighbours(positions, ids[positions], distances, nearest_to)


def similar_rows(
    vectors: np.ndarray, status: np.ndarray, ids: np.ndarray, to: Any, number: int
) -> Neighbours:
    """Neighbours among embeddings in memory; see :meth:`EmbeddingTable.similar`.

    Args:
        vectors, status, ids: of all objects.
        to: an id, a row, or several of them.
        number: how many.

    Raises:
        UsageError: there is no such object.
    """
    rows = []
    for one in np.atleast_1d(np.asarray(to)).tolist():
        found = np.flatnonzero(ids == one) if isinstance(one, str) else np.array([one])
        if not len(found) or not -len(ids) <= int(found[0]) < len(ids):
            raise UsageError(
                f"to must be ids or rows of the {len(ids)} embeddings. Received: {shortened(one)}."
            )
        rows.append(int(found[0]) % len(ids))
    chosen = np.array(rows, np.int64)
    return _neighbours(VectorSpace(vectors, status == 0), ids, vectors[chosen], number, chosen)


def period_errors(
    periods: np.ndarray, amplitude: np.ndarray, noise: np.ndarray, span: np.ndarray, count: Any
) -> np.ndarray:
    """float64 [num_curves], standard errors of periods [days] (Montgomery & O'Donoghue 1999).

    Args:
        periods, span: float64 [num_curves], days.
        amplitude, noise: float64 [num_curves], peak to peak and about the wave [mag].
        count: int64 [num_curves], observations.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(6 / count) * noise / (np.pi * span * np.maximum(amplitude, 1e-6) / 2)
        return np.where(np.isfinite(periods), periods**2 * error, np.nan)


def describe_columns(
    table: pa.Table, more: Mapping[str, str], model: Mapping[str, str]
) -> pa.Table:
    """The table with its schema's version, the model, and what each column means."""
    import pyarrow as pa

    meanings = _COLUMNS | dict(more)
    fields = [field.with_metadata({"description": meanings[field.name]}) for field in table.schema]
    facts = {SCHEMA_KEY: SCHEMA_VERSION, MODEL_FACTS: json.dumps(dict(model))}
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, metadata=facts))

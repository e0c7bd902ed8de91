"""What validation found: which object breaks which rule, where it is and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from astromer.system.text import shortened


class Finding(NamedTuple):
    """One object that breaks one rule.

    Attributes:
        rule: name of the rule.
        split: "train", "validation" or "test".
        file: the record file.
        record: index of the record in the file, counted from 0.
        object_id: the object's name; "" where the record has none.
        detail: what was received, for instance "mjd[17] = 53001.2 is not after 53002.9".
    """

    rule: str
    split: str
    file: str
    record: int
    object_id: str
    detail: str

    def __str__(self) -> str:
        name = f"object {shortened(self.object_id)}" if self.object_id else "an object without id"
        return f"{name} (record {self.record} of {self.file}, {self.split}): {self.detail}"


_SCHEMA = pa.schema(
    [
        ("rule", pa.dictionary(pa.int32(), pa.string())),
        ("split", pa.dictionary(pa.int32(), pa.string())),
        ("file", pa.dictionary(pa.int32(), pa.string())),
        ("record", pa.int64()),
        ("object_id", pa.string()),
        ("detail", pa.string()),
    ]
)


class Findings:
    """Many findings in columns: a fifth of what as many objects would take."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self._columns: tuple[list, ...] = tuple([] for _ in Finding._fields)
        self.extend(findings)

    def append(self, finding: Finding) -> None:
        for column, value in zip(self._columns, finding):
            column.append(value)

    def extend(self, findings: Iterable[Finding]) -> None:
        if isinstance(findings, Findings):
            for column, more in zip(self._columns, findings._columns):
                column.extend(more)
            return
        for finding in findings:
            self.append(finding)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Finding]:
        return map(Finding._make, zip(*self._columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Findings) and self._columns == other._columns

    def __getitem__(self, index: int) -> Finding:
        return Finding._make(column[index] for column in self._columns)

    def counts(self) -> Counter[str]:
        """Number of objects by rule; an object that breaks two rules counts in both."""
        return Counter(self._columns[0])

    def to_table(self) -> pa.Table:
        """Columns ``rule, split, file, record, object_id, detail``, a row for each finding."""
        arrays = [
            pa.array(column, field.type.value_type).dictionary_encode()
            if pa.types.is_dictionary(field.type)
            else pa.array(column, field.type)
            for column, field in zip(self._columns, _SCHEMA)
        ]
        return pa.Table.from_arrays(arrays, schema=_SCHEMA)

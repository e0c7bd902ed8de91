"""The table at the end of a campaign."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from astromer.system.text import duration
from tools.faults.record import Record
from tools.faults.stages import STAGES

_HEAD = f"{'':38}{'trials':>8}{'faults':>8}{'missed':>8}{'wrong':>8}{'seconds':>9}"
LEGEND = """\
faults: those that met the run; missed: those that came when it was over already.
wrong: trials in which an invariant was broken, or the repeat did not end as it must.
seconds: of a trial, the repeat included."""
_MOST = 20  # trials that are told with what was wrong


def table(records: Sequence[Record]) -> str:
    """All that is known of a campaign, by kind of fault and by stage of the run."""
    if not records:
        return "no trials yet"
    kinds = sorted({record.kind for record in records})
    lines = [_HEAD, *_rows(records, kinds, lambda record: record.kind)]
    for kind in kinds:
        of_kind = [record for record in records if record.kind == kind]
        lines += ["", f"{kind}, by stage", *_rows(of_kind, STAGES, lambda r: r.component)]
    lines += ["", LEGEND, "", *_watched(records), *_wrong(records)]
    return "\n".join(lines)


def _rows(
    records: Sequence[Record], names: Sequence[str], name_of: Callable[[Record], str]
) -> list[str]:
    groups = [(name, [record for record in records if name_of(record) == name]) for name in names]
    rows = [_row(name, group) for name, group in groups if group]
    return [*rows, _row("all", records)] if len(rows) > 1 else rows


def _row(name: str, records: Sequence[Record]) -> str:
    struck = sum(len(record.struck) for record in records)
    missed = sum(len(record.codes) - 1 for record in records) - struck
    wrong = sum(bool(record.offences) for record in records)
    seconds = sum(record.seconds for record in records) / len(records)
    return f"{name:38}{len(records):8}{struck:8}{missed:8}{wrong:8}{seconds:9.1f}"


def _watched(records: Sequence[Record]) -> list[str]:
    looks, loads, changes, failures = (
        sum(record.watched.get(name, 0) for record in records)
        for name in ("looks", "loads", "transitions", "failures")
    )
    took = duration(sum(record.seconds for record in records))
    return [
        f"The watcher looked {looks:,} times at what was served and loaded it {loads:,} times, "
        "over",
        f"{changes:,} new versions: {failures:,} failures.",
        f"The trials took {took} in all.",
    ]


def _wrong(records: Sequence[Record]) -> list[str]:
    wrong = [record for record in records if record.offences]
    if not wrong:
        return ["", "Nothing was wrong."]
    lines = ["", "What was wrong:"]
    for record in wrong[:_MOST]:
        lines.append(f"  {record.name} at {record.component}: {record.fault}")
        lines += [f"    {offence}" for offence in record.offences]
    if len(wrong) > _MOST:
        lines.append(f"  ... and in {len(wrong) - _MOST} more trials")
    return lines

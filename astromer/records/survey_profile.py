"""Profiles of surveys: what their columns are called and what their numbers mean.

A profile is a short TOML file. Those that are shipped lie in ``profiles/``; anybody can copy one,
change it and give it to ``--survey``. Imports nothing heavier than the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from astromer.records.cleaning import JD_TO_MJD
from astromer.system.errors import UsageError
from astromer.system.text import brief, shortened
from astromer.system.untrusted_files import MOST_TOML_BYTES, parse_toml, read_text

AUTO_PROFILE, GENERIC = "auto", "generic"
_FOLDER = Path(__file__).parent / "profiles"
BY_VALUE, HEADER = "by value", "header"
"""Time systems that are found in the file: from the size of the numbers, or from its header."""
_NAMED = {"BTJD": 2457000.0, "BKJD": 2454833.0, "GAIA": 2455197.5}
JULIAN = ("JD", "HJD", "BJD")
_MODIFIED = ("MJD", "HMJD", "BMJD")
_AB_ZERO_POINTS = {"jy": 8.9, "mjy": 16.4, "ujy": 23.9, "njy": 31.4, "nanomaggy": 22.5}
"""Magnitudes of a flux of 1 in the AB system, m = 8.90 - 2.5 log10(flux / Jy), to 0.01 mag, as
surveys use them (Oke and Gunn 1983; a nanomaggy is 3.631 uJy)."""


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """A column's name without case, blanks, brackets and hyphens: ``Flux Error`` is flux_error."""
    return re.sub(r"[^0-9a-z]+", "_", name.lower().replace("µ", "u").replace("μ", "u")).strip("_")


_PLAIN_UNIT = re.compile(r"\s*[\[(]\s*(mags?|ab(\s*mag)?|vega|d|days?|[hb]?m?jd)\s*[\])]$", re.I)
"""A unit behind a column's name in which its numbers are taken anyway: ``Mag [mag]``."""


def first_of(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The first of some usual names that a table has, whatever their case and punctuation.

    Names with a unit in brackets, ``Mag [mag]`` and ``Time (MJD)``, count where no other fits;
    not those with a unit of other size, such as mmag.
    """
    plain = {name: _PLAIN_UNIT.sub("", name) for name in names if name[-1:] in ("]", ")")}
    for words in ({name: name for name in names}, plain):
        by_key = {key(word): name for name, word in reversed(words.items())}
        found = next((by_key[key(name)] for name in usual if key(name) in by_key), None)
        if found is not None:
            return found
    return None


FLAG_LIKE = re.compile(
    r"flag|qual|reject|err_?bits|infobits|upper_?lim|(^|_)(bad|mask|grade|saturated|blend|ul)(_|$)"
)
"""Keys of columns that tell the quality of observations."""
REDUCED = re.compile(
    r"^(?:time_|date_)?[hb]?(?P<modified>m)?jd(?:_tdb|_utc)?_(?P<days>\d{5,7}(?:_5)?)(?:_d|_days?)?$"
)
"""Keys of columns that say what was subtracted: ``HJD-2450000``, ``BJD - 2457000 [d]``,
``Time (BJD - 2457000)``."""


def time_column(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The first usual name of a time that a table has, or one that says what was subtracted."""
    found = first_of(names, usual)
    return found or next((name for name in names if REDUCED.match(key(name))), None)


def days_to_mjd(system: str) -> float:
    """Days to add to a time in a system to get MJD.

    Args:
        system: MJD, JD, HJD, BJD, BTJD, BKJD, Gaia, or one of these minus days (HJD - 2450000).

    Raises:
        ValueError: it is none of them.
    """
    name, _, minus = system.replace(" ", "").upper().partition("-")
    days = float(minus or 0)
    if name in _NAMED:
        return _NAMED[name] + days + JD_TO_MJD
    if name in JULIAN:
        return days + JD_TO_MJD
    if name in _MODIFIED:
        return days
    raise ValueError(f"{system!r} is no time system")


def ab_zero_point(unit: str) -> float | None:
    """Magnitude of a flux of 1 in a unit, where that is one of flux density."""
    return _AB_ZERO_POINTS.get(re.sub(r"[^a-z]", "", unit.lower().replace("µ", "u")))


@dataclass(frozen=True)
class TimeRule:
    """Columns of times in order of preference, and the system of each.

    Attributes:
        columns: their names.
        system: of all but those in ``systems``.
        systems: of some columns.
        years: in which the survey began, and ended if it has; other times are warned of.
    """

    columns: tuple[str, ...]
    system: str = BY_VALUE
    systems: Mapping[str, str] = field(default_factory=dict)
    years: tuple[float, ...] = ()

    def system_of(self, column: str) -> str:
        """The system of a column's times."""
        return {key(name): value for name, value in self.systems.items()}.get(
            key(column), self.system
        )


@dataclass(frozen=True)
class ValueRule:
    """A magnitude or a flux with its error.

    Attributes:
        magnitude, flux: names of its column, in order of preference; one of the two is empty,
            or the flux is where the error of the magnitude comes from (with ``flux_error``).
        error: columns of 1-sigma errors, in magnitudes or the unit of the flux.
        flux_error: columns of errors of ``flux``, where the magnitude has none.
        signal_to_noise: columns of flux over error, where there is no error.
        unit: of the flux: Jy, mJy, uJy, nJy, e/s, relative.
        zero_point: magnitude of a flux of 1, for all bands, or for each of them.
        zero_point_header: FITS keyword with the mean magnitude of a relative flux.
        band: of this value, in tables with a column for each band.
        time: columns of its own times, in such tables.
    """

    magnitude: tuple[str, ...] = ()
    flux: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    flux_error: tuple[str, ...] = ()
    signal_to_noise: tuple[str, ...] = ()
    unit: str = ""
    zero_point: float | Mapping[str, float] | None = None
    zero_point_header: str = ""
    band: str = ""
    time: tuple[str, ...] = ()


@dataclass(frozen=True)
class BandRule:
    """Where a band is written, and what its values are called.

    Attributes:
        columns: in order of preference.
        names: band of a value, where the value is no name (2 = "zr").
        value: band of all observations, where there is no column.
        folder: the folder of a file is called after its band.
        file: regular expression whose group is the band in a file's name.
        header: FITS keywords.
    """

    columns: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    value: str = ""
    folder: bool = False
    file: str = ""
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class QualityRule:
    """Which observations a survey calls bad.

    Attributes:
        column: names of the column, in order of preference.
        keep, drop: values that good, or bad, observations have.
        bits: an observation with one of these bits is bad.
        minimum, maximum: of good observations.
        character: which character of the cell counts, from 1; the whole cell where it is 0.
        band: only for values of this band.
        reason: what it counts as.
    """

    column: tuple[str, ...]
    keep: tuple[Any, ...] = ()
    drop: tuple[Any, ...] = ()
    bits: int = 0
    minimum: float | None = None
    maximum: float | None = None
    character: int = 0
    band: str = ""
    reason: str = "flagged"

    @property
    def words(self) -> str:
        """What it leaves out, for people."""
        parts = []
        if self.keep:
            parts.append(f"kept where {' or '.join(map(str, self.keep))}")
        if self.drop:
            parts.append(f"left out where {' or '.join(map(str, self.drop))}")
        if self.bits:
            parts.append(f"left out with the bits {self.bits}")
        if self.minimum is not None:
            parts.append(f"at least {self.minimum:g}")
        if self.maximum is not None:
            parts.append(f"at most {self.maximum:g}")
        return ", ".join(parts)


@dataclass(frozen=True)
class IdRule:
    """What tells the object.

    Attributes:
        columns: in order of preference.
        header: FITS keywords.
        file: regular expression whose group is the id in a file's name without suffix.
        file_each: each file in a folder holds one object and is called after it; a column
            counts where it has several values in one file.
        joined: columns that tell the object together, where all of them are there; their
            values are joined by points.
    """

    columns: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    file: str = ""
    file_each: bool = False


@dataclass(frozen=True)
class Recognition:
    """How ``auto`` knows a survey.

    Attributes:
        columns: sets of columns, one of which must be there.
        absent: columns that must not be there.
        files: patterns of file names; they count for text without a header, and beside
            ``columns`` where both are stated.
        header: FITS keywords and patterns of their values.
    """

    columns: tuple[tuple[str, ...], ...] = ()
    absent: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SentinelRule:
    """Numbers that stand for no magnitude or no error, and marks of upper limits.

    Attributes:
        magnitude, error: such numbers.
        limit_marks: what the cell of an upper limit begins with.
        limit_errors: errors that only upper limits have.
        limit_without_error: a magnitude without its error is an upper limit.
    """

    magnitude: tuple[float, ...] = ()
    error: tuple[float, ...] = ()
    limit_marks: tuple[str, ...] = ()
    limit_errors: tuple[float, ...] = ()
    limit_without_error: bool = False


@dataclass(frozen=True)
class Profile:
    """One survey, as its data come.

    Attributes:
        name: what ``--survey`` calls it.
        title: its full name.
        documents: where what the profile says is documented.
        recognise, time, value, band, quality, sentinels, id: see the classes.
        text_columns: names of the columns of text files without a header, by the number of
            columns that the file has; the first that is no longer than the file.
        base: the profile that it is based on, or "".
        path: the file.
    """

    name: str
    title: str
    documents: tuple[str, ...]
    time: TimeRule
    value: tuple[ValueRule, ...]
    recognise: Recognition = Recognition()
    band: BandRule = BandRule()
    quality: tuple[QualityRule, ...] = ()
    sentinels: SentinelRule = SentinelRule()
    id: IdRule = IdRule()
    text_columns: tuple[tuple[str, ...], ...] = ()
    base: str = ""
    path: Path | None = field(default=None, compare=False)

    @property
    def is_generic(self) -> bool:
        """Whether nothing but usual names is known."""
        return self.name == GENERIC

    @property
    def has_usual_names(self) -> bool:
        """Whether what it does not say is looked for under usual names."""
        return GENERIC in (self.name, self.base)


_SECTIONS = {
    "time": TimeRule,
    "recognise": Recognition,
    "band": BandRule,
    "sentinels": SentinelRule,
    "id": IdRule,
}
_LISTS = {"value": ValueRule, "quality": QualityRule}
SECTIONS = (*_SECTIONS, *_LISTS, "name", "title", "documents", "based_on", "text_columns")
"""Keys of a profile."""


def load_profile(path: Path, within: tuple[Path, ...] = ()) -> Profile:
    """Reads a profile.

    Args:
        path: the file.
        within: files that are based on it.

    Raises:
        UsageError: the file is no TOML, says something that no profile says, or is based on
            itself.
    """
    if path.resolve() in within:
        raise UsageError(
            f"based_on must name another profile. Received: {path}, which is based on itself."
        )
    try:
        document = parse_toml(read_text(path, MOST_TOML_BYTES))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--survey must be a profile in TOML. Received: {path} ({brief(error)})."
        ) from None
    return make_profile(document, path, (*within, path.resolve()))


def make_profile(document: Mapping[str, Any], path: Path, within: tuple[Path, ...] = ()) -> Profile:
    """A profile from a TOML document; ``based_on`` gives what it does not say.

    Raises:
        UsageError: a key or a value is not what a profile has.
    """
    base = document.get("based_on")
    given: dict[str, Any] = {}
    if base is not None:
        known = named_profile(str(base), within)
        given = {f.name: getattr(known, f.name) for f in fields(Profile)}
        given["base"] = known.base or known.name
    unknown = [name for name in document if name not in SECTIONS]
    if unknown:
        raise UsageError(
            f"{path} must have the keys of a profile ({', '.join(SECTIONS)}). Received: "
            f"{shortened(', '.join(unknown))}."
        )
    for name, kind in _SECTIONS.items():
        if name in document:
            given[name] = _rule(kind, document[name], path, name)
    for name, kind in _LISTS.items():
        if name in document:
            tables = document[name]
            if not isinstance(tables, list):
                raise UsageError(f"{path}: {name} must be written as [[{name}]].")
            given[name] = tuple(_rule(kind, table, path, name) for table in tables)
    lists = document.get("text_columns")
    if lists is not None:
        lists = [lists] if lists and isinstance(lists[0], str) else lists
        given["text_columns"] = tuple(_texts(item, path, "text_columns") for item in lists)
    given["name"] = str(document.get("name", path.stem))
    given["title"] = str(document.get("title", given.get("title", given["name"])))
    if "documents" in document:
        given["documents"] = _texts(document["documents"], path, "documents")
    given.setdefault("documents", ())
    for name in ("time", "value"):
        if not given.get(name):
            raise UsageError(f"{path} lacks [{name}]: where a profile has its {name}s.")
    given["path"] = path
    profile = Profile(**given)
    _check(profile, path)
    return profile


def _rule(kind: type, table: Any, path: Path, section: str) -> Any:
    if not isinstance(table, Mapping):
        raise UsageError(f"{path}: {section} must be a table. Received: {shortened(repr(table))}.")
    known = _types_of(kind)
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise UsageError(
                f"[{section}] of {path} must have {', '.join(known)}. Received: {name}."
            )
        values[name] = _typed(value, known[name], path, f"[{section}] {name}")
    try:
        return kind(**values)
    except TypeError as error:
        raise UsageError(f"[{section}] of {path}: {brief(error)}.") from None


@cache
def _types_of(kind: type) -> dict[str, str]:
    """Annotation of each field."""
    return {f.name: str(f.type) for f in fields(kind)}


def _typed(value: Any, wanted: str, path: Path, place: str) -> Any:
    """A TOML value as the annotation of a field says."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted == "tuple[tuple[str, ...], ...]":
        value = [value] if value and isinstance(value[0], str) else value
        return tuple(_texts(item, path, place) for item in value)
    if wanted == "tuple[str, ...]":
        return _texts(value, path, place)
    if wanted == "tuple[float, ...]":
        numbers = value if isinstance(value, list) else [value]
        if all(isinstance(item, (int, float)) for item in numbers):
            return tuple(float(item) for item in numbers)
    elif wanted == "tuple[Any, ...]":
        return tuple(value) if isinstance(value, list) else (value,)
    elif wanted.startswith("Mapping"):
        if isinstance(value, Mapping):
            return {str(name): str(item) for name, item in value.items()}
    elif wanted == "float | Mapping[str, float] | None":
        if isinstance(value, Mapping) and all(isinstance(v, (int, float)) for v in value.values()):
            return dict(value)
        if number:
            return float(value)
    elif wanted in ("float | None", "int"):
        if number:
            return int(value) if wanted == "int" else float(value)
    elif (wanted == "bool" and isinstance(value, bool)) or (
        wanted == "str" and isinstance(value, str)
    ):
        return value
    raise UsageError(f"{place} of {path} must be {wanted}. Received: {shortened(repr(value))}.")


def _texts(value: Any, path: Path, place: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UsageError(
            f"{place} of {path} must be a text or a list of texts. Received: "
            f"{shortened(repr(value))}."
        )
    return tuple(texts)


def _check(profile: Profile, path: Path) -> None:
    for system in (profile.time.system, *profile.time.systems.values()):
        if system in (BY_VALUE, HEADER):
            continue
        try:
            days_to_mjd(system)
        except ValueError:
            raise UsageError(
                f"[time] of {path} must name the system: MJD, JD, HJD, BJD, BTJD, BKJD, Gaia, "
                f"HJD - 2450000 and the like, {BY_VALUE!r} or {HEADER!r}. Received: {system!r}."
            ) from None
    for rule in profile.value:
        if not rule.magnitude and not rule.flux:
            raise UsageError(f"[[value]] of {path} must have a magnitude or a flux.")
    for pattern in (profile.band.file, profile.id.file):
        try:
            groups = re.compile(pattern).groups if pattern else 1
        except re.error as error:
            raise UsageError(f"{path}: {pattern!r} is no regular expression ({error}).") from None
        if groups != 1:
            raise UsageError(f"{path}: {pattern!r} must have one group, in brackets.")


@cache
def shipped() -> dict[str, Profile]:
    """The profiles of this package by name, ``generic`` last."""
    profiles = [load_profile(path) for path in sorted(_FOLDER.glob("*.toml"))]
    profiles.sort(key=lambda profile: profile.is_generic)
    return {profile.name: profile for profile in profiles}


@cache
def known_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What any profile calls a time, and a magnitude or flux."""
    times = [name for profile in shipped().values() for name in profile.time.columns]
    rules = [rule for profile in shipped().values() for rule in profile.value]
    values = [name for rule in rules for name in (*rule.magnitude, *rule.flux)]
    return tuple(dict.fromkeys(times)), tuple(dict.fromkeys(values))


def named_profile(name: str, within: tuple[Path, ...] = ()) -> Profile:
    """A shipped profile, or the one in a TOML file.

    Raises:
        UsageError: there is none.
    """
    if name in shipped():
        return shipped()[name]
    if name.endswith(".toml"):
        return load_profile(Path(name).expanduser(), within)
    raise UsageError(
        f"--survey must be {AUTO_PROFILE}, a TOML file, or one of {', '.join(shipped())}. "
        f"Received: {shortened(name)!r}."
    )


def id_columns(names: Sequence[str]) -> list[str]:
    """All columns that usually hold ids, the likeliest first."""
    by_lower = {name.lower(): name for name in reversed(names)}
    return [by_lower[name] for name in named_profile(GENERIC).id.columns if name in by_lower]


@dataclass(frozen=True)
class Choice:
    """A profile, and why it was taken."""

    profile: Profile
    why: str


def recognise(
    names: Sequence[str], files: Iterable[str] = (), header: Mapping[str, Any] | None = None
) -> Choice:
    """The profile that fits a table: the one that names most of its columns.

    Args:
        names: of its columns; none where a text file has no header.
        files: names of the files.
        header: FITS keywords.
    """
    files = list(files)
    best: tuple[int, Choice] | None = None
    for profile in shipped().values():
        found = _fits(profile.recognise, names, files, header or {})
        if found is not None and (best is None or found[0] > best[0]):
            best = found[0], Choice(profile, found[1])
    if best is not None:
        return best[1]
    return Choice(shipped()[GENERIC], "no survey is known by these columns")


def _fits(
    rule: Recognition, names: Sequence[str], files: list[str], header: Mapping[str, Any]
) -> tuple[int, str] | None:
    """How well a table fits, and why; None where it does not."""
    keys = {key(name) for name in names}
    if any(key(name) in keys for name in rule.absent):
        return None
    for word, pattern in rule.header.items():
        if not fnmatch(str(header.get(word, "")).lower(), pattern.lower()):
            return None
    named = bool(files) and any(all(fnmatch(f, pattern) for f in files) for pattern in rule.files)
    whys = [f"its header has {word} = {header[word]}" for word in rule.header]
    if rule.columns and names:
        fitting = [own for own in rule.columns if {key(n) for n in own} <= keys]
        if not fitting:
            return None
        own = max(fitting, key=len)
        if rule.files and not named:
            return None
        names_too = [f"its files are called like {files[0]}"] if rule.files else []
        why = f"it has the columns {', '.join(own)}"
        return 2 * len(own) + len(rule.header), "; ".join([why, *whys, *names_too])
    if not names and named:
        return 1, f"its files are called like {files[0]}"
    return None

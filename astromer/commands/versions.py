"""Which versions of a model there are, which one users get, and going back."""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.commands.cli import Parser, add_flags, config_from
from astromer.commands.config import MASK_SEED, SPLIT
from astromer.records.fold import Fold
from astromer.serving.checksums import check_undamaged, verify
from astromer.serving.config import PUSHED
from astromer.serving.saved_model import CARD_FILE, CLASSIFIER, model_kind, try_read_config
from astromer.serving.versions import comparison, promotion
from astromer.serving.versions.folder import (
    LATEST,
    WITHDRAWN,
    find_version,
    is_number,
    is_whole,
    latest_version,
    newest,
    versions,
    withdrawn,
)
from astromer.system.config import Config, knob
from astromer.system.errors import DamagedVersionError, ModelError, UsageError
from astromer.system.storage import as_path
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class CompareOptions(Config):
    """Scores on the same light curves."""

    data: str = knob(
        "", "a fold: score both at the same hidden steps of it", "--data", metavar="FOLD"
    )
    split: str = SPLIT
    seed: int = MASK_SEED
    masking: MaskingConfig = MaskingConfig()


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="astromer versions", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, *places: str, optional: bool = False) -> Parser:
        made: Parser = commands.add_parser(name, help=text, description=text)
        for place in places:
            count: dict[str, Any] = {"nargs": "?"} if optional else {}
            made.add_argument(place, help=f"its number, or {LATEST}", **count)
        made.add_argument(
            "--model", default=PUSHED, help="the folder of versions (default: %(default)s)"
        )
        return made

    made = command("list", "a line for each version")
    made.add_argument("--quick", action="store_true", help="do not compare files with checksums")
    made.add_argument("--json", action="store_true", help="as JSON")
    command("show", "the model card of a version", "version")
    made = command("compare", "scores, data and settings of two versions", "one", "other")
    add_flags(made, CompareOptions)
    command(
        "verify", "compare files with checksums, of one version or all", "version", optional=True
    )
    made = command("promote", f"make {LATEST} name a version", "version")
    _add_withdraw(made)
    made = command("rollback", f"make {LATEST} name the version that it named before")
    _add_withdraw(made)
    command("restore", f"bring back a version from {WITHDRAWN}/", "version")
    return parser.parse_args(arguments)


def _add_withdraw(parser: Parser) -> None:
    parser.add_argument(
        "--withdraw",
        action="store_true",
        help=f"move newer versions to {WITHDRAWN}/, out of the sight of model servers",
    )


def main(arguments: list[str] | None = None) -> None:
    """Runs a command.

    Raises:
        AstromerError: for what a user can correct; see the subclasses.
    """
    args = parse(arguments)
    folder = as_path(args.model).expanduser()
    if not versions(folder) and not withdrawn(folder):
        raise _no_folder(folder)
    _COMMANDS[args.command](folder, args)


def _list(folder: Path, args: argparse.Namespace) -> None:
    rows = comparison.version_rows(folder, check=not args.quick)
    if args.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    else:
        print(comparison.listing_table(rows))


def _show(folder: Path, args: argparse.Namespace) -> None:
    version = _version(folder, args.version, also_withdrawn=True)
    try:
        print((version / CARD_FILE).read_text(encoding="utf-8"), end="")
    except FileNotFoundError:
        raise ModelError(
            f"A version must have a card to be shown. {version} has no {CARD_FILE}: it was pushed "
            "before there were cards, or by another program. Push the model again."
        ) from None


def _compare(folder: Path, args: argparse.Namespace) -> None:
    one, other = (_version(folder, name, also_withdrawn=True) for name in (args.one, args.other))
    found = comparison.compare(one, other)
    note = comparison.on_equal_terms(one, other)
    options = config_from(args, CompareOptions)
    if options.data:
        found["scores"], note = _scored(one, other, options)
    print(comparison.comparison_table((one.name, other.name), found))
    if note:
        hint = "" if options.data else "; --data FOLD scores both on the same ones"
        print(f"note: the scores do not compare: {note}{hint}")


def _scored(
    one: Path, other: Path, options: CompareOptions
) -> tuple[dict[str, tuple[Any, Any]], str]:
    for version in (one, other):
        if model_kind(try_read_config(version)) == CLASSIFIER:
            raise UsageError(
                f"compare --data scores encoders, at hidden magnitudes. {version} is a classifier. "
                "Leave --data out."
            )
    files = Fold.open(options.data).files[options.split]

    from astromer.system.logs import silence

    silence()
    first, second = comparison.score_all((one, other), files, options.masking, options.seed)
    pairs = {name: (first[name], second[name]) for name in comparison.SCORES}
    sizes = [try_read_config(version).get("window_size") for version in (one, other)]
    note = (
        f"windows of {sizes[0]} and {sizes[1]} hide different steps" if len(set(sizes)) > 1 else ""
    )
    return pairs, note


def _verify(folder: Path, args: argparse.Namespace) -> None:
    if args.version:
        chosen = [_version(folder, args.version, also_withdrawn=True)]
    else:
        chosen = [*versions(folder), *withdrawn(folder)]
    differing = []
    for version in chosen:
        name = version.relative_to(folder).as_posix()
        try:
            found = verify(version)
            outcome = "no checksums" if found is None else str(found) or "whole"
        except DamagedVersionError as error:
            found, outcome = None, str(error)
            differing.append(name)
        print(f"{name}  {outcome}", flush=True)
        if found:
            differing.append(name)
    if differing:
        raise DamagedVersionError(
            f"Files of a version must be those that were pushed. In {folder} they are not in "
            f"{', '.join(differing)}. Copy these again from where they are whole, or withdraw "
            "them: "
            f"promote another one with --withdraw."
        )


def _promote(folder: Path, args: argparse.Namespace) -> None:
    version = _version(folder, args.version)
    _check_sound(version)
    gone = promotion.promote(folder, version.name, withdraw_newer=args.withdraw)
    _tell(folder, version.name, gone)


def _rollback(folder: Path, args: argparse.Namespace) -> None:
    earlier = promotion.earlier_versions(folder)
    if earlier:
        _check_sound(earlier[0])
    number, gone = promotion.rollback(folder, withdraw_newer=args.withdraw)
    _tell(folder, number, gone)


def _restore(folder: Path, args: argparse.Namespace) -> None:
    promotion.restore(folder, args.version)
    print(
        f"restored {folder / args.version}; {LATEST} still names {latest_version(folder).name}, "
        "and "
        f"model servers take the highest number, now {_name(newest(folder))}"
    )


def _check_sound(version: Path) -> None:
    check_undamaged(version)

    from astromer.system.logs import silence

    silence()
    from astromer.serving.load_check import check_loads

    check_loads(version)


def _tell(folder: Path, number: str, gone: list[str]) -> None:
    print(f"{LATEST} names {number} in {folder}")
    for name in gone:
        print(f"withdrawn: {folder / WITHDRAWN / name}")
    top = _name(newest(folder))
    if top != number:
        print(
            f"note: model servers take the highest number, {top}; --withdraw moves newer versions "
            "out of their sight"
        )


def _version(folder: Path, name: str, also_withdrawn: bool = False) -> Path:
    if name == LATEST:
        return latest_version(folder)
    if not is_number(name):
        raise UsageError(f"A version is a number, or {LATEST}. Received: {name}.")
    if also_withdrawn and not is_whole(folder / name) and is_whole(folder / WITHDRAWN / name):
        return folder / WITHDRAWN / name
    promotion.check_there(folder, name)
    return find_version(folder, name)


def _name(version: Path | None) -> str:
    return version.name if version is not None else "none"


def _no_folder(folder: Path) -> ModelError:
    what = "holds none" if folder.exists() else "does not exist"
    if is_whole(folder):
        what = f"is one of them: give {folder.parent}"
    return ModelError(
        f"--model must be a folder of versions. Received: {folder}, which {what}. `make run` makes "
        f"{PUSHED}."
    )


_COMMANDS = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "verify": _verify,
    "promote": _promote,
    "rollback": _rollback,
    "restore": _restore,
}

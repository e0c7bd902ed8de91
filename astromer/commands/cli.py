"""Command-line programs: flags made from the knobs, and one-line errors.

Imports the standard library only: ``--help`` and bad options are answered before
anything heavy is loaded.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin

from astromer.system.cluster import leave
from astromer.system.config import REQUIRED, Assignment, ConfigT, is_config, knobs_of
from astromer.system.environment import missing_extra
from astromer.system.errors import (
    EXIT_CODES_PAGE,
    PIPE_CLOSED,
    STOPPED,
    AstromerError,
    TrainingInterrupted,
    UsageError,
    system_error,
)
from astromer.system.logs import set_verbose
from astromer.system.terminal import say_error, show_status
from astromer.system.termination import remember_interruptions, was_interrupted, watchdog
from astromer.system.text import printable

_folder: Path | None = None


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are one line, in the form of every other error.

    Every program has ``--verbose``, and its help ends with where exit codes are explained.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs.setdefault("allow_abbrev", False)
        codes = f"Exit codes: 0 done; others are explained in {EXIT_CODES_PAGE}."
        kwargs["epilog"] = "\n".join(filter(None, [kwargs.get("epilog"), codes]))
        super().__init__(**kwargs)
        self.add_argument(
            "--verbose",
            action="store_true",
            help="show what TensorFlow and other libraries log, instead of writing it to a file",
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses, and lets libraries speak if asked to."""
        found, rest = super().parse_known_args(args, namespace)
        set_verbose(found.verbose)
        _remember_folder(found)
        return found, rest

    def error(self, message: str) -> NoReturn:
        say_error(f"{message}. See {self.prog} --help.")
        raise SystemExit(UsageError.exit_code)


def _remember_folder(args: argparse.Namespace) -> None:
    """Where the program writes, for errors of the disk that name no file."""
    global _folder
    names = (getattr(args, option, None) for option in ("output", "out", "report"))
    _folder = next(
        (Path(name).absolute() for name in names if isinstance(name, str) and name), None
    )


def add_flags(parser: argparse.ArgumentParser, *configs: type) -> None:
    """Adds a flag for each knob of config classes that has one, and of the configs in them."""
    for config in configs:
        group = parser.add_argument_group((config.__doc__ or "").split("\n")[0].rstrip("."))
        assigned: dict[Assignment, list[str]] = {}
        for knob, kind in knobs_of(config):
            if is_config(kind):
                add_flags(parser, kind)
            elif knob.metadata.get("flags"):
                _add_flag(group, knob, kind)
            elif by := knob.metadata.get("assigned"):
                assigned.setdefault(by, []).append(knob.name)
        for by, names in assigned.items():
            group.add_argument(
                by.flag,
                dest=by.flag,
                action="append",
                default=[],
                metavar=f"NAME={by.value}",
                help=f"{by.reason}; may be given several times. Names: {', '.join(names)}",
            )


def _add_flag(group: Any, knob: dataclasses.Field[Any], kind: Any) -> None:
    options: dict[str, Any] = {"dest": knob.name, "default": knob.default}
    text, default = knob.metadata["reason"].replace("%", "%%"), knob.default
    inner = [one for one in get_args(kind) if one not in (type(None), Ellipsis)]
    if kind is bool:
        options["action"] = "store_true"
    else:
        options["type"] = value_type = inner[0] if inner else kind
        options["metavar"] = knob.metadata["metavar"] or value_type.__name__.upper()
        if choices := knob.metadata["choices"]:
            options |= {"choices": choices, "metavar": "|".join(choices)}
        if get_origin(kind) is tuple:
            options["nargs"] = "+"
            if default == ():
                options |= {"action": "extend", "default": []}
            elif default is not REQUIRED:
                default = " ".join(map(str, default))
        if default is REQUIRED:
            options |= {"required": True, "default": None}
        elif default not in (None, "", ()):
            text += f" (default: {default})"
    group.add_argument(*knob.metadata["flags"], help=text, **options)


def config_from(args: argparse.Namespace, config: type[ConfigT]) -> ConfigT:
    """The config that parsed flags describe; knobs without a flag keep their default.

    Raises:
        UsageError: for a value that a knob does not take.
    """
    values: dict[str, Any] = {}
    assigned: dict[Assignment, list[str]] = {}
    for knob, kind in knobs_of(config):
        if is_config(kind):
            values[knob.name] = config_from(args, kind)
        elif knob.metadata.get("flags"):
            values[knob.name] = getattr(args, knob.name)
        elif by := knob.metadata.get("assigned"):
            assigned.setdefault(by, []).append(knob.name)
    for by, names in assigned.items():
        for given in getattr(args, by.flag):
            name, _, value = given.partition("=")
            if name not in names:
                near = difflib.get_close_matches(name, names, 1)
                meant = f"Did you mean {near[0]}?" if near else f"Names: {', '.join(names)}."
                rule = f"{by.flag} must be NAME={by.value}. Received: {given}."
                raise UsageError(f"{rule} {meant}")
            values[name] = value
    return config(**values)


def given_knobs(config: type, arguments: Sequence[str] | None) -> set[str]:
    """Names of the knobs of a config class whose flags are on a command line.

    Args:
        config: the class.
        arguments: those of the process by default; they have been parsed before.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_flags(parser, config)
    for action in parser._actions:
        action.default, action.required = argparse.SUPPRESS, False
    return set(vars(parser.parse_known_args(arguments)[0]))


def joined(arguments: Sequence[str], flag: str) -> list[str]:
    """Writes ``FLAG VALUE`` as ``FLAG=VALUE``, for values that begin with dashes themselves."""
    found: list[str] = []
    for argument in arguments:
        if found and found[-1] == flag:
            found[-1] = f"{flag}={argument}"
        else:
            found.append(argument)
    return found


def parse_config(config: type[ConfigT], arguments: Sequence[str] | None, **parser: Any) -> ConfigT:
    """Reads the command line of a program whose options are one config class.

    Args:
        config: the class.
        arguments: those of the process by default.
        parser: as for :class:`Parser`.

    Raises:
        UsageError: for a value that a knob does not take.
    """
    made = Parser(**parser)
    add_flags(made, config)
    return config_from(made.parse_args(arguments), config)


def run_program(main: Callable[[], int | None]) -> NoReturn:
    """Runs a program's ``main`` and exits: 0, its own code, or the error's.

    An :class:`~astromer.system.errors.AstromerError` is printed as one ``error:`` line, and so is
    what the system refuses (:mod:`astromer.system.errors`). Ctrl-C, SIGTERM and a reader that
    goes away exit with the codes of :mod:`astromer.system.errors`.
    """
    signal.signal(signal.SIGTERM, _raise_exit)
    remember_interruptions()
    try:
        with watchdog():
            code: Any = main() or 0
    except SystemExit as stop:
        code = stop.code
    except AstromerError as error:
        code = _tell(error)
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        code = _tell(missing)
    except KeyboardInterrupt:
        code = _tell_interruption()
    except BrokenPipeError:
        code = PIPE_CLOSED
    except Exception as error:
        if was_interrupted():
            code = _tell_interruption()
        elif (refused := system_error(error, _folder)) is not None:
            code = _tell(refused)
        else:
            raise
    silent = code == PIPE_CLOSED
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code, silent = code or PIPE_CLOSED, True
    except OSError as error:  # standard output is a file on a full disk
        if not code and (refused := system_error(error)) is not None:
            code = _tell(refused)
        silent = True
    if silent:  # nothing is left to say, not even at the end of the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    leave(code)


def _tell(error: AstromerError) -> int:
    show_status("")
    if table := getattr(error, "table", ""):
        print(table, file=sys.stderr)
    say_error(printable(str(error)))
    return error.exit_code


def _tell_interruption() -> int:
    show_status("")
    print("interrupted; run the same command again to resume", file=sys.stderr)
    return TrainingInterrupted.exit_code


def _raise_exit(signum: int, frame: Any) -> None:
    raise SystemExit(STOPPED)

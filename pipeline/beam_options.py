"""``--beam``: Apache Beam's options, checked before Beam or anything else heavy is loaded.

Beam itself finds a mistake minutes into a run, some only on the machines that it has hired, and
passes over an option that it does not know.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from astromer.system.errors import UsageError

FLAG = "--beam"
VALIDATOR, STATISTICS = "LightCurveValidator", "StatisticsGen"
BEAM_COMPONENTS = (VALIDATOR, STATISTICS)
"""Ids of the components that can use Beam."""

LOCAL = ("DirectRunner", "FnApiRunner", "BundleBasedDirectRunner", "PrismRunner")
_NEEDS = {
    "DataflowRunner": (("--project",), ("--region",), ("--temp_location",)),
    "FlinkRunner": (("--flink_master", "--job_endpoint"),),
    "SparkRunner": (("--spark_master_url", "--job_endpoint"),),
    "PortableRunner": (("--job_endpoint",),),
}
"""Options that a runner needs: one of each group."""
RUNNERS = (*LOCAL, *_NEEDS)
_REFUSED = {
    "DaskRunner": "it was seen to write empty files and report success",
    "InteractiveRunner": "it is for notebooks",
}
_PACKAGE = ("--setup_file", "--extra_package", "--extra_packages")
_DATAFLOW_CODE = ("--sdk_container_image", *_PACKAGE)
_PORTABLE_CODE = (
    "--environment_config",
    "--environment_option",
    "--environment_options",
    *_PACKAGE,
)
"""How workers elsewhere get this package. Only Dataflow heeds --sdk_container_image: the others
would take Beam's own image without a word."""
_MODES = ("in_memory", "multi_threading", "multi_processing")


@dataclass(frozen=True)
class BeamOptions:
    """What ``--beam`` says.

    Attributes:
        everywhere: Beam's arguments for every component; none where nothing was said.
        by_component: arguments that components have besides, by id; of an option that is given
            twice Beam takes the last one.
    """

    everywhere: tuple[str, ...] = ()
    by_component: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def add_beam_flag(parser: argparse.ArgumentParser) -> None:
    """Adds ``--beam``. See :func:`astromer.commands.cli.joined`."""
    parser.add_argument(
        FLAG,
        action="append",
        default=[],
        metavar="OPTIONS",
        help="options of Apache Beam for validation and statistics, for instance "
        '"--runner=FlinkRunner --flink_master=HOST:8081", may be given several times; '
        f'"{STATISTICS}: OPTIONS" are for one component. Without any, both work in this process, '
        "which is the fastest on one machine",
    )


def read_beam_options(
    given: Sequence[str], flag: str = FLAG, components: Sequence[str] = BEAM_COMPONENTS
) -> BeamOptions:
    """Checks what was given.

    Args:
        given: each value holds options as in a shell, for all components, or after
            ``COMPONENT:`` for one.
        flag: what errors call it.
        components: ids of those that can use Beam.

    Raises:
        UsageError: no options, an unknown runner or component, or a runner lacks something.
    """
    everywhere: list[str] = []
    by_component: dict[str, list[str]] = {}
    for value in given:
        name, arguments = _split(value, flag)
        if name and name not in components:
            raise UsageError(
                f"{flag} COMPONENT: OPTIONS takes {' or '.join(components)}, which use Beam. "
                f"Received: {name}."
            )
        (by_component.setdefault(name, []) if name else everywhere).extend(arguments)
    _check(everywhere, flag)
    for name, arguments in by_component.items():
        _check([*everywhere, *arguments], f"{flag} for {name}")
    return BeamOptions(
        tuple(everywhere), {name: tuple(arguments) for name, arguments in by_component.items()}
    )


def _split(value: str, flag: str) -> tuple[str, list[str]]:
    """The component, if one is named, and its arguments."""
    name, colon, rest = value.strip().partition(":")
    if not colon or name.startswith("-"):
        name, rest = "", value
    try:
        arguments = shlex.split(rest)
    except ValueError as error:
        raise UsageError(
            f"{flag} must be options as in a shell ({error}). Received: {value}."
        ) from error
    if not arguments or not arguments[0].startswith("--"):
        raise UsageError(
            f'{flag} must be options of Apache Beam, such as "--runner=FlinkRunner '
            f'--flink_master=HOST:8081". Received: {value or "nothing"}.'
        )
    return name.strip(), arguments


def _check(arguments: Sequence[str], flag: str) -> None:
    options = _options(arguments, flag)
    given = options.get("--runner", LOCAL[0])
    runner = _full_name(given)
    if runner in _REFUSED:
        raise UsageError(
            f"{flag} must not name {runner}: {_REFUSED[runner]}. Choose one of "
            f"{', '.join(RUNNERS)}."
        )
    if runner not in RUNNERS and "." not in given:
        raise UsageError(
            f"{flag} --runner must be one of {', '.join(RUNNERS)}, or the full name of a class, "
            f"MODULE.CLASS. Received: {given or 'nothing'}."
        )
    missing = [
        " or ".join(group)
        for group in _NEEDS.get(runner, ())
        if not any(options.get(name) for name in group)
    ]
    if missing:
        raise UsageError(f"{flag} --runner={runner} needs {', '.join(missing)}. Received: none.")
    if runner in _NEEDS:
        _check_code(options, runner, flag)
    _check_values(options, runner, flag)


def _check_code(options: Mapping[str, str], runner: str, flag: str) -> None:
    """The workers must get this package."""
    if options.get("--environment_type", "DOCKER").upper() != "DOCKER":
        return  # workers that are set up otherwise
    means = _DATAFLOW_CODE if runner == "DataflowRunner" else _PORTABLE_CODE
    if not any(options.get(name) for name in means):
        raise UsageError(
            f"{flag} --runner={runner} needs {means[0]}=IMAGE, an image with this package for its "
            f"workers, or {_PACKAGE[0]}; see docs/run_on_beam.md. Received: none."
        )


def _check_values(options: Mapping[str, str], runner: str, flag: str) -> None:
    place = options.get("--temp_location", "")
    if runner == "DataflowRunner" and not place.startswith("gs://"):
        raise UsageError(
            f"{flag} --temp_location must be a gs:// folder for {runner}. Received: {place}."
        )
    mode = options.get("--direct_running_mode", _MODES[0])
    if mode not in _MODES:
        raise UsageError(
            f"{flag} --direct_running_mode must be one of {', '.join(_MODES)}. Received: {mode}."
        )
    workers = options.get("--direct_num_workers", "1")
    if not workers.isdecimal():
        raise UsageError(
            f"{flag} --direct_num_workers must be a number, 0 for one on each processor. "
            f"Received: {workers}."
        )
    if mode == _MODES[0] and int(workers) != 1:
        raise UsageError(
            f"{flag} --direct_num_workers={workers} needs --direct_running_mode={_MODES[2]}, since "
            f"{mode} has one worker."
        )


def _options(arguments: Sequence[str], flag: str) -> dict[str, str]:
    """Each option's last value; "true" where it has none."""
    options: dict[str, str] = {}
    last = ""
    for argument in arguments:
        if argument.startswith("-"):
            name, equals, value = argument.partition("=")
            options[name] = value if equals else "true"
            last = "" if equals else name
        elif last:
            options[last], last = argument, ""
        else:
            raise UsageError(f"{flag} has a value that belongs to no option: {argument}.")
    return options


def _full_name(runner: str) -> str:
    """A runner's name as Beam understands it: in any case, with or without "Runner"."""
    for name in (*RUNNERS, *_REFUSED):
        if runner.lower() in (name.lower(), name.lower().removesuffix("runner")):
            return name
    tail = runner.rpartition(".")[2]
    return tail if tail in _REFUSED else runner

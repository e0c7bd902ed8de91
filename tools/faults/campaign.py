"""Runs a campaign of faults: real runs are disturbed, repeated and checked; a table at the end.

    python tools/faults/campaign.py [--seed 1] [--kills 110] [--kinds kill ...] [--jobs 2]

Stopped, it goes on with the same command; ``--table`` alone prints what is known so far.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# Started as a file, Python looks for modules in this folder first.
sys.path[:] = [str(_HERE.parents[1]), *(p for p in sys.path if Path(p).resolve() != _HERE)]

from astromer.commands.cli import Parser, run_program  # noqa: E402
from astromer.system.errors import AstromerError, UsageError  # noqa: E402


class FaultsFoundError(AstromerError):
    """A campaign has found something wrong."""

    exit_code = 1


def main(arguments: list[str] | None = None) -> int:
    """Runs what is left of the campaign and prints the table.

    Raises:
        UsageError: an option cannot work.
        FaultsFoundError: in at least one trial something was wrong.
    """
    parser = Parser(
        prog="python tools/faults/campaign.py",
        description=(__doc__ or "").split("\n")[0],
        epilog="Stopped, a campaign goes on with the same command.",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (default: 1)")
    parser.add_argument("--kills", type=int, help="trials of kind kill (default: 110)")
    parser.add_argument("--kinds", nargs="+", help="kinds of faults (default: all)")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the usual number of trials (default: 1)"
    )
    parser.add_argument("--stages", nargs="+", help="stages to aim at (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="trials at once (default: 2)")
    parser.add_argument("--hours", type=float, help="begin no trial later than so")
    parser.add_argument(
        "--output",
        default="outputs/faults",
        help="keeps workplaces, results and what was printed where something was wrong; a folder "
        "in it for each seed and state of the code (default: outputs/faults)",
    )
    parser.add_argument("--table", action="store_true", help="print the table, and run nothing")
    args = parser.parse_args(arguments)
    if args.jobs < 1:
        raise UsageError(f"--jobs must be at least 1. Received: {args.jobs}.")
    if args.share <= 0:
        raise UsageError(f"--share must be more than 0. Received: {args.share}.")

    from tools.faults.driver import Campaign
    from tools.faults.kinds import KINDS
    from tools.faults.stages import STAGES

    for option, given, known in (("--kinds", args.kinds, KINDS), ("--stages", args.stages, STAGES)):
        if wrong := [name for name in given or () if name not in known]:
            raise UsageError(f"{option} takes {', '.join(known)}. Received: {', '.join(wrong)}.")
    trials = {name: max(round(KINDS[name].trials * args.share), 1) for name in args.kinds or KINDS}
    skipped = {name: why for name in trials if (why := KINDS[name].obstacle())}
    for name in skipped:
        del trials[name]
    if args.kills is not None and "kill" in trials:
        trials["kill"] = args.kills
    campaign = Campaign(Path(args.output).absolute(), args.seed, trials, args.stages)
    if not args.table:
        until = time.monotonic() + args.hours * 3600 if args.hours else None
        campaign.run(args.jobs, until)
    print(campaign.table())
    for name, why in skipped.items():
        print(f"{name}: skipped, {why}")
    if count := campaign.wrong():
        raise FaultsFoundError(
            f"in {count} trials something was wrong. What runs printed and logged is in "
            f"{campaign.found}."
        )
    return 0


if __name__ == "__main__":
    run_program(main)

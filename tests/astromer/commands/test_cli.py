from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.commands.cli import Parser, add_flags, config_from, parse_config, run_program
from astromer.commands.config import PretrainingConfig
from astromer.encoder.config import EncoderConfig
from astromer.system import errors
from astromer.system.config import OUTPUT
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig

PROGRAM = """
import signal, sys, time
from astromer.commands.cli import run_program
from astromer.system.errors import RecordError

# A shell's background jobs are started with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def main():
    {body}

run_program(main)
"""


def parser() -> Parser:
    made = Parser(prog="train")
    add_flags(made, EncoderConfig, TrainingConfig, MaskingConfig)
    return made


def test_defaults_are_the_knobs() -> None:
    args = parser().parse_args([])
    for config in (EncoderConfig, TrainingConfig, MaskingConfig):
        assert config_from(args, config) == config()


def test_flags_reach_their_knobs_with_their_types() -> None:
    line = "--model astromer_v2 --d-model 32 --lr 1e-3 --bs 8 --norm --same 0 --decay cosine"
    args = parser().parse_args(line.split())
    assert config_from(args, EncoderConfig) == EncoderConfig("astromer_v2", 32)
    assert config_from(args, TrainingConfig) == TrainingConfig(
        learning_rate=1e-3, batch_size=8, norm=True, decay="cosine"
    )
    assert config_from(args, MaskingConfig) == MaskingConfig(same=0.0)


def test_configs_in_a_config_and_assigned_knobs_are_read() -> None:
    line = ["--data", "fold", "--lr", "1e-3", "--rule", "too_short=warn", "--rule", "time_span=off"]
    config = parse_config(PretrainingConfig, line)
    assert (config.data, config.output, config.training.learning_rate) == ("fold", OUTPUT, 1e-3)
    assert (config.validation.too_short, config.validation.time_span) == ("warn", "off")
    for wrong, said in (("too_shrt=warn", "Did you mean too_short"), ("not_finite=off", "--rule")):
        with pytest.raises(errors.UsageError, match=said):
            parse_config(PretrainingConfig, ["--data", "fold", "--rule", wrong])


def test_hidden_and_d_model_are_one_knob() -> None:
    for flag in ("--hidden", "--d-model"):
        assert parser().parse_args([flag, "12"]).d_model == 12


@pytest.mark.parametrize(
    "line",
    [
        "--epochs many",
        "--epochs 1.5",
        "--lr",
        "--model astromer_v9",
        "--nonsense 1",
        "--epoch 3",
        "stray",
    ],
)
def test_bad_options_are_one_line_and_exit_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(line.split())
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "train --help" in err


@pytest.mark.parametrize(
    ("line", "config"),
    [
        ("--lr nan", TrainingConfig),
        ("--bs 0", TrainingConfig),
        ("--hidden 10", EncoderConfig),
        ("--probed 2", MaskingConfig),
    ],
)
def test_values_out_of_bounds_are_usage_errors(line: str, config: type) -> None:
    args = parser().parse_args(line.split())
    with pytest.raises(errors.UsageError, match=r"--\S+.*must.*Received"):
        config_from(args, config)


def test_help_names_every_flag_its_default_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for expected in ("--hidden", "--d-model", "(default: 256)", "astromer_v1|astromer_v2"):
        assert expected in text


def exit_of(main) -> object:
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as caught:
            run_program(main)
    finally:
        signal.signal(signal.SIGTERM, before)
    return caught.value.code


def test_a_user_s_mistake_is_one_line_and_its_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main() -> None:
        raise errors.RecordError("broken.record is not a TFRecord file.")

    assert exit_of(main) == errors.RecordError.exit_code
    assert capsys.readouterr() == ("", "error: broken.record is not a TFRecord file.\n")


def test_success_and_own_codes() -> None:
    assert exit_of(lambda: None) == 0
    assert exit_of(lambda: 0) == 0
    assert exit_of(lambda: 9) == 9


def test_a_mistake_of_ours_is_not_swallowed() -> None:
    def main() -> None:
        raise ZeroDivisionError

    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(ZeroDivisionError):
            run_program(main)
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_signals_end_a_program_without_a_traceback(
    toy, tmp_path: Path, number: int, code: int
) -> None:
    cleaned = tmp_path / "cleaned"
    body = f"""
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        open({str(cleaned)!r}, "w").close()
"""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body.strip())],
        cwd=toy.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert cleaned.exists(), "clean-up code did not run"


def test_a_reader_that_goes_away_ends_it_quietly(toy) -> None:
    body = "[print('x' * 1000) for _ in range(100000)]"
    line = f'{sys.executable} -c "$0" | head -c 10; code=${{PIPESTATUS[0]}}; echo; echo $code'
    done = subprocess.run(
        ["bash", "-c", line, PROGRAM.format(body=body)],
        cwd=toy.root,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "141"
    assert done.stderr == ""

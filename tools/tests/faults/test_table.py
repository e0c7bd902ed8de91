"""The table, the records that it is made of, and the plan."""

from __future__ import annotations

from collections import Counter
from random import Random

from tools.faults.kill import Kill, draw_kill
from tools.faults.outcome import Outcome
from tools.faults.plan import plan
from tools.faults.profile import Profile
from tools.faults.record import Record, Records
from tools.faults.stages import STAGES
from tools.faults.table import table

PROFILE = Profile(
    dict.fromkeys(STAGES, 2.0),
    {stage: 100 for stage in STAGES if stage != "closing"},
    Outcome("0", [], {}),
    [],
)


def record(number: int, component: str = "Trainer", **changed) -> Record:
    given = {
        "fault": "SIGKILL to the process at 1.000 s",
        "struck": [component],
        "codes": [-9, 0],
        "seconds": 10.0,
        "watched": {"looks": 50, "loads": 3, "transitions": 1, "failures": 0},
    }
    return Record(f"kill-{number}", "kill", component, **{**given, **changed})


def test_the_table_counts_by_stage_and_tells_what_was_wrong():
    records = [
        record(0),
        record(1, struck=[], codes=[0, 0]),
        record(2, "Pusher", offences=["half version: 5: missing: saved_model.pb"], seconds=16.0),
    ]
    lines = table(records).splitlines()
    rows = {tuple(line.split()) for line in lines}
    assert ("Trainer", "2", "1", "1", "0", "10.0") in rows
    assert ("Pusher", "1", "1", "0", "1", "16.0") in rows
    assert ("all", "3", "2", "1", "1", "12.0") in rows
    assert "  kill-2 at Pusher: SIGKILL to the process at 1.000 s" in lines
    assert "    half version: 5: missing: saved_model.pb" in lines
    assert "150 times" in table(records)
    assert "Nothing was wrong." not in lines


def test_the_table_of_a_campaign_without_offences():
    assert table([record(0)]).endswith("Nothing was wrong.")
    assert table([]) == "no trials yet"


def test_records_come_back_and_a_line_that_was_cut_off_does_not(tmp_path):
    file = tmp_path / "trials.jsonl"
    assert Records(file).read() == []
    Records(file).add(record(0))
    Records(file).add(record(1))
    file.write_bytes(file.read_bytes()[:-10])

    assert Records(file).read() == [record(0)]
    Records(file).add(record(2))
    assert Records(file).read() == [record(0), record(2)]


def test_a_plan_goes_through_all_stages_and_is_the_same_again():
    planned = plan({"kill": 2 * len(STAGES)})
    assert Counter(one.stage for one in planned) == dict.fromkeys(STAGES, 2)
    assert planned == plan({"kill": 2 * len(STAGES)})
    faults = [one.draw(5, PROFILE) for one in planned]
    assert faults == [one.draw(5, PROFILE) for one in planned]
    assert faults != [one.draw(6, PROFILE) for one in planned]
    # A longer campaign begins with the same trials.
    assert {one.name: one.draw(5, PROFILE) for one in plan({"kill": 60})}["kill-3"] == next(
        one.draw(5, PROFILE) for one in planned if one.name == "kill-3"
    )


def test_kills_are_spread_over_times_and_operations_signals_and_groups():
    rng = Random(1)
    kills = [draw_kill("Pusher", PROFILE, rng) for _ in range(400)]
    blows = [blow for kill in kills for blow in kill.blows]
    assert {len(kill.blows) for kill in kills} == {1, 2, 3}
    assert len({(blow.signal, blow.group, bool(blow.operation)) for blow in blows}) == 8
    operations = {blow.operation for blow in blows if blow.operation}
    assert 1 <= min(operations) < 10 < 90 < max(operations) <= 100
    moments = [blow.seconds for blow in blows if not blow.operation]
    assert 0 <= min(moments) < 0.1 < 1.9 < max(moments) < 2
    assert all(isinstance(kill, Kill) and kill.times == len(kill.blows) for kill in kills)
    assert not any(blow.operation for blow in draw_kill("closing", PROFILE, rng).blows)

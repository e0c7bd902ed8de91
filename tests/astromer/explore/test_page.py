"""The page to explore a survey: what it holds, and clicking through it in a browser."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from astromer.commands import explore as program
from astromer.explore.outliers import find_outliers
from astromer.explore.page import guess_classes, read_labels, write_explorer
from astromer.light_curves import LightCurves
from astromer.serving.embedding_table import EmbeddingTable
from astromer.system.errors import DataNotFoundError, RecordError, UsageError
from tests.astromer.explore.conftest import pulsator
from tests.pages import _CHROMIUM, Page

HOSTILE = '</script><img src=x onerror="alert(1)">\u2028'


def data_of(page: Path) -> dict:
    text = page.read_text()
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    return json.loads(found)


def unpacked(data: dict, name: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data[name]), np.dtype(kind))


@pytest.fixture
def written(survey, table_of, tmp_path):
    table = EmbeddingTable(table_of(survey))
    page = write_explorer(table, survey, find_outliers(table), tmp_path / "page.html", title="toy")
    return table, page


def test_it_holds_the_light_curves(survey, written):
    table, page = written
    data = data_of(page.path)
    assert (page.shown, page.points, page.method) == (60, 300, "pca")
    assert data["ids"] == survey.ids.tolist()
    counts, bounds = unpacked(data, "counts", "<u4"), unpacked(data, "bounds", "<f8").reshape(-1, 4)
    assert counts.tolist() == survey.lengths.tolist()
    ticks = unpacked(data, "times", "<u2") + unpacked(data, "times_high", "<u1") * 65536.0
    scale = np.repeat(bounds, counts, axis=0)
    mjd = scale[:, 0] + ticks / 0xFFFFFF * scale[:, 1]
    assert np.abs(mjd - survey.mjd).max() * 86400 < 10  # seconds
    mag = scale[:, 2] + unpacked(data, "magnitudes", "<u2") / 0xFFFF * scale[:, 3]
    np.testing.assert_allclose(mag, survey.mag, atol=1e-4)
    near = unpacked(data, "near", "<u4").reshape(60, 10)
    assert near[7].tolist() == table.similar("star-007", 10).positions.tolist()


def test_it_needs_nothing_from_elsewhere(written):
    text = written[1].path.read_text()
    parsed = Page(re.sub(r"<script.*?</script>|<input[^>]*>", "", text, flags=re.DOTALL))
    assert {"link", "iframe", "object"} & set(parsed.tags) == set()
    assert parsed.addresses == []
    assert "http" not in text
    assert "import" not in re.findall(r"<script>(.*?)</script>", text, re.DOTALL)[0]


def test_names_of_the_survey_do_not_end_the_script(survey, table_of, tmp_path):
    named = survey.ids.astype(object)
    named[0] = HOSTILE
    curves = replace(survey, ids=named.astype(str))
    table = EmbeddingTable(table_of(curves))
    page = write_explorer(
        table, curves, find_outliers(table), tmp_path / "p.html", title=HOSTILE,
        labels={HOSTILE: HOSTILE},
    )  # fmt: skip
    assert "<img" not in page.path.read_text()
    assert "onerror=" in data_of(page.path)["ids"][0]


def test_large_surveys_are_sampled_and_long_light_curves_thinned(table_of, tmp_path, monkeypatch):
    monkeypatch.setattr("astromer.explore.page.MOST_OBJECTS", 40)
    curves = LightCurves.from_curves([pulsator(0, count=900), *map(pulsator, range(1, 60))])
    table = EmbeddingTable(table_of(curves))
    found = find_outliers(table)
    page = write_explorer(table, curves, found, tmp_path / "p.html", labels={"star-059": "a"})
    data = data_of(page.path)
    assert page.shown == 40
    assert "a sample of 60" in page.path.read_text()
    assert {str(table.ids[found.ranking[0]]), "star-059"} <= set(data["ids"])
    assert max(unpacked(data, "counts", "<u4")) <= 300


def test_labels_by_hand_suggest_the_others(survey, table_of, tmp_path):
    table = EmbeddingTable(table_of(survey))
    labels = {f"star-{row:03d}": "ab"[row % 2] for row in range(20)}
    guess = guess_classes(table, labels)
    expected = np.array(["ab"[row % 2] for row in range(60)])
    assert np.mean(guess.classes == expected) > 0.9
    assert guess.doubt[:20].mean() < guess.doubt[20:].mean()
    assert guess_classes(table, {"star-000": "a"}) is None
    page = write_explorer(table, survey, find_outliers(table), tmp_path / "p.html", labels=labels)
    assert data_of(page.path)["labels"] == labels


def test_labels_are_read_from_csv(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text('\ufeffid,label\n"a,b",RRab\nc, EW \nc,EA\nd,\n')
    assert read_labels(path) == {"a,b": "RRab", "c": "EA"}
    path.write_text("name,type\na,b\n")
    with pytest.raises(RecordError, match="Received: .*labels.csv, with name, type"):
        read_labels(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordError, match="--labels must be a CSV file"):
        read_labels(path)
    with pytest.raises(DataNotFoundError, match="--labels"):
        read_labels(tmp_path / "none.csv")


def test_the_program_takes_a_survey(survey, table_of, tmp_path, capsys):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = table_of(survey)
    ids = np.repeat(survey.ids, survey.lengths)
    columns = {"id": ids, "mjd": survey.mjd, "mag": survey.mag, "errmag": survey.errmag}
    data, out = tmp_path / "survey.parquet", tmp_path / "page.html"
    pq.write_table(pa.table(columns), data)
    given = ["--embeddings", str(table), "--out", str(out), "--data"]
    program.main([*given, str(data)])
    assert f"page: {out}" in capsys.readouterr().out
    assert unpacked(data_of(out), "counts", "<u4").tolist() == survey.lengths.tolist()
    in_v = pq.read_table(table).append_column("band", [["V"] * len(survey)])
    pq.write_table(in_v, table)  # as `embed` writes it of records, which have the band
    program.main([*given, str(data)])
    assert "no light curve" not in capsys.readouterr().out
    assert unpacked(data_of(out), "counts", "<u4").tolist() == survey.lengths.tolist()
    bands = np.where(ids == survey.ids[0], "V", "I")
    pq.write_table(pa.table(columns | {"band": bands}), data)
    program.main([*given, str(data)])
    assert f"{len(survey) - 1} of them have no light curve in {data}" in capsys.readouterr().out
    before = out.read_bytes()
    for other in ({"id": np.char.add("x", ids)}, {"band": np.full(len(ids), "I")}):
        pq.write_table(pa.table(columns | other), data)
        with pytest.raises(UsageError, match="none of the ids"):
            program.main([*given, str(data)])
    assert out.read_bytes() == before
    with pytest.raises(DataNotFoundError):
        program.main([*given, str(tmp_path / "nothing")])


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(survey, table_of, tmp_path, width):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra dev)")
    if not _CHROMIUM.exists():
        pytest.skip(f"needs {_CHROMIUM}")
    table = EmbeddingTable(table_of(survey))
    labels = {f"star-{row:03d}": "ab"[row % 2] for row in range(10)}
    page = write_explorer(
        table, survey, find_outliers(table), tmp_path / "p.html", labels=labels
    ).path
    said: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=str(_CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 860}, accept_downloads=True)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready=yes]")
        first = table.ids[find_outliers(table).ranking[0]]
        assert tab.inner_text("#name") == first
        assert tab.locator("#near button").count() == 10
        assert tab.evaluate("document.documentElement.scrollWidth") <= width

        tab.locator("#near button").first.click()
        assert tab.inner_text("#name") != first
        tab.fill("#search", "star-042")
        assert tab.inner_text("#name") == "star-042"
        assert "of the odd ones" in tab.inner_text("#facts")
        box = tab.locator("#map").bounding_box()
        tab.locator("#map").focus()
        tab.keyboard.press("ArrowRight")
        assert tab.inner_text("#name") != "star-042"
        tab.keyboard.press("n")
        tab.keyboard.press("u")
        assert tab.inner_text("#name") not in labels

        name = tab.inner_text("#name")
        tab.fill("#label", "RRab, odd")
        tab.click("#mark")
        assert "labelled RRab, odd" in tab.inner_text("#facts")
        with tab.expect_download() as saved:
            tab.click("#labels")
        assert read_labels(saved.value.path()) == labels | {name: "RRab, odd"}

        for choice in range(tab.locator("#colour option").count()):
            tab.select_option("#colour", str(choice))
            assert tab.inner_text("#legend")
        tab.click("#select")
        tab.locator("#map").scroll_into_view_if_needed()
        box = tab.locator("#map").bounding_box()
        left, top = box["x"] + 3, box["y"] + 3
        right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
        tab.mouse.move(left, top)
        tab.mouse.down()
        for x, y in ((right, top), (right, bottom), (left, bottom)):
            tab.mouse.move(x, y, steps=4)
        tab.mouse.up()
        assert "60 objects in the region" in tab.inner_text("#told")
        with tab.expect_download() as saved:
            tab.click("#save")
        lines = Path(saved.value.path()).read_text().splitlines()
        assert lines == ["id", *survey.ids.tolist()]
        ink = tab.evaluate(
            "[...document.querySelectorAll('#map, #raw, #folded, #near canvas')].map(c => "
            "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v))"
        )
        assert len(ink) == 13
        assert all(ink)
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [page.as_uri()]

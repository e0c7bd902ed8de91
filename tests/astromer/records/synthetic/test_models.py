"""Each kind of variability against what defines it in the literature."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.records.synthetic import binaries, irregular, observing, pulsation, transients
from astromer.records.synthetic.binaries import Orbit, Stars
from astromer.records.synthetic.endless import CLASSES
from astromer.records.synthetic.irregular import mira
from astromer.records.synthetic.processes import (
    damped_oscillation,
    damped_walk,
    event_times,
    fourier_series,
    shots,
    since_events,
)
from astromer.records.synthetic.surveys import SURVEYS

PHASE = np.linspace(0, 1, 2000, endpoint=False)


def times(seed: int, span: float, number: int = 3000) -> np.ndarray:
    return 55000 + np.sort(np.random.default_rng(seed).uniform(0, span, number))


def fourier_parameters(mjd, mag, period, harmonics=5):
    """Range, R_21, R_31, phi_21 and phi_31 of a least-squares series of cosines."""
    angle = 2 * np.pi * mjd / period
    columns = [np.ones(len(mjd))]
    for k in range(1, harmonics + 1):
        columns += [np.cos(k * angle), np.sin(k * angle)]
    found = np.linalg.lstsq(np.stack(columns, 1), mag, rcond=None)[0]
    z = found[1::2] - 1j * found[2::2]
    ratios, phases = np.abs(z[1:3] / z[0]), np.angle(z[1:3] / z[0] ** np.array([2, 3]))
    return np.ptp(mag), *ratios, *(phases % (2 * np.pi))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.name)
def test_every_class_gives_finite_magnitudes_at_any_times(kind):
    for seed in range(12):
        for span, number in ((3000.0, 400), (5.0, 300), (2000.0, 12)):
            rng = np.random.default_rng([seed, number])
            change, period = kind.vary(times(seed, span, number), rng)
            assert change.shape == (number,)
            assert np.isfinite(change).all()
            assert np.abs(change).max() < 40
            assert np.isnan(period) or 0.02 < period < 1500


def test_rrab_stars_have_the_fourier_parameters_of_observed_ones():
    """The medians of field stars in V (Kovacs & Walker 2001; Soszynski et al. 2016)."""
    rows = []
    for seed in range(300):
        mjd = times(seed, 1500, 300)
        mag, period = pulsation.rr_lyrae_ab(mjd, np.random.default_rng(seed))
        rows.append((period, *fourier_parameters(mjd, mag, period)))
    period, amplitude, r_21, r_31, phi_21, phi_31 = np.array(rows).T
    assert np.median(period) == pytest.approx(0.57, abs=0.02)
    assert np.median(amplitude) == pytest.approx(0.95, abs=0.15)
    assert np.median(r_21) == pytest.approx(0.47, abs=0.04)
    assert np.median(r_31) == pytest.approx(0.32, abs=0.05)
    assert np.median(phi_21) == pytest.approx(4.0, abs=0.15)
    assert np.median(phi_31) == pytest.approx(1.95, abs=0.25)
    assert np.corrcoef(np.log10(period), amplitude)[0, 1] < -0.6


def test_rrab_stars_brighten_fast_and_fade_slowly():
    for seed in range(20):
        _, _, harmonics = pulsation._rrab_shape(np.random.default_rng(seed))
        change = np.diff(fourier_series(PHASE, *harmonics))
        assert (change < 0).mean() < 0.45
        assert change.min() < -1.5 * change.max()


def test_cepheids_of_ten_days_have_the_least_second_harmonic():
    """The Hertzsprung progression (Simon & Lee 1981)."""
    rows = []
    for seed in range(400):
        mjd = times(seed, 2000, 300)
        mag, period = pulsation.cepheid(mjd, np.random.default_rng(seed))
        rows.append((period, fourier_parameters(mjd, mag, period)[1]))
    period, r_21 = np.array(rows).T
    at_bump = np.median(r_21[(period > 8.5) & (period < 12)])
    assert at_bump < 0.5 * np.median(r_21[period < 5])
    assert at_bump < 0.7 * np.median(r_21[period > 15])


@pytest.mark.parametrize(
    ("vary", "low", "high"),
    [(pulsation.rr_lyrae_d, 0.742, 0.748), (pulsation.cepheid_double_overtone, 0.8, 0.808)],
)
def test_two_modes_have_the_period_ratio_of_the_petersen_diagram(vary, low, high):
    for seed in range(5):
        mjd = times(seed, 400, 1500)
        mag, period = vary(mjd, np.random.default_rng(seed))
        ratios = np.linspace(0.73, 0.82, 451)
        others = period / ratios if vary is pulsation.rr_lyrae_d else period * ratios
        z = np.exp(2j * np.pi * mjd / period)
        columns = np.stack([np.ones(len(mjd)), z.real, z.imag, (z**2).real, (z**2).imag], 1)
        rest = mag - columns @ np.linalg.lstsq(columns, mag, rcond=None)[0]
        power = [abs(np.sum(rest * np.exp(2j * np.pi * mjd / other))) for other in others]
        assert low <= ratios[int(np.argmax(power))] <= high


def test_a_total_eclipse_is_flat_and_as_deep_as_the_hidden_light():
    orbit = Orbit(3.0, 0.0, 0.0, 0.0)
    flux = binaries.light(PHASE, orbit, Stars(0.1, 0.2, 0.05, 0.5))
    bottom = 0.2**2 * 0.05 / (0.1**2 + 0.2**2 * 0.05)
    assert flux.min() == pytest.approx(bottom, abs=1e-6)
    assert (np.abs(flux - bottom) < 1e-6).mean() > 0.02
    assert flux[500] == 1


def test_depths_have_the_ratio_of_the_surface_brightnesses():
    flux = binaries.light(PHASE, Orbit(3.0, 0.0, 0.0, 0.1), Stars(0.15, 0.15, 0.4, 0.0))
    assert (1 - flux[1000]) / (1 - flux[0]) == pytest.approx(0.4, rel=1e-3)


def test_an_eccentric_orbit_moves_the_second_eclipse():
    """e cos(periastron) is pi / 2 times its distance from phase 0.5, to first order."""
    orbit = Orbit(10.0, 0.1, 0.0, 0.0)
    flux = binaries.light(PHASE, orbit, Stars(0.05, 0.05, 1.0, 0.0))
    assert PHASE[np.argmin(np.where(PHASE < 0.25, 2, np.where(PHASE > 0.85, 2, flux)))] == (
        pytest.approx(0.5 + 2 / np.pi * 0.1, abs=0.003)
    )
    assert flux[0] < 0.6


def test_a_transit_is_as_deep_as_the_areas_say_and_deeper_at_the_centre_of_the_disc():
    orbit, planet = Orbit(3.0, 0.0, 0.0, 0.0), 0.01
    dark = 1 - binaries.light(PHASE, orbit, Stars(0.1, planet, 0.0, 0.6))
    even = 1 - binaries.light(PHASE, orbit, Stars(0.1, planet, 0.0, 0.0))
    assert even.max() == pytest.approx(0.01, rel=1e-6)
    assert even.max() < dark.max() < 1.3 * even.max()
    assert dark[1000] == 0, "nothing is lost where the planet is behind"


def test_contact_binaries_have_round_maxima_and_two_minima_a_turn():
    for seed in range(20):
        mjd = times(seed, 300, 2000)
        mag, period = binaries.contact(mjd, np.random.default_rng(seed))
        assert 0.2 < period < 2.3
        assert 0.03 < np.ptp(mag) < 1.3
        twice = np.exp(4j * np.pi * mjd / period)
        once = np.exp(2j * np.pi * mjd / period)
        assert abs(np.sum(mag * twice)) > 3 * abs(np.sum((mag - mag.mean()) * once))


def test_miras_have_amplitudes_of_magnitudes_and_no_two_equal_cycles():
    mjd = np.arange(55000, 58000, 3.0)
    for seed in range(30):
        mag, period = mira(mjd, np.random.default_rng(seed))
        assert 1.8 < np.ptp(mag) < 11
        cycles = np.array_split(mag, int(3000 / period))
        assert len({round(float(cycle.min()), 3) for cycle in cycles}) > 1


@pytest.mark.parametrize("damping_time", [3.0, 40.0, 400.0])
def test_a_damped_walk_has_unit_variance_and_forgets_within_its_time(damping_time):
    mjd = np.arange(0, 3000 * damping_time, damping_time / 8)
    walk = damped_walk(mjd, damping_time, np.random.default_rng(0))
    assert np.var(walk) == pytest.approx(1, abs=0.1)
    for lag in (4, 8, 16):
        assert np.mean(walk[lag:] * walk[:-lag]) == pytest.approx(np.exp(-lag / 8), abs=0.08)


def test_a_damped_oscillation_repeats_until_it_forgets():
    mjd = np.arange(0, 100_000, 5.0)
    state = damped_oscillation(mjd, 50.0, 100.0, np.random.default_rng(3))
    for part in (state.real, state.imag):
        assert np.var(part) == pytest.approx(1, abs=0.1)
    for lag in (2, 5, 10):
        expected = np.exp(-5 * lag / 100) * np.cos(2 * np.pi * 5 * lag / 50)
        assert np.mean(state.real[lag:] * state.real[:-lag]) == pytest.approx(expected, abs=0.1)


def test_quasars_vary_by_the_structure_function_of_observed_ones():
    """0.2 mag at years, a tenth of that within days (MacLeod et al. 2010)."""
    mjd = np.arange(55000, 62000, 5.0)
    walks = [irregular.quasar(mjd, np.random.default_rng(seed))[0] for seed in range(150)]
    far = [np.sqrt(np.mean((walk[400:] - walk[:-400]) ** 2)) for walk in walks]
    near = [np.sqrt(np.mean((walk[1:] - walk[:-1]) ** 2)) for walk in walks]
    assert np.median(far) == pytest.approx(0.2, abs=0.05)
    assert np.median(near) < 0.2 * np.median(far)


def test_events_are_found_and_fade():
    starts = np.array([10.0, 20.0])
    event, elapsed = since_events(np.array([5.0, 12.0, 25.0]), starts)
    assert event.tolist() == [0, 0, 1]
    assert elapsed.tolist() == [-np.inf, 2.0, 5.0]
    level = shots(np.array([5.0, 11.0, 12.0, 14.0]), starts, np.array([1.0, 1.0]), 2.0, 2.0)
    np.testing.assert_allclose(level, [0, 0.5, 1.0, np.exp(-1)])


def test_events_cover_the_observed_time():
    mjd = times(0, 1000, 50)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        starts = event_times(mjd, float(rng.choice([0.5, 20, 3000])), 1.0, 100.0, rng)
        assert (np.diff(starts) >= 0).all()
        assert starts[-1] > mjd[-1]


def test_a_supernova_ia_fades_by_its_rate_and_a_microlens_is_symmetric():
    mjd = np.arange(55000, 55600, 0.5)
    rates = []
    for seed in range(40):
        mag, _ = transients.supernova_ia(mjd, np.random.default_rng(seed))
        peak = int(np.argmin(mag))
        if mag.max() > 10 and peak + 35 < len(mjd):  # without a host
            rates.append(mag[peak + 30] - mag[peak])
    assert np.median(rates) == pytest.approx(0.68, abs=0.15), "15 days after, in V"
    mag, _ = transients.microlensing(mjd, np.random.default_rng(2))
    peak = int(np.argmin(mag))
    width = min(peak, len(mjd) - 1 - peak, 100)
    before, after = mag[peak - width : peak][::-1], mag[peak + 1 : peak + 1 + width]
    assert np.abs(before - after).max() < 0.1 * np.ptp(mag) + 0.01


@pytest.mark.parametrize("name", ["ztf", "asas", "ogle", "crts", "superwasp", "lsst", "macho"])
def test_telescopes_on_the_ground_see_seasons_nights_and_dark_skies(name):
    (survey,) = [one for one in SURVEYS if one.name == name]
    assert isinstance(survey.cadence, observing.GroundBased)
    longest_gaps, hours = [], []
    for seed in range(30):
        visits = survey.cadence(np.random.default_rng(seed))
        assert (np.diff(visits.mjd) >= 0).all()
        if len(visits.mjd) > 20 and np.ptp(visits.mjd) > 800:
            longest_gaps.append(np.diff(visits.mjd).max())
            hours.append(abs(np.mean(np.exp(2j * np.pi * visits.mjd))))
    if longest_gaps:
        assert np.median(longest_gaps) > 25
        assert min(hours) > 0.1, "the same hours of the night: aliases of a day"


def test_visits_come_in_the_groups_of_their_survey():
    four = observing.GroundBased(
        (53500, 53600), (2000, 2001), (10, 20), (0, 0, 0, 1), (0.005, 0.01)
    )
    visits = four(np.random.default_rng(1))
    _, counts = np.unique(np.floor(visits.mjd + 0.2), return_counts=True)
    assert np.median(counts) >= 3
    pairs = np.diff(observing.gaia(np.random.default_rng(0)).mjd)
    assert (np.abs(pairs - 0.074) < 1e-6).mean() > 0.2
    orbits = np.diff(observing.wise(np.random.default_rng(0)).mjd)
    assert orbits.max() > 100
    assert np.median(orbits) == pytest.approx(0.0656, abs=0.001)


def test_errors_are_those_of_the_limit_and_of_the_floor():
    error = observing.expected_error(np.array([-12.0, 0.0, 1.0]), 0.01, 0.9)
    assert error[0] == pytest.approx(0.01, rel=0.01)
    assert error[1] == pytest.approx(0.2, rel=0.01)
    assert 1.5 < error[2] / error[1] < 2.6


def test_constant_light_dilutes_changes():
    change = np.array([-1.0, 0.0, 1.0])
    assert (np.abs(observing.blend(change, 0.5)) <= np.abs(change)).all()
    np.testing.assert_allclose(observing.blend(change, 0.0), change, atol=1e-12)

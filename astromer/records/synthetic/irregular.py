"""Objects without a strict clock, or with none.

Red giants and supergiants, spotted and flaring stars, young stars, Be stars and active nuclei.
"""

from __future__ import annotations

import numpy as np

from astromer.records.synthetic.processes import (
    NO_PERIOD,
    Signal,
    damped_oscillation,
    damped_walk,
    event_times,
    fourier_series,
    log_normal,
    log_uniform,
    normal_within,
    shots,
    wander,
    waves,
)


def mira(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Miras: 2.5 mag and more in V, no two cycles alike.

    Periods and amplitudes: Templeton, Mattei & Willson (2005, AJ 130, 776), Samus et al. (2017,
    GCVS 5.1); asymmetry: Lebzelter (2011, AN 332, 140); wandering periods: Eddington & Plakidis
    (1929, MNRAS 90, 65). A few have periods that change steadily, as R Hydrae's.
    """
    period = normal_within(300, 95, 95, 620, rng)
    amplitude = normal_within(2.8 + period / 250, 1.0, 2.0, 7.5, rng)
    cycle = (mjd - mjd[0]) / period
    phase = cycle + rng.random() + rng.uniform(0.01, 0.05) * wander(mjd, 3 * period, rng)
    if rng.random() < 0.03:
        phase = phase + rng.normal(0, 0.012) * cycle**2
    rise = normal_within(0.46 - (period - 300) / 4000, 0.05, 0.28, 0.55, rng)
    shape = _skewed_cosine(phase, rise)
    if rng.random() < 0.25:  # a hump on the way up
        within = phase - np.floor(phase)
        hump = np.exp(-(((within - 0.45 * rise) / 0.08) ** 2))
        shape -= rng.uniform(0.1, 0.35) * hump
    # Minima are broad, maxima sharp, in most of them.
    shape += rng.uniform(-0.1, 0.3) * (1 - shape**2)
    changes = 1 + rng.uniform(0.03, 0.14) * wander(mjd, period, rng)
    mean = rng.uniform(0.05, 0.35) * wander(mjd, 2 * period, rng)
    return 0.5 * amplitude * changes * shape + mean, period


def _skewed_cosine(phase: np.ndarray, rise: float) -> np.ndarray:
    """float64 [n], faintest (1) at phase 0, brightest (-1) at phase ``rise``."""
    within = phase - np.floor(phase)
    even = np.where(within < rise, within / rise, 1 + (within - rise) / (1 - rise))
    return np.cos(np.pi * even)


def semiregular(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Semiregular giants: one or two damped periods, one in three a long secondary one as well.

    Kiss et al. (1999, A&A 346, 542), Wood et al. (1999, IAUS 191, 151); noise of the phases:
    Bedding et al. (2005, MNRAS 361, 1375).
    """
    period = log_normal(110, 0.25, rng)
    size = log_uniform(0.06, 0.7, rng)
    magnitudes = size * damped_oscillation(mjd, period, period * log_uniform(3, 40, rng), rng).real
    if rng.random() < 0.6:
        other = period * rng.uniform(0.46, 0.6)
        magnitudes += (
            size
            * rng.uniform(0.2, 0.8)
            * damped_oscillation(mjd, other, other * log_uniform(3, 25, rng), rng).real
        )
    if rng.random() < 0.33:
        phase = mjd / (period * rng.uniform(7, 11)) + rng.random()
        magnitudes += 0.5 * log_uniform(0.1, 0.8, rng) * _skewed_cosine(phase, 0.6)
    return magnitudes, period


def small_amplitude_red_giant(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """OGLE small-amplitude red giants: some modes of 10 to 100 days, millimagnitudes to hundredths.

    Soszynski et al. (2004, AcA 54, 129).
    """
    period = log_uniform(12, 90, rng)
    size = log_uniform(0.005, 0.05, rng)
    magnitudes = np.zeros(len(mjd))
    ratios = np.array([1.0, 0.72, 0.52])[: int(rng.integers(2, 4))]
    for part, ratio in enumerate(ratios * (1 + 0.03 * rng.standard_normal(len(ratios)))):
        mode = period * (ratio if part else 1.0)
        magnitudes += (
            size
            * (1.0 if part == 0 else rng.uniform(0.3, 0.9))
            * damped_oscillation(mjd, mode, mode * log_uniform(8, 40, rng), rng).real
        )
    if rng.random() < 0.3:
        phase = mjd / (period * rng.uniform(6, 12)) + rng.random()
        magnitudes += log_uniform(0.01, 0.08, rng) * _skewed_cosine(phase, 0.6)
    return magnitudes, period


def r_coronae_borealis(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """R Coronae Borealis stars: sudden fades by up to 8 mag, slow returns, small pulsations.

    Clayton (1996, PASP 108, 225; 2012, JAVSO 40, 539).
    """
    starts = event_times(mjd, log_uniform(250, 2500, rng), 1.0, 500.0, rng)
    depths = np.minimum(rng.uniform(0.7, 8.0, len(starts)), 0.7 + rng.exponential(4, len(starts)))
    fades = shots(mjd, starts, depths, rng.uniform(8, 40), log_uniform(40, 300, rng), 4)
    pulsation = log_uniform(0.03, 0.25, rng)
    period = rng.uniform(35, 70)
    wobble = damped_oscillation(mjd, period, 6 * period, rng).real
    return 9 * np.tanh(fades / 9) + pulsation * wobble, NO_PERIOD


def yellow_supergiant(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Semiregular supergiants (SRc, SRd, L): slow, shallow, with little memory.

    Kiss, Szabo & Bedding (2006, MNRAS 372, 1721): a broad mode above noise that grows with period.
    """
    period = log_uniform(60, 900, rng)
    size = log_uniform(0.05, 0.35, rng)
    mode = damped_oscillation(mjd, period, period * log_uniform(0.7, 5, rng), rng).real
    noise = damped_walk(mjd, period * rng.uniform(1, 4), rng)
    return size * (mode + rng.uniform(0.3, 1.0) * noise), period


def spotted(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Active stars (BY Draconis, RS Canum Venaticorum): spots that evolve, and cycles of years.

    Periods: McQuillan, Mazeh & Aigrain (2014, ApJS 211, 24) and active binaries; lifetimes of
    spots: Giles, Collier Cameron & Haywood (2017, MNRAS 472, 1618). The two harmonics of the
    rotation are quasi-periodic, as Gaussian processes of spots have them (Angus et al. 2018,
    MNRAS 474, 2094).
    """
    period = log_normal(6.0, 0.55, rng)
    period = min(max(period, 0.2), 120.0)
    lifetime = max(period * log_uniform(2, 80, rng), 15.0)
    size = log_uniform(0.008, 0.12, rng)
    curve = damped_oscillation(mjd, period, lifetime, rng).real
    second = damped_oscillation(mjd, period / 2, lifetime, rng).real
    magnitudes = size * (curve + rng.uniform(0.1, 0.7) * second)
    if rng.random() < 0.6:
        magnitudes += size * rng.uniform(0.3, 1.2) * wander(mjd, log_uniform(300, 2500, rng), rng)
    return magnitudes, period


def chemically_peculiar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """alpha2 Canum Venaticorum stars: spots fixed by the magnetic field, one or two waves a turn.

    Bernhard, Huemmerich & Paunzen (2015, AN 336, 981), Netopil et al. (2017, MNRAS 468, 2745).
    """
    period = min(max(log_normal(3.0, 0.3, rng), 0.5), 100.0)
    ratio = log_uniform(0.05, 0.6, rng)
    if rng.random() < 0.25:
        ratio = rng.uniform(0.8, 3.0)  # two waves
    shape = fourier_series(
        mjd / period + rng.random(),
        [ratio, ratio * rng.uniform(0, 0.2)],
        2 * np.pi * rng.random(2),
    )
    return log_uniform(0.008, 0.12, rng) * shape, period


def flaring(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """UV Ceti stars: flares of minutes to hours on spotted red dwarfs, more small than large ones.

    Energies by a power law (Lacy, Moffett & Evans 1976, ApJS 30, 85); profiles: Davenport et al.
    (2014, ApJ 797, 122), two exponentials after a fast rise.
    """
    interval = log_uniform(0.15, 8.0, rng)
    starts = event_times(mjd, interval, 1.0, 1.0, rng)
    heights = np.minimum(0.02 * rng.pareto(1.0, len(starts)) + 0.02, 40.0)
    decay = log_uniform(0.005, 0.05, rng)
    flare = shots(mjd, starts, heights, 0.15 * decay, decay, 2)
    flare += 0.3 * shots(mjd, starts, heights, 0.15 * decay, 5 * decay, 2)
    period = log_uniform(0.2, 30, rng)
    spots = damped_oscillation(mjd, period, 40 * period, rng).real
    rotates = rng.random() < 0.7
    magnitudes = rng.uniform(0.004, 0.04) * rotates * spots - 2.5 * np.log10(1 + flare)
    return magnitudes, period if rotates else NO_PERIOD


def t_tauri(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical T Tauri stars that accrete at random, a third with traces of the rotation.

    Time scales and amplitudes: Cody et al. (2014, AJ 147, 82), Venuti et al. (2015, A&A 581, A66).
    """
    size = log_uniform(0.05, 0.5, rng)
    magnitudes = size * damped_walk(mjd, log_uniform(0.8, 15, rng), rng)
    magnitudes += size * rng.uniform(0.1, 0.8) * wander(mjd, log_uniform(60, 1000, rng), rng)
    if rng.random() > 0.35:
        return magnitudes, NO_PERIOD
    period = log_uniform(1.5, 12, rng)
    turning = damped_oscillation(mjd, period, period * log_uniform(4, 60, rng), rng).real
    return magnitudes + size * rng.uniform(0.7, 1.5) * turning, period


def dipper(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Dippers (AA Tauri): dust of the inner disc crosses the star, each time in another way.

    Two thirds once a rotation of 2 to 12 days, the rest at random (Alencar et al. 2010, A&A 519,
    A88; Stauffer et al. 2015, AJ 149, 130).
    """
    depth = log_uniform(0.1, 1.4, rng)
    noise = rng.uniform(0.01, 0.06) * damped_walk(mjd, 2.0, rng)
    noise += 0.1 * wander(mjd, 200.0, rng)
    period = log_uniform(2, 12, rng)
    if rng.random() < 0.33:
        starts = event_times(mjd, period, 1.0, 20.0, rng)
        depths = rng.exponential(0.7 * depth, len(starts))
        width = rng.uniform(0.2, 1.0)
        return noise + np.minimum(shots(mjd, starts, depths, width, width, 3), 4.0), NO_PERIOD
    cycle = (mjd - mjd[0]) / period + rng.random()
    turn = cycle.astype(np.int64)
    turns = int(turn[-1]) + 1
    depths = depth * np.minimum(rng.gamma(1.3, 0.6, turns), 2.5)
    width = rng.uniform(0.07, 0.16) * np.exp(0.25 * rng.standard_normal(turns))
    centre = 0.5 + 0.06 * rng.standard_normal(turns)
    distance = (cycle - turn - centre[turn]) / width[turn]
    # Whole months without dips are common.
    active = np.clip(0.7 + 0.8 * wander(mjd, 25 * period, rng), 0, 1)
    return noise + active * depths[turn] * np.exp(-0.5 * distance**2), period


def burster(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Accretion bursts of days to months, the rarest and longest as EX Lupi's.

    Stauffer et al. (2014, AJ 147, 83), Audard et al. (2014, Protostars and Planets VI, 387).
    """
    duration = log_uniform(0.5, 120, rng)
    interval = duration * log_uniform(2.5, 15, rng)
    starts = event_times(mjd, interval, 1.0, 10 * duration, rng)
    heights = np.minimum(rng.exponential(log_uniform(0.15, 3.0, rng), len(starts)), 15.0)
    flux = 1 + shots(mjd, starts, heights, rng.uniform(0.15, 0.5) * duration, duration)
    flicker = log_uniform(0.02, 0.15, rng) * damped_walk(mjd, rng.uniform(1, 10), rng)
    return flicker - 2.5 * np.log10(flux), NO_PERIOD


def ux_orionis(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """UX Orionis stars: Herbig Ae stars that clouds of dust fade by up to 3 mag for days to months.

    Herbst & Shevchenko (1999, AJ 118, 1043), Grinin et al. (1991, Ap&SS 186, 283). Scattered light
    sets the deepest level.
    """
    duration = log_uniform(3, 60, rng)
    starts = event_times(mjd, duration * log_uniform(2, 12, rng), 1.0, 6 * duration, rng)
    depths = rng.exponential(rng.uniform(0.4, 2.0), len(starts))
    fades = shots(mjd, starts, depths, rng.uniform(0.3, 1.2) * duration, duration)
    deepest = rng.uniform(1.5, 3.2)
    flux = 10 ** (-0.4 * fades) + 10 ** (-0.4 * deepest)
    slow = rng.uniform(0.02, 0.3) * wander(mjd, log_uniform(100, 1500, rng), rng)
    return slow - 2.5 * np.log10(flux), NO_PERIOD


def be_star(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Be stars: discs that fill within weeks and drain within months, and short pulsations.

    Brighter where the disc is seen from its pole, fainter where edge on (Mennickent et al. 2002,
    A&A 393, 887; Labadie-Bartz et al. 2017, AJ 153, 252; Haubois et al. 2012, ApJ 756, 156).
    """
    decay = log_uniform(10, 250, rng)
    starts = event_times(mjd, decay * log_uniform(1.5, 15, rng), 1.0, 4 * decay, rng)
    heights = log_uniform(0.04, 0.35, rng) * rng.gamma(2.0, 0.5, len(starts))
    outbursts = shots(mjd, starts, heights, decay * rng.uniform(0.1, 0.8), decay)
    sign = 1.0 if rng.random() < 0.2 else -1.0
    magnitudes = sign * outbursts
    magnitudes += rng.uniform(0.01, 0.15) * wander(mjd, log_uniform(300, 2000, rng), rng)
    if rng.random() > 0.6:
        return magnitudes, NO_PERIOD
    frequency = log_uniform(0.6, 3.0, rng)
    frequencies = frequency * np.array([1.0, 1 + 0.05 * rng.standard_normal(), 2.0])
    amplitudes = log_uniform(0.005, 0.03, rng) * np.array([1.0, rng.random(), 0.3 * rng.random()])
    return magnitudes + waves(mjd, frequencies, amplitudes, rng), 1 / frequency


def quasar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Quasars and Seyfert nuclei: damped random walks.

    Time scales of 250 days at rest, spread by a factor of 2.5, dilated by the redshift, and
    asymptotic structure functions of 0.2 mag (MacLeod et al. 2010, ApJ 721, 1014); the host's light
    dilutes the near ones.
    """
    redshift = rng.gamma(3.0, 0.5)
    damping_time = log_normal(250, 0.4, rng) * (1 + redshift)
    structure = min(log_normal(0.22, 0.2, rng), 0.9)
    magnitudes = structure / np.sqrt(2) * damped_walk(mjd, damping_time, rng)
    if redshift < 0.6:
        magnitudes = magnitudes * rng.uniform(0.3, 1.0)
    return magnitudes, NO_PERIOD


def blazar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Blazars: faster and larger walks, and flares (Ruan et al. 2012, ApJ 760, 51)."""
    size = log_uniform(0.12, 0.5, rng)
    magnitudes = size * damped_walk(mjd, log_uniform(10, 300, rng), rng)
    magnitudes += 0.5 * size * damped_walk(mjd, log_uniform(1, 10, rng), rng)
    if rng.random() < 0.5:
        duration = log_uniform(3, 60, rng)
        starts = event_times(mjd, duration * log_uniform(4, 30, rng), 1.0, 6 * duration, rng)
        heights = rng.exponential(0.6, len(starts))
        magnitudes -= shots(mjd, starts, heights, duration, duration)
    return magnitudes, NO_PERIOD


def constant(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Stars that do not vary."""
    return np.zeros(len(mjd)), NO_PERIOD

"""Stars that pulsate: RR Lyrae stars, Cepheids of every type, delta Scuti stars and their kin.

The radial pulsators are Fourier series in V whose amplitude ratios and phases follow the period as
in observed stars; each function names its source. Phases are those of series of cosines; where a
source has sines, (k - 1) pi / 2 was added to its phi_k1. The period of stars that pulsate in many
modes at once is that of the strongest.
"""

from __future__ import annotations

import numpy as np

from astromer.records.synthetic.processes import (
    Signal,
    damped_walk,
    fourier_series,
    log_normal,
    log_uniform,
    normal_within,
    wander,
    waves,
)

_RRAB_RATIOS = np.array([0.49, 0.34, 0.22, 0.14, 0.09, 0.06])
_RRAB_PHASES = np.array([4.03, 2.00, 6.25, 4.20, 2.00, 0.10])
_RRAB_SLOPES = np.array([0.5, 1.0, 1.35, 1.9, 2.4, 2.9])
"""Change of phi_21, phi_31, ... with phi_31."""


def rr_lyrae_ab(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """RR Lyrae stars in the fundamental mode, two in five with the Blazhko effect.

    Two Oosterhoff groups with the period-amplitude relations of M3 (Cacciari, Corwin & Carney 2005,
    AJ 129, 267); phi_31 from period and metallicity (Jurcsik & Kovacs 1996, A&A 312, 111) and the
    other phases along with it (Kovacs & Kanbur 1998, MNRAS 295, 834).
    """
    log_period, amplitude, harmonics = _rrab_shape(rng)
    period = 10**log_period
    amplitudes, shifts = _blazhko(mjd, 0.4, rng)
    phase = _phase(mjd, period, rng) + shifts
    return amplitude * amplitudes * fourier_series(phase, *harmonics), period


def _rrab_shape(rng: np.random.Generator) -> tuple[float, float, tuple[np.ndarray, np.ndarray]]:
    second_group = rng.random() < 0.28
    shift, metallicity = (0.06, -1.8) if second_group else (0.0, -1.35)
    log_period = normal_within(-0.255 + shift, 0.05, -0.44, -0.03, rng)
    x = max(log_period - shift, -0.357)
    amplitude = -2.627 - 22.046 * x - 30.876 * x**2 + 0.12 * rng.standard_normal()
    amplitude = min(max(amplitude, 0.2), 1.45)
    metallicity += 0.35 * rng.standard_normal()
    phi_31 = (metallicity + 5.038 + 5.394 * 10**log_period) / 1.345 - 5.03
    phases = _RRAB_PHASES + _RRAB_SLOPES * phi_31 + 0.06 * rng.standard_normal(6)
    ratios = _RRAB_RATIOS * min(1.0, 0.65 + 0.42 * amplitude) ** np.arange(1, 7)
    return log_period, amplitude, (ratios * (1 + 0.05 * rng.standard_normal(6)), phases)


def _blazhko(
    mjd: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Factors of the amplitude and shifts of the phase [cycles].

    Share, periods and sizes: Prudil & Skarka (2017, MNRAS 466, 2602), Benko et al. (2014, ApJS 213,
    31). Modulations are not sinusoidal, and hardly exceed the amplitude of stars without
    (Szeidl 1988, in Multimode Stellar Pulsations, 45).
    """
    if rng.random() > share:
        return 1.0, 0.0
    angle = 2 * np.pi * (mjd / log_normal(55, 0.35, rng) + rng.random())
    angle = angle + rng.uniform(0, 0.6) * np.cos(angle + 2 * np.pi * rng.random())
    depth = rng.uniform(0.02, 0.3)
    lag = 2 * np.pi * rng.random()
    return 1 + depth * (np.cos(angle) - 0.8), rng.uniform(0, 0.03) * np.cos(angle + lag)


def rr_lyrae_c(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """RR Lyrae stars in the first overtone.

    Periods and shapes: Soszynski et al. (2016, AcA 66, 131), Morgan, Wahl & Wieckhorst (2007, MNRAS
    374, 1421). Phases wander, as in many of them; a third show the mode at 0.61 of the period with
    some hundredths of a magnitude (Netzel & Smolec 2019, MNRAS 487, 5584).
    """
    period = normal_within(0.322, 0.045, 0.2, 0.47, rng)
    amplitude = normal_within(0.42, 0.09, 0.15, 0.65, rng)
    amplitudes, shifts = _blazhko(mjd, 0.08, rng)
    if rng.random() < 0.3:
        shifts = shifts + 0.02 * damped_walk(mjd, 1500.0, rng)
    phi_21 = 4.75 + 0.3 * rng.standard_normal()
    phi_31 = 3.3 + 4 * (period - 0.32) + 0.4 * rng.standard_normal()
    ratios = [rng.uniform(0.06, 0.22), rng.uniform(0.03, 0.1), 0.04]
    phase = _phase(mjd, period, rng) + shifts
    magnitudes = amplitude * amplitudes * fourier_series(phase, ratios, [phi_21, phi_31, 2.0])
    if rng.random() < 0.33:
        extra = 2 * np.pi * (mjd / (period * rng.uniform(0.605, 0.635)) + rng.random())
        magnitudes += rng.uniform(0.005, 0.025) * np.cos(extra)
    return magnitudes, period


def rr_lyrae_d(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """RR Lyrae stars in both modes; the period is the first overtone's, mostly the stronger mode.

    Period ratios: the Petersen diagram of Soszynski et al. (2016, AcA 66, 131).
    """
    fundamental = normal_within(0.49, 0.025, 0.42, 0.6, rng)
    ratio = 0.7445 + 0.045 * (fundamental - 0.49) + 0.0006 * rng.standard_normal()
    overtone = fundamental * ratio
    amplitude = rng.uniform(0.25, 0.48)
    # The fundamental mode has 0.2 to 0.9 of the overtone's amplitude.
    second = amplitude * rng.uniform(0.2, 0.9)
    harmonic = (0.14, 4.6 + 0.3 * rng.standard_normal())
    return _two_modes(mjd, overtone, fundamental, amplitude, second, harmonic, rng), overtone


def _two_modes(
    mjd: np.ndarray,
    period: float,
    other: float,
    amplitude: float,
    second: float,
    harmonic: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """float64 [n], two modes and the sum and difference of their frequencies."""
    phase, other_phase = _phase(mjd, period, rng), _phase(mjd, other, rng)
    ratio, phi_21 = harmonic
    total = amplitude * fourier_series(phase, [ratio, ratio / 3], [phi_21, 2 * phi_21 - 6.3])
    total += second * fourier_series(other_phase, [0.6 * ratio], [phi_21])
    combination = 0.25 * np.sqrt(amplitude * second) * rng.uniform(0.5, 1.2)
    angle, other_angle = 2 * np.pi * phase, 2 * np.pi * other_phase
    total += 0.5 * combination * np.cos(angle + other_angle + phi_21)
    total += 0.3 * combination * np.cos(angle - other_angle + rng.uniform(0, 2 * np.pi))
    return total


_CEPHEID_LOG_PERIODS = np.array([0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0, 1.05, 1.15, 1.3, 1.5, 1.8])
_CEPHEID_RATIOS = np.array(
    [
        [0.45, 0.46, 0.45, 0.42, 0.34, 0.22, 0.14, 0.13, 0.25, 0.38, 0.42, 0.40],
        [0.24, 0.23, 0.22, 0.18, 0.13, 0.12, 0.09, 0.12, 0.15, 0.20, 0.23, 0.22],
        [0.13, 0.12, 0.11, 0.08, 0.05, 0.06, 0.05, 0.08, 0.11, 0.12, 0.14, 0.13],
        [0.07, 0.06, 0.05, 0.04, 0.03, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.08],
    ]
)
_CEPHEID_PHASES = np.array(
    [
        [4.00, 4.10, 4.25, 4.50, 4.85, 5.30, 5.40, 4.40, 4.40, 4.55, 4.65, 4.75],
        [1.80, 2.10, 2.45, 3.00, 3.50, 4.30, 5.60, 6.60, 8.10, 8.70, 9.10, 9.40],
        [6.00, 6.40, 6.90, 7.60, 7.90, 7.70, 7.30, 12.2, 13.1, 13.9, 14.4, 14.8],
        [3.90, 4.50, 5.20, 6.20, 7.40, 8.60, 10.2, 12.0, 13.6, 14.6, 15.2, 15.8],
    ]
)


def cepheid(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical Cepheids in the fundamental mode, with the Hertzsprung progression.

    Fourier parameters along the period: Simon & Lee (1981, ApJ 248, 291), Soszynski et al. (2015,
    AcA 65, 297). The bump of ten-day stars shows as the minimum of R_21 and the jump of the phases.
    """
    log_period = normal_within(0.45, 0.05, 0.1, 1.75, rng) + rng.exponential(0.27)
    log_period = min(log_period, 1.75)
    ratios = _at(_CEPHEID_RATIOS, log_period) * rng.uniform(0.85, 1.12)
    phases = _at(_CEPHEID_PHASES, log_period) + np.array([0.08, 0.14, 0.2, 0.25]) * (
        rng.standard_normal()
    )
    near_bump = np.exp(-(((log_period - 1.0) / 0.08) ** 2))
    amplitude = normal_within(0.78 + 0.25 * max(log_period - 1, 0), 0.16, 0.25, 1.4, rng)
    amplitude *= 1 - 0.35 * near_bump
    period = 10**log_period
    return amplitude * fourier_series(_phase(mjd, period, rng), ratios, phases), period


def cepheid_overtone(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical Cepheids in the first overtone: nearly sinusoidal, with a dip of R_21 at 2.7 days.

    Soszynski et al. (2015, AcA 65, 297).
    """
    period = 10 ** normal_within(0.33, 0.2, -0.35, 0.85, rng)
    return _overtone(mjd, period, rng), period


def _overtone(mjd: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    log_period = np.log10(period)
    r_21 = 0.2 * (1 - 0.8 * np.exp(-(((log_period - 0.43) / 0.1) ** 2))) * rng.uniform(0.7, 1.2)
    phi_21 = 4.3 + 0.9 * log_period + 0.15 * rng.standard_normal()
    phi_31 = 2.6 + 3.5 * log_period + 0.3 * rng.standard_normal()
    amplitude = normal_within(0.38, 0.08, 0.1, 0.6, rng)
    phase = _phase(mjd, period, rng)
    return amplitude * fourier_series(phase, [r_21, 0.35 * r_21], [phi_21, phi_31])


def cepheid_double(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical Cepheids in the fundamental mode and the first overtone; the stronger one's period.

    Period ratios: Soszynski et al. (2015, AcA 65, 297), Moskalik (2014, IAUS 301, 249).
    """
    fundamental = log_uniform(0.6, 6.0, rng)
    ratio = 0.738 - 0.027 * np.log10(fundamental) + 0.003 * rng.standard_normal()
    overtone = fundamental * ratio
    amplitude, second = rng.uniform(0.2, 0.45), rng.uniform(0.2, 0.9)
    first, other = (overtone, fundamental) if rng.random() < 0.6 else (fundamental, overtone)
    harmonic = (0.25, 4.4 + 0.2 * rng.standard_normal())
    return _two_modes(mjd, first, other, amplitude, amplitude * second, harmonic, rng), first


def cepheid_double_overtone(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical Cepheids in the first and the second overtone (Soszynski et al. 2015)."""
    first = log_uniform(0.4, 1.6, rng)
    ratio = 0.8045 + 0.002 * np.log10(first) + 0.001 * rng.standard_normal()
    amplitude = rng.uniform(0.2, 0.42)
    second = amplitude * rng.uniform(0.1, 0.5)
    harmonic = (0.2, 4.3 + 0.2 * rng.standard_normal())
    return _two_modes(mjd, first, first * ratio, amplitude, second, harmonic, rng), first


def cepheid_anomalous(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Anomalous Cepheids (Soszynski et al. 2015, AcA 65, 233): sawteeth of 0.4 to 2.6 days."""
    if rng.random() < 0.33:
        period = log_uniform(0.4, 1.1, rng)
        return _overtone(mjd, period, rng), period
    period = log_uniform(0.65, 2.6, rng)
    slope = np.log10(period)
    phases = np.array([4.4, 2.7, 0.9, 5.6]) + np.array([0.1, 0.2, 0.3, 0.4]) * (
        rng.standard_normal() - 2 * slope
    )
    ratios = np.array([0.45, 0.24, 0.13, 0.07]) * rng.uniform(0.85, 1.1)
    amplitude = normal_within(0.65 + 0.8 * slope, 0.2, 0.3, 1.4, rng)
    return amplitude * fourier_series(_phase(mjd, period, rng), ratios, phases), period


def bl_herculis(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Type II Cepheids of 1 to 4 days, whose bump moves with the period.

    Soszynski et al. (2018, AcA 68, 89), Bhardwaj (2020, JApA 41, 23).
    """
    period = log_uniform(1.0, 4.0, rng)
    slope = np.log10(period / 2)
    ratios = [rng.uniform(0.15, 0.5), rng.uniform(0.08, 0.3), rng.uniform(0.03, 0.12)]
    phases = [4.5 + 2 * slope, 2.8 + 5 * slope, 1.2 + 7 * slope] + 0.25 * rng.standard_normal(3)
    amplitude = normal_within(0.75, 0.2, 0.25, 1.2, rng)
    return amplitude * fourier_series(_phase(mjd, period, rng), ratios, phases), period


def w_virginis(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Type II Cepheids of 4 to 20 days: broad maxima, cycles that differ a little.

    Soszynski et al. (2018, AcA 68, 89); changes from cycle to cycle: Plachy et al. (2017, MNRAS
    465, 173).
    """
    period = 10 ** normal_within(1.12, 0.15, 0.6, 1.3, rng)
    rising = np.log10(period / 10)
    ratios = [rng.uniform(0.08, 0.3), rng.uniform(0.04, 0.15), rng.uniform(0.02, 0.06)]
    phases = [5.3 + 1.5 * rising, 5.6 + 3 * rising, 4.0] + 0.3 * rng.standard_normal(3)
    amplitude = normal_within(0.85, 0.2, 0.3, 1.3, rng)
    drift = 0.015 * wander(mjd, 12 * period, rng)
    changes = 1 + rng.uniform(0.0, 0.06) * wander(mjd, 2 * period, rng)
    phase = _phase(mjd, period, rng) + drift
    return amplitude * changes * fourier_series(phase, ratios, phases), period


def rv_tauri(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """RV Tauri stars: minima deep and shallow in turn, which sometimes change places.

    The period is the formal one, from deep to deep minimum. One in four has the slow change of the
    mean of type b (Pollard et al. 1996, MNRAS 279, 949; Bodi & Kiss 2019, ApJ 872, 60).
    """
    period = 10 ** normal_within(1.78, 0.16, 1.45, 2.2, rng)
    phase = _phase(mjd, period, rng) + 0.03 * wander(mjd, 6 * period, rng)
    depth = rng.uniform(0.5, 1.6) * np.exp(0.25 * wander(mjd, 4 * period, rng))
    alternation = rng.uniform(0.25, 0.7) + 0.2 * wander(mjd, 10 * period, rng)
    half = fourier_series(2 * phase, [0.25], [rng.uniform(3.2, 4.2)])
    magnitudes = depth * (half + 0.5 * alternation * np.cos(2 * np.pi * phase + 0.3))
    magnitudes += 0.12 * wander(mjd, 1.5 * period, rng)
    if rng.random() < 0.25:
        slow = 2 * np.pi * (mjd / rng.uniform(600, 2600) + rng.random())
        magnitudes += rng.uniform(0.2, 1.0) * np.cos(slow)
    return magnitudes, period


def _at(table: np.ndarray, log_period: float) -> np.ndarray:
    """float64 [rows], the rows of a table at one period."""
    x = _CEPHEID_LOG_PERIODS
    after = min(max(int(np.searchsorted(x, log_period)), 1), len(x) - 1)
    part = (log_period - x[after - 1]) / (x[after] - x[after - 1])
    return table[:, after - 1] * (1 - part) + table[:, after] * part


def _phase(mjd: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    return mjd / period + rng.random()


def high_amplitude_delta_scuti(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """High-amplitude delta Scuti and SX Phoenicis stars; two in five have the first overtone, too.

    Shapes and amplitudes: McNamara (2000, ASP 210, 373), Pietrukowicz et al. (2020, AcA 70, 241);
    period ratio 0.76 to 0.78: Petersen & Christensen-Dalsgaard (1996, A&A 312, 463).
    """
    period = log_normal(0.095, 0.17, rng)
    period = min(max(period, 0.035), 0.25)
    amplitude = log_uniform(0.2, 0.9, rng)
    steepness = rng.uniform(0.25, 0.42) * min(1.0, 0.6 + 0.6 * amplitude)
    phi_21 = 4.05 + 0.2 * rng.standard_normal()
    phi_31 = 1.9 + 0.35 * rng.standard_normal()
    phase = mjd / period + rng.random()
    shape = fourier_series(
        phase, [steepness, steepness**2 * 1.2, steepness**3], [phi_21, phi_31, 6.0]
    )
    magnitudes = amplitude * shape
    if rng.random() < 0.4:
        frequency, other = 1 / period, 1 / (period * rng.uniform(0.762, 0.778))
        second = 0.5 * amplitude * log_uniform(0.05, 0.6, rng)
        magnitudes += waves(
            mjd,
            np.array([other, frequency + other, other - frequency]),
            second * np.array([1.0, 0.25, 0.2]),
            rng,
        )
    return magnitudes, period


def delta_scuti(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Low-amplitude delta Scuti stars: p modes of 4 to 50 a day (Breger 2000, ASP 210, 3).

    Numbers of modes and amplitudes: Bowman & Kurtz (2018, MNRAS 476, 3169).
    """
    return _modes(mjd, rng, log_uniform(5, 30, rng), 0.35, log_uniform(0.004, 0.05, rng), 12)


def gamma_doradus(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """gamma Doradus stars: g modes of 0.3 to 3 days, close to one another.

    Kaye et al. (1999, PASP 111, 840), Li et al. (2020, MNRAS 491, 3586).
    """
    return _modes(mjd, rng, log_uniform(0.4, 2.8, rng), 0.1, log_uniform(0.004, 0.03, rng), 10)


def slowly_pulsating_b(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Slowly pulsating B stars: g modes of 0.5 to 4 days (Waelkens 1991, A&A 246, 453).

    Spacing and amplitudes: Pedersen et al. (2021, Nature Astronomy 5, 715).
    """
    return _modes(mjd, rng, log_uniform(0.3, 1.8, rng), 0.15, log_uniform(0.004, 0.03, rng), 8)


def beta_cephei(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """beta Cephei stars: a few p modes of 2 to 8 hours (Stankov & Handler 2005, ApJS 158, 193)."""
    return _modes(mjd, rng, log_uniform(3.5, 11, rng), 0.06, log_uniform(0.008, 0.12, rng), 5)


def _modes(
    mjd: np.ndarray,
    rng: np.random.Generator,
    strongest: float,
    spread: float,
    amplitude: float,
    most: int,
) -> Signal:
    """Modes around the strongest, whose amplitudes fall geometrically, and its first harmonic.

    Args:
        strongest: its frequency [1/day].
        spread: standard deviation of the logarithm of the other frequencies over it.
        amplitude: half of its full range [mag].
        most: modes at most.
    """
    number = int(rng.integers(1, most + 1))
    frequencies = strongest * np.exp(spread * rng.standard_normal(number + 1))
    frequencies[0], frequencies[-1] = strongest, 2 * strongest
    amplitudes = amplitude * rng.uniform(0.4, 0.9) ** np.arange(number + 1)
    amplitudes[-1] = amplitude * rng.uniform(0, 0.15)
    return waves(mjd, frequencies, amplitudes, rng), 1 / strongest

import { type Rational, rational } from './rational.ts'

/** A value in the unit times `factor`, plus `offset`, is the value in its dimension's base unit. */
export type Unit = { readonly dimension: string; readonly factor: Rational; readonly offset?: Rational }

const unit = (dimension: string, numerator: bigint, denominator = 1n): Unit => ({
  dimension,
  factor: rational(numerator, denominator),
})

/**
 * UCUM codes that are understood, case-sensitive as UCUM's are ("mW" is no "MW"). Closed: an unknown unit is refused, never assumed. Angles in
 * radians are not here: they convert by π, which no decimal is. Gray and sievert are both J/kg and not the same: one dimension each.
 */
export const units: ReadonlyMap<string, Unit> = new Map(
  Object.entries({
    // length, base mm
    nm: unit('length', 1n, 1_000_000n),
    um: unit('length', 1n, 1000n),
    mm: unit('length', 1n),
    cm: unit('length', 10n),
    m: unit('length', 1000n),
    '[in_i]': unit('length', 254n, 10n),
    '[ft_i]': unit('length', 3048n, 10n),
    // area, base mm2
    mm2: unit('area', 1n),
    cm2: unit('area', 100n),
    m2: unit('area', 1_000_000n),
    // volume, base mm3
    mm3: unit('volume', 1n),
    cm3: unit('volume', 1000n),
    m3: unit('volume', 1_000_000_000n),
    uL: unit('volume', 1n),
    mL: unit('volume', 1000n),
    L: unit('volume', 1_000_000n),
    // speed, base mm/s
    'um/s': unit('speed', 1n, 1000n),
    'mm/s': unit('speed', 1n),
    'mm/min': unit('speed', 1n, 60n),
    'cm/s': unit('speed', 10n),
    'm/s': unit('speed', 1000n),
    'm/min': unit('speed', 1000n, 60n),
    '[in_i]/min': unit('speed', 254n, 600n),
    '[in_i]/s': unit('speed', 254n, 10n),
    // acceleration, base mm/s2
    'mm/s2': unit('acceleration', 1n),
    'm/s2': unit('acceleration', 1000n),
    // angle and what turns, base deg, deg/s
    deg: unit('angle', 1n),
    "'": unit('angle', 1n, 60n),
    "''": unit('angle', 1n, 3600n),
    'deg/s': unit('angular-speed', 1n),
    'deg/min': unit('angular-speed', 1n, 60n),
    // turns and cycles, base /s
    '/min': unit('frequency', 1n, 60n),
    '1/min': unit('frequency', 1n, 60n),
    '/s': unit('frequency', 1n),
    '1/s': unit('frequency', 1n),
    Hz: unit('frequency', 1n),
    kHz: unit('frequency', 1000n),
    MHz: unit('frequency', 1_000_000n),
    // time, base s
    us: unit('time', 1n, 1_000_000n),
    ms: unit('time', 1n, 1000n),
    s: unit('time', 1n),
    min: unit('time', 60n),
    h: unit('time', 3600n),
    // power, base W
    uW: unit('power', 1n, 1_000_000n),
    mW: unit('power', 1n, 1000n),
    W: unit('power', 1n),
    'J/s': unit('power', 1n),
    kW: unit('power', 1000n),
    MW: unit('power', 1_000_000n),
    // energy, base J
    uJ: unit('energy', 1n, 1_000_000n),
    mJ: unit('energy', 1n, 1000n),
    J: unit('energy', 1n),
    kJ: unit('energy', 1000n),
    MJ: unit('energy', 1_000_000n),
    'W.s': unit('energy', 1n),
    'W.h': unit('energy', 3600n),
    'kW.h': unit('energy', 3_600_000n),
    // light on an area, base W/cm2, J/cm2
    'mW/cm2': unit('irradiance', 1n, 1000n),
    'W/cm2': unit('irradiance', 1n),
    'mJ/cm2': unit('fluence', 1n, 1000n),
    'J/cm2': unit('fluence', 1n),
    // dose, base Gy, Sv
    uGy: unit('absorbed-dose', 1n, 1_000_000n),
    mGy: unit('absorbed-dose', 1n, 1000n),
    cGy: unit('absorbed-dose', 1n, 100n),
    Gy: unit('absorbed-dose', 1n),
    kGy: unit('absorbed-dose', 1000n),
    'Gy/s': unit('absorbed-dose-rate', 1n),
    'mGy/s': unit('absorbed-dose-rate', 1n, 1000n),
    'Gy/min': unit('absorbed-dose-rate', 1n, 60n),
    'Gy/h': unit('absorbed-dose-rate', 1n, 3600n),
    uSv: unit('dose-equivalent', 1n, 1_000_000n),
    mSv: unit('dose-equivalent', 1n, 1000n),
    Sv: unit('dose-equivalent', 1n),
    'uSv/h': unit('dose-equivalent-rate', 1n, 3_600_000_000n),
    'mSv/h': unit('dose-equivalent-rate', 1n, 3_600_000n),
    'Sv/h': unit('dose-equivalent-rate', 1n, 3600n),
    // temperature, base K, and how fast it changes, base K/s
    K: unit('temperature', 1n),
    Cel: { ...unit('temperature', 1n), offset: rational(27_315n, 100n) },
    '[degF]': { ...unit('temperature', 5n, 9n), offset: rational(45_967n, 180n) },
    'K/s': unit('heating-rate', 1n),
    'K/min': unit('heating-rate', 1n, 60n),
    // mass, base g
    ug: unit('mass', 1n, 1_000_000n),
    mg: unit('mass', 1n, 1000n),
    g: unit('mass', 1n),
    kg: unit('mass', 1000n),
    // what flows, base mm3/s, g/s
    'mm3/s': unit('volume-flow', 1n),
    'mL/min': unit('volume-flow', 1000n, 60n),
    'L/min': unit('volume-flow', 1_000_000n, 60n),
    'mg/s': unit('mass-flow', 1n, 1000n),
    'g/s': unit('mass-flow', 1n),
    'g/min': unit('mass-flow', 1n, 60n),
    // force and torque, base N, N.m
    mN: unit('force', 1n, 1000n),
    N: unit('force', 1n),
    kN: unit('force', 1000n),
    'N.m': unit('torque', 1n),
    'N.mm': unit('torque', 1n, 1000n),
    // pressure, base Pa
    Pa: unit('pressure', 1n),
    kPa: unit('pressure', 1000n),
    MPa: unit('pressure', 1_000_000n),
    mbar: unit('pressure', 100n),
    bar: unit('pressure', 100_000n),
    // electricity, base V, A
    mV: unit('voltage', 1n, 1000n),
    V: unit('voltage', 1n),
    kV: unit('voltage', 1000n),
    uA: unit('current', 1n, 1_000_000n),
    mA: unit('current', 1n, 1000n),
    A: unit('current', 1n),
    // ratio and number
    '1': unit('ratio', 1n),
    '%': unit('ratio', 1n, 100n),
  }),
)

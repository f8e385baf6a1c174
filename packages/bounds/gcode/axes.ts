/** Axes in the order in which they are kept. X Y Z and U V W in millimetres, A B C in degrees; E is filament, in millimetres. */
export const axisNames = ['x', 'y', 'z', 'a', 'b', 'c', 'u', 'v', 'w', 'e'] as const
export type AxisName = (typeof axisNames)[number]
export type AxisNumbers = Readonly<Partial<Record<AxisName, number>>>

export const axisCount = axisNames.length
export const X = 0
export const Y = 1
export const Z = 2
export const E = 9

export const isRotary = (axis: number): boolean => axis >= 3 && axis <= 5

/** Number of a letter: A is 0. */
export const letter = (name: string): number => name.charCodeAt(0) - 65
export const letterName = (number: number): string => String.fromCharCode(65 + number)
export const bit = (name: string): number => [...name].reduce((mask, one) => mask | (1 << letter(one)), 0)

/** The letter of each axis, and the axis of each letter (-1: none). */
export const letterOfAxis = Int8Array.from(axisNames, (name) => letter(name.toUpperCase()))
export const axisOfLetter = new Int8Array(26).fill(-1)
for (const [axis, one] of letterOfAxis.entries()) axisOfLetter[one] = axis

export const axisBits = bit('XYZABCUVWE')

/** Numbers by axis; what is not named is `missing`. */
export const axisArray = (numbers: AxisNumbers, missing: number): Float64Array =>
  Float64Array.from(axisNames, (name) => numbers[name] ?? missing)

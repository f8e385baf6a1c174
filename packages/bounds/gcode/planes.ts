import { letter } from './axes.ts'
import { refuse } from './refusal.ts'
import type { Modes } from './state.ts'

export type Plane = {
  /** The plane's two axes, and the one across it. */
  readonly axes: readonly [number, number, number]
  /** Letters of an arc's centre. */
  readonly centre: readonly [number, number]
}

const planes: Readonly<Record<number, Plane>> = {
  170: { axes: [0, 1, 2], centre: [letter('I'), letter('J')] },
  180: { axes: [2, 0, 1], centre: [letter('K'), letter('I')] },
  190: { axes: [1, 2, 0], centre: [letter('J'), letter('K')] },
}

/** @throws Refusal mode-unset */
export const planeOf = ({ plane }: Modes): Plane => planes[plane] ?? refuse('mode-unset', { wanted: 'G17, G18 or G19' })

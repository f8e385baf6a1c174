/** Where LinuxCNC's canonical commands lead: written apart from the interpreter, so that the two can be compared. Millimetres and degrees. */
export type CanonicalPath = {
  readonly min: number[]
  readonly max: number[]
  /** Along X, Y and Z. */
  readonly lengthMm: number
  readonly motions: number
}

type Place = number[]
const perTurn = 720

export function canonicalPath(commands: string): CanonicalPath {
  const walker = new Walker()
  for (const line of commands.split('\n')) {
    const match = /^\s*\d+\s+N\S+\s+([A-Z0-9_]+)\((.*)\)\s*$/.exec(line)
    if (match) walker.run(match[1] as string, match[2] as string)
  }
  return walker
}

class Walker implements CanonicalPath {
  readonly min = Array<number>(6).fill(Number.POSITIVE_INFINITY)
  readonly max = Array<number>(6).fill(Number.NEGATIVE_INFINITY)
  lengthMm = 0
  motions = 0
  #scale = 1
  #plane = 'XY'
  #rotation = 0
  #origin: Place = [0, 0, 0, 0, 0, 0]
  #shift: Place = [0, 0, 0, 0, 0, 0]
  #tool: Place = [0, 0, 0, 0, 0, 0]
  #at: Place = [0, 0, 0, 0, 0, 0]
  /** Machine coordinates. */
  #here: Place = [0, 0, 0, 0, 0, 0]

  run(command: string, words: string) {
    const numbers = (words.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number)
    switch (command) {
      case 'USE_LENGTH_UNITS':
        this.#scale = words.includes('INCHES') ? 25.4 : 1
        return
      case 'SELECT_PLANE':
        this.#plane = words.slice(-2)
        return
      case 'SET_G5X_OFFSET':
        this.#origin = this.#metric(numbers.slice(1, 7))
        return this.#keep()
      case 'SET_G92_OFFSET':
        this.#shift = this.#metric(numbers.slice(0, 6))
        return this.#keep()
      case 'SET_XY_ROTATION':
        this.#rotation = ((numbers[0] as number) * Math.PI) / 180
        return this.#keep()
      case 'USE_TOOL_LENGTH_OFFSET':
        this.#tool = this.#metric(numbers.slice(0, 6))
        return this.#keep()
      case 'STRAIGHT_TRAVERSE':
      case 'STRAIGHT_FEED':
        this.motions += 1
        return this.#go(this.#metric(numbers))
      case 'ARC_FEED':
        this.motions += 1
        return this.#arc(numbers)
    }
  }

  /** The machine stands still when offsets change: the program's place of it is another. */
  #keep(): void {
    const [x, y, ...rest] = this.#here.map(
      (value, axis) => value - (this.#origin[axis] as number) - (this.#tool[axis] as number),
    ) as [number, number]
    const cos = Math.cos(-this.#rotation)
    const sin = Math.sin(-this.#rotation)
    this.#at = [x * cos - y * sin, x * sin + y * cos, ...rest].map((value, axis) => value - (this.#shift[axis] as number))
  }

  #metric(numbers: readonly number[]): Place {
    return Array.from({ length: 6 }, (_, axis) => (numbers[axis] ?? 0) * (axis < 3 ? this.#scale : 1))
  }

  #machine(place: Place): Place {
    const [x, y, ...rest] = place.map((value, axis) => value + (this.#shift[axis] as number)) as [number, number]
    const cos = Math.cos(this.#rotation)
    const sin = Math.sin(this.#rotation)
    const turned = [x * cos - y * sin, x * sin + y * cos, ...rest]
    return turned.map((value, axis) => value + (this.#origin[axis] as number) + (this.#tool[axis] as number))
  }

  #go(place: Place): void {
    const to = this.#machine(place)
    this.lengthMm += Math.hypot(...[0, 1, 2].map((axis) => (to[axis] as number) - (this.#here[axis] as number)))
    for (const [axis, value] of to.entries()) {
      if (value === this.#here[axis]) continue
      for (const one of [value, this.#here[axis] as number]) {
        this.min[axis] = Math.min(this.min[axis] as number, one)
        this.max[axis] = Math.max(this.max[axis] as number, one)
      }
    }
    this.#here = to
    this.#at = place
  }

  /** In many small steps: no geometry of bulges here. */
  #arc(numbers: readonly number[]): void {
    const [first, second, along] = ({ XY: [0, 1, 2], XZ: [2, 0, 1], YZ: [1, 2, 0] }[this.#plane] ?? [0, 1, 2]) as [
      number,
      number,
      number,
    ]
    const [endFirst, endSecond, centreFirst, centreSecond, endAlong] = [0, 1, 2, 3, 5].map(
      (at) => (numbers[at] as number) * this.#scale,
    ) as [number, number, number, number, number]
    const turns = numbers[4] as number
    const start = this.#at.slice()
    const from = Math.atan2((start[second] as number) - centreSecond, (start[first] as number) - centreFirst)
    const to = Math.atan2(endSecond - centreSecond, endFirst - centreFirst)
    const full = 2 * Math.PI
    let sweep = turns > 0 ? (((to - from) % full) + full) % full : -((((from - to) % full) + full) % full)
    if (Math.abs(sweep) < 1e-6) sweep = Math.sign(turns) * full
    sweep += Math.sign(turns) * (Math.abs(turns) - 1) * full
    const radius = Math.hypot((start[first] as number) - centreFirst, (start[second] as number) - centreSecond)
    const endRadius = Math.hypot(endFirst - centreFirst, endSecond - centreSecond)
    const rotary = numbers.slice(6, 9)
    const steps = Math.max(8, Math.ceil((Math.abs(sweep) / full) * perTurn))
    for (let step = 1; step <= steps; step += 1) {
      const share = step / steps
      const reach = radius + (endRadius - radius) * share
      const place = start.slice()
      place[first] = centreFirst + reach * Math.cos(from + sweep * share)
      place[second] = centreSecond + reach * Math.sin(from + sweep * share)
      place[along] = (start[along] as number) + (endAlong - (start[along] as number)) * share
      for (const [axis, value] of rotary.entries())
        place[axis + 3] = (start[axis + 3] as number) + (value - (start[axis + 3] as number)) * share
      this.#go(place)
    }
  }
}

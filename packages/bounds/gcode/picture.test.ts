import { describe, expect, it } from 'vitest'
import { programPicture } from './picture.ts'
import { mill } from './test-machines.ts'

const small = { ...mill, axes: { x: span(-150, 150), y: span(-100, 100), z: span(-50, 50) } }
function span(min: number, max: number) {
  return { min, max, ratePerMin: 6000, accelerationPerS2: 500 }
}
const picture = (program: string) => {
  const drawn = programPicture(Buffer.from(`G21 G90 G94 G17 F600\nG0 X0 Y0 Z0\n${program}\nM2`), small)
  if (!drawn.ok) throw new Error(drawn.reason)
  return drawn.value
}

describe('the picture of a program', () => {
  it('has the machine’s limits, where the program goes, cuts and rapids, from two sides', () => {
    const svg = picture('G1 X60\nG2 X80 Y0 I10 J0\nG0 Z10')
    expect(svg).toMatch(/X 0 to 80\.001, Y -0\.001 to 10\.001/)
    expect(svg.match(/<rect/g)).toHaveLength(5)
    expect(svg).toContain('stroke="#c00"')
    expect(svg.match(/stroke="#06c"/g)).toHaveLength(2)
    expect(svg).toContain('stroke-dasharray="4 3"')
  })

  it('is bounded in size, however long the program, and still shows how far it goes', () => {
    const svg = picture(Array.from({ length: 60_000 }, (_, n) => `G1 X${(n % 100) + 1} Y${n % 70}`).join('\n'))
    expect(svg.length).toBeLessThan(200_000)
    expect(svg).toContain('X 0 to 100, Y 0 to 69')
  })

  it('writes nothing of the program: its text cannot become markup', () => {
    const svg = picture('(<script>alert</script>)\n#<"&script>=1\nG1 X5')
    expect(svg).not.toMatch(/script|alert/)
  })

  it('is refused as the program is', () => {
    expect(programPicture(Buffer.from('G1 X1'), small)).toMatchObject({ ok: false, detail: { line: 1 } })
  })
})

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exitCodes } from './exit-codes.ts'

/** The command as its user starts it, where something is wrong. */
describe('interlock', () => {
  const program = fileURLToPath(new URL('./interlock.mjs', import.meta.url))
  const directory = mkdtempSync(join(tmpdir(), 'interlock-cli-'))
  const stackFile = join(directory, 'stack.json')
  const cut = ['intent', '--device', 'laser-1', '--capability', 'laser.cut', '--power', '60W', '--speed', '20mm/s']

  function run(...words: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', timeout: 60_000 })
    return { status, stdout, stderr }
  }
  const here = (...words: string[]) => run(...words, '--directory', directory)

  let made: ReturnType<typeof run>
  beforeAll(() => {
    made = here('dev', 'init')
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  it('makes a trust domain whose files only its owner can read, and prints no key', () => {
    expect(made.status).toBe(exitCodes.done)
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(20)
    for (const { parentPath, name } of files) expect(statSync(join(parentPath, name)).mode & 0o077, name).toBe(0)
    expect(made.stdout + made.stderr).not.toMatch(/PRIVATE|"d":/)
  })

  it('never overwrites a key: a second run keeps the first one’s', () => {
    const key = join(directory, 'keys', 'device-dispatch.key.pem')
    const before = readFileSync(key)
    expect(here('dev', 'init').status).toBe(exitCodes.done)
    expect(readFileSync(key)).toEqual(before)
  })

  it('says what it can do', () => {
    const { status, stdout } = run('--help')
    expect(status).toBe(exitCodes.done)
    for (const command of ['intent', 'approve', 'stop', 'revoke', 'trace', 'topics', 'program']) expect(stdout).toContain(command)
  })

  it.each([
    ['a command that is none', ['move'], "unknown command 'move'"],
    ['a missing option', ['intent', '--device', 'laser-1'], '--capability'],
    ['a missing argument', ['trace'], 'intentId'],
    ['a wait that is no number', [...cut, '--wait', 'soon'], '--wait soon is no number of seconds'],
  ])('refuses %s as wrong use', (_what, words, message) => {
    const { status, stderr } = run(...words)
    expect(status).toBe(exitCodes.usage)
    expect(stderr).toContain(message)
  })

  it('program check: prints where a program goes and draws it, without a stack', () => {
    const plate = fileURLToPath(new URL('../../ops/scenario/plate.ngc', import.meta.url))
    const svg = join(directory, 'plate.svg')
    const { status, stdout } = run('program', 'check', plate, '--device', 'mill-1', '--svg', svg)
    expect(status).toBe(exitCodes.done)
    expect(stdout).toMatch(/^x {9}0 to 75/m)
    expect(stdout).toMatch(/^feed {6}800 mm\/min$/m)
    expect(readFileSync(svg, 'utf8')).toContain('<svg')
  })

  it.each([
    ['leaves the machine', 'G21 G90\nG0 X900\nM2', 'program-outside-machine'],
    ['cannot be bounded', 'G21 G90\nG0 X#7\nM2', 'gcode-parameter-unset'],
    ['moves the next one', 'G21 G90\nG10 L2 P1 X5\nM2', 'program-leaves-offsets'],
  ])('program check: says no to a program that %s', (_what, program, reason) => {
    const file = join(directory, 'bad.ngc')
    writeFileSync(file, program)
    const { status, stdout } = run('program', 'check', file, '--device', 'mill-1')
    expect(status).toBe(exitCodes.no)
    expect(stdout).toContain(`refused: ${reason}`)
  })

  it('names the missing trust domain, and what makes one', () => {
    const { status, stderr } = run('trace', 'x', '--directory', join(directory, 'nothing'))
    expect(status).toBe(exitCodes.config)
    expect(stderr).toContain(join(directory, 'nothing'))
    expect(stderr).toContain('interlock dev init')
  })

  it.each(
    [cut, ['trace', 'x'], ['topics', 'plan'], ['stop', 'all']].map((words) => [words.slice(0, 2).join(' '), words]),
  )('%s: names the stack that was not started, and what starts it', (_name, words) => {
    rmSync(stackFile, { force: true })
    const { status, stderr } = here(...words)
    expect(status).toBe(exitCodes.unavailable)
    expect(stderr).toContain('stack.json is not there')
    expect(stderr).toContain('npm start')
  })

  it('says that the broker does not answer, and where', () => {
    const clickhouse = { url: 'http://127.0.0.1:9', username: 'x', password: 'secret-of-clickhouse', database: 'x' }
    writeFileSync(stackFile, JSON.stringify({ kafka: '127.0.0.1:9', registry: 'http://127.0.0.1:9', clickhouse }))
    const { status, stdout, stderr } = here('topics', 'plan')
    expect(status).toBe(exitCodes.unavailable)
    expect(stderr).toContain('127.0.0.1:9')
    expect(stderr).not.toMatch(/\n {4}at /)
    const traced = here('trace', 'x')
    expect(traced.status).toBe(exitCodes.unavailable)
    expect(stdout + stderr + traced.stdout + traced.stderr).not.toContain('secret-of-clickhouse')
  }, 60_000)

  it('says which member of stack.json is wrong', () => {
    writeFileSync(stackFile, JSON.stringify({ kafka: 1 }))
    const { status, stderr } = here('topics', 'plan')
    expect(status).toBe(exitCodes.config)
    expect(stderr).toContain('kafka')
  })
})

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readChecksums, verify } from './jars.mjs'
import { releases } from './releases.mjs'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('what is downloaded', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'interlock-jars-'))
    writeFileSync(join(directory, 'one.jar'), 'as it was checked in')
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const checked = new Map([['one.jar', sha256('as it was checked in')]])

  it('is taken with the checksum that is checked in', async () => {
    await expect(verify(releases.kafka, checked, directory)).resolves.toBeUndefined()
  })

  it('is refused with another one, by name, and with what to do', async () => {
    writeFileSync(join(directory, 'one.jar'), 'as somebody else had it')
    await expect(verify(releases.kafka, checked, directory)).rejects.toThrow(
      /one\.jar of kafka .* is refused.*\n.*Nothing was installed/,
    )
  })

  it('is refused where a file is missing', async () => {
    rmSync(join(directory, 'one.jar'))
    await expect(verify(releases.kafka, checked, directory)).rejects.toThrow(/one\.jar .* is refused: its SHA-256 is missing/)
  })
})

describe('the lists of checksums', () => {
  it.each(Object.values(releases))('of $name name the version that pom.xml downloads', ({ version, files }) => {
    expect(readFileSync(new URL('pom.xml', import.meta.url), 'utf8')).toContain(`<version>${version}</version>`)
    const names = [...readChecksums(readFileSync(files, 'utf8')).keys()]
    expect(names.some((name) => name.includes(version))).toBe(true)
    expect(names.every((name) => name.endsWith('.jar') || name.endsWith('.tar.gz'))).toBe(true)
  })

  it('are read only whole', () => {
    expect(() => readChecksums('0123  short.jar')).toThrow(/not a checksum/)
    expect(() => readChecksums(`${sha256('a')}  ../outside.jar`)).toThrow(/not a checksum/)
  })
})

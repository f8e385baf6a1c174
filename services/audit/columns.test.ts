import { describe, expect, it } from 'vitest'
import { ddlStatements } from './ddl.ts'
import { tables } from './rows.ts'

/** Columns of a CREATE TABLE as the file says them: name, type, comment. */
function columnsOf(statement: string): readonly { readonly name: string; readonly type: string; readonly comment: string }[] {
  return [...statement.matchAll(/^ {2}(\w+) +(\S.*?) COMMENT '((?:[^'\\]|\\.)+)'/gm)].map(
    ([, name = '', type = '', comment = '']) => ({
      name,
      type: type
        .replace(/ DEFAULT .*/, '')
        .replace(/LowCardinality\((\w+)\)/, '$1')
        .replace(", 'UTC'", ''),
      comment,
    }),
  )
}

describe.each(Object.values(tables).map(({ name, columns }) => ({ name, columns })))('the table $name', ({ name, columns }) => {
  const create = ddlStatements().find((statement) => statement.includes(`CREATE TABLE IF NOT EXISTS ${name}\n`)) ?? ''

  it('has the columns that audit writes, with their types, and says of each what it holds', () => {
    const found = columnsOf(create)
    expect(Object.fromEntries(found.map(({ name: column, type }) => [column, type]))).toEqual(columns)
    const lines = create.split('\n').filter((line) => /^ {2}\w/.test(line) && !line.startsWith('  INDEX'))
    expect(found).toHaveLength(lines.length)
    for (const { comment } of found) expect(comment.length).toBeGreaterThan(4)
  })

  it('says what it holds as a whole', () => {
    expect(create).toMatch(/\nCOMMENT '.{20,}'$/)
  })
})

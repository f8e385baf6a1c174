import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answersHttp } from './answers-http.ts'
import { SetUpMissingError, setUpAdvice } from './java.ts'
import { Part } from './part.ts'
import { freePort } from './ports.ts'
import { RunningProcess } from './process.ts'
import { type ClickHouse, clickHouseUsers, type UserName } from './stack.ts'

const program = fileURLToPath(new URL('clickhouse-server.mjs', import.meta.url))

/** A ClickHouse server on loopback with three users, each with a password of this start. */
export async function clickHousePart(directory: string, logFile: string): Promise<{ part: Part; clickhouse: ClickHouse }> {
  assertLibrary()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const password = () => randomBytes(18).toString('base64url')
  const users = Object.fromEntries(clickHouseUsers.map((username) => [username, { username, password: password() }]))
  const all = users as ClickHouse['users']
  const clickhouse = { url, database: 'interlock', ...all.reader, users: all }

  async function launch(): Promise<RunningProcess> {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(join(directory, 'config.xml'), serverConfig(directory), { mode: 0o600 })
    writeFileSync(join(directory, 'users.xml'), usersConfig(clickhouse), { mode: 0o600 })
    const server = new RunningProcess({
      name: 'ClickHouse',
      command: process.execPath,
      args: [program, directory, String(port)],
      env: { HOME: process.env.HOME, PATH: process.env.PATH, TZ: 'UTC' },
      cwd: directory,
      logFile,
    })
    await server.untilReady(() => answersHttp(`${url}/ping`), 60_000)
    return server
  }
  return { part: new Part(launch), clickhouse }
}

function assertLibrary(): void {
  try {
    import.meta.resolve('@chdb/lib-linux-x64-gnu/libchdb.so')
  } catch (cause) {
    const other = 'On other systems than Linux on x64 there is no such library: start with INTERLOCK_STACK=docker instead.'
    throw new SetUpMissingError(`The npm package @chdb/lib-linux-x64-gnu is not there. ${setUpAdvice} ${other}`, { cause })
  }
}

/** Users by their names in the two ways a client may say who it is; `default`, who has no password, is let in by neither. */
function serverConfig(directory: string): string {
  const handler = '<handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler>'
  const prefixes = clickHouseUsers.map((name) => Buffer.from(`${name}:`).toString('base64').replace(/.?=+$/, ''))
  const rule = (header: string, pattern: string) =>
    `<rule><headers><${header}>regex:${pattern}</${header}></headers>${handler}</rule>`
  return `<clickhouse>
  <logger><level>warning</level><log>${directory}/server.log</log><size>10M</size><count>2</count></logger>
  <users_config>${directory}/users.xml</users_config>
  <http_handlers>
    <rule><url>/ping</url><methods>GET,HEAD</methods><handler><type>static</type><status>200</status><response_content>Ok.\n</response_content></handler></rule>
    <rule><url>/play</url><methods>GET</methods><handler><type>play</type></handler></rule>
    ${rule('Authorization', `Basic (${prefixes.join('|')}).*`)}
    ${rule('X-ClickHouse-User', `(${clickHouseUsers.join('|')})`)}
  </http_handlers>
</clickhouse>
`
}

/** Least privilege: `admin` makes the tables, `audit` fills them, `reader` asks. `interlock_…` are the databases of tests. */
const grants: Readonly<Record<UserName, readonly string[]>> = {
  admin: [],
  audit: ['SELECT, INSERT ON interlock.*', 'SELECT, INSERT ON interlock_*.*'],
  reader: ['SELECT ON interlock.*', 'SELECT ON interlock_*.*', 'SELECT ON system.*'],
}

function usersConfig({ users }: ClickHouse): string {
  const user = (name: UserName) => `    <${name}>
      <password_sha256_hex>${createHash('sha256').update(users[name].password).digest('hex')}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>${name === 'reader' ? 'reader' : 'default'}</profile>
      <quota>default</quota>
      ${grants[name].length === 0 ? '' : `<grants>${grants[name].map((grant) => `<query>GRANT ${grant}</query>`).join('')}</grants>`}
    </${name}>`
  // The process itself needs a user called `default` without a password. Whoever finds a way to be that user may make it listen
  // or stop listening, and read nothing but numbers.
  return `<clickhouse>
  <profiles><default/><reader><readonly>2</readonly><cancel_http_readonly_queries_on_client_close>1</cancel_http_readonly_queries_on_client_close></reader></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>
    </default>
${clickHouseUsers.map(user).join('\n')}
  </users>
</clickhouse>
`
}

/** ClickHouse's users: `admin` makes tables, `audit` inserts and reads, `reader` reads. */
export const clickHouseUsers = ['admin', 'audit', 'reader'] as const
export type UserName = (typeof clickHouseUsers)[number]

export type ClickHouse = {
  /** Without user and path. */
  readonly url: string
  readonly database: string
  /** The reader's. */
  readonly username: string
  readonly password: string
  readonly users: Readonly<Record<UserName, { readonly username: string; readonly password: string }>>
}

/** The parts that are not ours: broker, schema registry, ClickHouse. Addresses stay the same when a part is killed and started again. */
export type Stack = {
  /** host:port */
  readonly kafka: string
  /** URL of the schema registry's Confluent API. */
  readonly registry: string
  readonly clickhouse: ClickHouse
  /** Ends all parts in order. Their data stays. */
  stop(): Promise<void>
  killBroker(): Promise<void>
  startBroker(): Promise<void>
  killRegistry(): Promise<void>
  startRegistry(): Promise<void>
  killClickHouse(): Promise<void>
  startClickHouse(): Promise<void>
}

/** `http://user:password@host:port/database`, as INTERLOCK_CLICKHOUSE has it. */
export function clickHouseUrl(clickhouse: ClickHouse, user: UserName, database = clickhouse.database): string {
  const url = new URL(clickhouse.url)
  const { username, password } = clickhouse.users[user]
  Object.assign(url, { username, password, pathname: `/${database}` })
  return url.href
}

/**
 * A ClickHouse server from the npm package chdb: `clickhouse local`, told to listen, until its standard input ends.
 * Arguments: directory with config.xml, HTTP port. See docs/decisions/0010-local-stack.md.
 */
import { createRequire } from 'node:module'
import { DataType, load, open } from 'ffi-rs'

const [directory, httpPort] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const query = [
  'SYSTEM START LISTEN HTTP',
  "SELECT count() FROM file('stdin', 'LineAsString', 'line String') SETTINGS max_execution_time = 0 FORMAT Null",
  'SYSTEM STOP LISTEN HTTP',
].join('; ')
const args = [
  'clickhouse',
  `--config-file=${directory}/config.xml`,
  `--path=${directory}/data`,
  '--listen_host=127.0.0.1',
  `--http_port=${httpPort}`,
  `--query=${query}`,
]

open({ library: 'chdb', path: require.resolve('@chdb/lib-linux-x64-gnu/libchdb.so') })
open({ library: 'c', path: '' })
const { External, I32, StringArray, Void } = DataType
load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: External,
  paramsType: [I32, StringArray],
  paramsValue: [args.length, args],
})
// Not process.exit: the library's static destructors crash.
load({ library: 'c', funcName: '_exit', retType: Void, paramsType: [I32], paramsValue: [0] })

/**
 * A ClickHouse server from the npm package chdb: `clickhouse local`, told to listen, until it is killed. What it has answered lies on
 * disk (fsync_after_insert), so that there is nothing to do in order.
 * Arguments: directory with config.xml, HTTP port. See docs/decisions/0010-local-stack.md.
 */
import { createRequire } from 'node:module'
import { DataType, load, open } from 'ffi-rs'

const [directory, httpPort] = process.argv.slice(2)
const require = createRequire(import.meta.url)
// Then a query that never ends: reading standard input would need a right to read files, and so everybody's who is on this machine.
const query = [
  'SYSTEM START LISTEN HTTP',
  'SELECT sleepEachRow(3) FROM system.numbers SETTINGS max_block_size = 1, max_execution_time = 0 FORMAT Null',
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

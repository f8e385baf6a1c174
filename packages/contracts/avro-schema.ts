/** An Avro schema as it lies in schemas/*.avsc, as far as this project uses the language. */
export type AvroSchema =
  | string
  | readonly AvroSchema[]
  | {
      readonly type: AvroSchema
      readonly name?: string
      readonly namespace?: string
      readonly items?: AvroSchema
      readonly fields?: readonly { readonly name: string; readonly type: AvroSchema }[]
      readonly symbols?: readonly string[]
      readonly size?: number
    }

/** What a walk over encoded bytes needs to know of a schema. Named types may refer back to themselves. */
export type Shape =
  | { readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'string' | 'bytes' }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'enum'; readonly symbols: number }
  | { readonly kind: 'array'; items: Shape }
  | { readonly kind: 'union'; readonly branches: readonly Shape[] }
  | { readonly kind: 'record'; fields: readonly Shape[] }

// No float and no double: quantities are decimal text, and a NaN passes every upper bound.
const primitives = new Map(
  (['null', 'boolean', 'int', 'long', 'string', 'bytes'] as const).map((kind): [string, Shape] => [kind, { kind }]),
)

/** Compiles a schema once. @throws Error on a name or type that is not known: a fault of the .avsc file, never of a record. */
export function shapeOf(schema: AvroSchema, named: Map<string, Shape> = new Map()): Shape {
  if (typeof schema === 'string') return primitives.get(schema) ?? named.get(lastPart(schema)) ?? unknownType(schema)
  if (isUnion(schema)) return { kind: 'union', branches: schema.map((branch) => shapeOf(branch, named)) }
  switch (schema.type) {
    case 'record': {
      const shape: Shape = { kind: 'record', fields: [] }
      declare(schema.name, shape, named)
      shape.fields = (schema.fields ?? []).map((field) => shapeOf(field.type, named))
      return shape
    }
    case 'enum':
      return declare(schema.name, { kind: 'enum', symbols: schema.symbols?.length ?? 0 }, named)
    case 'fixed':
      return declare(schema.name, { kind: 'fixed', size: schema.size ?? 0 }, named)
    case 'array':
      return { kind: 'array', items: shapeOf(schema.items ?? unknownType('array without items'), named) }
    default:
      return shapeOf(schema.type, named)
  }
}

const isUnion = (schema: AvroSchema): schema is readonly AvroSchema[] => Array.isArray(schema)

function declare(name: string | undefined, shape: Shape, named: Map<string, Shape>): Shape {
  named.set(lastPart(name ?? unknownType('a named type without a name')), shape)
  return shape
}

const lastPart = (name: string) => name.slice(name.lastIndexOf('.') + 1)

function unknownType(what: string): never {
  throw new Error(`schemas: ${what} is not an Avro type that is declared before its use`)
}

/** Code points by name, and the numbers that a peer uses in their stead. */
import { documentFacts, type KnownDocument } from "./index.ts";

/** The constants of every registry that a document adds to, as `NOTIFY.ESP_ECHO_SUPPORTED`. */
type Qualified = QualifiedOf<KnownDocument["codePoints"]>;
type QualifiedOf<Tables> = Tables extends unknown
  ? { [R in keyof Tables]: NameIn<R, Tables[R]> }[keyof Tables]
  : never;
// Of an empty table any string would be a name.
type NameIn<R, Table> = Table extends readonly []
  ? never
  : Table extends readonly { name: infer N extends string }[]
    ? `${R & string}.${N}`
    : never;

/** `ESP_ECHO_SUPPORTED`; with its registry, `RESERVED_SPI.ESP_ECHO_REQUEST`, where two registries have the name. */
export type CodePointName = Qualified | (Qualified extends `${string}.${infer N}` ? N : never);

/** Numbers that stand for others, by the names that {@link codePointNames} has. */
export type CodePointOverrides = Readonly<Record<string, number>>;

const byName = namedPoints();

function namedPoints(): ReadonlyMap<string, number> {
  const points = documentFacts.flatMap(({ codePoints }) =>
    Object.entries(codePoints).flatMap(([registry, table]) =>
      table.map(({ name, value }) => ({ registry, name, value })),
    ),
  );
  const isShared = (name: string): boolean => points.filter((p) => p.name === name).length > 1;
  return new Map(
    points.map(({ registry, name, value }) => [isShared(name) ? `${registry}.${name}` : name, value]),
  );
}

/** Every name of a code point, each in its one form. */
export const codePointNames = (): string[] => [...byName.keys()];

/**
 * The number of a code point, as a peer with these overrides uses it.
 * @throws Error for a name that two registries share, or none has
 */
export function codePointOf(name: CodePointName, overrides: CodePointOverrides = {}): number {
  const value = byName.get(name);
  if (value === undefined) throw new Error(`no document has exactly one code point ${name}`);
  return overrides[name] ?? value;
}

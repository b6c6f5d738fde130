/** One number of a registry. */
export interface RegistryEntry {
  value: number;
  /** A name that can stand in code: the registry's own without its common prefix. */
  name: string;
  /** Where it is defined. For a private-use number: who uses it, as in `private: strongSwan`. */
  document?: string;
  /** The keyword daemons use in their configuration; `{bits}` stands for the key length. */
  short?: string;
}

/** A registry of numbers and how it talks about those it does not list. */
export interface Registry<E extends RegistryEntry = RegistryEntry> {
  title: string;
  entries: readonly E[];
  /** The first entry with this value: the assigned one, where private use gave it a second meaning. */
  get(value: number): E | undefined;
  byName(name: string): E | undefined;
  /** `name`, else `private(40960)` or `unknown(200)`. */
  nameOf(value: number): string;
}

/** The constants of a registry: name to value. */
export type Constants<E extends readonly RegistryEntry[]> = {
  readonly [Entry in E[number] as Entry["name"]]: Entry["value"];
};

/** First and last number for private use. */
export type PrivateRange = readonly [number, number];

export function defineRegistry<E extends RegistryEntry>(
  title: string,
  entries: readonly E[],
  ...privateUse: PrivateRange[]
): Registry<E> {
  const values = new Map<number, E>();
  const names = new Map<string, E>();
  for (const entry of entries) {
    if (!values.has(entry.value)) values.set(entry.value, entry);
    names.set(entry.name, entry);
  }
  const isPrivate = (value: number): boolean => privateUse.some(([from, to]) => value >= from && value <= to);
  return {
    title,
    entries,
    get: (value) => values.get(value),
    byName: (name) => names.get(name),
    nameOf: (value) => values.get(value)?.name ?? `${isPrivate(value) ? "private" : "unknown"}(${value})`,
  };
}

/** The constants of a table, with their literal types. */
export function constants<const E extends readonly RegistryEntry[]>(entries: E): Constants<E> {
  return Object.freeze(Object.fromEntries(entries.map((entry) => [entry.name, entry.value]))) as Constants<E>;
}

/** The way from the keys a member holds to the key of an SA: RFC 9838 sections 3.2 and 3.3, Appendix A. */
import type { WrappedKey } from "../wire/group-types.ts";

/** A key that wraps others. */
export interface WrappingKey {
  /** Not 0. */
  id: number;
  key: Uint8Array;
}

/** The Working Key Path: every key is wrapped by the next one, the last by GSK_w of the registration. */
export type KeyPath = readonly WrappingKey[];

/** Opens a wrapped key; undefined when its integrity check fails. */
export type Unwrap = (kek: Uint8Array, encryptedKey: Uint8Array) => Uint8Array | undefined;

/** What a KD payload brings, and what the member has. */
export interface KeyMaterial {
  /** All WRAP_KEYs of the message. */
  wrapKeys: readonly WrappedKey[];
  /** GSK_w of the SA that the message travels on. */
  GSK_w: Uint8Array;
  /** Octets of a wrapping key, by the KWA of that SA. */
  keyOctets: number;
  unwrap: Unwrap;
  /** The Working Key Path so far; empty at registration. */
  path: KeyPath;
}

/** The key of an SA, and the Working Key Path that led to it; or why there is none. */
export type OpenedKey = { KEYMAT: Uint8Array; path: KeyPath } | { failure: string };

/** The id of GSK_w among Key Wrap Key IDs, and of an SA's KEYMAT among Key IDs. */
const DEFAULT = 0;

interface Reached {
  key: Uint8Array;
  /** Id of the key that it came out of; not set for GSK_w and the keys of the Working Key Path. */
  by?: number;
}

/** Every key that the member can open out of one message. Loops, missing ids and bad wraps lead nowhere. */
export class KeyRing {
  readonly #material: KeyMaterial;
  readonly #reached = new Map<number, Reached>();
  /** What was wrong with WRAP_KEYs. */
  readonly findings: string[] = [];

  constructor(material: KeyMaterial) {
    this.#material = material;
    this.#reached.set(DEFAULT, { key: material.GSK_w });
    for (const { id, key } of material.path) this.#reached.set(id, { key });
    this.#openAll();
  }

  /** From the known keys outwards: each WRAP_KEY is opened once at most. */
  #openAll(): void {
    const byWrapper = new Map<number, WrappedKey[]>();
    for (const wrapped of this.#material.wrapKeys) {
      const others = byWrapper.get(wrapped.kwkId);
      if (others) others.push(wrapped);
      else byWrapper.set(wrapped.kwkId, [wrapped]);
    }
    // A Map goes on through what is put in while it is walked.
    for (const [id, { key }] of this.#reached) {
      for (const wrapped of byWrapper.get(id) ?? []) this.#openOne(id, key, wrapped);
    }
  }

  #openOne(by: number, kek: Uint8Array, { keyId, encryptedKey }: WrappedKey): void {
    if (keyId === DEFAULT) return void this.findings.push("a WRAP_KEY with Key ID 0");
    if (this.#reached.has(keyId)) return;
    const key = this.#material.unwrap(kek, encryptedKey);
    if (!key) return void this.findings.push(`key ${keyId} does not unwrap with key ${by}`);
    if (key.length !== this.#material.keyOctets)
      return void this.findings.push(`key ${keyId} has ${key.length} octets`);
    this.#reached.set(keyId, { key, by });
  }

  /** The KEYMAT in the first SA_KEY that can be opened. */
  open(saKeys: readonly WrappedKey[]): OpenedKey {
    let failure = "no key path";
    for (const { keyId, kwkId, encryptedKey } of saKeys) {
      const reached = this.#reached.get(kwkId);
      if (keyId !== DEFAULT) failure = `an SA_KEY with Key ID ${keyId}`;
      if (keyId !== DEFAULT || !reached) continue;
      const KEYMAT = this.#material.unwrap(reached.key, encryptedKey);
      if (KEYMAT) return { KEYMAT, path: this.#pathFrom(kwkId) };
      failure = `SA_KEY does not unwrap with key ${kwkId}`;
    }
    return { failure };
  }

  /**
   * Nothing new where a key that was there wraps the key; else what was gone through, and behind it what is left of
   * the Working Key Path from the key on where the two meet.
   */
  #pathFrom(first: number): KeyPath {
    const { path } = this.#material;
    const begin: WrappingKey[] = [];
    let id = first;
    for (let step = this.#reached.get(id); step?.by !== undefined; step = this.#reached.get(id)) {
      begin.push({ id, key: step.key });
      id = step.by;
    }
    if (begin.length === 0) return path;
    const meets = path.findIndex((stored) => stored.id === id);
    return meets < 0 ? begin : [...begin, ...path.slice(meets)];
  }
}

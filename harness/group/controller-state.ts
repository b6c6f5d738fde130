/** What a controller knows of a group: its SAs, its members, its key tree. */
import { createPublicKey } from "node:crypto";
import { integTransform } from "../crypto/integ.ts";
import { schemeByName } from "../crypto/signatures.ts";
import type { Random } from "../crypto/types.ts";
import { identityKey } from "../ike/identity.ts";
import type { Identity } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { successorOf } from "../ike/succession.ts";
import type { Credential } from "../pki/types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { SN } from "../wire/registry/sn.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { Allowance } from "./allowance.ts";
import { authKeyOf } from "./controller-payloads.ts";
import type { Decide } from "./hooks.ts";
import { KeyTree } from "./key-tree.ts";
import {
  type DataTransforms,
  dataKeymatLength,
  kwaOf,
  rekeyKeymatLength,
  splitRekeyKeymat,
  suiteOf,
  type Wrapping,
} from "./keys.ts";
import type { DataPolicy, GroupPolicy, RekeyPolicy } from "./policy.ts";
import { type RekeyAuth, type RekeySender, rekeyProtection } from "./rekey-message.ts";
import { SenderIds } from "./sender-ids.ts";

/** An SA that the group uses now. */
interface GroupSa {
  spi: Uint8Array;
  KEYMAT: Uint8Array;
  /** Milliseconds. */
  madeAt: number;
  /** The SPI of the one after it, where that is promised. */
  nextSpi?: Uint8Array;
}

export interface DataSa extends GroupSa {
  policy: DataPolicy;
}

export interface RekeySa extends GroupSa {
  policy: RekeyPolicy;
  sender: RekeySender;
  wrapping: Wrapping;
  nextMessageId: number;
}

export interface GroupMember {
  identity: Identity;
  /** The IKE SA of its registration; see {@link ikeOf}. */
  ike: IkeSa;
  /** Not empty for a sender of SAs with counter-mode ciphers. */
  senderIds: number[];
  sender: boolean;
}

/** The IKE SA of a member now: it can have been rekeyed. */
export const ikeOf = ({ ike }: GroupMember): IkeSa => successorOf(ike);

export interface Means {
  random: Random;
  /** Signs GSA_REKEY. */
  credential?: Credential;
  decide: Decide;
  now(): number;
}

/** Rekey SAs that are told from those of others. */
const REMEMBERED = 8;

export class GroupState {
  readonly policy: GroupPolicy;
  readonly #means: Means;
  /** By identity. Who has a Rekey SA stays in when its IKE SA is closed. */
  readonly #members = new Map<string, GroupMember>();
  /** Excluded by name: they may not come again. */
  readonly #barred = new Set<string>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #senderIds: SenderIds;
  data: DataSa[] = [];
  rekey?: RekeySa;
  tree?: KeyTree;
  /** SPIs of the last Rekey SAs, the newest first. */
  rekeySpis: Uint8Array[] = [];
  /** The timers that mind lifetimes, and of which SAs. */
  readonly minded = new Map<"data" | "rekey SA", { sa: DataSa | RekeySa; cancel: () => void }>();
  /** Members that put no fragments together, and those that send. */
  readonly #unfragmented = new Set<string>();
  readonly #sending = new Set<string>();
  readonly #named: ReadonlySet<string> | undefined;
  readonly #senders: ReadonlySet<string> | undefined;
  #auth?: RekeyAuth;
  #authKey?: Uint8Array | undefined;

  constructor(policy: GroupPolicy, means: Means) {
    this.policy = policy;
    this.#means = means;
    this.#senderIds = new SenderIds({ bits: policy.senderIdBits, most: policy.mostSenderIds });
    this.#named = policy.members && new Set(policy.members.map(identityKey));
    this.#senders = policy.senders && new Set(policy.senders.map(identityKey));
  }

  /** The members, without those whose keys end with an IKE SA that is gone. */
  members(): GroupMember[] {
    this.#dropGone();
    return [...this.#members.values()];
  }

  #dropGone(): void {
    if (this.policy.rekey) return;
    for (const [key, member] of this.#members) if (!ikeOf(member).established) this.#drop(key);
  }

  member(identity: Identity): GroupMember | undefined {
    return this.#members.get(identityKey(identity));
  }

  /** In the place of what the member had before. */
  enter(member: GroupMember): void {
    const key = identityKey(member.identity);
    this.#members.set(key, member);
    if (member.ike.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED)) this.#unfragmented.delete(key);
    else this.#unfragmented.add(key);
    if (member.sender) this.#sending.add(key);
    else this.#sending.delete(key);
  }

  forget(identity: Identity): boolean {
    return this.#drop(identityKey(identity));
  }

  #drop(key: string): boolean {
    this.#unfragmented.delete(key);
    this.#sending.delete(key);
    return this.#members.delete(key);
  }

  /** True if SAs whose numbers belong to one sender have another one already (section 2.6). */
  hasOtherSender(identity: Identity): boolean {
    if (!this.policy.data.some(isOfOneSender)) return false;
    this.#dropGone();
    return this.#sending.size > (this.#sending.has(identityKey(identity)) ? 1 : 0);
  }

  /** True if every member can put fragments together. */
  get takesFragments(): boolean {
    return this.#unfragmented.size === 0;
  }

  bar(identity: Identity): void {
    this.#barred.add(identityKey(identity));
  }

  mayJoin(identity: Identity): boolean {
    const key = identityKey(identity);
    return (this.#named?.has(key) ?? true) && !this.#barred.has(key);
  }

  maySend(identity: Identity): boolean {
    return this.#senders?.has(identityKey(identity)) ?? true;
  }

  /** False for a member that registers, or asks for Sender-IDs, more often than anybody needs to. */
  grants(identity: Identity, senderIds: number): boolean {
    const key = identityKey(identity);
    const allowance = this.#allowances.get(key) ?? new Allowance(this.#means.now());
    this.#allowances.set(key, allowance);
    return allowance.take(1 + Math.min(senderIds, this.policy.mostSenderIds), this.#means.now());
  }

  /** Undefined if there are too few left. */
  takeSenderIds(asked: number): number[] | undefined {
    return this.#senderIds.take(asked);
  }

  beginSenderIdsAnew(): void {
    this.#senderIds.reset();
  }

  /** Makes the SAs that are not there. */
  complete(): void {
    if (this.data.length === 0) this.makeData();
    if (this.policy.rekey === undefined || this.rekey) return;
    this.makeRekey();
    if (this.policy.keyTree !== undefined) this.#plant(this.policy.keyTree);
  }

  /** What members verify GSA_REKEY with: the value of AUTH_KEY. Undefined where nothing is signed. */
  get authKey(): Uint8Array | undefined {
    this.#authKey ??= authKeyOf(this.#authOf());
    return this.#authKey;
  }

  /** How GSA_REKEY is proven; the same in all Rekey SAs of the group. */
  #authOf(): RekeyAuth {
    this.#auth ??= authOf(this.policy.rekey, this.#means.credential);
    return this.#auth;
  }

  /** Forgets SAs and members, so that who comes next finds new ones. */
  clear(): void {
    this.data = [];
    this.rekey = undefined;
    this.tree = undefined;
    this.#members.clear();
    this.#unfragmented.clear();
    this.#sending.clear();
    this.#senderIds.reset();
    for (const { cancel } of this.minded.values()) cancel();
    this.minded.clear();
  }

  /** Fresh data SAs in the place of the old ones, which are returned. */
  makeData(): DataSa[] {
    const old = this.data;
    const shared = this.#means.decide("keys of data SAs", "each its own") === "one for all";
    this.data = this.policy.data.map((policy, index) => ({
      policy,
      spi: old[index]?.nextSpi ?? this.#dataSpi(),
      KEYMAT: this.#keymat(dataKeymatLength(transformsOf(policy))),
      madeAt: this.#means.now(),
      ...(this.policy.promisesNextSpi && { nextSpi: this.#dataSpi() }),
    }));
    const [first] = this.data;
    if (shared && first) for (const sa of this.data) sa.KEYMAT = first.KEYMAT;
    return old;
  }

  /** A fresh Rekey SA, for the messages from the next one on. */
  makeRekey(): RekeySa | undefined {
    const { rekey: policy, promisesNextSpi } = this.policy;
    const suite = policy && suiteOf(policy.transforms);
    const kwa = policy && kwaOf(policy.transforms);
    if (!suite || !kwa) return undefined;
    const octets = rekeyKeymatLength(suite, kwa);
    const KEYMAT = this.#keymat(octets);
    const keys = splitRekeyKeymat(KEYMAT.subarray(0, octets), suite, kwa);
    if (!keys) return undefined;
    const { random, now, credential } = this.#means;
    const goesOn = this.#means.decide("first number of a Rekey SA", "zero") === "go on";
    const spi = this.rekey?.nextSpi ?? random(16);
    this.rekeySpis = [spi, ...this.rekeySpis.slice(0, REMEMBERED - 1)];
    const sa = { spi, suite, kwa, auth: this.#authOf(), ...keys };
    this.rekey = {
      ...{ policy, spi, KEYMAT, madeAt: now() },
      sender: {
        sa,
        protection: rekeyProtection(sa),
        random,
        ...(credential && { privateKey: credential.key }),
      },
      wrapping: { kwa, GSK_w: keys.GSK_w },
      nextMessageId: goesOn ? (this.rekey?.nextMessageId ?? 0) : 0,
      ...(promisesNextSpi && { nextSpi: random(16) }),
    };
    return this.rekey;
  }

  #plant(degree: number): void {
    const octets = this.rekey?.wrapping.kwa.keyLength ?? 0;
    this.tree = new KeyTree({ degree, makeKey: () => this.#means.random(octets) });
  }

  #keymat(octets: number): Uint8Array {
    const exact = this.#means.decide("length of KEYMAT", "exact") === "exact";
    return this.#means.random(exact ? octets : octets + 1);
  }

  /** Those below 256 are reserved (RFC 4303 section 2.1). */
  #dataSpi(): Uint8Array {
    const spi = this.#means.random(4);
    spi[0] = 0xc0 | (spi[0] ?? 0);
    return spi;
  }
}

/** @throws Error for a group with signatures whose controller has no key */
function authOf(policy: RekeyPolicy | undefined, credential: Credential | undefined): RekeyAuth {
  const auth = policy?.auth ?? "implicit";
  if (auth === "implicit") return auth;
  if (!credential) throw new Error(`a group with ${auth} signatures needs a key to sign with`);
  const scheme = schemeByName(auth);
  const { algorithmIdentifier } = scheme;
  return { scheme, algorithmIdentifier, publicKey: createPublicKey(credential.key) };
}

/** AH has an integrity transform alone. */
function transformsOf({ protocolId, transforms }: DataPolicy): DataTransforms {
  if (protocolId === PROTOCOL.ESP) return suiteOf(transforms) ?? {};
  const integ = integTransform(transforms.find(({ type }) => type === TRANSFORM.INTEG)?.id ?? 0);
  return integ ? { integ } : {};
}

const isOfOneSender = ({ transforms }: DataPolicy): boolean =>
  transforms.some(({ type, id }) => type === TRANSFORM.SN && id === SN.SEQUENTIAL_32);

/** True where each sender must have IVs of its own (RFC 6054). */
export function countsIvs(policy: DataPolicy): boolean {
  const { encr } = transformsOf(policy);
  return encr !== undefined && encr.ivLength > 0 && !encr.randomIv;
}

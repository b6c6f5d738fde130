/** What it costs a controller to exclude one member of a group, with a key tree and without one. */
import { createCipheriv, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { encrTransform } from "../crypto/encr.ts";
import { keyWrap } from "../crypto/key-wrap.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import { Controller } from "../group/controller.ts";
import { type Circumstances, gsaPayload, kdPayload } from "../group/controller-payloads.ts";
import { GroupState } from "../group/controller-state.ts";
import { groupPolicy } from "../group/policy-of.ts";
import { RekeyFragments } from "../group/rekey-fragments.ts";
import { openRekey } from "../group/rekey-open.ts";
import { Endpoint } from "../ike/endpoint.ts";
import { identity, identityKey } from "../ike/identity.ts";
import { type Protection, sealMessage } from "../ike/sk.ts";
import { ordinaryConfig } from "../run/config.ts";
import { PAIR_ADDRESSES } from "../run/pair.ts";
import { policyFor } from "../script/policy.ts";
import { encodeChain, firstPayloadType } from "../wire/index.ts";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import type { Payload } from "../wire/types.ts";
import { type BenchRow, compared } from "./measure.ts";

const GROUP = "keyid:67727031";
const DEGREE = 4;
const SPEC = { id: GROUP, data: ["aes128gcm16-unspec32"] };
/** Exclusions of one group at most; each leaves timers behind. */
const MOST_ROUNDS = 200;
const LEAST_ROUNDS = 5;
/** Virtual time between two exclusions, in which the copies go out. */
const PAUSE_MS = 10_000;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Microseconds that `operation` takes, measured for so many seconds; what is done in between does not count. */
function typical(operation: () => void, between: () => void, seconds: number): number {
  const taken: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (taken.length < LEAST_ROUNDS || (performance.now() < end && taken.length < MOST_ROUNDS)) {
    const start = performance.now();
    operation();
    taken.push((performance.now() - start) * 1000);
    between();
  }
  return median(taken);
}

/** A controller whose members are in its key tree, without IKE SAs: what goes to the group is counted. */
function controlled(members: number) {
  const random = seededRandom("bench group");
  let now = 0;
  const sent: Uint8Array[] = [];
  const { a: remote, b: own } = PAIR_ADDRESSES;
  const credential = { key: generateKeyPairSync("ed25519").privateKey, chain: [] };
  const endpoint = new Endpoint({
    policy: policyFor(ordinaryConfig(own, remote), "peer"),
    extensions: [],
    ...{ random, natPort: 4500, remoteNatPort: 4500 },
    now: () => now,
    send: ({ data }) => sent.push(data),
    event: () => {},
  });
  const address = { host: own.host, port: 848 };
  const policy = groupPolicy({ ...SPEC, rekey: "ed25519", keyTree: DEGREE });
  const controller = new Controller([policy], { random, hooks: [], credential, address, report: () => {} });
  controller.begin(endpoint.core);
  const state = controller.state(policy.id);
  state.complete();
  const member = (index: number) => identity(`keyid:${index.toString(16).padStart(8, "0")}`);
  const join = (index: number) => state.tree?.join(identityKey(member(index)));
  for (let index = 0; index < members; index++) join(index);
  const pause = () => {
    now += PAUSE_MS;
    endpoint.runTimers();
    sent.length = 0;
  };
  return {
    state,
    sent,
    join,
    pause,
    exclude: (index: number) => controller.exclude(policy.id, member(index)),
    rekey: () => controller.rekey(policy.id, "both"),
  };
}

/** Keys that the first of these messages wraps, as the members see it who stay. */
function wrapsOf(datagrams: Uint8Array[], sa: Parameters<typeof openRekey>[1]): number {
  const fragments = new RekeyFragments();
  for (const octets of datagrams) {
    const opened = openRekey(octets, sa, { fragments });
    if (opened !== "wait" && !("error" in opened))
      return opened.payloads.reduce((sum, p) => sum + keysIn(p), 0);
  }
  throw new Error("the members cannot open the rekey");
}

function keysIn(payload: Payload): number {
  if (payload.kind !== "KD") return 0;
  const wraps = (type: number, kind: string) =>
    kind === "group" || type === MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY;
  return payload.bags.flatMap((bag) => bag.attributes.filter(({ type }) => wraps(type, bag.kind))).length;
}

const AIV = Buffer.from("a65959a6", "hex");

/** So many keys wrapped and two messages signed, and nothing else, by node:crypto. */
function plainly(wraps: number, key: KeyObject): () => void {
  const octets = Buffer.alloc(32, 7);
  return () => {
    for (let i = 0; i < wraps; i++) {
      const cipher = createCipheriv("id-aes256-wrap-pad", octets, AIV);
      Buffer.concat([cipher.update(octets), cipher.final()]);
    }
    for (let i = 0; i < 2; i++) sign(null, octets, key);
  };
}

/** The two GSA_REKEY with which a controller puts a member out and gives the others new keys. */
export function benchTree(members: number, seconds: number): BenchRow[] {
  const { state, sent, exclude, rekey, join, pause } = controlled(members);
  const octetsSent = () => sent.reduce((sum, { length }) => sum + length, 0);
  const sa = state.rekey?.sender.sa;
  if (!sa) throw new Error("no Rekey SA");
  exclude(0);
  const octets = octetsSent();
  const wraps = wrapsOf(sent, sa) + 1;
  join(members);
  pause();
  let next = 1;
  const between = () => {
    join(members + next++);
    pause();
  };
  const time = typical(() => exclude(next), between, seconds / 2);
  rekey();
  const plainOctets = octetsSent();
  const plainTime = typical(rekey, pause, seconds / 4);
  const reference = typical(plainly(wraps, generateKeyPairSync("ed25519").privateKey), () => {}, seconds / 4);
  const size = members.toLocaleString("en-US");
  const what = `excluding one of ${size}, key tree`;
  return [
    compared(`new keys for all ${size} by one GSA_REKEY`, plainOctets, "octets"),
    compared(`new keys for all ${size} by one GSA_REKEY: making it`, plainTime, "us"),
    compared(`${what}: GSA_REKEY in all`, octets, "octets"),
    compared(`${what}: making them`, time, "us", {
      what: `${wraps} wraps and 2 signatures by node:crypto`,
      value: reference,
    }),
  ];
}

/** A message of GSA_INBAND_REKEY, with new keys for the data SAs, sealed for one member. */
function inbandMessage(): () => Uint8Array {
  const random = seededRandom("bench group");
  const decide = <T>(_point: unknown, ordinary: T): T => ordinary;
  const policy = groupPolicy({ ...SPEC, rekey: "inband" });
  const state = new GroupState(policy, { random, decide, now: () => 0 });
  state.complete();
  const kwa = keyWrap(3);
  const encr = encrTransform(20, 256);
  if (!kwa || !encr) throw new Error("no transforms");
  const keys: Protection = { encr, SK_e: random(encr.keyLength), SK_a: new Uint8Array(), sealed: 0 };
  const wrapping = { kwa, GSK_w: random(kwa.keyLength) };
  const circumstances: Circumstances = { policy, own: PAIR_ADDRESSES.b, now: 0, registration: false };
  const header = {
    ...{ spiI: random(8), spiR: random(8), version: 0x20, exchangeType: 42, flags: 8, messageId: 2 },
  };
  return () => {
    const payloads = [
      gsaPayload({ data: state.data }, circumstances),
      kdPayload({ wrapping, data: state.data, wraps: [], senderIds: [] }),
    ];
    return sealMessage(keys, random, header, [], encodeChain(payloads), firstPayloadType(payloads));
  };
}

/** Without a tree every member that stays gets its new keys over its own IKE SA: one message is made and multiplied. */
export function benchInband(sizes: readonly number[], seconds: number): BenchRow[] {
  const message = inbandMessage();
  const { length } = message();
  const each = typical(message, () => {}, seconds);
  return sizes.flatMap((members) => {
    const what = `excluding one of ${members.toLocaleString("en-US")}, no tree`;
    return [
      compared(`${what}: GSA_INBAND_REKEY in all`, length * (members - 1), "octets"),
      compared(`${what}: making them, by the time for one`, each * (members - 1), "us"),
    ];
  });
}

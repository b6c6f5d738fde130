/**
 * Which wrong keys a peer works with. What does not open with ours is tried with the keys that known mistakes give, so
 * that a failure names its cause. No verdict depends on it.
 */
import { childKeymat, type DirectionKeys, type IkeKeys, ikeKeys, rekeyedSkeyseed } from "../crypto/keys.ts";
import type { Prf } from "../crypto/types.ts";
import { InboundSa } from "../esp/inbound.ts";
import { SubspaceInboundSa } from "../esp/subspaces.ts";
import type { ChildSa } from "../ike/child.ts";
import type { ChildKeyInputs, Extension, IkeKeyInputs } from "../ike/hooks.ts";
import { IkeSa } from "../ike/sa.ts";
import { openPayload, sealMessage } from "../ike/sk.ts";
import { equal, readU32 } from "../wire/bytes.ts";
import { decodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG } from "../wire/types.ts";
import { ikeReceived } from "./raw.ts";
import type { Session } from "./session.ts";

/** Remembers what the keys of our SAs were made of. */
export interface KeyRecorder extends Extension {
  readonly ike: WeakMap<IkeSa, IkeKeyInputs>;
  readonly child: WeakMap<ChildSa, ChildKeyInputs>;
}

export function keyRecorder(): KeyRecorder {
  const ike = new WeakMap<IkeSa, IkeKeyInputs>();
  const child = new WeakMap<ChildSa, ChildKeyInputs>();
  let last: ChildKeyInputs | undefined;
  return {
    ...{ name: "key recorder", ike, child },
    ikeKeys: (inputs) => void ike.set(inputs.sa, { ...inputs }),
    childKeys: (inputs) => {
      last = { ...inputs };
    },
    childEstablished: (made) => {
      if (last) child.set(made, last);
    },
  };
}

/** A mistake and what it makes of the peer's packets. */
interface EspGuess {
  mistake: string;
  keys: DirectionKeys;
  esn: boolean;
}

function espGuesses(session: Session, child: ChildSa): EspGuess[] {
  const { ike, replaces, esn, keysIn, keysOut, encr, integ } = child;
  const inputs = session.script.keyRecorder.child.get(child);
  const derived = (mistake: string, change: Partial<ChildKeyInputs>): EspGuess[] => {
    if (!inputs || !ike.suite) return [];
    const { SK_d, Ni, Nr, sharedSecret, further } = { ...inputs, ...change };
    const { initiatorToResponder, responderToInitiator } = childKeymat(
      ...([ike.suite.prf, SK_d, Ni, Nr, encr, integ, sharedSecret, further] as const),
    );
    const keys = child.initiatedByUs ? responderToInitiator : initiatorToResponder;
    return [{ mistake, keys, esn }];
  };
  const before = ike.replaces?.keys?.SK_d;
  const divided = session.pipe(child).inbound instanceof SubspaceInboundSa;
  return [
    ...(divided ? [{ mistake: "with the header of plain ESP", keys: keysIn, esn }] : []),
    { mistake: `${esn ? "without" : "with"} extended sequence numbers`, keys: keysIn, esn: !esn },
    ...(replaces
      ? [{ mistake: "with the keys of the SA that was replaced", keys: replaces.keysIn, esn }]
      : []),
    { mistake: "with the keys of the other direction", keys: keysOut, esn },
    ...derived("with keys from the nonces of IKE_SA_INIT", { Ni: ike.Ni, Nr: ike.Nr }),
    ...(inputs
      ? derived("with keys from the nonces in the wrong order", { Ni: inputs.Nr, Nr: inputs.Ni })
      : []),
    ...derived("with keys without g^ir of the new key exchange", { sharedSecret: undefined }),
    ...(inputs?.further.length
      ? derived("with keys without the secrets of IKE_FOLLOWUP_KE", { further: [] })
      : []),
    ...(before ? derived("with keys from SK_d of the IKE SA before", { SK_d: before }) : []),
  ];
}

/** Has the peer send through this Child SA; says what its packets open with, if with anything but our keys. */
export async function whyNoEsp(session: Session, child: ChildSa): Promise<string | undefined> {
  const { script } = session;
  const { inner, driver, patience } = script.arena;
  await driver.sendTraffic({ from: inner.peer, to: inner.tester, count: 1 }).catch(() => {});
  const misfits = () =>
    script.trace.entries.flatMap(({ event }) => {
      if (event.type !== "esp-received" || event.pipe?.child !== child || event.result.ok) return [];
      return event.result.reason === "icv" || event.result.reason === "length" ? [event.packet] : [];
    });
  if (!(await script.until(() => misfits().length > 0, patience / 4))) return undefined;
  const right = espGuesses(session, child).find((guess) =>
    misfits().some((packet) => opens(child, guess, packet)),
  );
  return right ? `ESP that opens only ${right.mistake}` : "ESP that opens with no keys of ours";
}

function opens(child: ChildSa, { keys, esn }: EspGuess, packet: Uint8Array): boolean {
  const transforms = { encr: child.encr, integ: child.integ };
  return new InboundSa({ spi: readU32(child.spiIn, 0), transforms, keys, esn }).open(packet).ok;
}

/** Repeats our last request of a rekeyed IKE SA under the keys of known mistakes; names the one that is answered. */
export async function whyNoAnswer(session: Session): Promise<string | undefined> {
  for (const [mistake, keys] of ikeGuesses(session)) {
    if (await answersUnder(session, keys)) return `an answer only under ${mistake}`;
  }
  return undefined;
}

function ikeGuesses({ script, sa }: Session): [mistake: string, keys: IkeKeys][] {
  const inputs = script.keyRecorder.ike.get(sa);
  const old = inputs?.replaces;
  if (!inputs || !old?.keys || !old.suite || !sa.suite || !sa.keys) return [];
  const { sharedSecret, Ni, Nr, spiI, spiR, further } = inputs;
  const { prf, encr, integ } = sa.suite;
  const { SK_d } = old.keys;
  const { prf: oldPrf } = old.suite;
  const seed = rekeyedSkeyseed(oldPrf, SK_d, sharedSecret, Ni, Nr, further);
  const short = rekeyedSkeyseed(oldPrf, SK_d, sharedSecret, Ni, Nr);
  const ofNew = rekeyedSkeyseed(prf, SK_d, sharedSecret, Ni, Nr, further);
  const sameLengths = old.keys.SK_ei.length === sa.keys.SK_ei.length;
  const expand = (using: Prf, from: Uint8Array) => ikeKeys(using, encr, integ, from, Ni, Nr, spiI, spiR);
  return [
    [
      "keys expanded from the SPIs of the old IKE SA",
      ikeKeys(prf, encr, integ, seed, Ni, Nr, old.spiI, old.spiR),
    ],
    ...(further.length > 0
      ? [["keys without the secrets of IKE_FOLLOWUP_KE", expand(prf, short)] satisfies [string, IkeKeys]]
      : []),
    ...(oldPrf.id === prf.id
      ? []
      : ([
          [
            "keys expanded with the PRF of the old IKE SA",
            expand({ ...oldPrf, keyLength: prf.keyLength }, seed),
          ],
          ["keys from a SKEYSEED of the new IKE SA's PRF", expand(prf, ofNew)],
        ] satisfies [string, IkeKeys][])),
    ...(sameLengths ? [["the keys of the old IKE SA", old.keys] satisfies [string, IkeKeys]] : []),
  ];
}

/** Whether the peer answers an empty INFORMATIONAL request, with the Message ID of our last one, under these keys. */
async function answersUnder({ script, sa }: Session, keys: IkeKeys): Promise<boolean> {
  const twin = new IkeSa(sa.role, sa.spiI, sa.local, sa.remote);
  if (sa.suite) twin.install(sa.suite, keys);
  const { outbound, inbound } = twin;
  if (!outbound || !inbound) return false;
  const { spiI, spiR } = sa;
  const messageId = Math.max(0, sa.nextMessageId - 1);
  const flags = sa.role === "initiator" ? FLAG.initiator : 0;
  const exchangeType = EXCHANGE.INFORMATIONAL;
  const header = { ...{ spiI, spiR, version: 0x20 }, exchangeType, flags, messageId };
  const since = script.mark();
  const octets = sealMessage(outbound, script.arena.random, header, [], new Uint8Array(), 0);
  script.sendOctets(octets, sa.local, sa.remote);
  const answered = () =>
    ikeReceived(script, since).some((came) => {
      const message = decodeMessage(came);
      if (isFrameError(message) || !equal(message.header.spiR, spiR)) return false;
      const last = message.payloads.at(-1);
      return last?.kind === "SK" && !("error" in openPayload(inbound, came, last));
    });
  return script.until(answered, script.arena.patience / 4);
}

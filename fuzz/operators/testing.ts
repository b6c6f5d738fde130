/** Honest messages of two ends in memory, for tests of operators. */
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { authenticated, makePair } from "../../harness/run/pair.ts";
import { concat, fromHex } from "../../harness/wire/bytes.ts";
import { firstPayloadType } from "../../harness/wire/chain.ts";
import type { GsaPolicy } from "../../harness/wire/group-types.ts";
import { encodeMessage } from "../../harness/wire/index.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { type Dice, dice } from "../dice.ts";
import type { LieContext } from "./operator.ts";
import { copyOf } from "./place.ts";

export interface Sample {
  /** What it is, for the names of tests. */
  name: string;
  message: OutgoingMessage;
  core: Core;
}

const WAYS: { readonly [name: string]: Partial<PeerConfig> } = {
  psk: {},
  certificate: { auth: { method: "signature", key: "ecdsa256" } },
};

/** Every message of both ends of one conversation: IKE_SA_INIT to the end of the IKE SA, with CREATE_CHILD_SA in two forms. */
async function conversation(way: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  const pair = makePair({
    seed: way,
    policies: await authenticated(WAYS[way] ?? {}),
    extensions: () => [
      {
        name: "keep",
        outgoing(message, core) {
          const { isResponse, header, payloads } = message;
          const kind = `${way} ${isResponse ? "response" : "request"} ${header.exchangeType} of ${payloads.length}`;
          samples.push({ name: kind, message: fresh(message), core });
        },
      },
    ],
  });
  const { network, a, addresses } = pair;
  let ended = false;
  const sa = a.endpoint.connect(addresses.a, addresses.b, () => {
    a.endpoint.createChild(sa, {}, () =>
      a.endpoint.rekeyIke(sa, {}, (made) => {
        if (typeof made !== "string")
          a.endpoint.liveness(made, () => a.endpoint.deleteIke(made, () => (ended = true)));
      }),
    );
  });
  a.settle();
  await network.until(() => ended, 60_000);
  return samples;
}

/** A configuration request, an identity by name, and what else the conversations lack. */
function furtherPayloads(): Payload[] {
  return [
    { kind: "CP", type: PAYLOAD.CP, cfgType: 1, attributes: [{ type: 1, data: fromHex("") }] },
    { kind: "ID", type: PAYLOAD.IDr, idType: 9, data: fromHex("300f310d300b06035504030c0470656572") },
    { kind: "Delete", type: PAYLOAD.DELETE, protocolId: 3, spiSize: 4, spis: [fromHex("c0ffee01")] },
    { kind: "GSA", type: PAYLOAD.GSA, policies: [groupPolicy()] },
    {
      ...{ kind: "KD", type: PAYLOAD.KD },
      bags: [
        { kind: "group", protocolId: 3, spi: fromHex("c0ffee02"), attributes: [{ type: 1, value: KEY }] },
      ],
    },
    { kind: "CERTREQ", type: PAYLOAD.CERTREQ, encoding: 4, data: new Uint8Array(20) },
  ];
}

const KEY = new Uint8Array(24).fill(7);

function groupPolicy(): GsaPolicy {
  const range = {
    ...{ tsType: 7, ipProtocol: 0, startPort: 0, endPort: 65_535 },
    ...{ startAddress: fromHex("e9fc0001"), endAddress: fromHex("e9fc0001") },
  };
  return {
    ...{ kind: "SA", protocolId: 3, spi: fromHex("c0ffee02"), source: range, destination: range },
    transforms: [{ type: 1, id: 20, attributes: [{ type: 14, value: 256 }] }],
    attributes: [{ type: 1, value: fromHex("00000e10") }],
  };
}

export async function samples(): Promise<Sample[]> {
  const all = [...(await conversation("psk")), ...(await conversation("certificate"))];
  const auth = all.find(({ message }) => message.header.exchangeType === EXCHANGE.IKE_AUTH);
  if (!auth) throw new Error("no IKE_AUTH");
  const message = { ...fresh(auth.message), payloads: [...auth.message.payloads, ...furtherPayloads()] };
  const once = all.filter(({ name }, index) => all.findIndex((one) => one.name === name) === index);
  return [...once, { ...auth, name: "with further payloads", message }];
}

/** One like it that may be changed. */
export const fresh = (message: OutgoingMessage): OutgoingMessage => ({
  ...message,
  header: { ...message.header },
  payloads: copyOf(message.payloads),
  clear: copyOf(message.clear),
  seal: { ...message.seal },
});

/** What would be sent of it, in clear. */
export function encoded({ header, clear, payloads, seal, octets }: OutgoingMessage): Uint8Array {
  const message = encodeMessage({ header, payloads: [...clear, ...payloads] });
  return concat(
    ...(octets?.(message) ?? [message]),
    Uint8Array.of(seal.innerType ?? firstPayloadType(payloads)),
  );
}

export const contextOf = (core: Core, seed = "context"): LieContext => ({
  core,
  ...{ sent: [], dice: diceOf(seed) },
  ...{ copies: () => {}, hold: () => {}, also: () => {} },
});

export const diceOf = (seed: string): Dice => dice(seededRandom(seed));

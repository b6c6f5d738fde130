/** Conversations as they would be seen, made of payloads, without any cryptography: what rules are tried on. */
import {
  decodeChain,
  decodeMessage,
  encodeChain,
  encodeMessage,
  firstPayloadType,
  isFrameError,
} from "../../../../wire/index.ts";
import { PAYLOAD } from "../../../../wire/registry/payload-types.ts";
import { FLAG, type Header, type Payload } from "../../../../wire/types.ts";
import type { SeenIke } from "../../../seen.ts";
import type { End } from "../../../types.ts";

/** An IKE SA with the sides as they are in its headers. */
export interface SaidSa {
  spiI: Uint8Array;
  spiR: Uint8Array;
  initiator: "a" | "b";
}

/** A message to be. What is not set is ordinary. */
export interface Said {
  by: "a" | "b";
  sa: SaidSa;
  exchange: number;
  id: number;
  isResponse: boolean;
  payloads: Payload[];
  /** Set: the payloads travel without SK. */
  inClear?: boolean;
  header?: Partial<Header>;
  /** Octets behind the Encrypted payload. */
  behind?: Uint8Array;
  /** Set: sealed as by AES-GCM or ChaCha20-Poly1305, else as by AES-CBC with HMAC-SHA-256. */
  aead?: true;
  /** Blocks of padding more than needed. */
  blocks?: number;
  /** First octet of the IV, which is the number of the packet. */
  iv?: number;
  /** Milliseconds since the message before it. */
  pauseMs?: number;
  source?: End;
  destination?: End;
}

const ENDS: Record<"a" | "b", End> = {
  a: { host: "192.0.2.1", port: 500 },
  b: { host: "192.0.2.2", port: 500 },
};

const CBC = { iv: 16, block: 16 };
const AEAD = { iv: 8, block: 1 };
const ICV = 16;

/** The messages as a capture with all keys shows them, a packet each. */
export function seenOf(said: readonly Said[]): SeenIke[] {
  let timeMs = 0;
  return said.map((one, index) => {
    timeMs += one.pauseMs ?? 10;
    return seenAs(one, index + 1, timeMs);
  });
}

function seenAs(said: Said, packet: number, timeMs: number): SeenIke {
  const to = said.by === "a" ? "b" : "a";
  const plaintext = encodeChain(said.payloads);
  const octets = encodeMessage({
    header: headerOf(said),
    payloads: said.inClear ? said.payloads : [skOf(said, plaintext, said.iv ?? packet)],
    ...(said.behind && { trailing: said.behind }),
  });
  const message = decodeMessage(octets);
  if (isFrameError(message)) throw new Error(message.error);
  return {
    ...{ kind: "ike", transport: "udp", packets: [packet], timeMs, octets, message },
    ...{ source: said.source ?? ENDS[said.by], destination: said.destination ?? ENDS[to] },
    ...(!said.inClear && {
      opening: "opened" as const,
      inner: decodeChain(firstPayloadType(said.payloads), plaintext),
      plaintext,
    }),
  };
}

const headerOf = ({ sa, by, exchange, id, isResponse, header }: Said): Header => ({
  ...{ spiI: sa.spiI, spiR: sa.spiR, version: 0x20, exchangeType: exchange, messageId: id },
  flags: (by === sa.initiator ? FLAG.initiator : 0) | (isResponse ? FLAG.response : 0),
  ...header,
});

function skOf(said: Said, plaintext: Uint8Array, iv: number): Payload {
  const { iv: ivLength, block } = said.aead ? AEAD : CBC;
  const fill = (block - ((plaintext.length + 1) % block)) % block;
  const padding = fill + block * (said.blocks ?? 0);
  const data = new Uint8Array(ivLength + plaintext.length + padding + 1 + ICV);
  data[0] = iv;
  return { kind: "SK", type: PAYLOAD.SK, innerType: firstPayloadType(said.payloads), data };
}

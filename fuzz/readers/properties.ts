/**
 * What must hold of our own readers whatever they are given. Each property throws where it does not hold; `npm test` tries
 * them on spoilt samples, `npm run nightly` under a fuzzer that is guided by coverage.
 */
import { Linter } from "../../harness/lint/linter.ts";
import type { Seen, SeenIke } from "../../harness/lint/seen.ts";
import { parseBaseline } from "../../harness/run/baseline.ts";
import { UsageError } from "../../harness/run/usage-error.ts";
import { decodeChain, encodeChain } from "../../harness/wire/chain.ts";
import {
  decodeMessage,
  encodeMessage,
  equal,
  type Finding,
  fromHex,
  isFrameError,
} from "../../harness/wire/index.ts";
import { isSpecError, parseProposal } from "../../harness/wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../../harness/wire/registry/protocol-ids.ts";
import { describeMessage, messageToTree } from "../../harness/wire/text.ts";
import { REAL_CHAINS, REAL_MESSAGES } from "../../harness/wire/vectors.ts";
import { Decoder, KeyRing } from "../../pcaps/decode/index.ts";
import { addSecrets } from "../../pcaps/decode/secrets.ts";
import { addKeys, type ReadKeys } from "../../pcaps/key-files/read.ts";
import { Dissector, parseCapture } from "../../pcaps/read/index.ts";
import { Sides, viewOf } from "../../pcaps/view.ts";
import { parseDefinition } from "../../peers/definition.ts";
import { parseJournal } from "../../reports/journal.ts";
import { findingSchema } from "../findings/finding.ts";
import { traceSchema } from "../trace.ts";

export interface Property {
  /** Kebab case, as `npm run nightly -- NAME` takes it. */
  name: string;
  /** @throws Error where it does not hold of these octets */
  holds(octets: Uint8Array): void;
  /** Whole inputs to begin with. */
  samples(): Uint8Array[];
}

const text = new TextEncoder();
const readText = (octets: Uint8Array): string => new TextDecoder().decode(octets);
const must = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(what);
};

function holdsOffsets(findings: readonly Finding[], octets: Uint8Array): void {
  for (const { offset, field } of findings)
    must(offset >= 0 && offset <= octets.length, `a finding of ${field} at ${offset} of ${octets.length}`);
}

function messageHolds(octets: Uint8Array): void {
  const message = decodeMessage(octets);
  if (isFrameError(message)) return;
  must(equal(encodeMessage(message), octets), "a message is lossless");
  holdsOffsets(message.findings ?? [], octets);
  describeMessage(message);
  messageToTree(message);
}

/** The first octet is the type of the first payload. */
function chainHolds(octets: Uint8Array): void {
  const [first = 0] = octets;
  const chain = decodeChain(first, octets.subarray(1));
  if (first !== 0)
    must(equal(encodeChain(chain.payloads, chain.trailing), octets.subarray(1)), "a chain is lossless");
  holdsOffsets(chain.findings, octets.subarray(1));
}

const FRAME = 3;

/** Messages that two ends say in turn: of each a direction, the length in 2 octets, the octets; those from 128 on are the content of SK. */
function* framesOf(octets: Uint8Array): Generator<Seen> {
  let packet = 0;
  for (let at = 0; at + FRAME <= octets.length; ) {
    const [how = 0, high = 0, low = 0] = octets.subarray(at, at + FRAME);
    const part = octets.subarray(at + FRAME, at + FRAME + (high << 8) + low);
    at += FRAME + part.length;
    const seen = seenOf(part, how, ++packet);
    if (seen) yield seen;
    if (part.length === 0 && packet > 100) return;
  }
}

const ENDS = ["192.0.2.1", "192.0.2.2"].map((host) => ({ host, port: 500 }));

function seenOf(octets: Uint8Array, how: number, packet: number): SeenIke | undefined {
  const [source, destination] = how & 1 ? ENDS.toReversed() : ENDS;
  const message = decodeMessage(octets);
  if (isFrameError(message) || !source || !destination) return undefined;
  const seen: SeenIke = {
    ...{
      kind: "ike",
      transport: "udp",
      packets: [packet],
      timeMs: packet,
      source,
      destination,
      octets,
      message,
    },
  };
  if (how < 128) return seen;
  const { payloads, header } = message;
  const inner = { payloads, trailing: new Uint8Array(), findings: [] };
  const sealed = { kind: "SK" as const, type: 46, innerType: payloads[0]?.type ?? 0, data: octets.slice(28) };
  return {
    ...{ ...seen, message: { header, payloads: [sealed] }, opening: "opened", inner },
    plaintext: encodeChain(payloads),
  };
}

function lintHolds(octets: Uint8Array): void {
  const linter = new Linter();
  for (const seen of framesOf(octets))
    for (const { reason, requirement } of linter.see(seen))
      must(reason.length > 0 && requirement.length > 0, "a finding says what is wrong");
}

function captureHolds(octets: Uint8Array): void {
  const ring = new KeyRing();
  const [decoder, dissector, sides, linter] = [new Decoder(ring), new Dissector(), new Sides(), new Linter()];
  const look = (seen: Seen): void => {
    linter.see(seen);
    viewOf(seen, sides);
  };
  for (const item of dissector.read(parseCapture(octets))) {
    if (item.kind === "fault") must(item.offset <= octets.length, "a fault lies in the file");
    else if (item.kind === "secrets") addSecrets(ring, item);
    else for (const seen of decoder.datagram(item)) look(seen);
  }
  for (const seen of decoder.end()) look(seen);
}

function keyFileHolds(octets: Uint8Array): void {
  const read: ReadKeys = { ring: new KeyRing(), faults: [] };
  addKeys(read, "keys", readText(octets));
  for (const { reason } of read.faults) must(reason.length > 0, "a fault has a reason");
}

/** What a user wrote is read, or refused by a UsageError. */
function refuses(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
}

const TODAY = new Date(Date.UTC(2026, 0, 1));

function configurationHolds(octets: Uint8Array): void {
  const given = readText(octets);
  refuses(() => parseDefinition(given, "peer.yaml"));
  refuses(() => parseBaseline(given, "baseline.yaml", TODAY));
  parseJournal(given);
  const proposal = parseProposal(given.slice(0, 200), PROTOCOL.IKE);
  if (isSpecError(proposal)) must(proposal.error.length > 0, "an error says what is wrong");
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    return;
  }
  traceSchema.safeParse(value);
  findingSchema.safeParse(value);
}

const messages = (): Uint8Array[] => Object.values(REAL_MESSAGES).map(fromHex);

const framed = (octets: Uint8Array, how: number): number[] => [
  how,
  octets.length >> 8,
  octets.length & 255,
  ...octets,
];

/** A classic capture of one Ethernet frame for each message. */
function captureOf(all: readonly Uint8Array[]): Uint8Array {
  const head = "d4c3b2a1020004000000000000000000ffff000001000000";
  const word = (value: number): string => Buffer.from(Uint32Array.of(value).buffer).toString("hex");
  const packets = all.map((octets) => {
    const size = octets.length;
    const short = (value: number): string => value.toString(16).padStart(4, "0");
    const ip = `45${"00"}${short(28 + size)}00000000401100${"00"}c0000201c0000202`;
    const frame = `${"02".repeat(12)}0800${ip}01f401f4${short(8 + size)}0000${Buffer.from(octets).toString("hex")}`;
    return `${word(0)}${word(0)}${word(frame.length / 2)}${word(frame.length / 2)}${frame}`;
  });
  return fromHex(head + packets.join(""));
}

const CONFIGURATIONS = [
  "name: x\nversions:\n  - { version: '1', suite: trixie }\nruntimes: [netns]\npackages: [x]\n",
  "- tests: [rfc7296/2.8/x]\n  verdict: fail\n  reason: x\n  expires: 2026-12-31\n  link: https://example.org/1\n",
  "aes256-sha256-x25519-ke1_mlkem768",
  '{"trace":1,"setup":"psk","peer":"responder","steps":[{"act":"init","changes":[{"message":0,"op":"payload-omit","at":"Nonce"}]}]}',
];

const KEYS = [
  '{"format":1,"ike":[],"esp":[]}',
  '0123456789abcdef,0123456789abcdef,00,00,"AES-CBC-128 [RFC3602]",00,00,"NONE [RFC4306]"\n',
];

export const properties: readonly Property[] = [
  { name: "wire", holds: messageHolds, samples: messages },
  {
    ...{ name: "chain", holds: chainHolds },
    samples: () =>
      Object.values(REAL_CHAINS).map(({ first, octets }) => Uint8Array.of(first, ...fromHex(octets))),
  },
  {
    ...{ name: "lint", holds: lintHolds },
    samples: () => [
      Uint8Array.from(messages().flatMap((octets, i) => framed(octets, i % 2))),
      Uint8Array.from(messages().flatMap((octets, i) => framed(octets, 128 + (i % 2)))),
    ],
  },
  { name: "capture", holds: captureHolds, samples: () => [captureOf(messages())] },
  { name: "key-file", holds: keyFileHolds, samples: () => KEYS.map((given) => text.encode(given)) },
  {
    ...{ name: "configuration", holds: configurationHolds },
    samples: () => CONFIGURATIONS.map((given) => text.encode(given)),
  },
];

import { expect } from "chai";
import type { Seen, SeenIke } from "../harness/lint/seen.ts";
import { fromHex } from "../harness/wire/bytes.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../harness/wire/index.ts";
import { buildEchoPacket } from "../harness/wire/ip.ts";
import type { Message, Payload } from "../harness/wire/types.ts";
import { Sides, viewOf } from "./view.ts";

const [A, B] = [
  { host: "192.0.2.1", port: 500 },
  { host: "2001:db8::2", port: 4500 },
];
const FRAME = { packets: [3, 7], timeMs: 5, source: A, destination: B };
const NONCE: Payload = { kind: "Nonce", type: 40, data: new Uint8Array(32) };
const HEADER = { spiI: new Uint8Array(8).fill(1), spiR: new Uint8Array(8).fill(2), version: 0x20 };

function message(exchangeType: number, payloads: Payload[]): Message {
  const header = { ...HEADER, exchangeType, flags: 0x08, messageId: 1 };
  const decoded = decodeMessage(encodeMessage({ header, payloads }));
  if (isFrameError(decoded)) throw new Error(decoded.error);
  return decoded;
}

const ike = (more: Partial<SeenIke>): SeenIke => ({
  ...{ ...FRAME, kind: "ike", transport: "udp", octets: new Uint8Array(0) },
  ...{ message: message(34, [NONCE]), ...more },
});

const SK: Payload = { kind: "SK", type: 46, innerType: 40, data: new Uint8Array(60) };
const view = (seen: Seen) => viewOf(seen, new Sides());

describe("view of what was seen", () => {
  it("tells packet, ends and side", () => {
    expect(view(ike({}))).to.deep.include({
      ...{ at: 7, timeMs: 5, source: "192.0.2.1:500", destination: "[2001:db8::2]:4500", from: "left" },
      ...{ kind: "ike", text: "IKE_SA_INIT request 1: No" },
    });
  });

  it("has what is inside SK, and says what could not be opened", () => {
    const closed = ike({ message: message(35, [SK]), opening: "no-keys" });
    expect(view(closed)).to.include({ text: "IKE_AUTH request 1: SK { 60 octets }", note: "no keys" });
    const inner = { payloads: [NONCE], trailing: new Uint8Array(0), findings: [] };
    const opened = view({ ...closed, opening: "opened", inner, fragments: 3 });
    expect(opened).to.include({ text: "IKE_AUTH request 1: SK { No }", note: "3 fragments" });
    const late = view({ ...closed, opening: "waiting", fragments: 3, repeats: 6, completeIn: 8 });
    expect(late.note).to.equal(
      "retransmission of packet 6, one fragment of the message that was complete in packet 8",
    );
    expect([opened.clear, opened.inner?.length]).to.deep.equal([[], 1]);
  });

  it("has the findings of the decoder, those inside apart", () => {
    const finding = { offset: 4, field: "No > length", reason: "too long" };
    const inner = { payloads: [], trailing: Uint8Array.of(1), findings: [finding] };
    const {
      findings,
      note,
      inner: trees,
    } = view(ike({ message: message(35, [SK]), opening: "opened", inner }));
    expect(findings).to.deep.equal([{ ...finding, inside: true }]);
    expect(note).to.equal("1 finding of the decoder");
    expect(trees).to.deep.equal([{ kind: "trailing", data: "01" }]);
  });

  it("reads the packets in ESP", () => {
    const ends = { source: fromHex("cb007101"), destination: fromHex("cb007111") };
    const payload = buildEchoPacket(ends, {
      reply: false,
      identifier: 1,
      sequence: 1,
      data: new Uint8Array(8),
    });
    const esp: Seen = {
      ...{ ...FRAME, kind: "esp", transport: "ip", octets: new Uint8Array(80), spi: 0xc0ffee, sequence: 9 },
      ...{ opening: "opened", content: { nextHeader: 4, payload, padding: new Uint8Array(0) }, repeats: 2 },
    };
    const text = "ESP 00c0ffee number 9: next header 4 echo request 203.0.113.1 > 203.0.113.17";
    expect(view(esp)).to.include({ text, note: "retransmission of packet 2", again: true });
    const { content: _, ...closed } = { ...esp, opening: "icv" as const, repeats: undefined };
    expect(view(closed)).to.include({ text: "ESP 00c0ffee number 9", note: "the keys do not fit its ICV" });
  });

  it("names keepalives, and what cannot be read", () => {
    const octets = Uint8Array.of(0xff);
    expect(view({ ...FRAME, kind: "keepalive", octets }).text).to.equal("NAT keepalive");
    const unreadable = view({ ...FRAME, kind: "unreadable", octets, reason: "1 octet, no header" });
    expect(unreadable.text).to.equal("1 octets: 1 octet, no header");
  });

  it("takes for left who sent first, of each pair", () => {
    const sides = new Sides();
    const C = { host: "192.0.2.3", port: 500 };
    const of = (source: typeof A, destination: typeof A) => sides.of({ source, destination });
    const moved = { ...A, port: 4500 };
    expect([of(B, A), of(A, B), of(moved, B), of(C, A), of(A, C)]).to.deep.equal([
      ...["left", "right", "right", "left", "right"],
    ]);
    const [x, y] = [A, moved];
    expect([of(x, y), of(y, x)]).to.deep.equal(["left", "right"]);
  });
});

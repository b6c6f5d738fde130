import { createHmac } from "node:crypto";
import { expect } from "chai";
import type { KeyPair } from "../crypto/types.ts";
import type { Extension } from "../ike/hooks.ts";
import { makePair, PAIR_ADDRESSES } from "../run/pair.ts";

const PROPOSAL =
  "aes256-sha256-x25519-ke1_ecp256-ke2_mlkem512-ke3_mlkem768-ke4_ecp384-ke5_mlkem1024-ke6_modp3072-ke7_x448";

interface Seen {
  /** Datagrams in the order in which they were sent. */
  datagrams: Uint8Array[];
  /** Shared secrets of each end, in the order in which they were derived. */
  secrets: Record<"a" | "b", Uint8Array[]>;
  /** The keys that each end took into use, by generation: SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr. */
  keys: Record<"a" | "b", string[]>;
}

/** Notes what a key pair derives. */
const listening = (pair: KeyPair, secrets: Uint8Array[]): KeyPair => ({
  publicValue: pair.publicValue,
  derive: (other) => {
    const secret = pair.derive(other);
    if (secret instanceof Uint8Array) secrets.push(secret);
    return secret;
  },
});

/** A handshake with seven additional key exchanges, and what could be seen of it. */
function handshake(): Seen {
  const seen: Seen = { datagrams: [], secrets: { a: [], b: [] }, keys: { a: [], b: [] } };
  const listen = (end: "a" | "b"): Extension => ({
    name: "listen",
    keyPair: (make) => listening(make(), seen.secrets[end]),
  });
  const pair = makePair({
    seed: "seven exchanges",
    config: { ikeProposals: [PROPOSAL] },
    extensions: (end) => [listen(end)],
    event: (end, event) => {
      if (event.type === "datagram-sent") seen.datagrams.push(event.datagram.data);
      if (event.type !== "keys" || !event.sa.keys) return;
      const { SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi, SK_pr } = event.sa.keys;
      const all = [SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi, SK_pr];
      seen.keys[end].push(all.map((key) => Buffer.from(key).toString("hex")).join(" "));
    },
  });
  pair.a.endpoint.connect(PAIR_ADDRESSES.a, PAIR_ADDRESSES.b);
  pair.a.settle();
  pair.network.run(10_000);
  return seen;
}

/*
 * From here on nothing of the harness is used: octets that were sent, the secrets, and HMAC-SHA2-256, as RFC 7296
 * section 2.14 and RFC 9370 section 2.2.2 write it down.
 */

const hmac = (key: Uint8Array, ...data: Uint8Array[]): Buffer =>
  createHmac("sha256", key).update(Buffer.concat(data)).digest();

/** The data of the Nonce payload (40) of a message in clear. */
function nonceOf(message: Uint8Array): Uint8Array {
  let type = message[16];
  let at = 28;
  while (type !== 0 && at < message.length) {
    const length = (message[at + 2] ?? 0) * 256 + (message[at + 3] ?? 0);
    if (type === 40) return message.subarray(at + 4, at + length);
    type = message[at];
    at += length;
  }
  throw new Error("no Nonce payload");
}

describe("the keys of a handshake with seven additional key exchanges", () => {
  const { datagrams, secrets, keys } = handshake();
  const [request = new Uint8Array(), response = new Uint8Array()] = datagrams;
  const Ni = nonceOf(request);
  const Nr = nonceOf(response);
  const SPIi = response.subarray(0, 8);
  const SPIr = response.subarray(8, 16);
  const generations: Buffer[][] = [];

  it("are those of eight shared secrets that both ends have", () => {
    expect(secrets.a.map((secret) => secret.length)).to.deep.equal([32, 32, 32, 32, 48, 32, 384, 56]);
    expect(secrets.a).to.deep.equal(secrets.b);
  });

  it("are what HMAC makes of these secrets, the nonces and the SPIs, at each of eight generations", () => {
    let SKEYSEED = hmac(Buffer.concat([Ni, Nr]), secrets.a[0] ?? Ni);
    for (let n = 0; n <= 7; n++) {
      const SK_d = generations[n - 1]?.[0];
      const secret = secrets.a[n] ?? Ni;
      if (SK_d) SKEYSEED = hmac(SK_d, secret, Ni, Nr);
      const generation: Buffer[] = [];
      for (let i = 1; i <= 7; i++) {
        const before = generation[i - 2] ?? Buffer.alloc(0);
        generation.push(hmac(SKEYSEED, before, Ni, Nr, SPIi, SPIr, Buffer.of(i)));
      }
      // Each of the seven keys is as long as one output of the PRF: 32 octets.
      generations.push(generation);
    }
    const expected = generations.map((all) => all.map((key) => key.toString("hex")).join(" "));
    expect(keys.a).to.deep.equal(expected);
    expect(keys.b).to.deep.equal(expected);
  });

  it("protect the exchanges in their turn: request and response n with those of generation n - 1", () => {
    const exchanges = datagrams.slice(2).filter((octets) => octets[18] === 43 || octets[18] === 35);
    expect(exchanges.length).to.equal(16);
    for (const [i, octets] of exchanges.entries()) {
      const messageId = octets[23] ?? 0;
      expect(messageId).to.equal(1 + Math.floor(i / 2));
      const SK_a = generations[messageId - 1]?.[i % 2 === 0 ? 1 : 2] ?? Buffer.alloc(0);
      const icv = hmac(SK_a, octets.subarray(0, -16)).subarray(0, 16);
      expect(Buffer.from(octets.subarray(-16)).toString("hex")).to.equal(icv.toString("hex"));
    }
  });
});

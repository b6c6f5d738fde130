/** AES-256-GCM seal and open of 1,400 octets: our ESP against node:crypto alone, in packets per second. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { encrTransform } from "../crypto/encr.ts";
import { systemRandom } from "../crypto/seeded-random.ts";
import { InboundSa } from "./inbound.ts";
import { OutboundSa } from "./outbound.ts";
import { NEXT_HEADER, type SaParameters } from "./sa.ts";

const PAYLOAD = 1400;
const ROUNDS = 21;
const BATCH = 100;

/**
 * Pairs of seal and open per second of wall-clock time. Both take turns and the median counts, so that a machine
 * busy with something else disturbs neither more than the other.
 */
export async function benchEsp(seconds: number): Promise<{ raw: number; ours: number }> {
  const pairs = { raw: rawPair(), ours: espPair() };
  const rates = { raw: [] as number[], ours: [] as number[] };
  const slice = (seconds * 1000) / ROUNDS / 2;
  for (let round = 0; round < ROUNDS; round++) {
    rates.raw.push(rate(pairs.raw, slice));
    rates.ours.push(rate(pairs.ours, slice));
  }
  return { raw: median(rates.raw), ours: median(rates.ours) };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function rate(operation: () => void, milliseconds: number): number {
  const start = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    for (let index = 0; index < BATCH; index++) operation();
    count += BATCH;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (count * 1000) / elapsed;
}

function rawPair(): () => void {
  const [key, nonce, aad] = [randomBytes(32), randomBytes(12), randomBytes(8)];
  const data = randomBytes(PAYLOAD);
  return () => {
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(aad);
    const sealed = cipher.update(data);
    cipher.final();
    const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(aad).setAuthTag(cipher.getAuthTag());
    decipher.update(sealed);
    decipher.final();
  };
}

function espPair(): () => void {
  const encr = encrTransform(20, 256)!;
  const parameters: SaParameters = {
    spi: 0xc0ffee01,
    transforms: { encr },
    keys: { encr: systemRandom(encr.keyLength), integ: new Uint8Array(0) },
    esn: false,
  };
  const outbound = new OutboundSa({ ...parameters, random: systemRandom });
  const inbound = new InboundSa(parameters);
  const payload = systemRandom(PAYLOAD);
  return () => {
    const packet = outbound.seal(payload, NEXT_HEADER.udp);
    if (packet instanceof Uint8Array && !inbound.open(packet).ok) throw new Error("ESP opened no own packet");
  };
}

/** Complete handshakes per second, against what their key exchange alone would allow. */
import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { keMethod } from "../crypto/ke.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import { Endpoint } from "../ike/endpoint.ts";
import type { Datagram } from "../link/types.ts";
import { ordinaryConfig } from "../run/config.ts";
import { makePair, PAIR_ADDRESSES } from "../run/pair.ts";
import { policyFor } from "../script/policy.ts";
import { type BenchResult, compared, rates } from "./measure.ts";

const config = (group: string) => ({
  ikeProposals: [`aes256gcm16-prfsha256-${group}`],
  espProposals: ["aes256gcm16"],
});

/** Two endpoints with a wire of zero length between them. */
export function endpointHandshake(group: string): () => void {
  const { a: local, b: remote } = PAIR_ADDRESSES;
  const all = { ...ordinaryConfig(remote, local), ...config(group) };
  const wire: Datagram[] = [];
  const make = (side: "tester" | "peer") =>
    new Endpoint({
      policy: policyFor(all, side),
      extensions: [],
      random: seededRandom(`bench ${side}`),
      now: () => 0,
      send: (datagram) => wire.push(datagram),
      event: () => {},
      ...{ natPort: 4500, remoteNatPort: 4500 },
    });
  const [a, b] = [make("tester"), make("peer")];
  return () => {
    const sa = a.connect(local, remote);
    for (let d = wire.shift(); d; d = wire.shift()) (d.destination.host === remote.host ? b : a).receive(d);
    if (sa.state !== "established" || sa.children.length !== 1) throw new Error("the handshake failed");
    for (const { core } of [a, b]) for (const made of [...core.sas.values()]) core.closeIke(made, "measured");
  };
}

/** Two hosts with ESP SAs on a network under virtual time, from a seed: as the tests run them. */
function hostHandshake(group: string): () => void {
  const pair = makePair({ seed: "bench", config: config(group) });
  const { a, b, network, addresses } = pair;
  return () => {
    const sa = a.endpoint.connect(addresses.a, addresses.b);
    a.settle();
    network.run(10);
    if (sa.state !== "established" || a.pipes.length !== 1) throw new Error("the handshake failed");
    for (const { endpoint } of [a, b])
      for (const made of [...endpoint.core.sas.values()]) endpoint.core.closeIke(made, "measured");
  };
}

/** Both ends' part of the key exchange: two key pairs, two shared secrets. No PRF, no cipher, no hash. */
function keyExchange(id: number): () => void {
  const random = seededRandom("bench exchange");
  const method = keMethod(id);
  if (!method) throw new Error(`no key exchange method ${id}`);
  return () => {
    const [a, b] = [method.generate(random), method.generate(random)];
    const [ours, theirs] = [a.derive(b.publicValue), b.derive(a.publicValue)];
    if (!(ours instanceof Uint8Array && theirs instanceof Uint8Array)) throw new Error("no shared secret");
  };
}

/** Octets of SubjectPublicKeyInfo in front of an X25519 value. */
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

/** The same as a program would write it that leaves key generation and encodings to node:crypto. */
export function plainExchange(): void {
  const made = [generateKeyPairSync("x25519"), generateKeyPairSync("x25519")] as const;
  const values = made.map(({ publicKey }) => publicKey.export({ format: "der", type: "spki" }).subarray(-32));
  const secrets = made.map(({ privateKey }, i) => {
    const key = Buffer.concat([SPKI, values[1 - i] ?? SPKI]);
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: "der", type: "spki" }) });
  });
  if (secrets[0]?.equals(secrets[1] ?? SPKI) !== true) throw new Error("the secrets differ");
}

const AIM = 0.5;
const X25519 = 31;
const MODP2048 = 14;

/**
 * IKE_SA_INIT and IKE_AUTH with a shared secret, AES-256-GCM and one Child SA; both ends in this process. There is no
 * signature in it; the references count key pairs and shared secrets of both ends and nothing else.
 */
export async function benchHandshake(seconds: number): Promise<BenchResult> {
  const found = rates(
    {
      endpoints: endpointHandshake("x25519"),
      hosts: hostHandshake("x25519"),
      exchange: keyExchange(X25519),
      plain: plainExchange,
      modp: endpointHandshake("modp2048"),
      modpExchange: keyExchange(MODP2048),
    },
    seconds,
  );
  const plain = { what: "X25519 as node:crypto generates and encodes it", value: found.plain };
  const ours = { what: "X25519 by our own faster way to the same functions", value: found.exchange };
  const modp = { what: "MODP-2048", value: found.modpExchange };
  const unit = "handshakes/s";
  return {
    name: "handshake",
    rows: [
      compared("two endpoints, X25519", found.endpoints, unit, plain, AIM),
      compared("two endpoints, X25519", found.endpoints, unit, ours, AIM),
      compared("two hosts with ESP SAs on a network in memory, X25519", found.hosts, unit, plain, AIM),
      compared("two endpoints, MODP-2048", found.modp, unit, modp, AIM),
    ],
  };
}

/** Registrations of group members per second, and what it costs to renew keys in groups of all sizes. */
import { generateKeyPairSync } from "node:crypto";
import { seededRandom } from "../crypto/seeded-random.ts";
import { Controller } from "../group/controller.ts";
import { Member, ordinaryMember } from "../group/member.ts";
import { groupPolicy } from "../group/policy-of.ts";
import type { GroupSpec } from "../group/spec.ts";
import { Endpoint } from "../ike/endpoint.ts";
import type { Extension } from "../ike/hooks.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Datagram } from "../link/types.ts";
import { ordinaryConfig } from "../run/config.ts";
import { PAIR_ADDRESSES } from "../run/pair.ts";
import { policyFor } from "../script/policy.ts";
import { benchInband, benchTree } from "./group-tree.ts";
import { endpointHandshake, plainExchange } from "./handshake.ts";
import { type BenchResult, type BenchRow, compared, rates } from "./measure.ts";

const SIZES = [10, 1_000, 100_000] as const;
/** Virtual time between two registrations of the same member: more often would be a flood, which is refused. */
const PAUSE_MS = 60_000;
/** So long that no timer rings in a benchmark. */
const LIFETIME = 2_000_000_000;

const SPEC: GroupSpec = {
  id: "keyid:67727031",
  rekey: "ed25519",
  data: ["aes128gcm16-unspec32"],
  keyTree: 4,
  ...{ dataLifetime: LIFETIME, rekeyLifetime: LIFETIME },
};

/** A controller and a member on endpoints with a wire of zero length between them. */
function groupPair() {
  const { a: local, b: remote } = PAIR_ADDRESSES;
  const config = {
    ...ordinaryConfig(remote, local),
    ...{ ikeProposals: ["aes256gcm16-prfsha256-x25519"], groups: [SPEC] },
  };
  const wire: Datagram[] = [];
  let now = 0;
  const random = seededRandom("bench group");
  const policy = groupPolicy(SPEC);
  const credential = { key: generateKeyPairSync("ed25519").privateKey, chain: [] };
  const address = { host: remote.host, port: 848 };
  const controller = new Controller([policy], { random, hooks: [], credential, address, report: () => {} });
  const member = new Member({ random, hooks: [], policy: ordinaryMember, event: () => {}, join: () => {} });
  const make = (side: "tester" | "peer", extension: Extension) =>
    new Endpoint({
      ...{ policy: policyFor(config, side), extensions: [extension], random },
      ...{ natPort: 4500, remoteNatPort: 4500 },
      now: () => now,
      send: (datagram) => wire.push(datagram),
      event: () => {},
    });
  const [a, b] = [make("tester", member.extension), make("peer", controller.extension)];
  controller.begin(b.core);
  member.begin(a.core, { pipes: [], now: () => now, send: () => {}, sendEsp: () => {} });
  const run = () => {
    now += PAUSE_MS;
    for (let d = wire.shift(); d; d = wire.shift()) (d.destination.host === remote.host ? b : a).receive(d);
  };
  return { a, b, member, group: policy.id, local, remote, run };
}

/** A registration with everything that it takes, and one on an IKE SA that stands. */
function registrations(): { first: () => void; further: () => void } {
  const { a, b, member, group, local, remote, run } = groupPair();
  const register = (): IkeSa => {
    const application = member.application(group, { sender: false });
    const sa = a.init(local, remote, () => a.auth(sa, { application }));
    run();
    if (member.membership(group)?.state !== "registered") throw new Error("the registration failed");
    return sa;
  };
  const first = () => {
    register();
    for (const { core } of [a, b]) for (const made of [...core.sas.values()]) core.closeIke(made, "measured");
  };
  let standing: IkeSa | undefined;
  const further = () => {
    standing = standing?.established ? standing : register();
    let failure: string | undefined = "no answer";
    member.register(standing, group, { sender: false }, (found) => {
      failure = found;
    });
    run();
    if (failure !== undefined) throw new Error(failure);
  };
  return { first, further };
}

function benchRegistrations(seconds: number): BenchRow[] {
  const { first } = registrations();
  const { further } = registrations();
  const handshake = endpointHandshake("x25519");
  const found = rates({ first, further, handshake, plain: plainExchange }, seconds);
  const unit = "registrations/s";
  const ike = { what: "IKE_SA_INIT and IKE_AUTH of two endpoints", value: found.handshake };
  const plain = { what: "X25519 as node:crypto generates and encodes it", value: found.plain };
  return [
    compared("IKE_SA_INIT and GSA_AUTH", found.first, unit, plain),
    compared("IKE_SA_INIT and GSA_AUTH", found.first, unit, ike),
    compared("GSA_REGISTRATION on an IKE SA that stands", found.further, unit, ike),
  ];
}

/**
 * Registrations are whole handshakes, both ends in this process. Renewing and excluding is the controller's part alone,
 * of members that are in its key tree without having registered.
 */
export async function benchGroup(seconds: number): Promise<BenchResult> {
  const share = seconds / (SIZES.length + 3);
  return {
    name: "group",
    rows: [
      ...benchRegistrations(2 * share),
      ...SIZES.flatMap((members) => benchTree(members, share)),
      ...benchInband(SIZES, share),
    ],
  };
}

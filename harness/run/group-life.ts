/** The life of a group from first registration to the exclusion of a member, as capture, keys and ladder. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EspSaKeys, type IkeSaKeys, writeKeyFolder } from "../../pcaps/keys.ts";
import { formatHostLadder, type HostLadderEvent, type Multicast } from "../../pcaps/ladder-hosts.ts";
import type { Captured } from "../../pcaps/types.ts";
import { describe } from "../../pcaps/view-text.ts";
import { writePcap } from "../../pcaps/write.ts";
import type { OutgoingRekey } from "../group/hooks.ts";
import type { MemberEvent } from "../group/member.ts";
import type { GroupSpec } from "../group/spec.ts";
import { identity } from "../ike/identity.ts";
import { keyLength } from "../ike/proposals.ts";
import { isMulticast } from "../link/multicast-address.ts";
import type { Datagram } from "../link/types.ts";
import { pki } from "../pki/pki.ts";
import type { HostEvent } from "../script/host.ts";
import { hex, readU32 } from "../wire/bytes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { describePayload } from "../wire/text.ts";
import type { Transform } from "../wire/types.ts";
import { ikeSaKeys } from "./evidence.ts";
import { CONTROLLER_NAME, FIRST_MEMBER, GroupHosts } from "./group-hosts.ts";

export interface GroupLife {
  captured: Captured[];
  ladder: HostLadderEvent[];
  /** Lifelines from left to right. */
  hosts: string[];
  keys: { ike: IkeSaKeys[]; esp: EspSaKeys[] };
  /** What the applications got, by member. */
  received: ReadonlyMap<string, string[]>;
}

const [ALICE, BOB, CAROL] = ["alice.example", "bob.example", "carol.example"] as const;
const MEMBERS = [ALICE, BOB, CAROL];
const GROUP = "group";
/** From MCAST-TEST-NET, for documentation (RFC 6676). */
const DATA_GROUP = "233.252.0.2";
const SPEC: GroupSpec = {
  id: "keyid:67727031",
  ...{ members: MEMBERS, senders: [ALICE], rekey: "ed25519", data: ["aes128gcm16-unspec32"], keyTree: 2 },
  ...{ dataGroups: [DATA_GROUP], rekeyGroup: { host: "233.252.0.1", port: 848 } },
};

/** Names on the ladder. */
const SHOWN: Readonly<Record<string, string>> = {
  [CONTROLLER_NAME]: "GCKS",
  [ALICE]: "Alice",
  [BOB]: "Bob",
  [CAROL]: "Carol",
};
const shown = (name: string): string => SHOWN[name] ?? name;

interface Sent extends Multicast {
  taken: string[];
  dropped: string[];
  /** Of a GSA_REKEY. */
  messageId?: number;
}

/** Longest time that a datagram is on its way. */
const ON_THE_WAY_MS = 5;

class Chronicle {
  readonly captured: Captured[] = [];
  readonly ladder: HostLadderEvent[] = [];
  readonly received = new Map<string, string[]>(MEMBERS.map((name) => [name, []]));
  readonly ike = new Map<string, IkeSaKeys>();
  readonly esp = new Map<string, EspSaKeys>();
  now: () => number = () => 0;
  /** GSA_REKEY that is about to leave, and application data that is about to be sent. */
  rekey?: OutgoingRekey;
  text = "";
  readonly #multicasts: Sent[] = [];
  /** What was said of a datagram when it was sent first. */
  readonly #said = new Map<string, string>();
  /** The GSA_REKEY that each member took last. */
  readonly #taken = new Map<string, Sent>();

  remark(remark: string): void {
    this.ladder.push({ timeMs: this.now(), remark });
  }

  onHost(name: string, event: HostEvent): void {
    if (event.type === "datagram-sent") this.#sent(name, event.datagram);
    if (event.type === "keys") for (const keys of ikeSaKeys(event.sa)) this.ike.set(hex(keys.spiI), keys);
    if (event.type !== "sent" || event.copy > 0) return;
    const { message } = event;
    const to = name === CONTROLLER_NAME ? memberAt(message.sa?.remote.host ?? "") : CONTROLLER_NAME;
    this.ladder.push({ timeMs: this.now(), from: shown(name), to: shown(to), text: describe(message) });
  }

  onMember(name: string, event: MemberEvent): void {
    if (event.type === "rekeyed") this.#took(name, event.messageId);
    if (event.type === "registers-again" || event.type === "excluded") this.#gotNothing(name);
    if (event.type !== "data") return;
    this.#took(name, undefined);
    this.received.get(name)?.push(new TextDecoder().decode(event.data));
  }

  #took(name: string, messageId: number | undefined): void {
    const sent = this.#multicasts.findLast((multicast) => multicast.messageId === messageId);
    if (!sent) return;
    sent.taken.push(shown(name));
    sent.dropped = sent.dropped.filter((other) => other !== shown(name));
    this.#taken.set(name, sent);
  }

  /** Without a way to the keys inside, a rekey that was authentic is of no use. */
  #gotNothing(name: string): void {
    const sent = this.#taken.get(name);
    if (!sent || this.now() - sent.timeMs > ON_THE_WAY_MS) return;
    sent.taken = sent.taken.filter((other) => other !== shown(name));
    sent.dropped.push(shown(name));
  }

  #sent(from: string, { protocol, source, destination, data }: Datagram): void {
    if (protocol === "tcp") return;
    const timeMs = this.now();
    this.captured.push({ timeMs, protocol, source, destination, data: data.slice() });
    if (!isMulticast(destination.host)) return;
    const said = this.#said.get(hex(data));
    const base = { timeMs, from: shown(from), group: GROUP, taken: [], dropped: [] };
    if (said !== undefined) {
      this.ladder.push({ ...base, text: `${said} again`, note: "a copy, in case the first one was lost" });
      return;
    }
    const name = protocol === "esp" ? espName(data) : rekeyName(this.rekey);
    this.#said.set(hex(data), name);
    const sent: Sent = {
      ...{ ...base, text: `${name}: ${protocol === "esp" ? `"${this.text}"` : rekeyText(this.rekey)}` },
      dropped: MEMBERS.filter((member) => member !== from).map(shown),
      ...(protocol === "udp" && this.rekey && { messageId: this.rekey.messageId }),
    };
    this.#multicasts.push(sent);
    this.ladder.push(sent);
  }
}

const memberAt = (host: string): string => MEMBERS[Number(host.split(".")[3]) - FIRST_MEMBER] ?? host;

const espName = (packet: Uint8Array): string =>
  `ESP ${hex(packet.subarray(0, 4))} number ${readU32(packet, 4)}`;

const rekeyName = (message: OutgoingRekey | undefined): string =>
  message ? `GSA_REKEY ${message.messageId} on ${hex(message.spi.subarray(0, 4))}..` : "";

const rekeyText = (message: OutgoingRekey | undefined): string =>
  `SK { ${[...(message?.payloads ?? []).map(describePayload), ...(message?.signed ? ["AUTH"] : [])].join(" ")} }`;

const transformOf = (transforms: readonly Transform[], type: number) =>
  transforms.find((transform) => transform.type === type);

/** Keys of the group's SAs as they are now: a Rekey SA is to Wireshark an IKE SA with the same keys both ways. */
function enterGroupKeys(chronicle: Chronicle, { controller, group, members }: GroupHosts): void {
  const { rekey, data } = controller.state(group);
  if (rekey) {
    const { sa } = rekey.sender;
    const cipher = transformOf(rekey.policy.transforms, TRANSFORM.ENCR);
    const [spiI, spiR] = [sa.spi.subarray(0, 8), sa.spi.subarray(8)];
    chronicle.ike.set(hex(sa.spi), {
      ...{ spiI, spiR, encrId: sa.suite.encr.id, keyBits: cipher && keyLength(cipher) },
      ...{ SK_ei: sa.GSK_e, SK_er: sa.GSK_e, SK_ai: sa.GSK_a, SK_ar: sa.GSK_a },
    });
  }
  const source = members.get(ALICE)?.address.host ?? "";
  for (const { policy, spi, KEYMAT } of data) {
    const cipher = transformOf(policy.transforms, TRANSFORM.ENCR);
    chronicle.esp.set(hex(spi), {
      ...{ source, destination: DATA_GROUP, spi: readU32(spi, 0), encrId: cipher?.id ?? 0 },
      ...{ keyBits: cipher && keyLength(cipher), encrKey: KEYMAT, integKey: new Uint8Array() },
    });
  }
}

/** The same octets whenever it is called. */
export async function liveGroup(): Promise<GroupLife> {
  const chronicle = new Chronicle();
  const hosts = new GroupHosts({
    seed: "the life of a group",
    spec: SPEC,
    members: MEMBERS,
    credential: await (await pki()).credential(CONTROLLER_NAME, "ed25519"),
    memberPolicy: { tries: 1, spreadMs: 2000 },
    hooks: {
      outgoingRekey: (message) => {
        chronicle.rekey = message;
      },
    },
    hostEvent: (name, event) => chronicle.onHost(name, event),
    memberEvent: (name, event) => chronicle.onMember(name, event),
  });
  chronicle.now = () => hosts.network.clock.now();
  tell(chronicle, hosts);
  return {
    ...{ captured: chronicle.captured, ladder: chronicle.ladder, received: chronicle.received },
    hosts: [...[CONTROLLER_NAME, ...MEMBERS].map(shown), GROUP],
    keys: { ike: [...chronicle.ike.values()], esp: [...chronicle.esp.values()] },
  };
}

function tell(chronicle: Chronicle, hosts: GroupHosts): void {
  const pass = (milliseconds: number) => {
    hosts.network.run(milliseconds);
    enterGroupKeys(chronicle, hosts);
  };
  const say = (text: string) => {
    chronicle.text = text;
    hosts.send(ALICE, text);
    pass(900);
  };
  chronicle.remark(
    "1. Three members register. Each gets the keys from its own up to the top of the key tree.",
  );
  for (const name of MEMBERS) {
    hosts.register(name, name === ALICE);
    pass(900);
  }
  chronicle.remark("2. Alice sends to the group.");
  say("Everybody reads this.");
  chronicle.remark("3. New keys for the data SA, by one message to all; it also deletes the old SA.");
  hosts.command((controller, group) => controller.rekey(group, "data"), 2000);
  pass(0);
  say("Everybody reads this too.");
  chronicle.remark(
    "4. Carol is excluded. The first message has a new Rekey SA, under keys of the tree that Carol does not have; " +
      "only the second one, on that new SA, has new data keys. Carol finds no way to them, asks, and is refused.",
  );
  hosts.command((controller, group) => controller.exclude(group, identity(CAROL)), 5000);
  pass(0);
  chronicle.remark("5. Alice sends again. Carol still gets the packets, and cannot read them.");
  say("Carol does not read this.");
}

/** The clock of the capture begins at 2026-01-01 00:00 UTC. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** Wireshark takes port 848 for nothing in particular; it was GDOI's. */
const GROUP_PORT = "decode_as_entry: udp.port,848,(none),ISAKMP\n";

/** Writes `capture.pcap`, `ladder.txt`, and a folder `keys` for Wireshark into the folder. Throws what the file system throws. */
export async function writeGroupLife(folder: string): Promise<GroupLife> {
  const life = await liveGroup();
  mkdirSync(folder, { recursive: true });
  const fault = writePcap(join(folder, "capture.pcap"), life.captured, EPOCH_MS);
  if (fault) throw new Error(fault.reason);
  writeFileSync(join(folder, "ladder.txt"), formatHostLadder(life.hosts, life.ladder));
  writeKeyFolder(join(folder, "keys"), life.keys);
  writeFileSync(join(folder, "keys", "decode_as_entries"), GROUP_PORT);
  return life;
}

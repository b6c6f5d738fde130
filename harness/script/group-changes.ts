/** What a test changes in what our controller says, and how it looks at what a member sends. */

import { InboundSa, type OpenedPacket } from "../esp/inbound.ts";
import type { DataSa, RekeySa } from "../group/controller-state.ts";
import { groupWidePolicies } from "../group/group-payloads.ts";
import { splitDataKeymat, suiteOf } from "../group/keys.ts";
import { buildRekey } from "../group/rekey-message.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { identity } from "../ike/identity.ts";
import type { Datagram } from "../link/types.ts";
import { readU32 } from "../wire/bytes.ts";
import { formatAddress, isIpError, parseIp } from "../wire/ip.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { GW_POLICY_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { FLAG, type Payload } from "../wire/types.ts";
import type { GroupController } from "./group-controller.ts";
import { GROUP } from "./group-member.ts";
import type { Script } from "./script.ts";
import { Failure } from "./verdicts.ts";

/** Changes our answers to registrations, in either exchange. The returned function ends that. */
export function changeGrants(s: Script, change: (message: OutgoingMessage) => void): () => void {
  const ends = [EXCHANGE.GSA_AUTH, EXCHANGE.GSA_REGISTRATION].map((type) =>
    s.change(type, change, "response"),
  );
  return () => {
    for (const end of ends) end();
  };
}

/** Gives these Sender-IDs of four octets, in so many bits, in place of those that are there; none: leaves both out. */
export function setSenderIds(payloads: Payload[], ids: number[], bits?: number): void {
  for (const policy of groupWidePolicies(payloads)) {
    policy.attributes = policy.attributes.filter(
      ({ type }) => type !== GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS,
    );
    if (bits !== undefined)
      policy.attributes.push({ type: GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS, value: bits });
  }
  const values = ids.map((id) => Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id));
  const bags = payloads
    .flatMap((p) => (p.kind === "KD" ? p.bags : []))
    .filter((bag) => bag.kind === "member");
  for (const bag of bags) {
    bag.attributes = bag.attributes.filter(({ type }) => type !== MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID);
    for (const value of values) bag.attributes.push({ type: MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID, value });
  }
}

/** The Rekey SA that the group has now. */
export function rekeySa({ controller }: GroupController, id = GROUP): RekeySa {
  const { rekey } = controller.state(identity(id));
  if (!rekey) throw new Error("the group has no Rekey SA");
  return rekey;
}

/** Sends GSA_REKEY with these payloads on a Rekey SA, though the group may have another one by now. */
export function sendRekeyOn({ script }: GroupController, via: RekeySa, payloads: Payload[]): void {
  const message = { spi: via.spi, messageId: via.nextMessageId++, flags: FLAG.initiator, payloads };
  const { startAddress, startPort } = via.policy.destination;
  const destination = { host: formatAddress(startAddress), port: startPort };
  const source = { host: script.arena.local.host, port: 848 };
  for (const data of buildRekey({ ...message, signed: via.policy.auth !== "implicit" }, via.sender))
    script.host.send({ protocol: "udp", source, destination, data });
}

/** What is in an ESP packet of the peer's on this data SA; fails if it does not open. */
export function openGroupEsp(sa: DataSa, { data }: Datagram): OpenedPacket {
  const transforms = suiteOf(sa.policy.transforms);
  const keys = transforms && splitDataKeymat(sa.KEYMAT, transforms);
  if (!transforms || !keys) throw new Error("the group has no ESP that we can open");
  const inbound = new InboundSa({
    spi: readU32(sa.spi, 0),
    transforms,
    keys,
    esn: false,
    window: { enabled: false },
  });
  const opened = inbound.open(data);
  if (opened.ok) return opened;
  throw new Failure("ESP that opens with the keys of the group", `${opened.reason}: ${opened.detail}`);
}

/** Inner source and destination of a packet in tunnel mode. */
export function innerEnds({ payload }: OpenedPacket): { source: string; destination: string } {
  const inner = parseIp(payload);
  if (isIpError(inner)) throw new Failure("an IP packet in the tunnel", inner.error);
  return { source: formatAddress(inner.source), destination: formatAddress(inner.destination) };
}

/** Has the peer send application data to its group; the ESP that comes of it. */
export async function espOfMember(
  controller: GroupController,
  text = "from the member",
  id = GROUP,
): Promise<Datagram[]> {
  const { script } = controller;
  const since = script.mark();
  await script.arena.driver.groups?.send(id, new TextEncoder().encode(text));
  await script.until(() => controller.espOfPeer(since).length > 0, script.arena.quiet);
  return controller.espOfPeer(since);
}

/** Waits for one more registration than `before`, as long as a member may wait before it asks again. */
export async function registersAgain(
  controller: GroupController,
  before: number,
  ms = 30_000,
): Promise<boolean> {
  const since = () => controller.registrations().length > before;
  return controller.script.until(since, ms);
}

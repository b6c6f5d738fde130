/** Our end as the controller of groups, for a peer that is told to join them (RFC 9838). */
import { isSealRefusal, OutboundSa } from "../esp/outbound.ts";
import { NEXT_HEADER } from "../esp/sa.ts";
import { Controller } from "../group/controller.ts";
import type { DataSa } from "../group/controller-state.ts";
import type { GroupHooks } from "../group/hooks.ts";
import { splitDataKeymat, suiteOf } from "../group/keys.ts";
import { ordinaryMember } from "../group/member.ts";
import { groupPolicy } from "../group/policy-of.ts";
import { identity } from "../ike/identity.ts";
import type { Datagram } from "../link/types.ts";
import type { Credential } from "../pki/types.ts";
import { readU32 } from "../wire/bytes.ts";
import { buildUdpPacket, formatAddress, parseAddress } from "../wire/ip.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { groupCredential } from "./group-credential.ts";
import { GROUP } from "./group-member.ts";
import type { Script } from "./script.ts";
import type { Exchange } from "./trace.ts";
import { Failure, Unsupported } from "./verdicts.ts";

export class GroupController {
  readonly script: Script;
  readonly controller: Controller;
  /** Change how the controller behaves. */
  readonly hooks: GroupHooks[] = [];
  /** Of the packets that we send to the group. */
  mode: "tunnel" | "transport";
  /** What it found wrong with the peer. */
  readonly findings: string[] = [];

  constructor(script: Script, credential: Credential | undefined) {
    this.script = script;
    const { random, local, config, link } = script.arena;
    const policies = (config.groups ?? []).map(groupPolicy);
    this.mode = policies[0]?.mode ?? "tunnel";
    // To see what the peer sends to its groups.
    for (const { data } of policies)
      for (const { destination } of data) link.join?.(formatAddress(destination.startAddress));
    this.controller = new Controller(policies, {
      ...{ random, hooks: this.hooks, address: { host: local.host, port: 848 } },
      ...(credential && { credential }),
      report: ({ reason }) => {
        this.findings.push(reason);
      },
    });
    script.extensions.push(this.controller.extension);
    this.controller.begin(script.host.endpoint.core);
  }

  /** Has the peer register, and waits for our answer; undefined if no request came. */
  async tryRegisters(
    options: { sender?: boolean; senderIds?: number } = {},
    id = GROUP,
  ): Promise<Exchange | undefined> {
    const { script } = this;
    const { groups } = script.arena.driver;
    if (!groups) throw await withoutGroups(script);
    const since = this.registrations().length;
    await groups.register(id, options);
    const came = () =>
      this.registrations()
        .slice(since)
        .find(({ response }) => response !== undefined);
    // Then a moment, until the peer has acted on our answer and listens to the group.
    if (await script.until(() => came() !== undefined)) await script.wait();
    return came();
  }

  /** The same; fails if no request came. */
  async registers(options: { sender?: boolean; senderIds?: number } = {}, id = GROUP): Promise<Exchange> {
    const exchange = await this.tryRegisters(options, id);
    if (exchange) return exchange;
    throw new Failure("the peer to register with the group", this.script.lastReason());
  }

  /** All registrations of the peer, the oldest first. */
  registrations(): Exchange[] {
    return this.script.trace.exchanges.filter(
      ({ by, exchangeType }) =>
        by === "peer" && (exchangeType === EXCHANGE.GSA_AUTH || exchangeType === EXCHANGE.GSA_REGISTRATION),
    );
  }

  /** Has our controller act, and lets what follows from that arrive. */
  async act(verb: (controller: Controller) => void): Promise<void> {
    verb(this.controller);
    this.script.host.settle();
    await this.script.wait();
  }

  /** The data SAs that the group has now. */
  dataSas(id = GROUP): DataSa[] {
    return this.controller.state(identity(id)).data;
  }

  /** Sends application data to the group as one of its senders, on this data SA. */
  sendData(
    sa: DataSa,
    data: Uint8Array,
    change: (packet: Uint8Array) => Uint8Array = (packet) => packet,
  ): void {
    this.script.host.send(groupDatagram(this, sa, data, change));
  }

  /** What the application at the peer got, as text. */
  async received(): Promise<string[]> {
    const all = (await this.script.arena.driver.groups?.received()) ?? [];
    return all.map(({ data }) => new TextDecoder().decode(data));
  }

  /** True if the peer's application gets data that we send on this SA. */
  async reads(sa: DataSa): Promise<boolean> {
    const mark = `probe ${this.script.mark()}`;
    this.sendData(sa, new TextEncoder().encode(mark));
    await this.script.wait();
    return (await this.received()).includes(mark);
  }

  /** ESP of the peer to multicast groups, since the trace had `since` entries. */
  espOfPeer(since = 0): Datagram[] {
    const { remote } = this.script.arena;
    return this.script
      .received(since)
      .filter(
        ({ protocol, source, destination }) =>
          protocol === "esp" && source.host === remote.host && isMulticast(destination.host),
      );
  }
}

const isMulticast = (host: string): boolean => /^(22[4-9]|23\d)\./.test(host) || /^ff/i.test(host);

/** Of a sender whose IVs come after those that Sender-IDs make: it is no member. */
function groupDatagram(
  { script, mode }: GroupController,
  sa: DataSa,
  data: Uint8Array,
  change: (packet: Uint8Array) => Uint8Array,
): Datagram {
  const { policy, KEYMAT, spi } = sa;
  const transforms = suiteOf(policy.transforms);
  const keys = transforms && splitDataKeymat(KEYMAT, transforms);
  const source = parseAddress(script.arena.local.host);
  const destination = policy.destination.startAddress;
  if (!transforms || !keys || !source) throw new Error("the group has no ESP that we can make");
  const port = ordinaryMember.port;
  const packet = buildUdpPacket(
    { source, destination },
    { sourcePort: port, destinationPort: port, payload: data },
  );
  const tunnel = mode === "tunnel";
  const outbound = new OutboundSa({
    spi: readU32(spi, 0),
    transforms,
    keys,
    esn: false,
    random: script.arena.random,
  });
  const upper = packet.subarray(source.length === 4 ? 20 : 40);
  const inIp = source.length === 4 ? NEXT_HEADER.ipv4 : NEXT_HEADER.ipv6;
  const sealed = outbound.seal(tunnel ? packet : upper, tunnel ? inIp : NEXT_HEADER.udp);
  if (isSealRefusal(sealed)) throw new Error(sealed.reason);
  const ends = {
    source: { host: script.arena.local.host, port: 0 },
    destination: { host: formatAddress(destination), port: 0 },
  };
  return { protocol: "esp", ...ends, data: change(sealed.slice()) };
}

/** A peer without group key management shows that by its own IKE_SA_INIT: no key wrap algorithm is in it. */
async function withoutGroups(script: Script): Promise<Error> {
  const requests = () => script.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer");
  if (!(await script.provoke(() => requests().length > 0)))
    return new Failure("an IKE_SA_INIT request", "none");
  const offers = requests()
    .flatMap(({ request }) => request.payloads)
    .flatMap((payload) => (payload.kind === "SA" ? payload.proposals : []));
  const wraps = offers.some(({ transforms }) => transforms.some(({ type }) => type === TRANSFORM.KWA));
  return wraps
    ? new Failure(
        "a driver that can register with a group",
        "none, although the peer offers a key wrap algorithm",
      )
    : new Unsupported("its IKE_SA_INIT request offers no key wrap algorithm: no group key management");
}

/** Our end as the controller of the groups that the peer was told of. */
export async function controllerOf(s: Script): Promise<GroupController> {
  return new GroupController(s, await groupCredential(s.arena.config.groups ?? []));
}

/** The same, with the peer as a member of the first group, who asked with these options. */
export async function controllerWithMember(
  s: Script,
  options: { sender?: boolean; senderIds?: number } = {},
): Promise<GroupController> {
  const controller = await controllerOf(s);
  await controller.registers(options);
  return controller;
}

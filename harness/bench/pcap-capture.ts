/** Writes a capture of as many packets as asked: IKE SAs with INFORMATIONAL exchanges, and ESP both ways between them. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { keysJson } from "../../pcaps/key-files/json.ts";
import type { EspSaKeys, IkeSaKeys } from "../../pcaps/keys.ts";
import type { Captured } from "../../pcaps/types.ts";
import { encodePcap } from "../../pcaps/write.ts";
import type { EspSender } from "../esp/outbound.ts";
import { espSaKeys, ikeSaKeys } from "../run/evidence.ts";
import { makePair, PAIR_ADDRESSES } from "../run/pair.ts";
import { buildEchoPacket, parseAddress } from "../wire/ip.ts";
import { filesIn } from "./pcap-files.ts";

/** Packets of one IKE SA and its Child SA, and what stands between two INFORMATIONAL exchanges. */
const PACKETS_OF_SA = 1000;
const ESP_BETWEEN = 8;
/** Octets of data in the packets inside ESP, in turn. */
const SIZES = [56, 56, 536, 56, 1300];
const EPOCH = Date.UTC(2026, 0, 1);
const FILE_HEADER = 24;
const IPV4_IN_ESP = 4;

/** Exactly that many packets, and the keys of all of them. Equal seeds give equal octets. */
export function writeCapture(folder: string, packets: number, seed: string): void {
  const { capture, keys } = filesIn(folder);
  const all: { ike: IkeSaKeys[]; esp: EspSaKeys[] } = { ike: [], esp: [] };
  const file = openSync(capture, "w");
  try {
    for (let done = 0; done < packets; done += PACKETS_OF_SA) {
      const { datagrams, ike, esp } = oneSa(`${seed} ${done}`, Math.min(PACKETS_OF_SA, packets - done));
      const bytes = encodePcap(datagrams, EPOCH + done * 10);
      if ("error" in bytes) throw new Error(bytes.reason);
      writeSync(file, done === 0 ? bytes : bytes.subarray(FILE_HEADER));
      all.ike.push(...ike);
      all.esp.push(...esp);
    }
  } finally {
    closeSync(file);
  }
  writeFileSync(keys, keysJson(all));
}

function oneSa(seed: string, packets: number): { datagrams: Captured[]; ike: IkeSaKeys[]; esp: EspSaKeys[] } {
  const datagrams: Captured[] = [];
  const config = { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] };
  const pair = makePair({
    ...{ seed, config },
    event: (_, event) => {
      if (event.type === "datagram-sent")
        datagrams.push({ timeMs: pair.network.clock.now(), ...event.datagram });
    },
  });
  const { a, b, network, addresses } = pair;
  const sa = a.endpoint.connect(addresses.a, addresses.b);
  const settle = () => {
    a.settle();
    network.run(10);
  };
  settle();
  const [there, back] = [a.pipes[0], b.pipes[0]];
  if (!there || !back) throw new Error("the handshake failed");
  while (datagrams.length < packets) {
    for (let i = 0; i < ESP_BETWEEN; i++)
      datagrams.push(espOf((i & 1 ? back : there).outbound, i, datagrams.length));
    a.endpoint.liveness(sa);
    settle();
  }
  return { datagrams: datagrams.slice(0, packets), ike: ikeSaKeys(sa), esp: espSaKeys(there.child) };
}

function espOf(sender: EspSender, turn: number, timeMs: number): Captured {
  const [here, there] = [PAIR_ADDRESSES.a.host, PAIR_ADDRESSES.b.host];
  const [source, destination] = turn & 1 ? [there, here] : [here, there];
  const data = new Uint8Array(SIZES[timeMs % SIZES.length] ?? 0);
  const ends = { source: INNER[turn & 1]!, destination: INNER[1 - (turn & 1)]! };
  const inner = buildEchoPacket(ends, { reply: (turn & 1) === 1, identifier: 1, sequence: timeMs, data });
  const packet = sender.seal(inner, IPV4_IN_ESP);
  if (!(packet instanceof Uint8Array)) throw new Error(packet.reason);
  return {
    ...{ timeMs, protocol: "esp", data: packet },
    source: { host: source, port: 0 },
    destination: { host: destination, port: 0 },
  };
}

const INNER = ["198.51.100.1", "203.0.113.1"].map((text) => parseAddress(text) ?? new Uint8Array(4));

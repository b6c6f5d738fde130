/** ICMP echo through the Child SA of a call. */
import { equal, readU16 } from "../wire/bytes.ts";
import { formatAddress, parseAddress } from "../wire/ip.ts";
import type { TrafficSelector } from "../wire/types.ts";
import type { Call, Connected } from "./call.ts";

export interface PingResult {
  from: string;
  to: string;
  sent: number;
  answered: number;
  roundTripMs: number[];
}

const SIZE = 56;
const PATIENCE_MS = 1_000;

/** One request after the other, each with a second for its reply. */
export async function icmpPing(
  call: Call,
  { child, pipe }: Connected,
  wishes: { to?: string; count: number },
): Promise<PingResult> {
  const { local, remote } = call.way;
  const from = hostOf(child.localTs, local.host);
  const to = wishes.to ?? hostOf(child.remoteTs, remote.host);
  const identifier = readU16(call.host.options.random(2), 0);
  const result: PingResult = { from, to, sent: 0, answered: 0, roundTripMs: [] };
  const answered = new Set<number>();
  call.onEvent((event) => {
    const echo = event.type === "esp-received" ? event.inner?.echo : undefined;
    if (echo?.reply && echo.identifier === identifier) answered.add(echo.sequence);
  });
  for (let sequence = 1; sequence <= wishes.count && !call.interrupted; sequence++) {
    const at = call.now();
    call.host.sendEcho(pipe, { from, to, identifier, sequence, data: new Uint8Array(SIZE) });
    result.sent++;
    if (!(await call.until(() => answered.has(sequence), PATIENCE_MS))) continue;
    result.answered++;
    result.roundTripMs.push(call.now() - at);
  }
  return result;
}

export function icmpLine({ from, to, sent, answered, roundTripMs }: PingResult): string {
  const best = roundTripMs.length > 0 ? `, fastest ${Math.min(...roundTripMs).toFixed(3)} ms` : "";
  return `ICMP echo through the tunnel, ${from} to ${to}: ${answered} of ${sent} answered${best}`;
}

/** The end itself where the selectors have room for it, else the first host of them. */
function hostOf(selectors: readonly TrafficSelector[], end: string): string {
  const address = parseAddress(end);
  const [first] = selectors;
  if (!first || (address && selectors.some((ts) => isWithin(ts, address)))) return end;
  const { startAddress, endAddress } = first;
  const host = startAddress.slice();
  // The first address of a prefix names the network.
  if (!equal(startAddress, endAddress)) host[host.length - 1] = (host.at(-1) ?? 0) + 1;
  return formatAddress(host);
}

const isWithin = ({ startAddress, endAddress }: TrafficSelector, address: Uint8Array): boolean =>
  startAddress.length === address.length &&
  Buffer.compare(startAddress, address) <= 0 &&
  Buffer.compare(address, endAddress) <= 0;

/** Whether what belongs inside of ESP also travelled outside of it. */

import type { Datagram } from "../link/types.ts";
import { demultiplex } from "../wire/udp.ts";
import type { Script } from "./script.ts";
import { Failure } from "./verdicts.ts";

/** ESP itself may leave its content readable, under NULL encryption. */
function isEsp(script: Script, { protocol, destination, data }: Datagram): boolean {
  if (protocol === "esp") return true;
  return (
    (protocol === "tcp" || destination.port === script.arena.natPort) && demultiplex(data).kind === "esp"
  );
}

/** A few octets can be there by chance. */
const FEWEST = 16;

const holds = (data: Uint8Array, packet: Uint8Array): boolean =>
  packet.length >= FEWEST && Buffer.from(data).includes(Buffer.from(packet));

/** Fails if an inner packet that came through ESP since the mark came in clear, too. */
export function expectNothingInClear(script: Script, since: number): void {
  const entries = script.trace.entries.slice(since);
  const inner = entries.flatMap(({ event }) =>
    event.type === "esp-received" && event.result.ok && !event.result.dummy ? [event.result.payload] : [],
  );
  const outside = script.received(since).filter((datagram) => !isEsp(script, datagram));
  const leaked = outside.find(({ data }) => inner.some((packet) => holds(data, packet)));
  if (leaked)
    throw new Failure(
      "the peer's packets inside of ESP alone",
      `one of them in clear, to port ${leaked.destination.port}`,
      { entry: entries.find(({ event }) => "datagram" in event && event.datagram === leaked) },
    );
}

/** Decoding and encoding, beside scapy on the same messages. */

import { makePair } from "../run/pair.ts";
import type { HostEvent } from "../script/host.ts";
import { decodeChain, decodeMessage, encodeChain, encodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { Payload } from "../wire/types.ts";
import { type BenchResult, type BenchRow, compared, rates } from "./measure.ts";
import { scapyFigures } from "./scapy.ts";

/** The IKE_SA_INIT request of an ordinary handshake, and the payloads inside of its IKE_AUTH request. */
function samples(): { init: Uint8Array; auth: Payload[] } {
  let init = new Uint8Array();
  let auth: Payload[] = [];
  const event = (end: "a" | "b", seen: HostEvent) => {
    if (end !== "a" || seen.type !== "sent" || seen.message.isResponse) return;
    if (seen.message.header.exchangeType === EXCHANGE.IKE_AUTH) auth = seen.message.payloads;
    else init = Uint8Array.from(seen.datagrams[0] ?? []);
  };
  const { a, network, addresses } = makePair({ seed: "bench wire", event });
  a.endpoint.connect(addresses.a, addresses.b);
  network.run(10);
  return { init, auth };
}

/** Messages per second through the wire layer. A quarter of the time is for scapy, if it is there. */
export async function benchWire(seconds: number): Promise<BenchResult> {
  const { init, auth } = samples();
  const inner = encodeChain(auth);
  const firstType = auth[0]?.type ?? 0;
  const message = decodeMessage(init);
  if (isFrameError(message)) throw new Error(message.error);
  const found = rates(
    {
      decodeInit: () => decodeMessage(init),
      encodeInit: () => encodeMessage(message),
      decodeAuth: () => decodeChain(firstType, inner),
      encodeAuth: () => encodeChain(auth),
    },
    seconds * 0.75,
  );
  const scapy = await scapyFigures([{ octets: init }, { firstType, octets: inner }], seconds / 16);
  const row = (what: string, value: number, scapys: number | undefined): BenchRow => {
    const reference = scapys === undefined ? undefined : { what: `scapy ${scapy?.version}`, value: scapys };
    return compared(what, value, "messages/s", reference);
  };
  const [initSize, innerSize] = [init.length, inner.length];
  return {
    name: "wire",
    rows: [
      row(`decode IKE_SA_INIT (${initSize} octets)`, found.decodeInit, scapy?.decode[0]),
      row(`encode IKE_SA_INIT (${initSize} octets)`, found.encodeInit, scapy?.encode[0]),
      row(`decode inside of IKE_AUTH (${innerSize} octets)`, found.decodeAuth, scapy?.decode[1]),
      row(`encode inside of IKE_AUTH (${innerSize} octets)`, found.encodeAuth, scapy?.encode[1]),
    ],
  };
}

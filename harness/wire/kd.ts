/** The Key Download payload (RFC 9838 section 4.5). */
import { view, type Writer } from "./bytes.ts";
import { note, type ReadContext } from "./context.ts";
import type { GroupKeyBag, KdPayload, MemberKeyBag } from "./group-types.ts";
import { keepTrailing } from "./sa.ts";
import {
  readReservedOne,
  readSubstructures,
  readTail,
  SUBSTRUCTURE_HEADER,
  spiEnd,
  writeSubstructure,
} from "./substructures.ts";

/** The body of a KD payload; undefined (with a finding) when a length in it leads outside its container. */
export function readKd(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): KdPayload | undefined {
  const list = readSubstructures(context, "KD > bag", start, end, readBag);
  if (list === undefined) return undefined;
  const payload: KdPayload = { kind: "KD", type, bags: list.items };
  if (list.rest < end) payload.trailing = keepTrailing(context, "KD", list.rest, end);
  if (list.items.length === 0) note(context, start, "KD", "no key bag");
  return payload;
}

function readBag(
  context: ReadContext,
  name: string,
  start: number,
  end: number,
): GroupKeyBag | MemberKeyBag | undefined {
  const protocolId = context.bytes[start]!;
  if (protocolId === 0) {
    const bag: MemberKeyBag = { kind: "member", attributes: [] };
    return readReservedOne(context, name, bag, start, end);
  }
  const attributesAt = spiEnd(context, name, start, end);
  if (attributesAt === undefined) return undefined;
  const spi = view(context.bytes, start + SUBSTRUCTURE_HEADER, attributesAt);
  const bag: GroupKeyBag = { kind: "group", protocolId, spi, attributes: [] };
  return readTail(context, name, bag, attributesAt, end) ? bag : undefined;
}

export function writeKd(out: Writer, payload: KdPayload): void {
  for (const bag of payload.bags) {
    if (bag.kind === "member") writeSubstructure(out, 0, bag.reserved ?? 0, bag, () => {});
    else writeSubstructure(out, bag.protocolId, bag.spiSize ?? bag.spi.length, bag, () => out.put(bag.spi));
  }
  if (payload.trailing !== undefined) out.put(payload.trailing);
}

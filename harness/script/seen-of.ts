/** What lint sees of a message that an endpoint received and opened: to judge a peer while it is talked to. */
import type { IncomingMessage } from "../ike/hooks.ts";
import type { SeenIke } from "../lint/seen.ts";
import { decodeChain, decodeMessage, isFrameError } from "../wire/index.ts";

/**
 * The message as the `packet`th that was seen, at `timeMs`. Give the linter what both ends received, or it knows of no
 * requests; undefined for octets that are no IKE message.
 */
export function seenOf(message: IncomingMessage, packet: number, timeMs: number): SeenIke | undefined {
  const decoded = decodeMessage(message.octets);
  if (isFrameError(decoded)) return undefined;
  const { protocol, source, destination } = message.datagram;
  const seen: SeenIke = {
    ...{ kind: "ike", transport: protocol === "tcp" ? "tcp" : "udp", packets: [packet], timeMs },
    ...{ source, destination, octets: message.octets, message: decoded },
  };
  const sealed = decoded.payloads.at(-1);
  if (!message.protected || (sealed?.kind !== "SK" && sealed?.kind !== "SKF")) return seen;
  const plaintext = message.inner ?? new Uint8Array();
  const opened = {
    ...{ opening: "opened" as const, plaintext, inner: decodeChain(sealed.innerType, plaintext) },
  };
  return sealed.kind === "SKF"
    ? { ...seen, ...opened, fragments: sealed.totalFragments }
    : { ...seen, ...opened };
}

/** What must be true of an ESP echo, whoever sent it. */
import type { ChildSa } from "../ike/child.ts";
import { hex } from "../wire/bytes.ts";
import { type Echo, echoForms, headerLength } from "../wire/esp-echo.ts";
import { echoRevision, numbersOf, type SeenEcho } from "./esp-echo.ts";
import type { SeenPlain } from "./esp-echo-plain.ts";
import { require } from "./expectations.ts";
import type { Script } from "./script.ts";

/** Fails unless the reply says what the request said, but for Sub-Type, flags and SPI, and nothing else. */
export function expectCopy(
  s: Script,
  sent: Echo,
  { echo, payload }: Pick<SeenEcho, "echo" | "payload">,
): void {
  require(echo !== undefined, "an echo of this revision", hex(payload));
  const form = echoForms[echoRevision(s)];
  if (form.header !== "bare" && form.header !== "none") {
    const { reply } = numbersOf(s).subType;
    require(echo.subType === reply, `Sub-Type ${reply}`, `${echo.subType}`);
    expectConsistent(s, { echo, payload });
  }
  require(echo.identifier === sent.identifier, `Identifier ${sent.identifier}`, `${echo.identifier}`);
  require(echo.sequence === sent.sequence, `Sequence Number ${sent.sequence}`, `${echo.sequence}`);
  const [is, was] = [hex(echo.data), hex(sent.data)];
  const octets = echo.data.length;
  if (octets < sent.data.length && was.startsWith(is) && mayShorten(s)) {
    s.tolerate(`${octets} octets of ${sent.data.length} came back, as a responder short of resources may do`);
    return;
  }
  require(is === was, `the ${sent.data.length} octets of Data that were sent`, `${octets}: ${is}`);
}

/** Drafts before the merge let a responder that is short of resources send fewer octets of Data. */
const mayShorten = (s: Script): boolean => ["E3", "E2"].includes(echoRevision(s));

/** Fails unless the payload is its header and as many octets as Data Length says: nothing is joined to it. */
export function expectConsistent(s: Script, { echo, payload }: Pick<SeenEcho, "echo" | "payload">): void {
  require(echo !== undefined, "an echo of this revision", hex(payload));
  const { dataLength = 0, flags } = echo;
  const whole = headerLength(echoForms[echoRevision(s)], flags) + dataLength;
  require(payload.length === whole, `a payload of ${whole} octets by its Data Length`, `${payload.length}`);
}

/** Fails unless the padding is the least that the cipher and RFC 4303 allow. */
export function expectLeastPadding({ encr }: ChildSa, { payload, padding }: SeenEcho): void {
  const align = Math.max(4, encr.blockSize);
  const least = (align - ((payload.length + 2) % align)) % align;
  require(padding.length === least, `${least} octets of padding`, `${padding.length}`);
}

/** What the drafts before the merge leave to RFC 4303 (padding), or only recommend (Next Header). */
const LEFT_OPEN = ["Pad Length", "Next Header"];

/**
 * Fails unless a plain packet is of ESP header, payload, padding and trailer, and nothing else; in the newest revision
 * with at most 3 octets of padding and Next Header 144.
 */
export function expectPlainForm(s: Script, { packet, read }: SeenPlain): void {
  require(read !== undefined, "a plain echo of this revision", hex(packet));
  const isOpen = ({ field }: { field: string }) => echoRevision(s) !== "M" && LEFT_OPEN.includes(field);
  const faults = read.findings.filter((finding) => !isOpen(finding));
  const inWords = (findings: typeof faults) => findings.map((f) => `${f.field}: ${f.reason}`).join(", ");
  require(faults.length === 0, "a packet without faults", inWords(faults));
  if (read.findings.length > 0) s.tolerate(inWords(read.findings));
  if (read.espSequence !== 0) s.tolerate(`ESP Sequence Number ${read.espSequence} instead of 0`);
}

/** Octets of the IP packet that held this ESP packet, as the peer sent it. */
export function ipOctets(s: Script, packet: Uint8Array): number {
  const datagram = s.received().find(({ data }) => data === packet || hex(data) === hex(packet));
  const ip = s.arena.remote.host.includes(":") ? 40 : 20;
  return ip + (datagram?.protocol === "esp" ? 0 : 8) + packet.length;
}

/** Runs tshark over a capture with our keys, as a second opinion on what the messages say. */
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { type PdmlField, type PdmlPacket, PdmlStream } from "./pdml.ts";

/** An IKE message as tshark reads it. Octets are lower-case hex. */
export interface DecodedIke {
  spiI: string;
  spiR: string;
  nextPayload: number;
  version: number;
  exchangeType: number;
  flags: number;
  messageId: number;
  length: number;
  /** The payloads in the clear, the SK payload itself among them. */
  payloads: DecodedPayload[];
  /**
   * The payloads inside SK; undefined when there is none or tshark could not decrypt it. Those of a fragmented
   * message stand with the fragment that completed it.
   */
  inner?: DecodedPayload[];
  /** What tshark found of the ICV; undefined when it did not check. */
  icv?: "good" | "bad";
  /** Set when it gave up: for `octets` that do not fit, or at the `depth` of nesting it allows (every payload is a level). */
  halted?: "octets" | "depth";
}

export interface DecodedPayload {
  type: number;
  nextPayload: number;
  critical: boolean;
  length: number;
  /** The whole payload with its generic header. */
  octets: string;
  /** Everything tshark found in it. */
  fields: PdmlField[];
}

/** An ESP packet as tshark reads it. */
export interface DecodedEsp {
  spi: number;
  sequence: number;
  /** Payload, padding and trailer; undefined when tshark could not decrypt it. */
  plaintext?: string;
  nextHeader?: number;
  icv?: "good" | "bad";
}

export interface DecodedFrame {
  /** Counted from 1. */
  number: number;
  /** Names of the protocols, outermost first; those inside a decrypted ESP packet too. */
  protocols: string[];
  ike?: DecodedIke;
  esp?: DecodedEsp;
  /** All messages and packets in it, in order: several where a segment of TCP has several frames. */
  parts: DecodedPart[];
}

export type DecodedPart = { kind: "ike"; ike: DecodedIke } | { kind: "esp"; esp: DecodedEsp };

export interface TsharkError {
  error: "missing" | "keys" | "failed";
  reason: string;
}

/** Of output that is no PDML. */
const MAX_OUTPUT = 1 << 20;
const TIMEOUT_MS = 120_000;

/** Teaches it the frames of RFC 9329; a tshark without Lua leaves it aside. */
const IKE_OVER_TCP = join(import.meta.dirname, "iketcp.lua");

/** Version as in `4.0.17`, or undefined where there is no tshark. */
export function tsharkVersion(): Promise<string | undefined> {
  const options = { maxBuffer: MAX_OUTPUT, timeout: TIMEOUT_MS };
  return new Promise((resolve) => {
    execFile("tshark", ["--version"], options, (failure, stdout) =>
      resolve(failure ? undefined : /TShark.*?(\d+\.\d+\.\d+)/.exec(stdout)?.[1]),
    );
  });
}

/**
 * Decodes all frames of a capture. `keyFolder` is one that `writeKeyFolder` made; a table that tshark refuses is an
 * error, since it goes on without any keys.
 */
export async function decodeWithTshark(
  capture: string,
  keyFolder: string,
): Promise<DecodedFrame[] | TsharkError> {
  const frames: DecodedFrame[] = [];
  const error = await eachFrame(capture, keyFolder, (frame) => void frames.push(frame));
  return error ?? frames;
}

/** The same, frame by frame, so that memory does not grow with the capture. */
export function eachFrame(
  capture: string,
  keyFolder: string,
  take: (frame: DecodedFrame) => void,
): Promise<TsharkError | undefined> {
  const args = ["-X", `lua_script:${IKE_OVER_TCP}`, "-n", "-r", capture, "-T", "pdml"];
  const env = { ...process.env, LC_ALL: "C.UTF-8", WIRESHARK_CONFIG_DIR: keyFolder };
  const child = spawn("tshark", args, { env, timeout: TIMEOUT_MS, stdio: ["ignore", "pipe", "pipe"] });
  const pdml = new PdmlStream();
  let errors = "";
  const takeAll = (packets: PdmlPacket[]) => packets.map(decodeFrame).forEach(take);
  child.stdout.setEncoding("utf8").on("data", (piece: string) => takeAll(pdml.push(piece)));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    if (errors.length < MAX_OUTPUT) errors += piece;
  });
  return new Promise((resolve) => {
    child.on("error", () => resolve({ error: "missing", reason: "there is no tshark" }));
    child.on("close", (code, signal) => {
      takeAll(pdml.end());
      resolve(errorOf(errors, code ?? signal));
    });
  });
}

function errorOf(errors: string, status: number | string | null): TsharkError | undefined {
  const refused = /^.*Error loading table.*$/m.exec(errors);
  if (refused) return { error: "keys", reason: refused[0] };
  if (status === 0) return undefined;
  return { error: "failed", reason: errors.trim().split("\n").at(-1) || `tshark ended with ${status}` };
}

function decodeFrame({ protocols }: PdmlPacket): DecodedFrame {
  const frame = protocols.find(({ name }) => name === "frame");
  const parts = partsOf(protocols);
  const [ike, esp] = [parts.find((part) => part.kind === "ike"), parts.find((part) => part.kind === "esp")];
  return {
    number: number(frame, "frame.number"),
    protocols: protocols.map(({ name }) => name).filter((name) => !PSEUDO.has(name)),
    ...(ike && { ike: ike.ike }),
    ...(esp && { esp: esp.esp }),
    parts,
  };
}

/** Beside TCP, what stands behind the first is inside of it. */
function partsOf(protocols: readonly PdmlField[]): DecodedPart[] {
  const all = protocols.flatMap((protocol, at): DecodedPart[] => {
    if (protocol.name === "esp") return [{ kind: "esp", esp: decodeEsp(protocol) }];
    if (protocol.name !== "isakmp") return [];
    const halt = protocols[at + 1];
    if (halt?.name !== "_ws.malformed") return [{ kind: "ike", ike: decodeIke(protocol) }];
    const halted = halt.showname.includes("max_tree_depth") ? "depth" : "octets";
    return [{ kind: "ike", ike: { ...decodeIke(protocol), halted } }];
  });
  return protocols.some(({ name }) => name === "iketcp") ? all : all.slice(0, 1);
}

/** What PDML lists beside protocols. */
const PSEUDO = new Set(["geninfo", "frame", "raw", "fake-field-wrapper"]);

function decodeIke(proto: PdmlField): DecodedIke {
  const payloads = proto.fields.filter(isPayload).map(decodePayload);
  const encrypted = payloads.find(({ type }) => type === SK || type === SKF);
  const inner = encrypted && innerPayloads(encrypted);
  const icv = encrypted && checked(find(encrypted.fields, "isakmp.enc.icd")?.showname);
  return {
    spiI: child(proto, "isakmp.ispi")?.value ?? "",
    spiR: child(proto, "isakmp.rspi")?.value ?? "",
    nextPayload: number(proto, "isakmp.nextpayload"),
    version: number(proto, "isakmp.version"),
    exchangeType: number(proto, "isakmp.exchangetype"),
    flags: number(proto, "isakmp.flags"),
    messageId: number(proto, "isakmp.messageid"),
    length: number(proto, "isakmp.length"),
    payloads,
    ...(inner && { inner: inner.map(decodePayload) }),
    ...(icv && { icv }),
  };
}

const SK = 46;
const SKF = 53;

/** tshark puts the payloads of a reassembled message beside the decrypted octets of the last fragment, not into them. */
function innerPayloads({ type, fields }: DecodedPayload): PdmlField[] | undefined {
  if (type === SK) return find(fields, "isakmp.enc.contained")?.fields.filter(isPayload);
  const reassembled = fields.filter(isPayload);
  return reassembled.length > 0 ? reassembled : undefined;
}

function isPayload({ name }: PdmlField): boolean {
  return name === "isakmp.typepayload";
}

function decodePayload(field: PdmlField): DecodedPayload {
  return {
    type: Number(field.show),
    nextPayload: number(field, "isakmp.nextpayload"),
    critical: number(field, "isakmp.criticalpayload") === 1,
    length: number(field, "isakmp.payloadlength"),
    octets: field.value,
    fields: field.fields,
  };
}

function decodeEsp(proto: PdmlField): DecodedEsp {
  const plaintext = find(proto.fields, "esp.decrypted_data") ?? find(proto.fields, "esp.contained_data");
  const nextHeader = find(proto.fields, "esp.protocol");
  const icv = checked(find(proto.fields, "esp.icv")?.showname);
  return {
    spi: number(proto, "esp.spi"),
    sequence: number(proto, "esp.sequence"),
    ...(plaintext && { plaintext: plaintext.value }),
    ...(nextHeader && { nextHeader: Number(nextHeader.show) }),
    ...(icv && { icv }),
  };
}

function checked(showname = ""): "good" | "bad" | undefined {
  if (showname.includes("[correct]")) return "good";
  return showname.includes("[incorrect") ? "bad" : undefined;
}

function child(parent: PdmlField | undefined, name: string): PdmlField | undefined {
  return parent?.fields.find((field) => field.name === name);
}

/** The number a field shows, -1 where there is no such field. */
function number(parent: PdmlField | undefined, name: string): number {
  return Number(child(parent, name)?.show ?? -1);
}

function find(fields: readonly PdmlField[], name: string): PdmlField | undefined {
  for (const field of fields) {
    const found = field.name === name ? field : find(field.fields, name);
    if (found) return found;
  }
  return undefined;
}

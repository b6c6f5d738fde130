/** Runs tshark over a capture with our keys, as a second opinion on what the messages say. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { type PdmlField, type PdmlPacket, parsePdml } from "./pdml.ts";

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
}

export interface TsharkError {
  error: "missing" | "keys" | "failed";
  reason: string;
}

/** PDML is verbose: some 10 kB for a message. */
const MAX_OUTPUT = 1 << 29;
const TIMEOUT_MS = 120_000;

/** Teaches it the frames of RFC 9329; a tshark without Lua leaves it aside. */
const IKE_OVER_TCP = join(import.meta.dirname, "iketcp.lua");

/** Version as in `4.0.17`, or undefined where there is no tshark. */
export async function tsharkVersion(): Promise<string | undefined> {
  const run = await tshark(["--version"], {});
  return "error" in run ? undefined : /TShark.*?(\d+\.\d+\.\d+)/.exec(run.stdout)?.[1];
}

/**
 * Decodes all frames of a capture. `keyFolder` is one that `writeKeyFolder` made; a table that tshark refuses is an
 * error, since it goes on without any keys.
 */
export async function decodeWithTshark(
  capture: string,
  keyFolder: string,
): Promise<DecodedFrame[] | TsharkError> {
  const args = ["-X", `lua_script:${IKE_OVER_TCP}`, "-n", "-r", capture, "-T", "pdml"];
  const run = await tshark(args, { WIRESHARK_CONFIG_DIR: keyFolder });
  if ("error" in run) return run;
  const refused = /^.*Error loading table.*$/m.exec(run.stderr);
  if (refused) return { error: "keys", reason: refused[0] };
  return parsePdml(run.stdout).map(decodeFrame);
}

function tshark(
  args: string[],
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string } | TsharkError> {
  const options = {
    maxBuffer: MAX_OUTPUT,
    timeout: TIMEOUT_MS,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
  };
  return new Promise((resolve) => {
    execFile("tshark", args, options, (failure, stdout, stderr) => {
      if (!failure) resolve({ stdout, stderr });
      else if (failure.code === "ENOENT") resolve({ error: "missing", reason: "there is no tshark" });
      else resolve({ error: "failed", reason: stderr.trim().split("\n").at(-1) || failure.message });
    });
  });
}

function decodeFrame({ protocols }: PdmlPacket): DecodedFrame {
  const outer = (name: string) => protocols.find((protocol) => protocol.name === name);
  const frame: DecodedFrame = {
    number: number(outer("frame"), "frame.number"),
    protocols: protocols.map((protocol) => protocol.name).filter((name) => !PSEUDO.has(name)),
  };
  const [ike, esp] = [outer("isakmp"), outer("esp")];
  if (ike) frame.ike = decodeIke(ike);
  if (esp) frame.esp = decodeEsp(esp);
  return frame;
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

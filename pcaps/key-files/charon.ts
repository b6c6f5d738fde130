/**
 * Reads keys from a log of strongSwan at `ike = 4, chd = 4`, where charon dumps them in hex. It tells neither the SPIs
 * of an IKE SA nor whose part in an exchange was whose; what opens a packet tells it later. `chd = 2` and more has the
 * SPIs of Child SAs.
 */
import { ALL_ENCR } from "../../harness/crypto/encr.ts";
import { ALL_INTEG } from "../../harness/crypto/integ.ts";
import type { Encr } from "../../harness/crypto/types.ts";
import { EMPTY } from "../../harness/wire/bytes.ts";
import type { EspSaKeys } from "../keys.ts";
import { CHARON_ENCR, CHARON_INTEG, encrOfLength, keyBitsOf } from "./names.ts";
import { Gathered, type KeysRead, linesOf, type UnboundKeys } from "./types.ts";

/** Time, thread and group as charon begins a line of a file, of syslog or of the journal; with the SA if asked for. */
const LINE = /(\d{1,6})\[([A-Z]{3})\] (?:<[^>]{1,200}> )?(.*)$/;
const DUMP = /^(.{1,60}) => (\d{1,4}) bytes/;
const DUMPED = /^\s*\d+: ((?:[0-9A-F]{2} ?){1,16})/;

const IKE_KEYS: Record<string, keyof UnboundKeys> = {
  "Sk_d secret": "SK_d",
  "Sk_ai secret": "SK_ai",
  "Sk_ar secret": "SK_ar",
  "Sk_ei secret": "SK_ei",
  "Sk_er secret": "SK_er",
  "Sk_pi secret": "SK_pi",
  "Sk_pr secret": "SK_pr",
};

const CHILD_KEYS = new Set([
  "encryption initiator key",
  "encryption responder key",
  "integrity initiator key",
  "integrity responder key",
]);

/** Threads whose work in progress is kept. */
const MOST_THREADS = 1024;

/** A dump of which lines are still to come. */
interface Dump {
  label: string;
  line: number;
  octets: Uint8Array;
  filled: number;
}

/** What a thread of charon is about: its lines stand in order, those of others between them. */
interface Thread {
  dump?: Dump;
  ike: Map<string, Uint8Array>;
  child: Map<string, Uint8Array>;
  encr?: string;
  integ?: string;
  esn?: boolean;
}

/** Whether a text is meant as such a log. */
export const looksLikeCharonLog = (text: string): boolean =>
  /^.*\b\d+\[(?:IKE|CHD|CFG|ENC|NET|DMN|MGR|KNL|JOB|LIB)\] /m.test(text.slice(0, 1 << 20));

/** Reads a log. Never throws; a dump that is cut short is a fault. */
export function parseCharonLog(text: string): KeysRead {
  const reader = new Reader();
  for (const [number, line] of linesOf(text)) reader.line(number, line);
  return reader.end();
}

class Reader {
  readonly #read = new Gathered();
  readonly #threads = new Map<string, Thread>();
  /** Names of transforms in selected proposals, as in `AES_CBC_256`. */
  readonly #selected = new Set<string>();

  line(number: number, line: string): void {
    const found = LINE.exec(line);
    if (!found) return;
    const [, id = "", group, said = ""] = found;
    const thread = this.#threadOf(id);
    const { dump } = thread;
    const dumped = dump && DUMPED.exec(said)?.[1];
    if (dump && dumped) this.#more(thread, dump, dumped);
    else {
      if (dump) this.#cut(thread, dump);
      this.#said(thread, number, group ?? "", said);
    }
  }

  end(): KeysRead {
    for (const thread of this.#threads.values()) {
      if (thread.dump) this.#cut(thread, thread.dump);
      this.#ikeDone(thread);
    }
    return this.#read;
  }

  #threadOf(id: string): Thread {
    const known = this.#threads.get(id);
    if (known) return known;
    const thread: Thread = { ike: new Map(), child: new Map() };
    if (this.#threads.size < MOST_THREADS) this.#threads.set(id, thread);
    return thread;
  }

  #more(thread: Thread, dump: Dump, hex: string): void {
    const octets = Buffer.from(hex.replaceAll(" ", ""), "hex").subarray(0, dump.octets.length - dump.filled);
    dump.octets.set(octets, dump.filled);
    dump.filled += octets.length;
    if (dump.filled < dump.octets.length) return;
    thread.dump = undefined;
    this.#key(thread, dump.label, dump.octets);
  }

  #cut(thread: Thread, { label, line, octets, filled }: Dump): void {
    thread.dump = undefined;
    this.#read.addFault({ line, reason: `"${label}" is cut: ${filled} of ${octets.length} octets` });
  }

  #said(thread: Thread, line: number, group: string, said: string): void {
    const [, label = "", length] = DUMP.exec(said) ?? [];
    if (label in IKE_KEYS || CHILD_KEYS.has(label)) {
      if (label === "Sk_d secret") this.#ikeDone(thread);
      const octets = new Uint8Array(Number(length));
      if (octets.length > 0) thread.dump = { label, line, octets, filled: 0 };
    } else if (group === "CFG") this.#proposal(thread, said);
    else if (group === "CHD") this.#aboutChild(thread, line, said);
  }

  #proposal(thread: Thread, said: string): void {
    const [, protocol, names = ""] = /^selected proposal: (IKE|ESP):(\S{1,400})/.exec(said) ?? [];
    const transforms = names.split("/");
    if (protocol === "IKE") for (const name of transforms) this.#selected.add(name);
    if (protocol === "ESP") thread.esn = transforms.includes("EXT_SEQ");
  }

  #key(thread: Thread, label: string, octets: Uint8Array): void {
    if (CHILD_KEYS.has(label)) {
      // Encryption comes first: integrity keys of an SA before would stay behind an AEAD cipher's.
      if (label === "encryption initiator key") thread.child.clear();
      thread.child.set(label, octets);
      return;
    }
    thread.ike.set(label, octets);
    if (label === "Sk_pr secret") this.#ikeDone(thread);
  }

  #ikeDone(thread: Thread): void {
    const of = (label: string) => thread.ike.get(label);
    const [SK_ei, SK_er] = [of("Sk_ei secret"), of("Sk_er secret")];
    const [SK_ai = EMPTY, SK_ar = EMPTY] = [of("Sk_ai secret"), of("Sk_ar secret")];
    const others = { SK_d: of("Sk_d secret"), SK_pi: of("Sk_pi secret"), SK_pr: of("Sk_pr secret") };
    thread.ike.clear();
    if (!SK_ei || !SK_er) return;
    const suites = suitesOf(SK_ei.length, SK_ai.length, this.#selected);
    this.#read.addUnbound(suites.map((suite) => ({ ...suite, ...others, SK_ei, SK_er, SK_ai, SK_ar })));
  }

  #aboutChild(thread: Thread, line: number, said: string): void {
    const [, name, what] = /^\s*using (\S{1,40}) for (encryption|integrity)/.exec(said) ?? [];
    if (what === "encryption") {
      thread.encr = name;
      thread.integ = undefined;
    } else if (what === "integrity") thread.integ = name;
    const [, spi, source = "", destination = ""] =
      /^\s*SPI 0x([0-9a-f]{1,8}), src (\S{1,60}) dst (\S{1,60})/.exec(said) ?? [];
    if (spi === undefined || thread.child.size === 0) return;
    const made = espOf(thread, { spi: Number.parseInt(spi, 16), source, destination });
    if ("reason" in made) this.#read.addFault({ line, reason: made.reason });
    else for (const keys of made) this.#read.addEsp(keys);
  }
}

/** Transforms whose keys have these lengths, those that were selected before others: the log tells no more of them. */
function suitesOf(
  encrOctets: number,
  integOctets: number,
  selected: ReadonlySet<string>,
): Pick<UnboundKeys, "encrId" | "keyBits" | "integId">[] {
  const aead = integOctets === 0;
  const encrs = ALL_ENCR.filter(
    (encr) => encr.keyLength === encrOctets && encr.aead === aead && !encr.implicitIv && !UNFIT.has(encr.id),
  );
  const integs = aead ? [undefined] : ALL_INTEG.filter((integ) => integ.keyLength === integOctets);
  return encrs
    .toSorted((a, b) => Number(selected.has(charonName(b))) - Number(selected.has(charonName(a))))
    .flatMap((encr) =>
      integs.map((integ) => ({ encrId: encr.id, keyBits: keyBitsOf(encr), integId: integ?.id })),
    );
}

/** NULL and NULL with GMAC, which IKE does not use. */
const UNFIT = new Set([11, 21]);

function charonName(encr: Encr): string {
  const name = Object.keys(CHARON_ENCR).find((key) => CHARON_ENCR[key] === encr.id) ?? "";
  const bits = keyBitsOf(encr);
  return bits === undefined ? name : `${name}_${bits}`;
}

/**
 * The keys of an SPI. Whether it is the initiator's or the responder's is in no line of this thread: both are given, and
 * only the right ones will open its packets.
 */
function espOf(
  { child, encr: encrName = "", integ: integName, esn }: Thread,
  sa: Pick<EspSaKeys, "spi" | "source" | "destination">,
): EspSaKeys[] | { reason: string } {
  const encrId = CHARON_ENCR[encrName];
  const integId = integName === undefined ? undefined : CHARON_INTEG[integName];
  if (encrId === undefined || (integName !== undefined && integId === undefined))
    return { reason: "keys of a Child SA behind no algorithm that is known here" };
  return ["initiator", "responder"].flatMap((who) => {
    const encrKey = child.get(`encryption ${who} key`) ?? EMPTY;
    const integKey = child.get(`integrity ${who} key`) ?? EMPTY;
    const encr = encrOfLength(encrId, encrKey.length);
    if (!encr) return [];
    return [{ ...sa, encrId, keyBits: keyBitsOf(encr), integId, esn, encrKey, integKey }];
  });
}

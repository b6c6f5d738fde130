/** The bytes of vici, strongSwan's control protocol: messages of sections, lists and key/value pairs, in packets. */

/** A value: text (what is not UTF-8 becomes U+FFFD), a list of texts, or a section. */
export type ViciValue = string | string[] | ViciMessage;
export type ViciMessage = Map<string, ViciValue>;

/** What may be given where a message is written. */
export interface ViciFields {
  [key: string]: string | number | string[] | ViciFields;
}

/** Bytes that are no vici message or packet. */
export class ViciFormatError extends Error {}

const ELEMENT = {
  sectionStart: 1,
  sectionEnd: 2,
  keyValue: 3,
  listStart: 4,
  listItem: 5,
  listEnd: 6,
} as const;

export const PACKET = {
  request: 0,
  response: 1,
  unknownCommand: 2,
  register: 3,
  unregister: 4,
  confirm: 5,
  unknownEvent: 6,
  event: 7,
} as const;

/** Longest packet either side sends. */
export const MAX_PACKET = 512 * 1024;
/** Sections deeper than this are taken for garbage. */
const MAX_DEPTH = 32;

function name(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new ViciFormatError(`name of ${bytes.length} octets`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function value(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 65535) throw new ViciFormatError(`value of ${bytes.length} octets`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * Bytes of a message; fields set to undefined cannot occur, leave them out.
 * @throws ViciFormatError for a name over 255 or a value over 65,535 octets
 */
export function encodeMessage(fields: ViciFields): Buffer {
  const parts: Buffer[] = [];
  for (const [key, content] of Object.entries(fields)) {
    if (Array.isArray(content)) {
      parts.push(Buffer.of(ELEMENT.listStart), name(key));
      for (const item of content) parts.push(Buffer.of(ELEMENT.listItem), value(item));
      parts.push(Buffer.of(ELEMENT.listEnd));
    } else if (typeof content === "object") {
      parts.push(Buffer.of(ELEMENT.sectionStart), name(key), encodeMessage(content));
      parts.push(Buffer.of(ELEMENT.sectionEnd));
    } else {
      parts.push(Buffer.of(ELEMENT.keyValue), name(key), value(String(content)));
    }
  }
  return Buffer.concat(parts);
}

/** Reads with bounds checks; every failure is a ViciFormatError with the offset. */
class Reader {
  readonly #bytes: Buffer;
  offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.offset >= this.#bytes.length;
  }

  octet(): number {
    if (this.done) throw this.error("ends early");
    return this.#bytes[this.offset++]!;
  }

  text(lengthOctets: 1 | 2): string {
    const length = lengthOctets === 1 ? this.octet() : this.octet() * 256 + this.octet();
    const end = this.offset + length;
    if (end > this.#bytes.length) throw this.error(`${length} octets announced`);
    const text = this.#bytes.toString("utf8", this.offset, end);
    this.offset = end;
    return text;
  }

  error(what: string): ViciFormatError {
    return new ViciFormatError(`vici message: ${what} at offset ${this.offset} of ${this.#bytes.length}`);
  }
}

function readList(reader: Reader): string[] {
  const items: string[] = [];
  for (;;) {
    const type = reader.octet();
    if (type === ELEMENT.listEnd) return items;
    if (type !== ELEMENT.listItem) throw reader.error(`element ${type} in a list`);
    items.push(reader.text(2));
  }
}

function readSection(reader: Reader, depth: number): ViciMessage {
  const section: ViciMessage = new Map();
  while (depth > 0 || !reader.done) {
    const type = reader.octet();
    if (type === ELEMENT.sectionEnd && depth > 0) return section;
    if (type === ELEMENT.keyValue) {
      section.set(reader.text(1), reader.text(2));
    } else if (type === ELEMENT.listStart) {
      section.set(reader.text(1), readList(reader));
    } else if (type === ELEMENT.sectionStart && depth < MAX_DEPTH) {
      section.set(reader.text(1), readSection(reader, depth + 1));
    } else {
      throw reader.error(`unexpected element ${type}`);
    }
  }
  return section;
}

/**
 * A message out of its bytes; of two values with one name the later counts.
 * @throws ViciFormatError and nothing else
 */
export function decodeMessage(bytes: Uint8Array): ViciMessage {
  return readSection(new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)), 0);
}

/** A packet: type, name for those that carry one, and the message's bytes. */
export interface ViciPacket {
  type: number;
  name: string;
  body: Buffer;
}

const NAMED: readonly number[] = [PACKET.request, PACKET.register, PACKET.unregister, PACKET.event];

/** Bytes of a packet with its length in front. */
export function encodePacket(type: number, packetName: string, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const content = [Buffer.of(type), ...(NAMED.includes(type) ? [name(packetName)] : []), body];
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([length, ...content]);
}

/** Cuts a stream into packets. */
export class PacketReader {
  #pending: Buffer = Buffer.alloc(0);

  /**
   * Takes the next piece of the stream and gives the packets that are complete.
   * @throws ViciFormatError when a length or name cannot be right; the stream is of no use then
   */
  push(data: Uint8Array): ViciPacket[] {
    this.#pending = Buffer.concat([this.#pending, data]);
    const packets: ViciPacket[] = [];
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0);
      if (length === 0 || length > MAX_PACKET) throw new ViciFormatError(`vici packet of ${length} octets`);
      if (this.#pending.length < 4 + length) break;
      packets.push(parsePacket(this.#pending.subarray(4, 4 + length)));
      this.#pending = this.#pending.subarray(4 + length);
    }
    return packets;
  }
}

function parsePacket(content: Buffer): ViciPacket {
  const type = content[0]!;
  if (!NAMED.includes(type)) return { type, name: "", body: content.subarray(1) };
  const reader = new Reader(content);
  reader.octet();
  const packetName = reader.text(1);
  return { type, name: packetName, body: content.subarray(reader.offset) };
}

/** The section of this name; an empty one where there is none. */
export function section(message: ViciMessage, key: string): ViciMessage {
  const found = message.get(key);
  return found instanceof Map ? found : new Map();
}

/** The text of this name; empty where there is none. */
export function text(message: ViciMessage, key: string): string {
  const found = message.get(key);
  return typeof found === "string" ? found : "";
}

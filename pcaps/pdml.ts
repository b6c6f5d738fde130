/**
 * Reads PDML, the XML form in which tshark tells all it knows of a packet: one element to a line, text only in
 * attributes.
 */

export interface PdmlField {
  /** As in a display filter: `isakmp.exchangetype`. Empty for text without a filter name. */
  name: string;
  /** The value as the filter would compare it. */
  show: string;
  /** What a reader sees. */
  showname: string;
  /** The octets in hex; of a field of a few bits, their value. */
  value: string;
  /** Octets from the start of the buffer the field lies in. */
  pos: number;
  size: number;
  fields: PdmlField[];
}

export interface PdmlPacket {
  protocols: PdmlField[];
}

const PACKET_END = "</packet>";

/** Reads PDML that comes in pieces. */
export class PdmlStream {
  #rest = "";

  /** The packets that are complete with this piece. */
  push(piece: string): PdmlPacket[] {
    const end = piece.lastIndexOf(PACKET_END);
    // The mark may lie across two pieces; it is found with the one after them.
    if (end < 0) {
      this.#rest += piece;
      return [];
    }
    const text = this.#rest + piece.slice(0, end + PACKET_END.length);
    this.#rest = piece.slice(end + PACKET_END.length);
    return parsePdml(text);
  }

  /** What stands behind the last packet that was given. */
  end(): PdmlPacket[] {
    return parsePdml(this.#rest);
  }
}

const ELEMENT = /<(\/?)(packet|proto|field)\b([^>]*?)(\/?)>/g;
const ATTRIBUTE = /([\w-]+)="([^"]*)"/g;

/** Elements of other kinds are passed over; an end without a beginning, too. */
export function parsePdml(text: string): PdmlPacket[] {
  const packets: PdmlPacket[] = [];
  let open: PdmlField[] = [];
  for (const [, closing, element, attributes = "", empty] of text.matchAll(ELEMENT)) {
    if (closing) open.pop();
    else if (element === "packet") {
      packets.push({ protocols: [] });
      open = [];
    } else {
      const field = readField(attributes);
      (open.at(-1)?.fields ?? packets.at(-1)?.protocols)?.push(field);
      if (!empty) open.push(field);
    }
  }
  return packets;
}

function readField(text: string): PdmlField {
  const attributes = new Map(
    [...text.matchAll(ATTRIBUTE)].map(([, name, value]) => [name, unescapeXml(value ?? "")]),
  );
  const get = (name: string) => attributes.get(name) ?? "";
  return {
    name: get("name"),
    show: get("show"),
    showname: get("showname"),
    value: get("value"),
    pos: Number(get("pos")),
    size: Number(get("size")),
    fields: [],
  };
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name) return ENTITIES[name] ?? all;
    return String.fromCodePoint(Math.min(hex ? Number.parseInt(hex, 16) : Number(decimal), 0x10ffff));
  });
}

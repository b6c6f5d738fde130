/** Shows planted faults the messages that come, before the core judges them: a faulty parser runs first, too. */
import type { Core } from "../../../harness/ike/core.ts";
import type { Extension, IncomingMessage } from "../../../harness/ike/hooks.ts";
import { excess } from "../../../harness/ike/limits.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { openPayload } from "../../../harness/ike/sk.ts";
import type { Datagram } from "../../../harness/link/types.ts";
import { hex } from "../../../harness/wire/bytes.ts";
import { decodeChain, decodeMessage, isFrameError } from "../../../harness/wire/index.ts";
import { FLAG } from "../../../harness/wire/types.ts";
import { demultiplex } from "../../../harness/wire/udp.ts";

/** A message that came. `sa` is set once its IKE SA has keys, and then it was opened. */
export interface Seen extends IncomingMessage {
  /** No repeat, and in order: the next request, or the response that is waited for. */
  fresh: boolean;
}

export type Eye = (message: Seen, core: Core) => void;

/** One peer's. A message in fragments is seen when it is whole; all others as they come, malformed ones too. */
export class Watch {
  readonly #eyes: readonly Eye[];
  readonly #natPort: number;
  readonly #seen = new WeakSet<Datagram>();

  constructor(eyes: readonly Eye[], natPort: number) {
    this.#eyes = eyes;
    this.#natPort = natPort;
  }

  /** To be called with every datagram before the endpoint takes it. */
  take(core: Core, datagram: Datagram): void {
    if (this.#eyes.length === 0) return;
    const message = read(core, datagram, this.#natPort);
    if (message) this.#show(core, message);
  }

  /** Stands before those of the faults. */
  get extension(): Extension {
    return {
      name: "watch",
      incoming: (message, core) => {
        const { sa } = message;
        if (sa && !this.#seen.has(message.datagram))
          this.#show(core, { ...message, fresh: isFresh(sa, message) });
        return undefined;
      },
    };
  }

  #show(core: Core, message: Seen): void {
    this.#seen.add(message.datagram);
    for (const eye of this.#eyes) eye(message, core);
  }
}

function read(core: Core, datagram: Datagram, natPort: number): Seen | undefined {
  const octets = ikeOctets(datagram, natPort);
  const decoded = octets && decodeMessage(octets);
  if (!octets || !decoded || isFrameError(decoded) || decoded.header.length !== undefined) return undefined;
  const { header, payloads, findings = [] } = decoded;
  const isResponse = (header.flags & FLAG.response) !== 0;
  const message = { header, isResponse, payloads, clear: [], protected: false, octets, datagram, findings };
  const fromInitiator = (header.flags & FLAG.initiator) !== 0;
  const sa = core.sas.get(hex(fromInitiator ? header.spiR : header.spiI));
  if (!sa?.inbound) return excess(payloads) ? undefined : { ...message, fresh: true };
  const last = payloads.at(-1);
  const opened = last?.kind === "SK" ? openPayload(sa.inbound, octets, last) : undefined;
  if (!opened || "error" in opened) return undefined;
  const chain = decodeChain(opened.innerType, opened.plaintext);
  if (excess(chain.payloads)) return undefined;
  return {
    ...{ ...message, sa, payloads: chain.payloads, inner: opened.plaintext, clear: payloads.slice(0, -1) },
    ...{ protected: true, findings: [...findings, ...chain.findings], fresh: isFresh(sa, message) },
  };
}

function ikeOctets({ protocol, destination, data }: Datagram, natPort: number): Uint8Array | undefined {
  if (protocol === "esp") return undefined;
  if (protocol === "udp" && destination.port !== natPort) return data;
  const part = demultiplex(data);
  return part.kind === "ike" ? part.data : undefined;
}

function isFresh(sa: IkeSa, { header, isResponse }: Pick<IncomingMessage, "header" | "isResponse">): boolean {
  if (!isResponse) return header.messageId === sa.expectedMessageId && !sa.answering;
  const { pending } = sa;
  return pending?.messageId === header.messageId && pending.exchangeType === header.exchangeType;
}

/** What was negotiated, in lines. */
import type { ChildSa } from "../ike/child.ts";
import type { IkeSa } from "../ike/sa.ts";
import { formatRange } from "../wire/address.ts";
import { hex } from "../wire/bytes.ts";
import { formatProposal } from "../wire/registry/proposal-spec.ts";
import type { TrafficSelector } from "../wire/types.ts";
import type { Connected } from "./call.ts";

/** How the ESP packets of an IKE SA travel. */
function espWay({ local, nat }: IkeSa): "TCP" | "UDP" | "IP" {
  if (local.transport === "tcp") return "TCP";
  return nat?.peer || nat?.us ? "UDP" : "IP";
}

const WAYS = { TCP: "ESP in TCP", UDP: "ESP in UDP", IP: "ESP as IP protocol 50" } as const;

export const espWayText = (sa: IkeSa): string => WAYS[espWay(sa)];

const rangeText = ({ startAddress, endAddress, ipProtocol, startPort, endPort }: TrafficSelector): string => {
  const range = formatRange({ start: startAddress, end: endAddress });
  const ports = startPort === 0 && endPort === 0xffff ? "" : ` ports ${startPort}-${endPort}`;
  return `${range}${ipProtocol === 0 ? "" : ` protocol ${ipProtocol}`}${ports}`;
};

const selectors = (all: readonly TrafficSelector[]): string => all.map(rangeText).join(", ");

/** The facts, for JSON. */
export interface Negotiated {
  ike: { spiI: string; spiR: string; proposal: string; local: string; remote: string };
  child: {
    spiIn: string;
    spiOut: string;
    proposal: string;
    mode: ChildSa["mode"];
    localTs: string;
    remoteTs: string;
    over: "TCP" | "UDP" | "IP";
  };
}

export function negotiated({ sa, child }: Connected): Negotiated {
  const end = ({ host, port }: IkeSa["local"]): string => `${host} port ${port}`;
  return {
    ike: {
      ...{ spiI: hex(sa.spiI), spiR: hex(sa.spiR), local: end(sa.local), remote: end(sa.remote) },
      proposal: sa.proposal ? formatProposal(sa.proposal) : "",
    },
    child: {
      ...{ spiIn: hex(child.spiIn), spiOut: hex(child.spiOut), mode: child.mode, over: espWay(sa) },
      ...{ localTs: selectors(child.localTs), remoteTs: selectors(child.remoteTs) },
      proposal: formatProposal(child.proposal),
    },
  };
}

export function negotiatedLines(connected: Connected): string[] {
  const { ike, child } = negotiated(connected);
  return [
    `IKE SA ${ike.spiI}_i ${ike.spiR}_r: ${ike.local} to ${ike.remote}, ${ike.proposal}`,
    `Child SA ${child.spiIn}_in ${child.spiOut}_out: ${child.proposal}, ${child.mode} mode, ${espWayText(connected.sa)}`,
    `  ours ${child.localTs}, the peer's ${child.remoteTs}`,
  ];
}

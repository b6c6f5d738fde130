/** Opens a live responder: its sockets, its folder, its sessions. */
import { LabError } from "../../peers/runtime/errors.ts";
import { openUdp } from "../link/udp.ts";
import { loadTests } from "../run/suites.ts";
import { withoutZones } from "./addresses.ts";
import { type HubLimits, ListenHub } from "./hub.ts";
import { Records } from "./records.ts";
import { ORDINARY_LIMITS } from "./switchboard.ts";

export interface ListenOptions {
  /** The address of ours that participants dial. */
  address: string;
  /** 0: the system chooses. */
  ikePort: number;
  natPort: number;
  /** What our end calls itself. */
  identity: string;
  /** Folder of what is kept; it exists. */
  out: string;
  limits?: Partial<HubLimits>;
  fault?(error: unknown): void;
}

export const ORDINARY: HubLimits = { ...ORDINARY_LIMITS, sessions: 1_000, dialsOfSession: 8, idleMs: 60_000 };

/** @throws LabError when the ports cannot be had; what the file system throws */
export async function openListener(options: ListenOptions): Promise<ListenHub> {
  const { address: host, ikePort, natPort, identity, out, limits, fault = () => {} } = options;
  const tests = await loadTests();
  const link = await openUdp([ikePort, natPort].map((port) => ({ host, port }))).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    const advice = "run as root, or choose other ports: --ike-port 0 --nat-port 0";
    throw new LabError(Reflect.get(Object(error), "code") === "EACCES" ? "no-root" : "network", why, advice);
  });
  const [ike, marked] = link.addresses;
  if (!ike || !marked) throw new Error("two sockets were asked for");
  const endpoint = { host, ikePort: ike.port, natPort: marked.port };
  try {
    const records = new Records(out, fault);
    return new ListenHub({
      ...{ link: withoutZones(link), endpoint, identity, out, tests, records, fault },
      limits: { ...ORDINARY, ...limits },
    });
  } catch (error) {
    await link.close();
    throw error;
  }
}

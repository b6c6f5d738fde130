/** The builtin peer in a process of its own, for tests of what calls it. */
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { ordinaryConfig, PEER_ID, TESTER_ID } from "../run/config.ts";

export const LOOPBACK = "127.0.0.1";

export interface CalledPeer {
  peer: BuiltinProcess;
  /** Arguments of `dial` and `esp-ping` that fit its configuration, for an ordinary user. */
  args(encap: "udp" | "tcp"): string[];
  configure(config: Partial<PeerConfig>): Promise<void>;
}

/** Starts it, with nothing configured; `stop` of the peer ends it. */
export async function calledPeer(seed: string): Promise<CalledPeer> {
  // Where our end has its port is told by what comes from there.
  const peer = new BuiltinProcess({ seed, testerNatPort: 4500 }, LOOPBACK);
  await peer.start();
  const [, marked] = peer.ends;
  const config = ordinaryConfig(marked, { host: LOOPBACK, port: 4500 });
  return {
    peer,
    configure: (changes) => peer.configure({ ...config, ...changes }),
    args: (encap) => [
      ...[LOOPBACK, "--encap", encap, "--port", String(marked.port), "--local-port", "0"],
      ...["--psk", config.psk, "--local-id", TESTER_ID, "--remote-id", PEER_ID],
      ...config.remoteTs.flatMap((prefix) => ["--local-ts", prefix]),
      ...config.localTs.flatMap((prefix) => ["--remote-ts", prefix]),
    ],
  };
}

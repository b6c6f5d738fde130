/** How the builtin peer speaks ESP echo. */
import type { Random } from "../../harness/crypto/types.ts";
import { announceEcho, echoNotify } from "../../harness/extensions/esp-echo-announcement.ts";
import type { EchoManners } from "../../harness/extensions/esp-echo-manners.ts";
import { EchoRequester, type PlainPath } from "../../harness/extensions/esp-echo-requester.ts";
import { echoResponder } from "../../harness/extensions/esp-echo-responder.ts";
import type { Host } from "../../harness/script/host.ts";
import { echoForms, isEchoRevision } from "../../harness/wire/esp-echo.ts";
import { DriverUnsupported, type PeerConfig, type PingOptions } from "../contract.ts";
import type { Speaker } from "./drafts.ts";
import type { LieBehaviour } from "./lies/lie.ts";

/** What the variant and the lie change. */
const mannersOf = (behaviours: readonly LieBehaviour[]): EchoManners[] =>
  behaviours.flatMap(({ echo }) => echo ?? []);

export const speakEspPing: Speaker = (revision, { codePoints, mtu }, behaviours) => {
  if (!isEchoRevision(revision)) return { ike: [], esp: [] };
  const manners = mannersOf(behaviours);
  return {
    ike: [announceEcho(echoNotify(revision, codePoints))],
    esp: [echoResponder({ revision, codePoints, mtu, manners })],
  };
};

/** Sends requests of one probing session. @throws DriverUnsupported if the peer speaks no revision that has such */
export function ping(
  host: Host,
  config: PeerConfig,
  { plain, over = "esp", count, ...wishes }: PingOptions,
  random: Random,
  behaviours: readonly LieBehaviour[],
): void {
  const revision = config.drafts?.["esp-ping"];
  if (revision === undefined || !isEchoRevision(revision)) throw new DriverUnsupported("speaks no ESP echo");
  const { plain: form, encrypted } = echoForms[revision];
  if (plain ? form === "none" : !encrypted)
    throw new DriverUnsupported(`revision ${revision} has no such echo`);
  const { codePoints } = config;
  const manners = mannersOf(behaviours);
  const requester = new EchoRequester({ plane: host, revision, random, codePoints, manners });
  host.options.esp.push(requester.extension);
  if (!plain && !host.pipes.some(({ child }) => child.state === "installed")) return;
  for (let sent = 0; sent < count; sent++)
    requester.probe({ ...wishes, ...(plain && { plain: pathOf(host, config, over) }) });
}

/** To the other end, as IP protocol 50 or from and to the ports with the marker. */
function pathOf({ options }: Host, { local, remote }: PeerConfig, protocol: "udp" | "esp"): PlainPath {
  const inUdp = protocol === "udp";
  return {
    protocol,
    source: { host: local.host, port: inUdp ? options.natPort : 0 },
    destination: { host: remote.host, port: inUdp ? options.remoteNatPort : 0 },
  };
}

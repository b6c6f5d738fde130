/** What the builtin peer speaks beyond the core: one entry per draft that its configuration names. */
import type { EspExtension } from "../../harness/esp/hooks.ts";
import { replayStatus } from "../../harness/extensions/replay-status.ts";
import { type SubspaceAudit, subspaces } from "../../harness/extensions/subspaces.ts";
import type { Extension } from "../../harness/ike/hooks.ts";
import type { PeerConfig } from "../contract.ts";
import { speakEspPing } from "./esp-echo.ts";
import type { LieBehaviour } from "./lies/lie.ts";

/** Extensions of both planes; `behaviours` are the variant's and the lie's, which may change how a draft is spoken. */
export interface Speech {
  ike: Extension[];
  esp: EspExtension[];
}

export type Speaker = (
  revision: string,
  config: PeerConfig,
  behaviours: readonly LieBehaviour[],
  log: (line: string) => void,
) => Speech;

/** The builtin peer can do extended numbers without replay protection. */
const speakReplayStatus: Speaker = (revision, { replayWindow, codePoints }) => {
  const { ike, esp } = replayStatus({
    revision: revision === "00" ? "00" : "01",
    own: { protects: replayWindow !== 0, esnWithout: true },
    codePoints,
  });
  return { ike: [ike], esp: [esp] };
};

const SUBSPACES = 8;

const auditLine = ({ spi, subspace, source, destination }: SubspaceAudit): string =>
  `audit: ESP SPI ${spi.toString(16)}, subspace ${subspace} was not agreed, from ${source} to ${destination}`;

const speakSubspaces: Speaker = (_revision, { codePoints }, _behaviours, log) => {
  const audit = (entry: SubspaceAudit) => log(auditLine(entry));
  const { ike, esp } = subspaces({ receive: SUBSPACES, audit, codePoints });
  return { ike: [ike], esp: [esp] };
};

/** By document. */
const speakers: Record<string, Speaker> = {
  "esp-ping": speakEspPing,
  "anti-replay-notification": speakReplayStatus,
  "anti-replay-subspaces": speakSubspaces,
};

/** `log` takes lines for the peer's own log. */
export function draftsOf(
  config: PeerConfig,
  behaviours: readonly LieBehaviour[],
  log: (line: string) => void,
): Speech {
  const spoken = Object.entries(config.drafts ?? {}).flatMap(
    ([document, revision]) => speakers[document]?.(revision, config, behaviours, log) ?? [],
  );
  return { ike: spoken.flatMap(({ ike }) => ike), esp: spoken.flatMap(({ esp }) => esp) };
}

/** What the builtin peer speaks beyond the core: one entry per draft that its configuration names. */
import type { EspExtension } from "../../harness/esp/hooks.ts";
import { replayStatus } from "../../harness/extensions/replay-status.ts";
import type { Extension } from "../../harness/ike/hooks.ts";
import type { PeerConfig } from "../contract.ts";
import type { LieBehaviour } from "./lies/lie.ts";

/** Extensions of both planes; `behaviours` are the variant's and the lie's, which may change how a draft is spoken. */
export interface Speech {
  ike: Extension[];
  esp: EspExtension[];
}

type Speaker = (revision: string, config: PeerConfig, behaviours: readonly LieBehaviour[]) => Speech;

/** The builtin peer can do extended numbers without replay protection. */
const speakReplayStatus: Speaker = (revision, { replayWindow, codePoints }) => {
  const { ike, esp } = replayStatus({
    revision: revision === "00" ? "00" : "01",
    own: { protects: replayWindow !== 0, esnWithout: true },
    codePoints,
  });
  return { ike: [ike], esp: [esp] };
};

/** By document. */
const speakers: Record<string, Speaker> = {
  "anti-replay-notification": speakReplayStatus,
};

export function draftsOf(config: PeerConfig, behaviours: readonly LieBehaviour[]): Speech {
  const spoken = Object.entries(config.drafts ?? {}).flatMap(
    ([document, revision]) => speakers[document]?.(revision, config, behaviours) ?? [],
  );
  return { ike: spoken.flatMap(({ ike }) => ike), esp: spoken.flatMap(({ esp }) => esp) };
}

/** What the builtin peer speaks beyond the core: one entry per draft that its configuration names. */
import type { EspExtension } from "../../harness/esp/hooks.ts";
import type { Extension } from "../../harness/ike/hooks.ts";
import type { PeerConfig } from "../contract.ts";
import type { LieBehaviour } from "./lies/lie.ts";

/** Extensions of both planes; `behaviours` are the variant's and the lie's, which may change how a draft is spoken. */
export interface Speech {
  ike: Extension[];
  esp: EspExtension[];
}

type Speaker = (revision: string, config: PeerConfig, behaviours: readonly LieBehaviour[]) => Speech;

/** By document. */
const speakers: Record<string, Speaker> = {};

export function draftsOf(config: PeerConfig, behaviours: readonly LieBehaviour[]): Speech {
  const spoken = Object.entries(config.drafts ?? {}).flatMap(
    ([document, revision]) => speakers[document]?.(revision, config, behaviours) ?? [],
  );
  return { ike: spoken.flatMap(({ ike }) => ike), esp: spoken.flatMap(({ esp }) => esp) };
}

/** What a campaign is told, and what of it makes no sense. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { startedBy } from "../../harness/run/external.ts";
import type { Box } from "../../harness/run/open-address.ts";
import { UsageError } from "../../harness/run/usage-error.ts";
import { fileReason } from "../../pcaps/text-file.ts";
import { addressPeer } from "../../peers/address/address-peer.ts";
import { type ChosenPeer, findPeer, PeerNameError, peerName } from "../../peers/definition.ts";
import { isDefinitionFile } from "../../peers/external.ts";
import type { Wishes } from "./plan.ts";
import { CORPUS_FOLDER, JOURNAL_FILE } from "./recorder.ts";

export interface CampaignOptions extends Wishes {
  out: string;
  resume: boolean;
  /** Folder of the corpus; not set: in `out`. */
  corpus?: string;
  /** Of each peer, those of before with them. Not set: as many as the time allows. */
  cases?: number;
  timeMs: number;
  /** Lanes of each peer. Not set: one a core for the builtin peer, else one. */
  jobs?: number;
  /** Conversations at a time on a lane. Not set: what suits the runtime. */
  window?: number;
  /** Messages a second to a peer. */
  rate: number;
  restartsAnHour: number;
  /** Folder into which an instrumented peer writes `.sancov` files; not set: none. */
  edges?: string;
  /** What is known of each peer at an address. */
  boxes?: readonly Box[];
  /** Signatures and ids of findings that are known: counted, not told. */
  muted: ReadonlySet<string>;
}

/** Peers by their full names, each once; one that is compared with itself shows what differs by chance. */
export function named(options: CampaignOptions): Wishes {
  const peers = options.peers?.map((given) => specOf(findPeerOf(given)));
  return { ...options, ...(peers && { peers: options.differential ? peers : [...new Set(peers)] }) };
}

/** @throws UsageError */
export function choosePeers(options: CampaignOptions): ChosenPeer[] {
  const peers = (named(options).peers ?? ["builtin"]).map(findPeerOf);
  const real = peers.find(({ definition }) => definition.name !== "builtin");
  const { lie, variant } = options;
  if (real && (lie ?? variant) !== undefined)
    throw new UsageError(`--${lie === undefined ? "variant" : "lie"}: only the builtin peer has them`);
  return peers;
}

/** A peer at an address begins nothing, and whoever plays with it must be able to prove himself. @throws UsageError */
export function checkAddresses(peers: readonly ChosenPeer[], { boxes, role, jobs }: CampaignOptions): void {
  const address = peers.find(({ runtime }) => runtime === "address");
  if (!address) return;
  const given = `--peer ${peerName(address)}`;
  if (!boxes?.some(({ where }) => where.peer === peerName(address)))
    throw new UsageError(`${given}: is not named with this --resume`);
  if (role !== "responder")
    throw new UsageError(`${given}: a peer at an address is played with as responder only`);
  if (jobs !== undefined && jobs > 1) throw new UsageError(`--jobs ${jobs}: an address has one lane`);
}

/** What names the peer in a plan: of a definition, its file. */
const specOf = (peer: ChosenPeer): string => peer.file ?? peerName(peer);

/** @throws UsageError */
export function findPeerOf(given: string): ChosenPeer {
  if (isDefinitionFile(given)) return startedBy(given).chosen;
  try {
    return addressPeer(given) ?? findPeer(given);
  } catch (error) {
    if (error instanceof PeerNameError) throw new UsageError(`--peer ${given}: ${error.message}`);
    throw error;
  }
}

/** Folder of the corpus. */
export const corpusOf = ({ corpus, out }: CampaignOptions): string => corpus ?? join(out, CORPUS_FOLDER);

/** Before anything is written. @throws UsageError */
export function usableCorpus(options: CampaignOptions): void {
  if (options.corpus === "") throw new UsageError("--corpus: the name of the folder is empty");
  const folder = corpusOf(options);
  try {
    mkdirSync(folder, { recursive: true });
    readdirSync(folder);
  } catch (error) {
    throw new UsageError(`${options.corpus === undefined ? "" : "--corpus "}${folder}: ${fileReason(error)}`);
  }
}

/** Nothing is written over. @throws UsageError */
export function refuseOld({ out, resume }: CampaignOptions): void {
  if (resume || !existsSync(join(out, JOURNAL_FILE))) return;
  throw new UsageError(`--out ${out}: holds a campaign or a run already: --resume goes on with a campaign`);
}

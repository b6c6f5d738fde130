/** Peers of a run that are not of this program: at addresses, or in the user's own definition files. */
import type { ChosenPeer } from "../../peers/definition.ts";
import type { LaneOrder } from "./lane-protocol.ts";

export interface External {
  chosen: ChosenPeer;
  /** How its lanes come to it. */
  way: Pick<LaneOrder, "box" | "program" | "image">;
}

/** By what the user calls them. */
export type Externals = ReadonlyMap<string, External>;

/** What a lane's order says of it. */
export function orderOf({
  chosen,
  way,
}: External): Pick<LaneOrder, "external" | "box" | "program" | "image"> {
  const { definition, version, runtime } = chosen;
  return { ...way, external: { name: definition.name, version: version.version, runtime } };
}

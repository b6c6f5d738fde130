/** Peers of a run that are not of this program: at addresses, or in the user's own definition files. */
import type { ChosenPeer } from "../../peers/definition.ts";
import { chosenExternal, type ExternalDefinition, readExternal } from "../../peers/external.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import { UsageError } from "./usage-error.ts";

export interface External {
  chosen: ChosenPeer;
  /** How its lanes come to it. */
  way: Pick<LaneOrder, "box" | "program" | "image">;
}

/** How the lanes of a peer that is started come to it. */
export function wayOf({ folder, program, image, driver }: ExternalDefinition): External["way"] {
  if (program) return { program: { argv: program, folder } };
  return image ? { image: { image, ...(driver && { driver }) } } : {};
}

/** The peer that a definition file has this program start. @throws FileError, UsageError for one at an address */
export function startedBy(file: string): External {
  const definition = readExternal(file);
  if (definition.kind !== "address") return { chosen: chosenExternal(definition), way: wayOf(definition) };
  throw new UsageError(`${file}: defines a peer at an address, which nobody here starts`);
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

/** What the runner and a lane's process say to each other, as JSON over the channel between parent and child. */
import { z } from "zod";
import { peerSchema, testSchema } from "../../reports/results.ts";
import { boxSchema } from "./open-address.ts";
import { imageSchema } from "./open-image.ts";
import { programSchema } from "./open-program.ts";

/** How a lane comes to a peer that is not of this program. */
export const wayShape = {
  /** What results say of a peer that is not of this program; absent for one that is. */
  external: peerSchema.pick({ name: true, version: true, runtime: true }).optional(),
  /** Where `peer` is at an address: what its owner says of it. */
  box: boxSchema.optional(),
  /** Where it is a user's program: how that is started. */
  program: programSchema.optional(),
  /** Where it is a container. */
  image: imageSchema.optional(),
};

const orderSchema = z.strictObject({
  kind: z.literal("order"),
  /** NAME@VERSION:RUNTIME. */
  peer: z.string(),
  /** Id of the peer in results. */
  id: z.string(),
  /** Ids of the tests, in order. */
  tests: z.array(z.string()),
  /** The suite files that hold them. */
  files: z.array(z.string()),
  seed: z.string(),
  out: z.string().optional(),
  lie: z.string().optional(),
  variant: z.string().optional(),
  /** Hard end of one test in wall-clock milliseconds. */
  testLimitMs: z.number(),
  runId: z.string(),
  lane: z.int(),
  /** Namespaces in which this lane lives; absent for a peer that needs none. */
  network: z.strictObject({ tester: z.string(), peer: z.string() }).optional(),
  ...wayShape,
});
/** The first message to a lane. */
export type LaneOrder = z.infer<typeof orderSchema>;
/** What of it says which peer to start, and where. */
export type PeerOrder = Partial<LaneOrder> &
  Pick<LaneOrder, "peer" | "id" | "seed" | "lie" | "variant" | "runId" | "lane" | "network">;

/** From the runner. `stop`: end the peer and yourself, in the middle of a test if need be. */
export const toLaneSchema = z.discriminatedUnion("kind", [
  orderSchema,
  z.strictObject({ kind: z.literal("stop") }),
]);

export const fromLaneSchema = z.discriminatedUnion("kind", [
  /** Sent every {@link HEARTBEAT_MS}: the process is not stuck. */
  z.strictObject({ kind: z.literal("alive") }),
  z.strictObject({ kind: z.literal("peer-started"), peer: peerSchema }),
  z.strictObject({ kind: z.literal("test-started"), test: z.string() }),
  z.strictObject({ kind: z.literal("test-finished"), test: testSchema }),
  /** For the user to read at once. */
  z.strictObject({ kind: z.literal("told"), text: z.string() }),
  /** The peer could not be started, or not be brought back. */
  z.strictObject({ kind: z.literal("lab-failed"), reason: z.string() }),
  z.strictObject({ kind: z.literal("done") }),
]);
export type FromLane = z.infer<typeof fromLaneSchema>;

export const HEARTBEAT_MS = 2_000;

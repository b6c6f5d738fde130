/** A keeper holds a peer that is up on its own. It is asked over a Unix socket: a word, and a JSON line back. */
import { join } from "node:path";
import { z } from "zod";
import { recordFolder } from "../../peers/runtime/registry.ts";

export const questionSchema = z.enum(["status", "logs", "down"]);
export type Question = z.infer<typeof questionSchema>;

const statusSchema = z.strictObject({
  /** As the daemon states it. */
  version: z.string(),
  /** Addresses of both ends, and the namespace that ours is in. */
  tester: z.string(),
  peer: z.string(),
  namespace: z.string().optional(),
  alive: z.boolean(),
  /** How the daemon ended. */
  exit: z.string().optional(),
  ikeSas: z.number(),
  childSas: z.number(),
});
export type KeptStatus = z.infer<typeof statusSchema>;

export const answerSchema = z.union([
  z.strictObject({ status: statusSchema }),
  z.strictObject({ logs: z.string() }),
  z.strictObject({ down: z.literal(true) }),
  z.strictObject({ error: z.string() }),
]);
export type KeeperAnswer = z.infer<typeof answerSchema>;

/** Said once over the channel to the parent. */
export const readySchema = z.union([
  z.strictObject({ ready: statusSchema }),
  z.strictObject({ error: z.string() }),
]);
export type Ready = z.infer<typeof readySchema>;

const [PREFIX, SUFFIX] = ["up-", ".sock"];

export const socketPath = (name: string): string => join(recordFolder(), `${PREFIX}${name}${SUFFIX}`);

/** The peer whose keeper listens at a file of this name, if it is one. */
export const keptName = (file: string): string | undefined =>
  file.startsWith(PREFIX) && file.endsWith(SUFFIX) ? file.slice(PREFIX.length, -SUFFIX.length) : undefined;

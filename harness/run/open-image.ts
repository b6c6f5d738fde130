/** A peer in a container of an image of the user's. */
import { z } from "zod";

export const imageSchema = z.strictObject({
  image: z.string(),
  /** The command in it that speaks the verbs of the contract. Not set: it is told by its environment. */
  driver: z.array(z.string()).min(1).optional(),
});
export type Image = z.infer<typeof imageSchema>;

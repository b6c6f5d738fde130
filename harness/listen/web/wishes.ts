/** What may be asked for by POST. */
import { z } from "zod";
import { endpointAddress, sessionWish } from "../types.ts";

/** Control characters, and those that are not seen but change what is seen, as marks of direction. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/u;

/** A wish whose name can be shown as it is. */
export const wishBody = sessionWish.refine(({ name }) => name === undefined || !UNSEEN.test(name), {
  path: ["name"],
  message: "must have no control characters, marks of direction or other letters that are not seen",
});

/** Without a name: the truth. */
export const lieBody = z.strictObject({ name: z.string().max(100).optional() });

/** Forms have the port as text. */
export const dialBackBody = z.preprocess((fields) => {
  const asked = z.looseObject({ port: z.string().regex(/^\d{1,5}$/) }).safeParse(fields);
  return asked.success ? { ...asked.data, port: Number(asked.data.port) } : fields;
}, endpointAddress);

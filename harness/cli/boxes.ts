/** What the options of `dial` say of peers at addresses. */
import { sourceFor } from "../dial/way.ts";
import { configOf, type DialFlags, secretOf, whereOf } from "../dial/wishes.ts";
import type { Box } from "../run/open-address.ts";

/** One for each address. @throws UsageError, LabError where there is no way to one */
export async function boxesOf(addresses: readonly string[], flags: DialFlags): Promise<Box[]> {
  const boxes: Box[] = [];
  for (const address of addresses) boxes.push(await boxOf(address, flags));
  return boxes;
}

/** @throws UsageError, LabError where there is no way to it */
export async function boxOf(address: string, flags: DialFlags): Promise<Box> {
  const where = whereOf(address, flags);
  const localAddress = where.localAddress ?? (await sourceFor(address));
  const config = configOf(where, localAddress, flags, secretOf(flags));
  return { where: { ...where, localAddress }, config };
}

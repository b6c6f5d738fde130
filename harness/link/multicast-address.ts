/** Whether this address as text names a group of receivers: 224.0.0.0/4 or ff00::/8. */
export function isMulticast(host: string): boolean {
  if (host.includes(":")) return /^ff[0-9a-f]{2}:/i.test(host);
  const first = Number(host.split(".", 1)[0]);
  return first >= 224 && first <= 239;
}

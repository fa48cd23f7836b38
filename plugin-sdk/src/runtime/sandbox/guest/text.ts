/** What a connector passed, as text: its type here promises nothing, because a connector may pass anything. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}

/** A command that could not do its work. `status` 1: it failed; 2: it was used wrongly. Printed without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 1) {
    super(message);
    this.status = status;
  }
}

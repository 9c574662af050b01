/** A mistake or an obstacle that the user can do something about: shown as its text alone, without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}

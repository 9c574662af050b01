import { UserError } from "../../runtime/user-error.ts";

/**
 * What kept a store from doing its work. `changed`: the object became another one while it was read. `damaged`: what came isn't what the store
 * itself says that it has. `protocol`: it answers, but not as a store does.
 */
export type StoreFault =
  | "access"
  | "no-destination"
  | "no-object"
  | "unreachable"
  | "clock"
  | "locked"
  | "full"
  | "busy"
  | "changed"
  | "damaged"
  | "protocol";

/** One sentence for a person: what happened at which place, and what to do. */
export class StoreError extends UserError {
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

import type { ClientReport } from "../../../../workshop/chaos/client-report.ts";

/** A client of whose commands nothing can be said but that they went well. */
export const contentClient: ClientReport = {
  client: "a",
  sent: 10,
  acknowledged: 10,
  unknown: 0,
  open: 0,
  errors: {},
  readErrors: {},
  disconnects: 0,
  ownTimeouts: 0,
  duplicates: [],
  lost: [],
  lostAsAllowed: [],
  refusedButExecuted: [],
  reordered: [],
  recovered: 0,
  phantom: [],
  rolledBack: [],
  wrong: [],
};

// Whoever may write to the volume may order: with kubectl that is the right to exec. No port, no role and no token is needed for it.

/** The order to the instance that leads, a file in the folder `ha` of its volume. It is removed when it is taken. */
export const orderFile = "hand-over.order";

/** The answer to it, in the same folder. */
export const answerFile = "hand-over.answer";

/** An ordered hand-over takes 12 s at most. */
export const answeredWithinMs = 16_000;

/** Why an instance that doesn't lead hands nothing over. */
export const isReplicaReason = "this instance is a replica";

/** What an operator orders, or the program that takes an instance away. */
export interface HandOverOrder {
  /** Any word; the answer has the same. */
  readonly id: string;
  /** `host:port` of the instance that is to lead. */
  readonly heir: string;
  /** The instance is going to be removed. */
  readonly leaving?: LeavingOrder;
  /** The data of another Redis, which this instance follows, are taken over: the heir is this instance itself. */
  readonly move?: "cut-over";
}

/** What an instance that is going to be removed has to know. */
export interface LeavingOrder {
  /** `host:port` of all that stay: any of them may lead, the first that can. An older supervisor knows only the heir. */
  readonly staying: readonly string[];
  /** For how long it must not be promoted, ms. It may again when nobody has taken it away by then. */
  readonly forMs: number;
}

/** What came of it. */
export interface HandOverAnswer {
  readonly id: string;
  /** `host:port` that leads now; empty: it is as it was. */
  readonly successor: string;
  readonly reason: string;
  /** For how long writes were paused, ms; null: they weren't. */
  readonly pausedMs: number | null;
  /** To an order to leave: `host:port` of the master that this instance follows or is. */
  readonly leads?: string;
}

/** Reads an answer to this order; undefined: it is to another one. */
export function readAnswer(text: string, { id }: Pick<HandOverOrder, "id">): HandOverAnswer | undefined {
  const answer = JSON.parse(text) as HandOverAnswer;
  return answer.id === id ? answer : undefined;
}

/** What {@link readOrderOutput} found: `untaken`: it was taken back; `unanswered`: it was taken, and more isn't known. */
export type OrderOutcome = HandOverAnswer | "untaken" | "unanswered";

/** A shell script for an instance's container. The order is in place in one step; then the answer to it is waited for. */
export function orderingScript(order: HandOverOrder): string {
  return `
cd "\${REDIS_DATA_DIR:-/data}/ha" || exit 1
umask 077
cat > ${orderFile}.tmp <<'@ORDER'
${JSON.stringify(order)}
@ORDER
mv ${orderFile}.tmp ${orderFile}
i=0
while [ $i -lt ${answeredWithinMs / 100} ]; do
  if grep -q '"${order.id}"' ${answerFile} 2>/dev/null; then cat ${answerFile}; exit 0; fi
  sleep 0.1
  i=$((i + 1))
done
if [ -e ${orderFile} ]; then rm -f ${orderFile}; echo @untaken; else echo @taken; fi
`;
}

/** Reads what {@link orderingScript} printed. */
export function readOrderOutput(output: string, order: Pick<HandOverOrder, "id">): OrderOutcome {
  const last = output.trim().split("\n").at(-1) ?? "";
  if (last === "@untaken") return "untaken";
  if (!last.startsWith("{")) return "unanswered";
  return readAnswer(last, order) ?? "unanswered";
}

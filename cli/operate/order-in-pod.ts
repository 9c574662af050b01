import {
  answerFile,
  type HandOverAnswer,
  type HandOverOrder,
  orderFile,
} from "../../sentinel-image/hand-over-orders.ts";
import type { Kubectl } from "./kubectl.ts";
import { answeredWithinMs, readAnswer, unanswered } from "./order-locally.ts";

/**
 * Orders a hand-over from the instance in a pod, by its volume.
 *
 * @throws {UserError} when it doesn't answer, or kubectl may not exec.
 */
export async function orderInPod(
  kubectl: Kubectl,
  name: string,
  pod: string,
  order: HandOverOrder,
): Promise<HandOverAnswer> {
  const output = await kubectl.run(
    ["exec", "--stdin", `pod/${pod}`, "--", "sh"],
    orderingScript(order),
    answeredWithinMs + 10_000,
  );
  const last = output.trim().split("\n").at(-1) ?? "";
  if (last === "@taken" || last === "@untaken") throw unanswered(name, last === "@taken");
  const answer = readAnswer(last, order);
  if (answer === undefined) throw unanswered(name, true);
  return answer;
}

/** The order is in place in one step; then the answer to it is waited for. */
function orderingScript(order: HandOverOrder): string {
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

// Adds flows of jobs, whose transactions run scripts that were loaded once, until its input ends; then says what became of them.
import { FlowProducer, Worker } from "bullmq";

const connection = {
  port: Number(process.argv[2]),
  password: process.env.REDIS_PASSWORD,
  maxRetriesPerRequest: null,
};
const ignore = () => undefined;
const producer = new FlowProducer({ connection });
const done = new Set();
const workers = ["parents", "children"].map(
  (name) =>
    new Worker(name, async ({ data }) => void (name === "children" && done.add(data.number)), { connection }),
);
for (const part of [producer, ...workers]) part.on("error", ignore);

let ended = false;
process.stdin.on("end", () => {
  ended = true;
});
process.stdin.resume();

const added = [];
const failures = [];
for (let number = 0; !ended; number++) {
  const children = [{ name: "child", queueName: "children", data: { number } }];
  try {
    await producer.add({ name: "parent", queueName: "parents", children });
    added.push(number);
  } catch (error) {
    failures.push(error.message);
  }
  if (number === 20) process.stdout.write("ready\n");
  await new Promise((resolve) => setTimeout(resolve, 10));
}
for (let i = 0; i < 100 && added.some((number) => !done.has(number)); i++) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const undone = added.filter((number) => !done.has(number)).length;
process.stdout.write(`${JSON.stringify({ added: added.length, undone, failures })}\n`);
process.exit(0);

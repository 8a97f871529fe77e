"use strict";

// Sends one SMS through neonhub-worker and prints the run's id. See README.md.

const { randomUUID } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const celery = require("celery-node");

const TASK = "connectors.sms.sendSMS";
const QUEUE = "actions";
const USAGE = 'usage: node enqueue.js +14155550123 "Spring is here." [idempotency-key]';

/** Where the broker is: NEONHUB_BROKER_URL, else what a running `neonhub up` has written down. */
function brokerUrl() {
  if (process.env.NEONHUB_BROKER_URL) return process.env.NEONHUB_BROKER_URL;
  const homes = process.env.NEONHUB_HOME
    ? [process.env.NEONHUB_HOME]
    : [".neonhub", path.join(__dirname, "..", "..", ".neonhub")];
  for (const home of homes) {
    const file = path.join(home, "stack.json");
    if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8")).urls.broker;
  }
  throw new Error("no broker: run `neonhub up --detach` first, or set NEONHUB_BROKER_URL");
}

/** Resolves to the task id once the broker has taken the message. The worker gives the run the same id. */
async function enqueue(broker, kwargs) {
  const taskId = randomUUID();
  // Without a result backend of its own celery-node would look for RabbitMQ; nothing is read from this one.
  const client = celery.createClient(broker, broker, QUEUE);
  const message = client.createTaskMessage(taskId, TASK, [], kwargs);
  // With RabbitMQ isReady() never settles if the connection is refused; the channel does. Redis has none.
  await client.broker.channel;
  await client.broker.isReady();
  // Not client.sendTask(): it returns before the message is sent and keeps a failure to itself.
  await client.broker.publish(message.body, "", QUEUE, message.headers, message.properties);
  await client.broker.disconnect();
  return taskId;
}

async function main() {
  const [to, body, idempotencyKey, ...more] = process.argv.slice(2);
  if (!to || !body || more.length) throw new Error(USAGE);
  const kwargs = { organization_id: "demo", connection: "sms", input: { to, body } };
  if (idempotencyKey) kwargs.idempotency_key = idempotencyKey;
  console.log(await enqueue(brokerUrl(), kwargs));
}

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exit(1);
});

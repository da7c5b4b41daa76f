// Adds up the orders on stdin, a JSON object a line, and writes the totals to stdout.
'use strict';
const readline = require('node:readline');

// With a listener Node doesn't end by itself any more, so this must.
process.on('SIGTERM', () => {
  console.error('stopped, and nothing is written');
  process.exit(143);
});

async function main() {
  console.error('reading');
  const totals = {};
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    if (!(order.cents >= 0)) throw new Error(`order ${order.id} has no amount`);
    totals[order.customer] = (totals[order.customer] ?? 0) + order.cents;
  }
  for (const [customer, cents] of Object.entries(totals)) {
    process.stdout.write(JSON.stringify({ customer, cents }) + '\n');
  }
  // And no process.exit(0): of what is written into a pipe, it cuts off the rest.
}

main();

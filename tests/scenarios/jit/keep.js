// Keeps buffers for ever, in a function that V8 compiles. To be looked at while it runs: node gives them all
// back as it exits.
const kept = [];

function remember(number) {
  kept.push(Buffer.allocUnsafeSlow(2000));  // leaks
  return kept.length > number;
}

const until = Date.now() + 1000 * Number(process.argv[2] || 3);
let number = 0;

function work() {
  for (let i = 0; i < 20; ++i) {
    remember(number++);
  }
  if (Date.now() < until) {
    setTimeout(work, 4);
  }
}

work();

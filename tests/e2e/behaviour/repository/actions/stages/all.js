const fs = require('fs');
const stage = process.env.STATE_next || 'pre';
console.log(`${stage} says [${process.env.INPUT_WORD}] at ${process.env.INPUT_BERTH}`);
fs.appendFileSync(process.env.GITHUB_STATE, `next=${stage === 'pre' ? 'main' : 'post'}\n`);
if (stage === 'main') fs.appendFileSync(process.env.GITHUB_OUTPUT, `said=${process.env.INPUT_WORD}\n`);

const fs = require('fs');
const word = process.env['INPUT_WORD'];
console.log(`main has ${word}`);
fs.appendFileSync(process.env['GITHUB_OUTPUT'], `length=${word.length}\n`);
fs.appendFileSync(process.env['GITHUB_STATE'], `kept=${word}\n`);
console.log(`main of ${process.env['GITHUB_ACTION_REPOSITORY']} at ${process.env['GITHUB_ACTION_REF']}`);

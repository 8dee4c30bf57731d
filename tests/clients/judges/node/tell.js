'use strict';

/** Tell the test a value, and what it is about. */
exports.tell = (what, value = true) => process.stdout.write(`tell: ${JSON.stringify({ [what]: value })}\n`);

/** What the test says at the start. */
exports.facts = JSON.parse(process.argv[2]);

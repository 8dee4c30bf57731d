'use strict';
// A replica in Node beside replicas in Python: it claims by the same emoji, as docs/reference/wire-format.md says.

const { App } = require('@slack/bolt');
const { facts, tell } = require('./tell');

const HOURS = [...Array(12).keys()].map((hour) => hour + 1);
const CLOCKS = [...HOURS.map((hour) => `clock${hour}`), ...HOURS.map((hour) => `clock${hour}30`)].slice(0, 20);
const LEASE = 60_000; // the same in all replicas

/** Put an emoji on a message: true if we were the first of this bot to do so, false if somebody else was. */
async function mark(client, message, name) {
  try {
    await client.reactions.add({ channel: message.channel, timestamp: message.ts, name });
    return true;
  } catch (error) {
    if (error.data?.error === 'already_reacted') return false;
    throw error; // no answer is no claim: whoever reads the channel later goes on
  }
}

/** Do some work if nobody else does it, and extend the claim meanwhile; a sweep finds what ends in an exception. */
async function exactlyOne(client, message, work) {
  const claimed = Date.now(); // the lease counts from before the call
  if (!(await mark(client, message, CLOCKS[0]))) return false;
  if (Date.now() - claimed >= LEASE / 2) return false; // it took too long to be sure
  let token = 1;
  const beat = setInterval(() => {
    mark(client, message, CLOCKS[token]).catch(() => {});
    token += 1;
  }, LEASE / 2);
  try {
    await work(() => token);
  } finally {
    clearInterval(beat);
  }
  await mark(client, message, 'white_check_mark'); // the answer first, the mark second
  return true;
}

// The client must not repeat a call by itself: the repetition of a claim that went unanswered would seem to be lost.
const clientOptions = { slackApiUrl: facts.base_url, retryConfig: { retries: 0 } };
const app = new App({ token: facts.bot_token, appToken: facts.app_token, socketMode: true, clientOptions });

app.message(/toggle/, async ({ message, client, say }) => {
  const ours = await exactlyOne(client, message, () => say({ text: 'toggled by node', thread_ts: message.ts }));
  tell('heard', ours);
});

app.start().then(() => tell('listening'));

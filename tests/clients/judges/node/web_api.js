'use strict';
// @slack/web-api: one deed after another, each told to the test with what came of it.

const { WebClient, WebClientEvent } = require('@slack/web-api');
const { facts, tell } = require('./tell');

const client = new WebClient(facts.token, { slackApiUrl: facts.base_url });
const { channel } = facts;

const deeds = {
  async post() {
    const metadata = { event_type: 'job', event_payload: { path: 'cat.png', width: 300 } };
    const posted = await client.chat.postMessage({ channel, text: 'resize <it> & go', metadata });
    const { messages } = await client.conversations.history({ channel, include_all_metadata: true, limit: 1 });
    const answer = await client.chat.postMessage({ channel, text: 'done', thread_ts: posted.ts });
    const replies = await client.conversations.replies({ channel, ts: posted.ts });
    return {
      text: messages[0].text,
      metadata: messages[0].metadata,
      thread: replies.messages.map((each) => each.ts).join() === `${posted.ts},${answer.ts}`,
      scopes: posted.response_metadata.scopes.includes('chat:write'),
      accepted: posted.response_metadata.acceptedScopes,
    };
  },

  async page() {
    for (let number = 0; number < 7; number += 1) await client.chat.postMessage({ channel, text: `page ${number}` });
    const pages = [];
    for await (const page of client.paginate('conversations.history', { channel, limit: 3 })) {
      pages.push(page.messages.map((each) => each.text));
    }
    const found = await client.paginate(
      'conversations.list',
      { limit: 1 },
      (page) => page.channels.some((each) => each.id === channel),
      (sum = 0, page) => sum + page.channels.length,
    );
    return { pages, found };
  },

  async refuse() {
    const failure = async (call) => call.then(() => null, (error) => ({ code: error.code, ...error.data }));
    return {
      channel: await failure(client.chat.postMessage({ channel: 'C0', text: 'x' })),
      scope: await failure(client.team.info()),
      token: await failure(new WebClient('xoxb-nobody', { slackApiUrl: facts.base_url }).auth.test()),
      method: await failure(client.apiCall('no.such')),
      message: await failure(client.reactions.add({ channel, timestamp: '1600000000.000001', name: 'eyes' })),
    };
  },

  async upload() {
    const sent = await client.filesUploadV2({
      channel_id: channel,
      initial_comment: 'look',
      file_uploads: [
        { file: Buffer.from('a,b\n1,2\n'), filename: 'table.csv', title: 'Table' },
        { content: 'hello', filename: 'hello.txt' },
      ],
    });
    const [file] = sent.files.flatMap((each) => each.files ?? each);
    const { file: info } = await client.files.info({ file: file.id });
    const headers = { Authorization: `Bearer ${facts.token}` };
    const content = await (await fetch(info.url_private_download, { headers })).text();
    const { messages } = await client.conversations.history({ channel, limit: 1 });
    return { name: info.name, size: info.size, content, comment: messages[0].text, shared: messages[0].files.length };
  },

  async hurry() {
    const waits = [];
    client.on(WebClientEvent.RATE_LIMITED, (seconds) => waits.push(seconds));
    for (let number = 0; number < 21; number += 1) await client.pins.list({ channel });
    const hasty = new WebClient(facts.token, { slackApiUrl: facts.base_url, rejectRateLimitedCalls: true });
    const refused = await hasty.pins.list({ channel }).then(() => null, (error) => error);
    return { waits, code: refused.code, retryAfter: refused.retryAfter };
  },
};

(async () => {
  for (const deed of facts.deeds) tell(deed, await deeds[deed]());
})();

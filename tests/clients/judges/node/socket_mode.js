'use strict';
// @slack/socket-mode by itself: each envelope is acknowledged, told to the test, and where it can be, answered.

const { SocketModeClient } = require('@slack/socket-mode');
const { WebClient } = require('@slack/web-api');
const { facts, tell } = require('./tell');

const socket = new SocketModeClient({ appToken: facts.app_token, clientOptions: { slackApiUrl: facts.base_url } });
const web = new WebClient(facts.bot_token, { slackApiUrl: facts.base_url });
const text = (words) => ({ type: 'plain_text', text: words });
const form = {
  type: 'modal',
  callback_id: 'form',
  title: text('Lights'),
  submit: text('Set'),
  blocks: [{ type: 'input', block_id: 'b', label: text('Name'), element: { type: 'plain_text_input', action_id: 'name' } }],
};

socket.on('connected', () => tell('connected'));
socket.on('reconnecting', () => tell('reconnecting'));

socket.on('message', async ({ event, ack, retry_num: retry, retry_reason: reason }) => {
  if (event.text === 'twice' && retry === 0) return; // Slack sends it again
  await ack();
  tell('message', { text: event.text, user: event.user, retry, reason });
  if (event.text.startsWith('toggle ')) {
    await web.chat.postMessage({ channel: event.channel, thread_ts: event.ts, text: 'toggled' });
  }
});

socket.on('slash_commands', async ({ body, ack, accepts_response_payload: payload }) => {
  await ack({ text: `setting ${body.text}` });
  tell('command', { command: body.command, payload });
});

socket.on('interactive', async ({ body, ack }) => {
  if (body.type === 'view_submission') {
    const name = body.view.state.values.b.name.value;
    await ack(name === 'bad' ? { response_action: 'errors', errors: { b: 'not that' } } : undefined);
    tell('submitted', name);
    return;
  }
  await ack();
  const { view } = await web.views.open({ trigger_id: body.trigger_id, view: form });
  tell('clicked', { value: body.actions[0].value, view: view.id });
});

socket.start();

'use strict';
// @slack/bolt as its docs write an app: in Socket Mode with an app-level token, else over HTTP at a port.

const { App } = require('@slack/bolt');
const { facts, tell } = require('./tell');

const app = new App({
  token: facts.bot_token,
  clientOptions: { slackApiUrl: facts.base_url },
  ...(facts.app_token ? { appToken: facts.app_token, socketMode: true } : { signingSecret: facts.signing_secret }),
});
const text = (words) => ({ type: 'plain_text', text: words });
const form = {
  type: 'modal',
  callback_id: 'form',
  title: text('Lights'),
  submit: text('Set'),
  blocks: [
    { type: 'input', block_id: 'b', label: text('Name'), element: { type: 'plain_text_input', action_id: 'name' } },
    {
      type: 'input',
      block_id: 'c',
      optional: true,
      label: text('Room'),
      element: { type: 'external_select', action_id: 'room', min_query_length: 0 },
    },
  ],
};
const go = { type: 'button', action_id: 'go', text: text('Go'), value: '42' };

app.message(/toggle (\w+) light/, async ({ message, context, say }) => {
  const { ts } = await say({ text: `${context.matches[1]} toggled`, thread_ts: message.ts });
  tell('toggled', ts);
});

app.event('app_mention', async ({ event, say }) => {
  const { ts } = await say({ text: 'Go?', blocks: [{ type: 'actions', block_id: 'row', elements: [go] }] });
  tell('asked', { ts, user: event.user });
});

app.command('/deploy', async ({ command, ack, respond }) => {
  await ack(`setting ${command.text}`);
  await respond({ text: 'set', response_type: 'in_channel' });
  tell('command', command.channel_name);
});

app.action('go', async ({ ack, body, client, respond }) => {
  await ack();
  const { view } = await client.views.open({ trigger_id: body.trigger_id, view: form });
  await respond({ text: 'gone', replace_original: true });
  tell('clicked', view.id);
});

app.options('room', async ({ ack, payload }) => {
  await ack({ options: [{ text: text(`${payload.value} room`), value: payload.value }] });
});

app.view('form', async ({ ack, view }) => {
  const { name } = view.state.values.b;
  await ack(name.value === 'bad' ? { response_action: 'errors', errors: { b: 'not that' } } : undefined);
  tell('submitted', { name: name.value, room: view.state.values.c.room.selected_option?.value });
});

app.event('app_home_opened', async ({ event, client }) => {
  await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'divider' }] } });
  tell('home');
});

app.error(async (error) => tell('failed', String(error)));

app.start(facts.port).then(() => tell('listening'));

// node-postgres: transactions, pools, cancelling, notifications, settings.
'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { pg, settings, fresh, connect, cancel, one, sleep } = require('./connect');

test('commit keeps, rollback forgets, savepoints undo a part', async (t) => {
  const client = await connect(t);
  const table = fresh('node_tx');
  const numbers = async () => (await client.query(`select n from ${table} order by n`)).rows.map((row) => row.n);
  await client.query(`create table ${table} (n int primary key)`);
  await client.query('BEGIN');
  await client.query(`insert into ${table} values ($1)`, [1]);
  await client.query('SAVEPOINT s');
  await assert.rejects(client.query(`insert into ${table} values ($1)`, [1]), { code: '23505' });
  await assert.rejects(client.query('select 1'), { code: '25P02' });
  await client.query('ROLLBACK TO SAVEPOINT s');
  await client.query(`insert into ${table} values ($1)`, [2]);
  assert.equal((await client.query('COMMIT')).command, 'COMMIT');
  assert.deepEqual(await numbers(), [1, 2]);
  await client.query('BEGIN');
  await client.query(`delete from ${table}`);
  await assert.rejects(client.query('select 1/0'), { code: '22012' });
  assert.equal((await client.query('COMMIT')).command, 'ROLLBACK');
  assert.deepEqual(await numbers(), [1, 2]);
});

test('a pool of ten serves a thousand queries, each with its own answer', async (t) => {
  const pool = new pg.Pool({ ...settings, max: 10 });
  t.after(() => pool.end());
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) =>
    pool.query(i % 3 ? { text: 'select $1::int as n', values: [i] } : `select ${i} as n`)));
  answers.forEach((answer, i) => assert.equal(answer.rows[0].n, i));
});

test('a write of one pooled connection is read by the others', async (t) => {
  const pool = new pg.Pool({ ...settings, max: 5 });
  t.after(() => pool.end());
  const table = fresh('node_own');
  await pool.query(`create table ${table} (n int)`);
  for (let i = 1; i <= 50; i++) {
    await pool.query(`insert into ${table} values ($1)`, [i]);
    const counts = await Promise.all(Array.from({ length: 5 }, () => pool.query(`select count(*)::int as n from ${table}`)));
    assert.deepEqual(counts.map((count) => count.rows[0].n), Array(5).fill(i));
  }
});

test('a cancel request stops the query and nothing else', async (t) => {
  const [client, other] = [await connect(t), await connect(t)];
  for (const query of [() => client.query('select pg_sleep(30)'), () => client.query('select pg_sleep($1)', [30])]) {
    const sleeping = assert.rejects(query(), { code: '57014' });
    await sleep(300);
    const began = Date.now();
    await cancel(client);
    await sleeping;
    assert.ok(Date.now() - began < 10000);
    assert.equal(await one(client, 'select 42'), 42);
    assert.equal(await one(other, 'select 43'), 43);
  }
});

test('a cancel request with a wrong key is ignored', async (t) => {
  const client = await connect(t);
  const sleeping = client.query('select pg_sleep(1), 7 as n');
  await sleep(200);
  await cancel({ processID: client.processID, secretKey: client.secretKey ^ 1 });
  assert.equal((await sleeping).rows[0].n, 7);
});

test('notifications and notices arrive', async (t) => {
  const [listener, other] = [await connect(t), await connect(t)];
  const channel = fresh('node_channel');
  const heard = [];
  listener.on('notification', (message) => heard.push(message.payload));
  await listener.query(`LISTEN ${channel}`);
  for (const word of ['one', 'dvě']) await other.query('select pg_notify($1, $2)', [channel, word]);
  for (let i = 0; i < 100 && heard.length < 2; i++) await sleep(50);
  assert.deepEqual(heard, ['one', 'dvě']);
  const notices = [];
  other.on('notice', (notice) => notices.push(`${notice.severity} ${notice.message}`));
  await other.query("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$");
  assert.deepEqual(notices, ['NOTICE hello', 'WARNING careful']);
});

test('startup settings hold for the session', async (t) => {
  const client = await connect(t, {
    application_name: 'node test', statement_timeout: 43210, options: '-c search_path=pg_catalog -c app.tenant=blue' });
  for (let i = 0; i < 5; i++) {
    assert.equal(await one(client, 'show application_name'), 'node test');
    assert.equal(await one(client, "select current_setting('statement_timeout')"), '43210ms');
    assert.equal(await one(client, "select current_setting('search_path')"), 'pg_catalog');
    assert.equal(await one(client, "select current_setting('app.tenant')"), 'blue');
  }
});

test('settings of one client never reach another', async (t) => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(t)));
  await Promise.all(clients.map((client, i) => client.query(`set app.tenant = 'tenant ${i}'`)));
  for (let round = 0; round < 10; round++) {
    const seen = await Promise.all(clients.map((client) => one(client, "select current_setting('app.tenant')")));
    assert.deepEqual(seen, clients.map((_, i) => `tenant ${i}`));
  }
});

test('temporary tables stay with their client', async (t) => {
  const [one_, two] = [await connect(t), await connect(t)];
  await one_.query('create temp table node_private as select 1 as n');
  await two.query('create temp table node_private as select 2 as n');
  for (let i = 0; i < 10; i++) {
    assert.equal(await one(one_, 'select n from node_private'), 1);
    assert.equal(await one(two, 'select n from node_private'), 2);
  }
});

test('a wrong password is refused with its SQLSTATE', async () => {
  const client = new pg.Client({ ...settings, password: 'wrong' });
  await assert.rejects(client.connect(), { code: '28P01' });
});

test('a client that vanishes in a transaction leaves no lock', async (t) => {
  const client = await connect(t);
  const table = fresh('node_lost');
  await client.query(`create table ${table} (n int)`);
  const lost = new pg.Client(settings);
  lost.on('error', () => {});
  await lost.connect();
  await lost.query('BEGIN');
  await lost.query(`insert into ${table} values (1)`);
  lost.connection.stream.destroy();
  await client.query("set lock_timeout = '10s'");
  await client.query('BEGIN');
  await client.query(`lock table ${table}`);
  assert.equal(await one(client, `select count(*)::int from ${table}`), 0);
  await client.query('COMMIT');
});

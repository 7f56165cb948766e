// node-postgres: text without values is a simple Query; with values, Parse, Bind, Describe, Execute and Sync in one
// write; with a name, a named statement.
'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { direct, fresh, connect, one } = require('./connect');

test('values of many types come back as they went', async (t) => {
  const client = await connect(t);
  for (const [type, value] of [
    ['int4', -7], ['int8', '9223372036854775807'], ['float8', 1.5], ['numeric', '123456789.000000001'], ['bool', true],
    ['text', "žluťoučký 漢字 🐘 'quoted' \\ $1"], ['text', ''], ['text', null], ['bytea', Buffer.from([0, 1, 255])],
    ['jsonb', { a: [1, null, { č: 'ü' }] }], ['int4[]', [1, 2, null]], ['text[]', ['a,b', '{}', '']],
    ['timestamptz', new Date(Date.UTC(2024, 1, 29, 12))], ['uuid', '00000000-0000-0000-0000-000000000007'],
  ]) {
    assert.deepEqual(await one(client, `select $1::${type}`, [value]), value, type);
  }
});

test('a megabyte goes there and back, in both protocols', async (t) => {
  const client = await connect(t);
  const text = '0123456789abcdeř'.repeat(65536);
  assert.equal(await one(client, 'select $1::text', [text]), text);
  assert.equal(await one(client, `select '${text}'`), text);
});

test('ten thousand rows arrive in order', async (t) => {
  const client = await connect(t);
  const { rows } = await client.query('select n from generate_series(1, $1::int) n order by n', [10000]);
  assert.deepEqual(rows.map((row) => row.n), Array.from({ length: 10000 }, (_, i) => i + 1));
});

test('queries that are queued at once are answered in order', async (t) => {
  const client = await connect(t);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      i % 10 === 9
        ? client.query('select 1 / ($1::int - $1::int)', [i]).catch((error) => error.code)
        : i % 2
          ? one(client, 'select $1::int', [i])
          : one(client, `select ${i}`)));
  answers.forEach((answer, i) => assert.equal(answer, i % 10 === 9 ? '22012' : i));
});

test('a named statement is prepared once and used often', async (t) => {
  const client = await connect(t);
  for (let i = 0; i < 50; i++) {
    const result = await client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: [i] });
    assert.equal(result.rows[0].n, i * 2);
  }
});

test('the same name means something else on another connection', async (t) => {
  const [one_, two] = [await connect(t), await connect(t)];
  for (let i = 0; i < 20; i++) {
    const [a, b] = await Promise.all([
      one_.query({ name: 'same', text: "select 'one ' || $1 as x", values: [i] }),
      two.query({ name: 'same', text: "select 'two ' || $1 as x, 2 as y", values: [i] })]);
    assert.deepEqual([a.rows[0], b.rows[0]], [{ x: `one ${i}` }, { x: `two ${i}`, y: 2 }]);
  }
});

test('many different named statements', async (t) => {
  const client = await connect(t);
  for (const round of [1, 2]) {
    for (let i = 0; i < 300; i++) {
      const result = await client.query({ name: `many ${i}`, text: `select $1::int + ${i} as n`, values: [round] });
      assert.equal(result.rows[0].n, i + round);
    }
  }
});

test('a statement that fails to parse leaves its name free', async (t) => {
  const client = await connect(t);
  await assert.rejects(client.query({ name: 'late', text: 'select * from ' + fresh('nowhere'), values: [] }), { code: '42P01' });
  assert.equal((await client.query({ name: 'late', text: 'select 5 as n', values: [] })).rows[0].n, 5);
});

test('several statements in one simple query give several results', async (t) => {
  const client = await connect(t);
  const table = fresh('node_multi');
  const results = await client.query(`create table ${table} (n int); insert into ${table} values (1), (2); table ${table}`);
  assert.deepEqual(results.map((result) => result.command), ['CREATE', 'INSERT', 'SELECT']);
  assert.deepEqual(results[2].rows, [{ n: 1 }, { n: 2 }]);
  await assert.rejects(client.query(`insert into ${table} values (3); select 1/0`), { code: '22012' });
  assert.equal(await one(client, `select count(*)::int from ${table}`), 2);
});

test('an empty query is answered', async (t) => {
  const client = await connect(t);
  for (const text of ['', ';', '-- ping']) {
    assert.deepEqual((await client.query(text)).rows, []);
    assert.deepEqual((await client.query(text, [])).rows, []);
  }
});

test('an error tells its fields, and the connection goes on', async (t) => {
  const client = await connect(t);
  const table = fresh('node_errors');
  await client.query(`create table ${table} (n int constraint ${table}_key primary key)`);
  await client.query(`insert into ${table} values (1)`);
  await assert.rejects(client.query(`insert into ${table} values ($1)`, [1]),
    { code: '23505', severity: 'ERROR', table, constraint: `${table}_key`, schema: 'public' });
  assert.equal(await one(client, 'select 1'), 1);
});

test('reads go to replicas and writes to the primary', { skip: direct }, async (t) => {
  const client = await connect(t);
  const table = fresh('node_routed');
  const target = () => one(client, 'show fairlead.last_route');
  await client.query(`create table ${table} (n int)`);
  assert.equal(await target(), 'primary');
  // The first reads may have to see the new table before a replica has it.
  const until = Date.now() + 5000;
  do await client.query('select $1::int', [1]); while (await target() !== 'replica' && Date.now() < until);
  assert.equal(await target(), 'replica');
  await client.query(`insert into ${table} values ($1)`, [1]);
  assert.equal(await target(), 'primary');
});

// Connections to what the environment names, and the CancelRequest that node-postgres no longer offers.
'use strict';
const net = require('node:net');
const pg = require('pg');

const direct = process.env.FAIRLEAD_DIRECT === '1';
const settings = {
  host: process.env.FAIRLEAD_HOST || '127.0.0.1',
  port: Number(process.env.FAIRLEAD_PORT),
  user: process.env.FAIRLEAD_USER,
  password: process.env.FAIRLEAD_PASSWORD,
  database: process.env.FAIRLEAD_DB,
};

let names = 0;
const fresh = (prefix) => `${prefix}_${process.pid}_${++names}`;

// A client that ends with its test.
async function connect(t, more = {}) {
  const client = new pg.Client({ ...settings, ...more });
  await client.connect();
  t.after(() => client.end());
  return client;
}

// The protocol's own way: a second connection that carries the key of the first one, and is closed without an answer.
function cancel(client) {
  return new Promise((resolve, reject) => {
    const request = Buffer.alloc(16);
    request.writeInt32BE(16, 0);
    request.writeInt32BE(80877102, 4);
    request.writeInt32BE(client.processID, 8);
    request.writeInt32BE(client.secretKey, 12);
    const socket = net.connect(settings.port, settings.host, () => socket.write(request));
    socket.on('error', reject).on('close', resolve).resume();
  });
}

async function one(client, text, values) {
  const result = await client.query({ text, values, rowMode: 'array' });
  return result.rows[0][0];
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

module.exports = { pg, settings, direct, fresh, connect, cancel, one, sleep };

// Sequelize as applications use it: models, relations, managed transactions; and which share of its reads replicas answer.
'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { Sequelize, DataTypes, Op, QueryTypes } = require('sequelize');
const { settings, direct, fresh } = require('./connect');

const prefix = fresh('sequelize');

function open(t, more = {}) {
  const sequelize = new Sequelize(settings.database, settings.user, settings.password, {
    host: settings.host, port: settings.port, dialect: 'postgres', logging: false, pool: { max: 1 }, ...more,
  });
  t.after(() => sequelize.close());
  const Shop = sequelize.define('Shop', {
    name: { type: DataTypes.STRING, unique: true }, tags: DataTypes.ARRAY(DataTypes.TEXT), extra: DataTypes.JSONB,
  }, { tableName: `${prefix}_shop` });
  const Order = sequelize.define('Order', { amount: DataTypes.DECIMAL(10, 2) }, { tableName: `${prefix}_order` });
  Shop.hasMany(Order, { onDelete: 'CASCADE' });
  Order.belongsTo(Shop);
  return { sequelize, Shop, Order };
}

async function target(sequelize, transaction) {
  const [route] = await sequelize.query('show fairlead.last_route', { type: QueryTypes.SELECT, transaction });
  return route.target;
}

// Until a replica answers: the catalog may not have the tables yet.
async function settled(read) {
  for (let i = 0; i < 1000 && (await read()) !== 'replica'; i++);
}

// Of 40 reads, the share of the replicas'.
async function share(read) {
  let replica = 0;
  for (let i = 0; i < 40; i++) replica += (await read()) === 'replica' ? 1 : 0;
  return replica / 40;
}

test('models are made, found, changed and removed with all that belongs to them', async (t) => {
  const { sequelize, Shop, Order } = open(t, { pool: { max: 5 } });
  await sequelize.sync();
  const names = Array.from({ length: 20 }, () => fresh('shop'));
  await Promise.all(names.map(async (name, i) => {
    const shop = await Shop.create({ name, tags: ['a,b', 'č'], extra: { n: [1, null] } });
    await Order.bulkCreate(Array.from({ length: i + 1 }, () => ({ amount: '1.50', ShopId: shop.id })));
    const found = await Shop.findOne({ where: { name }, include: Order });
    assert.deepEqual([found.tags, found.extra, found.Orders.length], [['a,b', 'č'], { n: [1, null] }, i + 1]);
  }));
  assert.equal(await Order.sum('amount'), 315);
  const first = (await Shop.findAll({ limit: 5 })).map((shop) => shop.id);
  await Shop.update({ extra: { big: true } }, { where: { id: { [Op.in]: first } } });
  assert.equal(await Shop.count({ where: { extra: { big: true } } }), 5);
  const [, created] = await Shop.findOrCreate({ where: { name: names[0] } });
  assert.equal(created, false);
  await Shop.destroy({ where: { name: names[19] } });
  assert.equal(await Order.count(), 190);
});

test('a managed transaction keeps or forgets all of it', async (t) => {
  const { sequelize, Shop } = open(t, { pool: { max: 3 } });
  const [kept, lost] = [fresh('kept'), fresh('lost')];
  await sequelize.transaction(async (transaction) => Shop.create({ name: kept }, { transaction }));
  await assert.rejects(sequelize.transaction(async (transaction) => {
    await Shop.create({ name: lost }, { transaction });
    await Shop.create({ name: kept }, { transaction });
  }), { name: 'SequelizeUniqueConstraintError' });
  assert.equal(await Shop.count({ where: { name: [kept, lost] } }), 1);
  const isolationLevel = Sequelize.Transaction.ISOLATION_LEVELS.REPEATABLE_READ;
  await sequelize.transaction({ isolationLevel }, async (transaction) => {
    const [row] = await sequelize.query('show transaction_isolation', { type: QueryTypes.SELECT, transaction });
    assert.equal(row.transaction_isolation, 'repeatable read');
  });
});

test('reads leave the primary where the application lets them', { skip: direct }, async (t) => {
  const plain = open(t);
  const untilWrite = open(t, { dialectOptions: { options: '-c fairlead.transaction_reads=until_write' } });
  const read = async ({ sequelize, Shop }, transaction) => {
    await Shop.findAll({ limit: 3, transaction });
    return target(sequelize, transaction);
  };
  const inTransaction = (db, work) => db.sequelize.transaction((transaction) => work(transaction));
  await settled(() => read(plain));
  assert.ok(await share(() => read(plain)) > 0.8);
  assert.equal(await share(() => inTransaction(plain, (transaction) => read(plain, transaction))), 0);
  assert.ok(await share(() => inTransaction(untilWrite, (transaction) => read(untilWrite, transaction))) > 0.8);
  // The first write takes the rest of its transaction to the primary, and it sees what it has written.
  assert.equal(await share(() => inTransaction(untilWrite, async (transaction) => {
    await read(untilWrite, transaction);
    const name = fresh('shop');
    await untilWrite.Shop.create({ name }, { transaction });
    assert.equal(await untilWrite.Shop.count({ where: { name }, transaction }), 1);
    return target(untilWrite.sequelize, transaction);
  })), 0);
});

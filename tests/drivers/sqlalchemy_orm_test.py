"""SQLAlchemy as applications use it: the ORM over psycopg2, and over asyncpg with the async engine."""
import asyncio
import collections
import datetime
import enum
import unittest
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import declarative_base, relationship, selectinload, sessionmaker

from stand.processes import eventually

from driver_case import ADDRESS, fresh, only_proxied

URL = f"://{ADDRESS.user}:{quote(ADDRESS.password)}@{ADDRESS.host}:{ADDRESS.port}/{ADDRESS.database}"
PREFIX = fresh("alchemy")
Base = declarative_base()


class Mood(enum.Enum):
    SAD = 1
    GLAD = 2


class Author(Base):
    __tablename__ = f"{PREFIX}_author"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50), nullable=False, unique=True)
    mood = sa.Column(sa.Enum(Mood, name=f"{PREFIX}_mood"), default=Mood.GLAD)
    born = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    tags = sa.Column(postgresql.ARRAY(sa.Text), default=list)
    extra = sa.Column(postgresql.JSONB, default=dict)
    books = relationship("Book", back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = f"{PREFIX}_book"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.Text, nullable=False)
    pages = sa.Column(sa.Integer, default=0)
    author_id = sa.Column(sa.ForeignKey(Author.id), nullable=False)
    author = relationship(Author, back_populates="books")


def setUpModule():
    Base.metadata.create_all(sa.create_engine(f"postgresql+psycopg2{URL}"))


def tearDownModule():
    Base.metadata.drop_all(sa.create_engine(f"postgresql+psycopg2{URL}"))


class SqlalchemyOrm(unittest.TestCase):
    def setUp(self):
        self.engine = self.make_engine()
        self.session = sessionmaker(self.engine, future=True)

    def make_engine(self, **options):
        engine = sa.create_engine(f"postgresql+psycopg2{URL}", future=True, **options)
        self.addCleanup(engine.dispose)
        return engine

    def add_author(self, name, books=()):
        with self.session.begin() as session:
            author = Author(name=name, tags=["a,b", "č"], extra={"n": [1, None]})
            author.books = [Book(title=title, pages=len(title)) for title in books]
            session.add(author)
        return name

    def test_what_was_added_is_there_with_all_its_types(self):
        name = self.add_author(fresh("author"), ["one", "three"])
        with self.session() as session:
            author = session.execute(sa.select(Author).filter_by(name=name)).scalar_one()
            self.assertEqual((author.mood, author.tags, author.extra), (Mood.GLAD, ["a,b", "č"], {"n": [1, None]}))
            self.assertLess(datetime.datetime.now(datetime.timezone.utc) - author.born, datetime.timedelta(minutes=5))
            self.assertEqual(sorted(book.title for book in author.books), ["one", "three"])

    def test_relations_are_loaded_and_changed_and_orphans_deleted(self):
        name = self.add_author(fresh("author"), ["one", "two"])
        with self.session.begin() as session:
            author = session.execute(
                sa.select(Author).options(selectinload(Author.books)).filter_by(name=name)
            ).scalar_one()
            author.books = [book for book in author.books if book.title == "two"]
            author.books[0].pages += 100
        with self.session() as session:
            found = session.execute(sa.select(Book.title, Book.pages).join(Author).where(Author.name == name)).all()
            self.assertEqual(found, [("two", 103)])

    def test_a_savepoint_is_rolled_back_alone(self):
        kept, lost = fresh("kept"), fresh("lost")
        with self.session.begin() as session:
            session.add(Author(name=kept))
            session.flush()
            with self.assertRaises(sa.exc.IntegrityError), session.begin_nested():
                session.add_all([Author(name=lost), Author(name=kept)])
                session.flush()
        with self.session() as session:
            names = session.execute(sa.select(Author.name).where(Author.name.in_([kept, lost]))).scalars().all()
            self.assertEqual(names, [kept])

    def test_rows_are_locked_upserted_and_inserted_in_bulk(self):
        name = self.add_author(fresh("author"))
        with self.session.begin() as session:
            author = session.execute(sa.select(Author).filter_by(name=name).with_for_update()).scalar_one()
            session.execute(sa.insert(Book), [{"title": f"b{n}", "author_id": author.id} for n in range(500)])
            insert = postgresql.insert(Author).values(name=name, extra={"again": True})
            session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"extra": insert.excluded.extra}))
        with self.session() as session:
            count = session.execute(sa.select(sa.func.count()).select_from(Book).join(Author).where(Author.name == name))
            self.assertEqual(count.scalar_one(), 500)
            self.assertEqual(
                session.execute(sa.select(Author.extra).filter_by(name=name)).scalar_one(), {"again": True}
            )

    def test_a_large_result_is_streamed(self):
        with self.engine.connect().execution_options(stream_results=True, max_row_buffer=100) as connection:
            rows = connection.execute(sa.text("select n from generate_series(1, 5000) n"))
            self.assertEqual(sum(row.n for row in rows), 12502500)

    def test_tables_are_reflected(self):
        columns = {column["name"] for column in sa.inspect(self.engine).get_columns(Book.__tablename__)}
        self.assertEqual(columns, {"id", "title", "pages", "author_id"})

    @only_proxied
    def test_reads_leave_the_primary_where_the_application_lets_them(self):
        name = self.add_author(fresh("author"), ["one"])

        def share(**options):
            """Of 40 reads, how many were a replica's."""
            targets = collections.Counter()
            session_of = sessionmaker(self.make_engine(**options), future=True)
            for _ in range(40):
                with session_of() as session:
                    self.assertEqual(session.execute(sa.select(Author).filter_by(name=name)).scalar_one().name, name)
                    targets[session.execute(sa.text("show fairlead.last_route")).one()[0]] += 1
            return targets["replica"] / 40

        eventually(lambda: share(isolation_level="AUTOCOMMIT") > 0, 20, "the catalog has the tables")
        self.assertGreater(share(isolation_level="AUTOCOMMIT"), 0.8)
        self.assertEqual(share(), 0)  # A transaction that says nothing of itself may still write.
        until_write = "-c fairlead.transaction_reads=until_write"
        self.assertGreater(share(connect_args={"options": until_write}), 0.8)

    @only_proxied
    def test_reads_until_a_write_and_the_write_are_one_transaction(self):  # B31
        engine = self.make_engine(connect_args={"options": "-c fairlead.transaction_reads=until_write"})
        session_of = sessionmaker(engine, future=True)
        name = self.add_author(fresh("author"), ["one"])
        for number in range(20):
            with session_of.begin() as session:
                author = session.execute(sa.select(Author).filter_by(name=name)).scalar_one()
                author.books.append(Book(title=f"t{number}"))
                session.flush()
                self.assertEqual(session.execute(sa.text("show fairlead.last_route")).one()[0], "primary")
        with session_of() as session:
            count = session.execute(sa.select(sa.func.count()).select_from(Book).join(Author).where(Author.name == name))
            self.assertEqual(count.scalar_one(), 21)


class SqlalchemyAsync(unittest.IsolatedAsyncioTestCase):
    async def test_many_sessions_at_a_time_write_and_read_their_own(self):
        engine = create_async_engine(f"postgresql+asyncpg{URL}", pool_size=8)

        async def work(name):
            async with AsyncSession(engine, expire_on_commit=False) as session:
                async with session.begin():
                    session.add(Author(name=name, books=[Book(title="t", pages=7)]))
                found = await session.execute(sa.select(Author).options(selectinload(Author.books)).filter_by(name=name))
                author = found.scalar_one()
                self.assertEqual([book.pages for book in author.books], [7])
                async with session.begin_nested():
                    author.books[0].pages = 8
                await session.commit()
                pages = await session.execute(sa.select(Book.pages).join(Author).filter(Author.name == name))
                self.assertEqual(pages.scalar_one(), 8)

        await asyncio.gather(*(work(fresh("author")) for _ in range(30)))
        await engine.dispose()

    @only_proxied
    async def test_reads_leave_the_primary_where_the_application_lets_them(self):
        async def share(**options):
            """Of 40 reads, each in a session of its own, the share of the replicas'."""
            engine = create_async_engine(f"postgresql+asyncpg{URL}", **options)
            targets = collections.Counter()
            for _ in range(40):
                async with AsyncSession(engine) as session:
                    await session.execute(sa.select(Author).limit(3))
                    route = (await session.execute(sa.text("show fairlead.last_route"))).one()
                    targets[route[0]] += 1
            await engine.dispose()
            return targets["replica"] / 40

        for _ in range(50):  # The catalog may not have the tables yet.
            if await share(isolation_level="AUTOCOMMIT") > 0:
                break
        self.assertGreater(await share(isolation_level="AUTOCOMMIT"), 0.8)
        self.assertEqual(await share(), 0)
        until_write = {"server_settings": {"fairlead.transaction_reads": "until_write"}}
        self.assertGreater(await share(connect_args=until_write), 0.8)

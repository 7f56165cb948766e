"""Django as applications use it: migrations, the ORM in autocommit and in atomic blocks, server-side cursors."""
import collections
import contextlib
import threading
import unittest

import django
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.models import Count, F, Sum
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from stand.processes import eventually

from driver_case import ADDRESS, fresh, only_proxied

if not settings.configured:
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": ADDRESS.host, "PORT": ADDRESS.port, "USER": ADDRESS.user,
            "PASSWORD": ADDRESS.password, "NAME": ADDRESS.database,
        }},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, SECRET_KEY="for tests", ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
    )
    django.setup()

PREFIX = fresh("django")


class Shop(models.Model):
    name = models.CharField(max_length=50, unique=True)
    opened = models.DateTimeField(auto_now_add=True)
    settings = models.JSONField(default=dict)

    class Meta:
        app_label = "contenttypes"
        db_table = f"{PREFIX}_shop"


class Order(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="orders")
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        app_label = "contenttypes"
        db_table = f"{PREFIX}_order"


def last_route():
    """Such as "replica: fresh": where the last statement went, and why."""
    with connection.cursor() as cursor:
        cursor.execute("show fairlead.last_route")
        target, _node, reason = cursor.fetchone()[:3]
        return f"{target}: {reason}"


def list_shops(_request):
    list(Shop.objects.annotate(count=Count("orders"))[:5])
    return HttpResponse(last_route())


def visit_shop(_request):
    Order.objects.create(shop=Shop.objects.order_by("pk").last(), amount=1)
    return HttpResponse(last_route())


urlpatterns = [path("shops", list_shops), path("visit", visit_shop)]


def setUpModule():
    with connection.schema_editor() as editor:
        editor.create_model(Shop)
        editor.create_model(Order)


def tearDownModule():
    with connection.schema_editor() as editor:
        editor.delete_model(Order)
        editor.delete_model(Shop)
    connections.close_all()


class DjangoOrm(unittest.TestCase):
    def make_shop(self, *amounts):
        shop = Shop.objects.create(name=fresh("shop"), settings={"open": [9, 17]})
        Order.objects.bulk_create(Order(shop=shop, amount=amount) for amount in amounts)
        return shop

    def test_migrations_run_and_what_they_made_works(self):
        call_command("migrate", verbosity=0)
        from django.contrib.auth.models import Permission, User
        user = User.objects.create_user(fresh("user"), password="secret")
        user.user_permissions.set(Permission.objects.filter(codename="add_user"))
        again = User.objects.get(pk=user.pk)
        self.assertTrue(again.check_password("secret"))
        self.assertTrue(again.has_perm("auth.add_user"))
        user.delete()
        call_command("migrate", "auth", "zero", verbosity=0)
        self.assertNotIn("auth_user", connection.introspection.table_names())
        call_command("migrate", verbosity=0)

    def test_objects_are_made_found_changed_and_deleted(self):
        shop = self.make_shop(1, 2, 3)
        found = Shop.objects.annotate(count=Count("orders"), total=Sum("orders__amount")).get(pk=shop.pk)
        self.assertEqual((found.count, found.total, found.settings), (3, 6, {"open": [9, 17]}))
        shop.orders.filter(amount__gte=2).update(amount=F("amount") * 10)
        amounts = Order.objects.select_related("shop").filter(shop__name=shop.name).order_by("amount")
        self.assertEqual([order.amount for order in amounts], [1, 20, 30])
        self.assertEqual(len(Shop.objects.prefetch_related("orders").get(pk=shop.pk).orders.all()), 3)
        shop.delete()
        self.assertFalse(Order.objects.filter(shop_id=shop.pk).exists())

    def test_atomic_blocks_nest_and_roll_back(self):
        shop, told = self.make_shop(), []
        with transaction.atomic():
            Order.objects.create(shop=shop, amount=1)
            with self.assertRaises(IntegrityError), transaction.atomic():
                Order.objects.create(shop=shop, amount=2)
                Shop.objects.create(name=shop.name)
            transaction.on_commit(lambda: told.append(shop.orders.count()))
            self.assertEqual(Shop.objects.select_for_update().get(pk=shop.pk), shop)
        self.assertEqual(told, [1])
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            Order.objects.create(shop=shop, amount=3)
            raise ZeroDivisionError
        self.assertEqual(shop.orders.count(), 1)

    def test_upserts_of_several_threads_count_right(self):
        shop = self.make_shop(0)
        order = shop.orders.get()

        def add():
            for _ in range(20):
                with transaction.atomic():
                    mine, _ = Order.objects.select_for_update().get_or_create(pk=order.pk)
                    mine.amount += 1
                    mine.save()
            connections.close_all()

        threads = [threading.Thread(target=add) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(shop.orders.get().amount, 120)

    def test_server_side_cursors_work_outside_of_transactions(self):
        shop = self.make_shop(*range(1, 301))
        orders = shop.orders.order_by("amount").iterator(chunk_size=50)  # A cursor WITH HOLD.
        first = [next(orders).amount for _ in range(3)]
        self.assertEqual(Shop.objects.filter(pk=shop.pk).count(), 1)  # Something between two fetches.
        self.assertEqual(first + [order.amount for order in orders], list(range(1, 301)))

    def check_share(self, read, above=-1.0, most=1.0, times=40):
        """That so many of the reads were a replica's; `read` returns last_route()."""
        routes = collections.Counter(read() for _ in range(times))
        share = sum(count for route, count in routes.items() if route.startswith("replica")) / times
        self.assertTrue(above < share <= most, f"{share} is not above {above} and at most {most}: {routes}")

    @contextlib.contextmanager
    def until_write(self):
        with connection.cursor() as cursor:
            cursor.execute("set fairlead.transaction_reads = 'until_write'")
            try:
                yield
            finally:
                cursor.execute("reset fairlead.transaction_reads")

    @only_proxied
    def test_reads_in_autocommit_leave_the_primary_and_those_of_atomic_blocks_only_until_they_write(self):  # B31
        shop = self.make_shop(1)

        def read():
            self.assertEqual(Shop.objects.get(name=shop.name).pk, shop.pk)

        @transaction.atomic
        def write_and_read():
            read()
            Shop.objects.filter(pk=shop.pk).update(settings={"n": 1})
            self.assertEqual(Shop.objects.get(pk=shop.pk).settings, {"n": 1})

        def route_of(work):
            return lambda: work() or last_route()

        eventually(lambda: route_of(read)().startswith("replica"), 10, "the catalog is known again, behind the migrations")
        self.check_share(route_of(read), above=0.8)
        self.check_share(route_of(transaction.atomic(read)), most=0)
        with self.until_write():
            self.check_share(route_of(transaction.atomic(read)), above=0.8)
            self.check_share(route_of(write_and_read), most=0)

    @only_proxied
    def test_requests_that_are_transactions_read_on_replicas_only_until_they_write(self):  # B31
        self.make_shop(1)
        connection.settings_dict["ATOMIC_REQUESTS"] = True
        self.addCleanup(connection.settings_dict.__setitem__, "ATOMIC_REQUESTS", False)

        def get(path):
            return lambda: Client().get(path).content.decode()

        self.check_share(get("/shops"), most=0, times=20)
        with self.until_write():
            # Not how soon the replicas have the shop: reads of it may wait for PostgreSQL's WAL writer first.
            eventually(lambda: get("/shops")().startswith("replica"), 10, "the replicas have the shop")
            self.check_share(get("/shops"), above=0.8, times=20)
            self.check_share(get("/visit"), most=0, times=20)

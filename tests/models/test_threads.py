"""The first use of a model by several threads at once: what is made then is whole for each of them."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
from typing_extensions import TypedDict

from kintomodel import Model
from kintomodel.mapping.annotations import Names, module_scope

THREADS = 6
NAMES = [f"name_{at}" for at in range(30)]


@pytest.fixture(autouse=True)
def switching():
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work):
    """What the work gives in each of several threads that begin together."""
    barrier = threading.Barrier(THREADS)

    def begin(_):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(THREADS)))


def attrs_class():
    return attrs.make_class("Nested", {name: attrs.field(type=int, default=1) for name in NAMES})


def typed_dict():
    return TypedDict("Nested", dict.fromkeys(NAMES, int))


@pytest.mark.parametrize("make", [attrs_class, typed_dict])
@pytest.mark.parametrize("_", range(10))
def test_the_first_nested_objects_are_written_whole(make, _):
    nested = make()

    class Receipt(Model, bucket="payments", collection="receipts"):
        inner: nested

    whole = dict.fromkeys(NAMES, 1)
    found = at_once(lambda: Receipt(inner=nested(**whole)).changes())
    assert found == [{"inner": whole}] * THREADS


@pytest.mark.parametrize("_", range(10))
def test_the_first_look_at_a_model_finds_its_types_and_its_manager(_):
    class Receipt(Model, bucket="payments", collection="receipts"):
        amount: int = 0

    def look():
        return Receipt.objects.filter(amount=1).explain().requests[0].residual, Receipt.amount.field_type

    assert at_once(look) == [(None, int)] * THREADS


def test_attributes_of_a_class_may_be_set_while_its_names_are_looked_up():
    class Place:
        pass

    done = threading.Event()

    def keep_setting():
        while not done.is_set():
            for name in NAMES:
                setattr(Place, name, 1)
            for name in NAMES:
                delattr(Place, name)

    setting = threading.Thread(target=keep_setting)
    setting.start()
    try:
        for _ in range(300):
            assert Names(Place, module_scope(Place), {})["Place"] is Place
    finally:
        done.set()
        setting.join()

"""Acts that meet at one moment, each in a transaction and on a connection of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, wait
from functools import partial

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base import open_store
from models.errors import RuleError

Work = Callable[[Session], object]
"""What one does to a store: a function of a module, or a partial of one, so that another process
can be handed it."""
DONE, REFUSED = "done", "refused"
PATIENCE = 120
A_MOMENT = 0.3
"""How long an act that should wait is given to show that it does not. No test fails because a
machine is slower than this."""


def do(url: str, work: Work) -> str:
    """Whether the work was kept or a rule refused it; any other error is an error."""
    engine = open_store(url, many_writers=True)
    try:
        with Session(engine) as session, session.begin():
            work(session)
        return DONE
    except RuleError:
        return REFUSED
    finally:
        engine.dispose()


def url_of(store: Engine) -> str:
    return store.url.render_as_string(hide_password=False)


def run(workers: Executor, store: Engine, works: Sequence[Work]) -> list[str]:
    """Does all at once; the answers in the order of `works`."""
    return list(workers.map(partial(do, url_of(store)), works, timeout=PATIENCE))


def run_during(
    other: Executor, store: Engine, first: Work, then: Work, *, keep: bool = True
) -> str:
    """The answer of `then`, which begins when `first` is done but neither kept nor undone yet."""
    with Session(store) as session:
        first(session)
        waiting = other.submit(do, url_of(store), then)
        wait([waiting], timeout=A_MOMENT)
        if keep:
            session.commit()
        else:
            session.rollback()
        return waiting.result(timeout=PATIENCE)


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[str, Executor]]:
    """Real threads, and processes that share nothing but the database."""
    spawn = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(6) as threads, ProcessPoolExecutor(3, mp_context=spawn) as processes:
        # Every process has imported what it needs before anything is tried.
        list(processes.map(do, ["sqlite://"] * 3, [_nothing] * 3))
        yield {"threads": threads, "processes": processes}


@pytest.fixture(params=["threads", "processes"])
def workers(request: pytest.FixtureRequest, pools: dict[str, Executor]) -> Executor:
    return pools[request.param]


@pytest.fixture
def other_process(pools: dict[str, Executor]) -> Executor:
    return pools["processes"]


def _nothing(_session: Session) -> None:
    pass

"""Conversations that last: how many are cut by changes, and what keeps living for their sake."""

from suite import process, routes
from suite.callers import call_all
from suite.process import BenchError, wait_until
from suite.scenarios.change_latency import adding
from suite.sides import RELOADING, Swarmgate
from suite.stage import Stage
from suite.websocket import EchoServer, Sockets

SOCKETS = 50


def measure(plan):
    """One row for each side. The others reload at every change, so that they get fewer."""
    rows = []
    for kind in (Swarmgate, *RELOADING):
        changes = plan.samples(1000 if kind is Swarmgate else 20)
        rows.append(_measure(plan, kind, changes))
    return rows


class _Talker(routes.Route):
    """The service of the WebSockets: a server of its own."""

    address = "127.0.0.1"


def _measure(plan, kind, changes):
    with Stage() as stage:
        echo = stage.ends(EchoServer())
        side = stage.side(kind, upstream=echo)
        talker = _Talker(0)
        side.launch([talker])
        if wait_until(lambda: _speaks(side, talker), 30, 0.05) is None:
            raise BenchError(f"{side.label}: no WebSocket is let through: {side.complaint()}")
        sockets = Sockets(side.http_port, *talker.request, SOCKETS)
        if wait_until(lambda: sockets.open == SOCKETS, 20, 0.02) is None:
            raise BenchError(f"{side.label}: {sockets.open} of {SOCKETS} WebSockets are open")
        _change(side, talker, changes)
        answers = sockets.answers
        wait_until(lambda: sockets.answers >= answers + SOCKETS - sockets.cut, 10, 0.05)
        row = {"side": side.key, "sockets": SOCKETS, "changes": changes, "cut": sockets.cut,
               "processes": len(process.tree(side.roots())), "rss_mib": side.rss_mib()}
        if side.key == "swarmgate":
            row["reloads"] = side.reloads()
        sockets.end()
    plan.say(f"  {side.label}: {row['cut']} of {SOCKETS} cut by {changes} changes; "
             f"{row['processes']} processes, {row['rss_mib']:.0f} MiB")
    return row


def _speaks(side, talker):
    one = Sockets(side.http_port, *talker.request, 1)
    spoke = wait_until(lambda: one.answers > 0 or one.cut > 0, 5, 0.005) is not None
    return one.end() == 0 and spoke


def _change(side, talker, changes):
    """Services come, one after the other; by the API also another path for those that are there."""
    if side.key == "swarmgate":
        call_all(side.admin_port, 4, 0, [
            side.reconfigure_path(routes.Route(1 + i % 100), servicePath=f"/s{1 + i % 100:05d}/{i}/")
            for i in range(changes)])
        return
    served = [talker]
    for number in range(changes):
        added = routes.Route(1 + number)
        adding(side, served, added)()
        served = served + [added]

"""Lineage joins the planes' steps, and never goes round in circles."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.lineage import lineage
from libs.contracts.lineage import LineageEdge, LineageNode, LineageReply, LineageRequest, LineageTitle, LineageWay
from libs.contracts.message import Plane, new_id
from services.gateway.lineage import DEPTH, MOST, Ask, walk
from tests.unit.gateway.fake_site import Site, problem

A, B = LineageNode(kind="lead", id="a"), LineageNode(kind="card", id="b")


def _edge(cause: LineageNode, effect: LineageNode, how: str = "shown_on") -> LineageEdge:
    return LineageEdge(cause=cause, effect=effect, how=how)


def _planes(edges: Mapping[Plane, list[LineageEdge]], *, silent: frozenset[Plane] = frozenset()) -> Ask:
    async def ask(plane: Plane, nodes: tuple[LineageNode, ...], way: LineageWay) -> LineageReply | None:
        if plane in silent:
            return None
        found = [e for e in edges.get(plane, []) if (e.cause if way is LineageWay.CAUSED else e.effect) in nodes]
        titles = tuple(LineageTitle(node=n, en=n.id, ar=n.id) for n in nodes)
        return LineageReply(edges=tuple(found), titles=titles)

    return ask


async def test_a_way_across_planes_is_found_from_both_ends() -> None:
    file, row = LineageNode(kind="file", id="f"), LineageNode(kind="row", id="f:1")
    ask = _planes({Plane.DATA: [_edge(file, row, "has_row"), _edge(row, A, "became")], Plane.DECISION: [_edge(A, B)]})
    back, known = await walk(B, LineageWay.CAME_FROM, ask, [Plane.DATA, Plane.DECISION])
    assert [(s.kind, s.distance, s.how) for s in back.steps] == [("lead", 1, "shown_on"), ("row", 2, "became"), ("file", 3, "has_row")]  # fmt: skip
    assert known is not None and back.counts == {"lead": 1, "row": 1, "file": 1}
    ahead, _ = await walk(file, LineageWay.CAUSED, ask, [Plane.DATA, Plane.DECISION])
    assert [s.kind for s in ahead.steps] == ["row", "lead", "card"]
    assert ahead.steps[-1].joined_to == A


async def test_a_circle_ends_and_a_long_way_is_not_followed_for_ever() -> None:
    around = _planes({Plane.DATA: [_edge(A, B), _edge(B, A)]})
    found, _ = await walk(A, LineageWay.CAUSED, around, [Plane.DATA])
    assert [s.id for s in found.steps] == ["b"]
    chain = [LineageNode(kind="lead", id=str(n)) for n in range(DEPTH * 3)]
    ask = _planes({Plane.DATA: [_edge(a, b) for a, b in pairwise(chain)]})
    long, _ = await walk(chain[0], LineageWay.CAUSED, ask, [Plane.DATA])
    assert len(long.steps) <= DEPTH + 1


async def test_too_much_is_cut_and_said_so() -> None:
    many = [_edge(A, LineageNode(kind="card", id=str(n))) for n in range(MOST + 50)]
    found, _ = await walk(A, LineageWay.CAUSED, _planes({Plane.DATA: many}), [Plane.DATA])
    assert found.cut and len(found.steps) <= MOST


async def test_a_silent_plane_is_named_and_the_rest_is_shown() -> None:
    ask = _planes({Plane.DATA: [_edge(A, B)]}, silent=frozenset({Plane.TRUST}))
    found, _ = await walk(A, LineageWay.CAUSED, ask, [Plane.DATA, Plane.TRUST])
    assert found.silent == ("trust",) and len(found.steps) == 1


def test_every_kind_and_how_has_words_in_both_languages_and_its_plane_answers() -> None:
    known = lineage()
    assert all(kind.en and kind.ar and kind.plane in subjects.LINEAGE for kind in known.kinds.values())
    assert all(how.en and how.ar for how in known.hows.values())


@pytest.mark.parametrize(
    ("path", "code"),
    [("unicorn/1", "bad_lineage_kind"), ("card/1", "bad_lineage_id"), ("row/1:2", "bad_lineage_id")],
)
async def test_what_lineage_does_not_know_is_refused_in_both_languages(site: Site, path: str, code: str) -> None:
    headers = await site.bearer("operator")
    english = await site.client.get(f"/api/v1/lineage/{path}", headers=headers)
    arabic = await site.client.get(f"/api/v1/lineage/{path}", headers={**headers, "Accept-Language": "ar"})
    problem(english, 422, code)
    assert arabic.json()["detail"] != english.json()["detail"]


async def test_who_may_not_read_the_ledger_is_not_shown_its_entries(site: Site) -> None:
    def answer(request: LineageRequest) -> LineageReply:
        return LineageReply(edges=(), titles=tuple(LineageTitle(node=n, en="x", ar="س") for n in request.nodes))

    for call in subjects.LINEAGE.values():
        site.planes.answer(call, answer)
    card = f"/api/v1/lineage/card/{new_id()}"
    assert (await site.client.get(card, headers=await site.bearer("operator"))).status_code == 200
    assert site.planes.requests(subjects.LINEAGE[Plane.DATA])
    assert not site.planes.requests(subjects.LINEAGE[Plane.TRUST])
    assert (await site.client.get(card, headers=await site.bearer("owner"))).status_code == 200
    assert site.planes.requests(subjects.LINEAGE[Plane.TRUST])


async def test_a_thing_that_nobody_knows_is_404(site: Site) -> None:
    for call in subjects.LINEAGE.values():
        site.planes.answer(call, LineageReply(edges=(), titles=()))
    response = await site.client.get(f"/api/v1/lineage/card/{new_id()}", headers=await site.bearer("owner"))
    problem(response, 404, "not_found")

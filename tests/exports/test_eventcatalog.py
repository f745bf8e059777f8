"""The pages of an EventCatalog, as its own collections read them."""

import json
import re
from pathlib import PurePosixPath

import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Lifecycle
from jobarium_events.contract import Ordering
from jobarium_events.exports import event_schema, eventcatalog_files
from tests.exports.catalogs import HOSTILE, catalog, contract, hostile
from tests.folders import chain
from tests.strategies import BUNDLED, few

# Where EventCatalog looks for the pages of each collection, and what their frontmatter may hold besides id, name,
# version and summary; it takes no other form of these.
PLACES = {
    "domains": r"domains/[^/]+/index\.mdx",
    "services": r"services/[^/]+/index\.mdx",
    "channels": r"channels/[^/]+/index\.mdx",
    "events": r"events/[^/]+/(versioned/[^/]+/)?index\.mdx",
}
MORE = {
    "domains": {"services"},
    "services": {"sends", "receives"},
    "channels": {"address", "deliveryGuarantee"},
    "events": {"badges", "schemaPath", "draft", "deprecated"},
}


def pages(files):
    """The frontmatter and the body of each page, by its path."""
    found = {}
    for path, content in files.items():
        if path.endswith(".mdx"):
            _, front, body = content.decode().split("---\n", 2)
            found[path] = (yaml.safe_load(front), body)
    return found


def fronts(files, collection):
    return {path: front for path, (front, _) in pages(files).items() if path.startswith(f"{collection}/")}


def check(files):
    """Check what EventCatalog asks of a folder: each page in its place and form, and each pointer to a page."""
    known = set()
    for path, (front, body) in pages(files).items():
        collection = path.partition("/")[0]
        assert re.fullmatch(PLACES[collection], path)
        assert all(isinstance(front[key], str) for key in ("id", "name", "version", "summary"))
        assert front.keys() <= {"id", "name", "version", "summary"} | MORE[collection]
        assert re.fullmatch(r"[1-9][0-9]*\.0\.0", front["version"])
        assert re.fullmatch(r"[0-9A-Za-z]+([._-][0-9A-Za-z]+)*", front["id"])
        assert path.split("/")[1] == front["id"]
        assert (front["id"], front["version"]) not in known  # its graphs know a node by these alone
        known.add((front["id"], front["version"]))
        assert "<NodeGraph />" in body
        if collection == "events":
            assert str(PurePosixPath(path).with_name(front["schemaPath"])) in files
            assert f'<SchemaViewer file="{front["schemaPath"]}" />' in body
    for front, _ in pages(files).values():
        pointers = [*front.get("services", ()), *front.get("sends", ()), *front.get("receives", ())]
        pointers += [inner for each in pointers for inner in (*each.get("to", ()), *each.get("from", ()))]
        assert {(each["id"], each["version"]) for each in pointers} <= known


def test_the_bundled_catalog():
    files = eventcatalog_files(BUNDLED, domain="Jobarium events")
    check(files)
    assert len(fronts(files, "events")) == len(BUNDLED)
    assert {front["address"] for front in fronts(files, "channels").values()} == set(BUNDLED.events)
    services = {service for each in BUNDLED for service in (each.owner, *each.consumers)}
    assert {front["id"] for front in fronts(files, "services").values()} == services
    [domain] = fronts(files, "domains").values()
    assert (domain["id"], domain["summary"]) == ("Jobarium-events", "13 events of 19 services.")


def test_who_sends_and_who_receives():
    files = eventcatalog_files(BUNDLED)
    front, _ = pages(files)["services/matching-service/index.mdx"]
    assert front["summary"] == "Sends 1 event and reads 3 events."
    assert front["sends"] == [
        {
            "id": "matching.shortlist.changed",
            "version": "1.0.0",
            "to": [{"id": "matching.shortlist.changed.channel", "version": "1.0.0"}],
        }
    ]
    assert [(each["id"], "from" in each) for each in front["receives"]] == [
        ("profile.updated", True),
        ("job.updated", True),
        ("candidate.enrichment.completed", True),
    ]
    front, _ = pages(files)["services/job-service/index.mdx"]
    assert "receives" not in front


def test_the_newest_version_is_the_page_and_older_ones_are_below_it(tmp_path):
    made = chain(tmp_path)
    files = eventcatalog_files(made, drafts=True, retired=True)
    check(files)
    versions = {path: front["version"] for path, front in fronts(files, "events").items()}
    older = {f"events/thing.made/versioned/{n}.0.0/index.mdx": f"{n}.0.0" for n in range(1, 6)}
    assert versions == {**older, "events/thing.made/index.mdx": "6.0.0"}
    for each in made:
        folder = "" if each.version == "v6" else f"versioned/{each.version[1:]}.0.0/"
        assert json.loads(files[f"events/thing.made/{folder}schema.json"]) == event_schema(each)
    maker, _ = pages(files)["services/maker/index.mdx"]
    assert [each["version"] for each in maker["sends"]] == ["1.0.0", "2.0.0", "3.0.0", "6.0.0"]  # on the wire
    assert set(eventcatalog_files(made)) == {path for path in files if not re.search(r"/[45]\.0\.0/", path)}


def test_how_a_version_stands(tmp_path):
    events = fronts(eventcatalog_files(chain(tmp_path), drafts=True, retired=True), "events")
    marks = {front["version"][0]: (front.get("draft"), front.get("deprecated")) for front in events.values()}
    assert marks["1"] == (None, {"message": "Deprecated since 2. Move to v6."})
    assert marks["4"] == ({"title": "Draft", "message": "Draft. Nothing is sent yet."}, None)
    assert marks["5"] == (None, {"message": "Retired since 4. It is neither sent nor read. Move to v6."})
    assert marks["6"] == (None, None)


def test_what_a_page_says():
    _, body = pages(eventcatalog_files(BUNDLED))["events/billing.usage.updated/versioned/1.0.0/index.mdx"]
    assert "**billing.usage.updated v1**. Deprecated since 2026.3, to be retired in 2026.5. Move to v2." in body
    assert "- Introduced in 2026.1\n- Deprecated in 2026.3\n- To be retired in 2026.5\n" in body
    assert r"The key is billing.usage.updated\:\{organization\_id\}\:" in body
    assert "They may be handled in any order." in body
    assert '"billing_month"' in body.partition("```json")[2]
    _, body = pages(eventcatalog_files(BUNDLED))["events/job.updated/index.mdx"]
    assert r"same **job\_id**, the one with the highest **job\_version** counts" in body


def test_what_a_page_says_of_a_draft_that_cannot_be():
    made = contract({"type": "object", "not": {}}, lifecycle=Lifecycle.DRAFT, introduced=None, decision="DEC-0001")
    _, body = pages(eventcatalog_files(catalog(made), drafts=True))["events/thing.made/index.mdx"]
    assert "- Bound to no release yet\n- Allowed by DEC\\-0001\n" in body
    assert "## Example" not in body


def test_hostile_texts():
    made = hostile()
    for domain in HOSTILE:
        files = eventcatalog_files(made, domain=domain)
        check(files)
        assert next(iter(fronts(files, "domains").values()))["name"] == domain
    names = {front["name"] for front in fronts(files, "services").values()}
    assert names == {*HOSTILE, "taker", "Taker", "taker!"}
    folded = [path.casefold() for path in files]
    assert len(set(folded)) == len(folded)
    for _, body in pages(files).values():
        prose = re.sub(r"^```json\n.*?^```$", "", body, flags=re.DOTALL | re.MULTILINE)
        prose = prose.replace("<NodeGraph />", "").replace('<SchemaViewer file="schema.json" />', "")
        assert not re.search(r"(?<!\\)[<{\[`]", prose)
        assert not re.search(r"^(import|export|---)", prose, re.MULTILINE)


names = st.sampled_from(["a", "a.channel", "Events", "events", "b", "A", "a b"])


@given(owner=names, reader=names, domain=names)
@few
def test_ids_are_never_alike(owner, reader, domain):
    fields = {"owner": owner, "consumers": (reader, owner), "ordering": Ordering("id", "n")}
    made = catalog(*(contract({"type": "object"}, event, **fields) for event in ("a", "b", "a.channel")))
    check(eventcatalog_files(made, domain=domain))

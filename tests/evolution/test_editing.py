"""The manifest is edited; its comments and its layout stay."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.catalog import SCHEMAS
from jobarium_events.errors import CatalogError
from jobarium_events.evolution.editing import ManifestEdit
from jobarium_events.evolution.refusals import EditError
from tests.strategies import examples

MANIFEST = """# About this catalog.
releases = ["1", "2"]   # so far
planned = ["3", "4"]

[event."thing.made"]
owner = "maker"  # makes things
consumers = ["taker"]

[event."thing.made".v1]
# The key.
key = "k:{id}"
introduced = "1"

# Another event.
[event."thing.lost"]
owner = "maker"
consumers = []

[event."thing.lost".v1]
key = "l:{id}"
"""


def edit(tmp_path, text=MANIFEST):
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    return ManifestEdit(tmp_path)


def test_what_is_not_edited_stays_to_the_letter(tmp_path):
    assert edit(tmp_path).text == MANIFEST
    assert ManifestEdit(SCHEMAS).text == (SCHEMAS / "catalog.toml").read_text(encoding="utf-8")


def test_a_release_is_appended_and_no_longer_planned(tmp_path):
    edited = edit(tmp_path)
    edited.release("3")
    assert edited.text == MANIFEST.replace('["1", "2"]', '["1", "2", "3"]').replace('["3", "4"]', '["4"]')


def test_a_release_that_was_not_planned_leaves_the_plan_alone(tmp_path):
    edited = edit(tmp_path)
    edited.release("2.1")
    assert edited.text == MANIFEST.replace('["1", "2"]', '["1", "2", "2.1"]')


def test_a_move_is_added_or_changed_where_the_version_stands(tmp_path):
    edited = edit(tmp_path)
    edited.move("thing.made", "v1", "deprecated", "3")
    added = MANIFEST.replace('introduced = "1"\n', 'introduced = "1"\ndeprecated = "3"\n')
    assert edited.text == added
    edited.move("thing.made", "v1", "deprecated", "4")
    assert edited.text == added.replace('"3"\n\n# Another', '"4"\n\n# Another')


@pytest.mark.parametrize("event", ["thing.made", "thing.lost"])
def test_a_version_is_added_below_the_others(tmp_path, event):
    edited = edit(tmp_path)
    edited.add_version(event, "v2", {"key": "k:{id}", "ordering": {"per": "id", "by": "n"}, "decision": "DEC-0001"})
    assert edited.manifest.events[event].versions["v2"].ordering.by == "n"
    following = {"thing.made": "\n\n# Another event.\n", "thing.lost": ""}[event]
    assert f'decision = "DEC-0001"{following}' in edited.text
    assert f'\n\n[event."{event}".v2]\nkey = "k:{{id}}"\nordering = {{ per = "id", by = "n" }}\n' in edited.text
    assert "\n\n\n" not in edited.text


def test_other_ways_to_write_a_manifest_are_edited_too(tmp_path):
    text = """releases = [
  "1",  # first
]
planned = ["2"]
event."thing.made" = { owner = "maker", consumers = [], v1 = { key = "k:{id}" } }
"""
    edited = edit(tmp_path, text)
    edited.release("2")
    edited.move("thing.made", "v1", "introduced", "2")
    assert edited.manifest.releases == ("1", "2")
    assert edited.manifest.events["thing.made"].versions["v1"].introduced == "2"
    assert "# first" in edited.text


def test_a_version_that_stands_apart_from_its_event_is_found(tmp_path):
    text = f'{MANIFEST}\n[event."thing.made".v2]\nkey = "k:{{id}}"\n'
    edited = edit(tmp_path, text)
    edited.move("thing.made", "v2", "introduced", "3")
    assert edited.text == f'{text}introduced = "3"\n'


@pytest.mark.parametrize(
    ("event", "version", "told"),
    [("thing.gone", "v1", "has no event thing.gone; it has thing.made, thing.lost"), ("thing.made", "v2", "it has v1")],
)
def test_what_is_not_there_is_not_edited(tmp_path, event, version, told):
    edited = edit(tmp_path)
    with pytest.raises(EditError, match=told):
        edited.move(event, version, "deprecated", "3")
    assert edited.text == MANIFEST


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "is missing"), (b"\xff", "is not UTF-8"), (b"releases =", "TOML"), (b"a = 1", "a: is not")],
)
def test_a_manifest_with_a_mistake_is_not_edited(tmp_path, content, told):
    if content is not None:
        (tmp_path / "catalog.toml").write_bytes(content)
    with pytest.raises(CatalogError, match=told):
        ManifestEdit(tmp_path)


def test_an_edit_that_came_out_otherwise_than_it_was_meant_is_told(tmp_path):
    edited = edit(tmp_path)
    edited._tables["releases"].append("3")
    with pytest.raises(EditError, match="make the change by hand"):
        _ = edited.text


def test_an_edit_that_leads_to_a_mistake_is_told(tmp_path):
    edited = edit(tmp_path)
    edited.move("thing.made", "v1", "retired", "4")
    with pytest.raises(CatalogError, match="stands without deprecated"):
        _ = edited.manifest


@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["thing.made", "thing.lost"]),
            st.sampled_from(["introduced", "deprecated", "retired"]),
            st.sampled_from("1234"),
        ),
        max_size=6,
    )
)
@examples(50)
def test_any_moves_change_what_they_say_and_no_comment(tmp_path_factory, moves):
    edited = edit(tmp_path_factory.mktemp("m"))
    expected = tomllib.loads(MANIFEST)
    for event, what, release in moves:
        edited.move(event, "v1", what, release)
        expected["event"][event]["v1"][what] = release
    assert tomllib.loads(edited.text) == expected
    comments = [line.partition("#")[2] for line in MANIFEST.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in edited.text.splitlines() if "#" in line] == comments

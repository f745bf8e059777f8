"""One file: its sections, every rule about them, and a hash that does not depend on how its lines end."""

from __future__ import annotations

import pytest

from jobarium_events.migrations import MigrationError, When
from jobarium_events.migrations.files.migration import read_migration, read_migrations
from tests.migrations.written import text_of, write

ID = "0007_job_source"
BACKFILL = {"backfill": {"table": "job", "key": ["id"]}}
MOVE = "update job set source = 'form' where id between $1 and $2 and source is null;"


def mistakes(path) -> list[tuple[int, str]]:
    with pytest.raises(MigrationError) as caught:
        read_migration(path)
    assert all(mistake.file == str(path) for mistake in caught.value.mistakes)
    assert str(path) in str(caught.value)
    return [(mistake.line, mistake.text) for mistake in caught.value.mistakes]


def only(path) -> tuple[int, str]:
    (found,) = mistakes(path)
    return found


def line_of(path, text) -> int:
    return path.read_text(encoding="utf-8").split("\n").index(text) + 1


def test_a_whole_one(tmp_path):
    before = '-- when: before\n-- returns: [["a", 1], ["b", 2]]\nselect 2'
    verify = f"-- every job has a source\n-- returns: 0\nselect 1;\n\n{before}"
    path = write(tmp_path, ID, BACKFILL, backfill=MOVE, verify=verify)
    found = read_migration(path)
    assert (found.id, found.number, found.path, found.header.owner) == (ID, 7, path, "job-service")
    assert [each.kind for each in (*found.up, *found.down, found.backfill)] == [
        "alter_table_stmt",
        "alter_table_stmt",
        "update_stmt",
    ]
    assert found.up[0].line == line_of(path, "alter table job add column source text;")
    first, second = found.checks
    assert (first.name, first.returns, first.when) == ("every job has a source", ((0,),), When.AFTER)
    assert (second.name, second.returns, second.when) == ("query 2", (("a", 1), ("b", 2)), When.BEFORE)
    assert found.checks_at(When.BEFORE) == (second,)
    assert found.checks_at(When.AFTER) == (first,)


def test_a_query_of_both_times(tmp_path):
    found = read_migration(write(tmp_path, ID, verify="-- when: always\n-- returns: nothing\nselect 1 where false;"))
    assert found.checks_at(When.BEFORE) == found.checks_at(When.AFTER) == found.checks
    assert found.checks[0].returns == ()


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ("0", ((0,),)), ("true", ((True,),)), ('"a b"', (("a b",),)), ("1.5", ((1.5,),)), ("[]", ()), ("nothing", ()),
        ("[[1], [2]]", ((1,), (2,))), ("  -3  ", ((-3,),)), ("0 # none", ((0,),)),
    ],
)  # fmt: skip
def test_what_a_query_returns(tmp_path, said, rows):
    assert read_migration(write(tmp_path, ID, verify=f"-- returns: {said}\nselect 1;")).checks[0].returns == rows


class TestSections:
    @pytest.mark.parametrize("name", ["UP", "up ", " up"])
    def test_their_names_may_be_written_in_any_case(self, tmp_path, name):
        path = write(tmp_path, ID)
        path.write_text(path.read_text().replace("-- name: up\n", f"--  NAME:{name}\n"), encoding="utf-8")
        assert len(read_migration(path).up) == 1

    @pytest.mark.parametrize(
        "line", ["-- name: down (careful)", "-- name: undo", "  -- name: dwon", "--name:", "-- name : x"]
    )
    def test_one_that_means_nothing_is_told_and_not_taken_for_a_comment(self, tmp_path, line):
        path = write(tmp_path, ID)
        path.write_text(path.read_text().replace("-- name: down", line), encoding="utf-8")
        name = line.partition(":")[2].strip()
        said = f"has a section {name!r}, which means nothing; there are up, down, backfill, verify"
        assert only(path) == (line_of(path, line), said)

    def test_a_comment_of_pg_dump_is_none(self, tmp_path):
        up = "-- Name: job; Type: TABLE; Schema: public\ncreate table job (id int);"
        assert read_migration(write(tmp_path, ID, up=up)).up[0].comments == ("Name: job; Type: TABLE; Schema: public",)

    def test_one_that_is_there_twice(self, tmp_path):
        path = write(tmp_path, ID)
        path.write_text(path.read_text() + "\n-- name: up\nselect 1;\n", encoding="utf-8")
        line, text = only(path)
        assert text == "has the section up twice; put the two together"
        assert path.read_text().split("\n")[line - 1] == "-- name: up"
        assert line > line_of(path, "-- name: up")

    def test_sql_before_the_first(self, tmp_path):
        path = write(tmp_path, ID)
        path.write_text(path.read_text().replace("-- name: up\n", "/* two\nlines */ select 1;\n-- name: up\n", 1))
        line, text = only(path)
        assert text == "has SQL before its first section; write `-- name: up` above it (up, down, backfill, verify)"
        assert path.read_text().split("\n")[line - 1] == "lines */ select 1;"

    def test_comments_before_the_first_are_welcome(self, tmp_path):
        path = write(tmp_path, ID)
        path.write_text(path.read_text().replace("-- name: up\n", "/* two\nlines */\n-- three\n-- name: up\n", 1))
        assert len(read_migration(path).up) == 1

    @pytest.mark.parametrize("section", ["up", "down", "backfill", "verify"])
    def test_sql_that_cannot_be_read_is_told_with_its_line(self, tmp_path, section):
        path = write(tmp_path, ID, BACKFILL, **{"backfill": MOVE, section: "select 1;\n\nselec 2;"})
        assert (line_of(path, "selec 2;"), 'syntax error at or near "selec"') in mistakes(path)

    @pytest.mark.parametrize("section", ["up", "down"])
    @pytest.mark.parametrize(
        ("sql", "problem"),
        [
            ("select 1;\nbegin;\nselect 2;", "begins a transaction that is not committed"),
            ("select 1;\nrollback;", "steers a transaction; only begin and commit may do so in a file"),
            ("select 1;\nselect $1;", "has a parameter $1; only the section backfill is run with values"),
        ],
    )
    def test_what_could_only_fail_while_it_runs_is_told_before(self, tmp_path, section, sql, problem):
        path = write(tmp_path, ID, **{section: sql})
        assert only(path) == (line_of(path, sql.split("\n")[1]), problem)


class TestWhatIsLacking:
    @pytest.mark.parametrize(
        ("header", "sections", "problem"),
        [
            ({}, {"up": None, "down": None}, "does nothing: it has neither a section up nor a section backfill"),
            ({}, {"up": "-- soon"}, "does nothing: "),
            ({}, {"down": None}, "has no way back: write a section down"),
            ({}, {"verify": None}, "verifies nothing: write a section verify"),
            ({}, {"verify": "-- soon"}, "verifies nothing: write a section verify"),
            ({}, {"backfill": MOVE}, "has a section backfill, and its header no [backfill]"),
        ],
    )
    def test_a_section(self, tmp_path, header, sections, problem):
        line, text = only(write(tmp_path, ID, header, **sections))
        assert (line, text[: len(problem)]) == (1, problem)

    def test_no_way_back_with_a_reason(self, tmp_path):
        assert read_migration(write(tmp_path, ID, {"containment": "only adds"}, down=None)).down == ()

    def test_a_backfill_alone_needs_no_way_back(self, tmp_path):
        assert read_migration(write(tmp_path, ID, BACKFILL, backfill=MOVE, up=None, down=None)).up == ()

    def test_backfill_of_the_header_without_a_section(self, tmp_path):
        path = write(tmp_path, ID, BACKFILL)
        assert only(path) == (line_of(path, "-- [backfill]"), "has [backfill] in its header, and no section backfill")

    def test_the_name_of_the_file(self, tmp_path):
        path = write(tmp_path, ID).rename(tmp_path / "0008_job.sql")
        assert only(path) == (2, "has the id '0007_job_source' and is named 0008_job.sql; both have to be the same")

    @pytest.mark.parametrize("id_", ["007_job", "0007job", "0007_Job", "0007_", "0007_a__b", "0007_ä", "0007-job"])
    def test_what_is_no_id(self, tmp_path, id_):
        line, text = only(write(tmp_path, id_))
        assert (line, text) == (
            2,
            f'has the id {id_!r}; write a number of four digits or more and words, as in "0007_job_source"',
        )


class TestBackfill:
    def test_only_one_statement(self, tmp_path):
        path = write(tmp_path, ID, BACKFILL, backfill=f"{MOVE}\nselect 1;")
        assert only(path) == (
            line_of(path, "select 1;"),
            "is a second statement in the section backfill, which has one; see `with ... as`",
        )

    @pytest.mark.parametrize(
        ("key", "sql"),
        [
            (["id"], "update job set source = 'form';"),
            (["id"], "update job set source = 'form' where id >= $1;"),
            (["id"], "update job set source = 'form' where id between $1 and $2 and a = $3;"),
            (["a", "id"], MOVE),
        ],
    )
    def test_one_that_does_not_go_through_its_key_would_change_the_whole_table_each_time(self, tmp_path, key, sql):
        path = write(tmp_path, ID, {"backfill": {"table": "job", "key": key}}, backfill=sql)
        line, text = only(path)
        assert text.startswith("has a section backfill that does not go through its key: write `")
        assert path.read_text().split("\n")[line - 1].startswith("-- key = ")

    def test_a_key_of_two_columns(self, tmp_path):
        sql = "update job set b = 1 where (a, id) >= ($1, $2) and (a, id) <= ($3, $4);"
        assert read_migration(write(tmp_path, ID, {"backfill": {"table": "job", "key": ["a", "id"]}}, backfill=sql))

    def test_no_key(self, tmp_path):
        path = write(tmp_path, ID, {"backfill": {"table": "job", "key": []}}, backfill=MOVE)
        assert only(path)[1] == "has a [backfill] with no key; name the columns of one that is unique"

    @pytest.mark.parametrize("sql", ["truncate job;", "select $1, $2;", "create table a as select $1, $2;"])
    def test_what_moves_no_data(self, tmp_path, sql):
        path = write(tmp_path, ID, BACKFILL, backfill=sql)
        problem = "moves no data; the section backfill is an update, an insert, a delete or a merge"
        assert (line_of(path, sql), problem) in mistakes(path)


class TestVerify:
    @pytest.mark.parametrize(
        ("sql", "problem"),
        [
            ("delete from job;", "is no query; the section verify only reads"),
            ("select 1;", "does not say what it must return; write `-- returns: 0` above it, or for rows"),
            ("-- returns: some\nselect 1;", "says `-- returns: some` above it, which is no value; "),
            ("-- returns: [1, 2]\nselect 1;", "says `-- returns: [1, 2]` above it, which is no list of rows; "),
            ("-- returns: {a = 1}\nselect 1;", "says `-- returns: {a = 1}` above it, which is no value; "),
            (
                "-- returns: 0\n-- when: later\nselect 1;",
                "says `-- when: later` above it; there are before, after, always",
            ),
            ("-- returns: 0\n-- when:\nselect 1;", "says `-- when: ` above it; there are "),
            ("-- returns: 0\n-- returns: 1\nselect 1;", "says `-- returns:` twice above it"),
            ("-- returns: 0\nselect 1 where 1 = $1;", "has a parameter $1; "),
        ],
    )
    def test_mistakes(self, tmp_path, sql, problem):
        path = write(tmp_path, ID, verify=f"-- returns: 0\nselect 'well';\n\n{sql}")
        line, text = only(path)
        assert text.startswith(problem)
        assert line == line_of(path, sql.split("\n")[-1])


class TestTheFile:
    def test_another_encoding(self, tmp_path):
        path = write(tmp_path, ID)
        path.write_bytes(path.read_bytes().replace(b"'';", b"'\xe9';"))
        line, text = only(path)
        assert text == "is not encoded in UTF-8; save it so"
        assert b"\xe9" in path.read_bytes().split(b"\n")[line - 1]

    def test_a_nul(self, tmp_path):
        path = write(tmp_path, ID, up="select 1;\n\0drop table job;")
        assert only(path) == (line_of(path, "\0drop table job;"), "has a NUL byte; Postgres reads none")

    def test_one_that_is_not_there(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            read_migration(tmp_path / "0001_none.sql")

    def test_the_hash_is_of_the_text_however_its_lines_end(self, tmp_path):
        path = write(tmp_path, ID, up="alter table job add column source text; -- ü")
        plain, text = read_migration(path), path.read_bytes()
        for other in (
            text.replace(b"\n", b"\r\n"),
            b"\xef\xbb\xbf" + text,
            b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
        ):
            path.write_bytes(other)
            again = read_migration(path)
            assert again.hash == plain.hash
            assert [each.text for each in again.up] == [each.text for each in plain.up]
            assert [each.line for each in again.up] == [each.line for each in plain.up]

    @pytest.mark.parametrize(
        ("old", "new"), [("text;", "text ;"), ("db rollback", "db rollback "), ("\n-- name: up", "\n\n-- name: up")]
    )
    def test_any_other_change_is_another_hash(self, tmp_path, old, new):
        path = write(tmp_path, ID)
        before = read_migration(path).hash
        path.write_text(path.read_text().replace(old, new, 1))
        assert read_migration(path).hash != before


def test_mistakes_of_header_and_sections_are_told_together(tmp_path):
    path = write(tmp_path, ID, {"risk": "medium", "owner": None}, down="selec", verify="drop table job;")
    assert [text.split(":")[0] for _, text in mistakes(path)] == [
        "the header lacks 'owner'",
        "'risk' is 'medium'; write one of low, high",
        'syntax error at or near "selec"',
        "is no query; the section verify only reads",
    ]


def test_mistakes_of_all_files_are_told_together(tmp_path):
    paths = [
        write(tmp_path, "0001_a", {"risk": None}),
        write(tmp_path, "0002_b"),
        write(tmp_path, "0003_c", up="selec"),
    ]
    with pytest.raises(MigrationError) as caught:
        read_migrations(paths)
    assert [mistake.file for mistake in caught.value.mistakes] == [str(paths[0]), str(paths[2])]
    assert str(caught.value).startswith(f"2 mistakes in the migrations:\n  - {paths[0]}:1: the header lacks 'risk'")


def test_what_a_file_would_have_can_be_read_before_it_is_written(tmp_path):
    from jobarium_events.migrations.files.migration import parse_migration  # noqa: PLC0415

    path = tmp_path / f"{ID}.sql"
    assert parse_migration(path, text_of(ID).encode()).id == ID
    with pytest.raises(MigrationError, match="has no header"):
        parse_migration(path, b"select 1")

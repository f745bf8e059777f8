"""Examples of constraints that come, change and go."""

from tests.migrations.lint.examples import NOT_VALID, PARTED, REFERENCED, of

CONSTRAINTS = (
    *of(
        "add-check",
        ("alter table job add constraint c check (hours > 0)",),
        ("alter table job add constraint c check (hours > 0) not valid",),
        ("alter table job add check (hours > 0)", "create table old_job () inherits (job);"),
        ("alter table job add check (hours > 0) no inherit", "create table old_job () inherits (job);"),
    ),
    *of("add-check", ("alter table job add constraint c check (hours > 0) not enforced",), since=18),
    *of(
        "add-foreign-key",
        ("alter table job add foreign key (employer_id) references employer",),
        ("alter table job add constraint c foreign key (employer_id) references employer not valid",),
        ("alter table job add foreign key (employer_id) references job (id)",),
        ("alter table entry add foreign key (id) references employer", PARTED),
        (
            "alter table entry add foreign key (id) references employer (id)",
            PARTED + "alter table entry add foreign key (id) references employer;",
        ),
        (
            "alter table job add foreign key (id, posted) references entry not valid",
            PARTED + "alter table job alter posted type date; alter table entry add primary key (id, at);",
        ),
    ),
    *of(
        "add-foreign-key", ("alter table job add foreign key (employer_id) references employer not enforced",), since=18
    ),
    *of(
        "add-unique",
        ("alter table job add unique (id, title)",),
        ("alter table job add constraint c unique using index i", "create unique index i on job (id, title);"),
        ("alter table entry add unique (id, at)", PARTED),
    ),
    *of(
        "add-primary-key",
        ("alter table job add primary key (id)", "alter table job drop constraint job_pkey;"),
        ("alter table job add primary key (employer_id)", "alter table job drop constraint job_pkey;"),
        (
            "alter table job add constraint k primary key using index i",
            "alter table job drop constraint job_pkey; create unique index i on job (id);",
        ),
        (
            "alter table job add constraint k primary key using index i -- nullable",
            "alter table job drop constraint job_pkey; create unique index i on job (employer_id);",
        ),
    ),
    *of("add-exclusion", ("alter table job add exclude using btree (id with =)",)),
    *of("add-not-null", ("alter table job add constraint c not null title",), since=18),
    *of("add-not-null", ("alter table job add constraint c not null title not valid",), since=18),
    *of(
        "add-not-null",
        ("alter table job add constraint c not null title -- proven", "alter table job add check (title is not null);"),
        since=18,
    ),
    *of(
        "validate-constraint",
        ("alter table job validate constraint job_employer", NOT_VALID),
        ("alter table job validate constraint job_employer -- valid", REFERENCED),
        ("alter table job validate constraint c", "alter table job add constraint c check (hours > 0) not valid;"),
        ("alter table job validate constraint c -- valid", "alter table job add constraint c check (hours > 0);"),
    ),
    *of(
        "validate-constraint",
        ("alter table job validate constraint n", "alter table job add constraint n not null title not valid;"),
        since=18,
    ),
    *of(
        "drop-constraint",
        ("alter table job drop constraint job_employer", REFERENCED),
        ("alter table job drop constraint c", "alter table job add constraint c check (hours > 0);"),
        ("alter table employer drop constraint employer_pkey cascade", REFERENCED),
    ),
    *of(
        "alter-constraint",
        ("alter table job alter constraint job_employer deferrable initially deferred", REFERENCED),
    ),
    *of(
        "rename-constraint",
        ("alter table job rename constraint c to d", "alter table job add constraint c check (hours > 0);"),
    ),
    *of("rename-constraint", ("alter table job rename constraint job_pkey to k",)),
)

CONSTRAINTS += (
    *of("add-primary-key", ("alter table entry add primary key (id, at)", PARTED)),
    *of("alter-constraint", ("alter table job alter constraint job_employer not enforced", REFERENCED), since=18),
    *of(
        "alter-constraint",
        ("alter table job alter constraint job_employer enforced", REFERENCED.replace(";", " not enforced;")),
        since=18,
    ),
    *of("alter-table", ("alter table job drop title, add check (hours > 0) not valid",)),
    *of("alter-table", ("alter table job alter title set statistics 10, validate constraint job_employer", NOT_VALID)),
    *of(
        "alter-table",
        ("alter table job alter title set statistics 10, add foreign key (employer_id) references employer not valid",),
    ),
)

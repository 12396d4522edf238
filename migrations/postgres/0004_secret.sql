-- The key that belongs to this database: one row, written when the database is made.

create table secret (
    id integer not null,
    key bytea not null,
    constraint secret_pk primary key (id),
    constraint secret_is_one_row check (id = 1),
    constraint secret_is_256_bits check (length(key) = 32)
);

create table if not exists log (
    id integer primary key autoincrement,
    -- With milliseconds: the last one says when the last write had come through.
    ts text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    phrase text not null,
    letters text not null,
    ip text not null,
    browser_string text not null,
    results text not null
);

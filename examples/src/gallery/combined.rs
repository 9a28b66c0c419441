//! One scope, written as a function, that opens two others and yields both: a database and a cache.
//!
//! Run it: `cargo run -p withal-examples -- run combined`

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection, query, query_scalar};
use withal::{ErasedFn, Open, Report, Runtime, ScopeExt, scope};

use crate::Transcript;

pub(crate) const TITLE: &str = "a database and a cache, opened by one function";
pub(crate) const TRANSCRIPT: &[&str] = &[
    "open database",
    "open cache",
    "logs 2",
    "cache holds last_access = /users/2",
    "close cache after success",
    "close database after success",
];

type Cache = BTreeMap<String, String>;

/// SQLite, in memory.
#[scope(yields = SqliteConnection)]
async fn database(out: Transcript) -> Result<(), Report> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    let create = query("CREATE TABLE logs (path TEXT NOT NULL)");
    create.execute(&mut connection).await?;
    out.line("open database");
    let outcome = yield_!(connection);
    out.line(format_args!("close database after {outcome}"));
    Ok(connection.close().await?)
}

#[scope(yields = Cache)]
async fn cache(rt: impl Runtime, out: Transcript) -> Result<(), Report> {
    rt.sleep(Duration::from_millis(50)).await;
    out.line("open cache");
    let entries = Cache::new();
    let outcome = yield_!(entries);
    rt.sleep(Duration::from_millis(50)).await;
    out.line(format_args!("close cache after {outcome}"));
    Ok(())
}

/// One of the two, while it is open.
type Opened<T> = Open<ErasedFn<T, Result<(), Report>>>;

/// If the cache cannot be opened, the database has been closed when the error arrives.
#[scope(yields = (Opened<SqliteConnection>, Opened<Cache>))]
async fn combined(rt: impl Runtime, out: Transcript) -> Result<(), Report> {
    let database = database(out.clone()).erased().open().await?;
    let cache = cache(rt, out).erased().open().await?;
    let outcome = yield_!((database, cache));
    // Both are closed, whatever becomes of the first, and no error is lost.
    Report::both(cache.close(&outcome).await, database.close(&outcome).await).map(drop)
}

/// Logs the request, notes it in the cache, and counts.
async fn request(
    path: &str,
    database: &mut SqliteConnection,
    cache: &mut Cache,
) -> Result<i64, sqlx::Error> {
    let insert = query("INSERT INTO logs VALUES (?)").bind(path);
    insert.execute(&mut *database).await?;
    cache.insert("last_access".to_owned(), path.to_owned());
    let count = query_scalar("SELECT count(*) FROM logs");
    count.fetch_one(database).await
}

pub(crate) async fn run<R: Runtime>(rt: &R, out: &Transcript) -> Result<(), Report> {
    combined(rt.clone(), out.clone())
        .with(async |(database, cache)| {
            request("/users/1", database, cache).await?;
            let logs = request("/users/2", database, cache).await?;
            out.line(format_args!("logs {logs}"));
            for (key, value) in cache.iter() {
                out.line(format_args!("cache holds {key} = {value}"));
            }
            Ok(())
        })
        .await
}

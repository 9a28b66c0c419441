//! One scope, written as a function, that opens two others and yields both: a database and a cache.
//!
//! Run it: `cargo run -p withal-examples -- run combined`

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection, query, query_scalar};
use withal::{ErasedFn, Open, Or, Report, Runtime, ScopeExt, scope};

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

type Database = ErasedFn<SqliteConnection, Result<(), Report>>;
type Caching = ErasedFn<Cache, Result<(), Report>>;

/// The two are one scope: what fails in one of them the other is told, and no error is lost.
#[scope(yields = Open<(Database, Caching)>)]
async fn combined(rt: impl Runtime, out: Transcript) -> Result<(), Or<Report, Report>> {
    let both = (database(out.clone()).erased(), cache(rt, out).erased());
    let both = both.open().await?;
    let outcome = yield_!(both);
    both.close(&outcome).await?;
    Ok(())
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
        .with(async |both| {
            let (database, cache) = &mut **both;
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

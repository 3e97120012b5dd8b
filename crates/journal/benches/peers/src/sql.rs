//! Plain PostgreSQL, and message-db, whose interface is a function in the database.

use sqlx::PgPool;
use uuid::Uuid;

use crate::{Failure, Store, body};

/// One INSERT into a table without any index but its key. It expects no version.
pub struct Plain {
    pool: PgPool,
    body: String,
}

impl Plain {
    /// Makes the table anew.
    pub async fn new(pool: PgPool) -> Result<Plain, Failure> {
        sqlx::query("drop table if exists plain").execute(&pool).await?;
        let make = "create table plain (position bigserial primary key, body text not null)";
        sqlx::query(make).execute(&pool).await?;
        Ok(Plain { pool, body: body().to_string() })
    }
}

impl Store for Plain {
    async fn append(&self, _stream: u64, _number: u64) -> Result<(), Failure> {
        let insert = sqlx::query("insert into plain (body) values ($1)").bind(&self.body);
        insert.execute(&self.pool).await?;
        Ok(())
    }
}

/// The function `write_message` of message-db.
pub struct MessageDb(pub PgPool);

impl Store for MessageDb {
    async fn append(&self, stream: u64, number: u64) -> Result<(), Failure> {
        let expected = i64::try_from(number)? - 2;
        sqlx::query("select message_store.write_message($1, $2, 'a', $3, null, $4)")
            .bind(Uuid::new_v4().to_string())
            .bind(format!("case{stream}-{stream}"))
            .bind(body())
            .bind(expected)
            .execute(&self.0)
            .await?;
        Ok(())
    }
}

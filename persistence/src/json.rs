//! Value objects as `jsonb` columns.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types;
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// A value stored as `jsonb` in its serde form. A stored one that does not parse is an error of its
/// row alone, not of the query that read it with others.
#[derive(Debug, Clone, PartialEq, FromSqlRow, AsExpression)]
#[diesel(sql_type = sql_types::Jsonb)]
pub(crate) struct Json<T: std::fmt::Debug>(Result<T, String>);

impl<T: std::fmt::Debug> Json<T> {
    pub(crate) fn of(value: T) -> Self {
        Self(Ok(value))
    }

    pub(crate) fn parse(self) -> Result<T, Error> {
        self.0.map_err(Error::Corrupt)
    }
}

/// The value of a nullable column.
pub(crate) fn parse_optional<T: std::fmt::Debug>(json: Option<Json<T>>) -> Result<Option<T>, Error> {
    json.map(Json::parse).transpose()
}

impl<T: DeserializeOwned + std::fmt::Debug> FromSql<sql_types::Jsonb, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self(serde_json::from_slice(json).map_err(|e| e.to_string()))),
            _ => Err("jsonb of an unknown version".into()),
        }
    }
}

impl<T: Serialize + std::fmt::Debug> ToSql<sql_types::Jsonb, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        use std::io::Write;
        let value = self.0.as_ref().map_err(String::as_str)?;
        out.write_all(&[1])?;
        serde_json::to_writer(out, value)?;
        Ok(IsNull::No)
    }
}

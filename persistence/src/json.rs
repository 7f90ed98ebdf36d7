//! Value objects as `jsonb` columns.

use std::collections::HashMap;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types;
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// A value stored as `jsonb` in its serde form. A stored one is parsed when it is asked for: not while the
/// connection waits, and one that does not parse is an error of its row alone, not of the query that read it with
/// others.
#[derive(Debug, Clone, FromSqlRow, AsExpression)]
#[diesel(sql_type = sql_types::Jsonb)]
pub(crate) enum Json<T: std::fmt::Debug> {
    Value(T),
    Stored(Box<[u8]>),
}

impl<T: std::fmt::Debug> Json<T> {
    pub(crate) fn of(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: DeserializeOwned + std::fmt::Debug> Json<T> {
    pub(crate) fn parse(self) -> Result<T, Error> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Stored(json) => serde_json::from_slice(&json).map_err(|e| Error::Corrupt(e.to_string())),
        }
    }
}

impl<T: DeserializeOwned + Clone + PartialEq + std::fmt::Debug> PartialEq for Json<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self.clone().parse(), other.clone().parse()) {
            (Ok(value), Ok(other)) => value == other,
            _ => false,
        }
    }
}

/// Values that have been parsed, by what they were stored as: the same title or citation stands in many rows, and
/// need be parsed and kept only once.
#[derive(Debug)]
pub(crate) struct Shared<T>(HashMap<Box<[u8]>, T>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: DeserializeOwned + Clone + std::fmt::Debug> Shared<T> {
    pub(crate) fn parse(&mut self, json: Json<T>) -> Result<T, Error> {
        let stored = match json {
            Json::Value(value) => return Ok(value),
            Json::Stored(stored) => stored,
        };
        if let Some(known) = self.0.get(&stored) {
            return Ok(known.clone());
        }
        let value = Json::<T>::Stored(stored.clone()).parse()?;
        self.0.insert(stored, value.clone());
        Ok(value)
    }
}

/// The value of a nullable column.
pub(crate) fn parse_optional<T: DeserializeOwned + std::fmt::Debug>(json: Option<Json<T>>) -> Result<Option<T>, Error> {
    json.map(Json::parse).transpose()
}

impl<T: std::fmt::Debug> FromSql<sql_types::Jsonb, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self::Stored(json.into())),
            _ => Err("jsonb of an unknown version".into()),
        }
    }
}

impl<T: Serialize + std::fmt::Debug> ToSql<sql_types::Jsonb, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        use std::io::Write;
        out.write_all(&[1])?;
        match self {
            Self::Value(value) => serde_json::to_writer(out, value)?,
            Self::Stored(json) => out.write_all(json)?,
        }
        Ok(IsNull::No)
    }
}

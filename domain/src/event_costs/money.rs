//! Amounts of money: decimal, in a currency, exact or between two bounds.

use std::collections::BTreeMap;
use std::fmt;

use iso_currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::{Broken, Faults, Rule};

/// A price: one amount, or anything from `low` to `high`. Never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Price {
    low: Decimal,
    high: Decimal,
    currency: Currency,
}

impl Price {
    /// The greatest amount that a rate may have.
    pub const MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

    /// Accepts amounts from 0 to [`Price::MAX`] with at most four decimals, `low` not above `high`;
    /// pointers of faults are `/low` and `/high`.
    pub fn parse(low: Decimal, high: Decimal, currency: Currency) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        for (pointer, amount) in [("/low", low), ("/high", high)] {
            if amount.is_sign_negative() && !amount.is_zero() || amount > Self::MAX || amount.normalize().scale() > 4 {
                let why = message!("must be from 0 to {max} with at most four decimals", max = Self::MAX);
                faults.add(pointer, Broken::new(Rule::Range, why));
            }
        }
        if low > high {
            faults.add("/high", Broken::new(Rule::Conflict, message!("must not be below {field}", field = "low")));
        }
        faults.finish(Some(Self { low: low.normalize(), high: high.normalize(), currency }))
    }

    /// Nothing.
    pub fn zero(currency: Currency) -> Self {
        Self { low: Decimal::ZERO, high: Decimal::ZERO, currency }
    }

    /// The least amount.
    pub fn low(&self) -> Decimal {
        self.low
    }

    /// The greatest amount; the least one too unless this is a range.
    pub fn high(&self) -> Decimal {
        self.high
    }

    /// The currency of both.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether only bounds are known.
    pub fn is_range(&self) -> bool {
        self.low != self.high
    }

    /// Whether there is nothing to pay.
    pub fn is_zero(&self) -> bool {
        self.high.is_zero()
    }

    /// `low` as a decimal string with at least the digits of the currency's minor unit.
    pub fn low_text(&self) -> String {
        self.written(self.low)
    }

    /// `high`, as [`Price::low_text`] writes it.
    pub fn high_text(&self) -> String {
        self.written(self.high)
    }

    fn written(&self, amount: Decimal) -> String {
        let digits = minor_digits(self.currency).max(amount.normalize().scale());
        format!("{amount:.0$}", digits as usize)
    }

    /// This price `factor` times, rounded half-even to the currency's minor unit.
    pub(super) fn times(&self, factor: Decimal) -> Self {
        let scale = |amount: Decimal| round(amount * factor, self.currency);
        Self { low: scale(self.low), high: scale(self.high), currency: self.currency }
    }

    /// A share of this price, rounded half-even to the currency's minor unit.
    pub(super) fn share(&self, percent: Decimal) -> Self {
        self.times(percent / Decimal::ONE_HUNDRED)
    }

    /// The same price whose least amount may also be nothing.
    pub(super) fn or_nothing(self) -> Self {
        Self { low: Decimal::ZERO, ..self }
    }

    /// What `other`, of the same currency, is cheaper by; `None` when it is not.
    pub(super) fn saved_by(&self, other: &Self) -> Option<Self> {
        let (a, b) = (self.low - other.low, self.high - other.high);
        let saved = Self { low: a.min(b).max(Decimal::ZERO), high: a.max(b), currency: self.currency };
        (saved.high > Decimal::ZERO).then_some(saved)
    }

    fn plus(&self, other: &Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high, currency: self.currency }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_range() {
            true => write!(f, "{}–{} {}", self.low_text(), self.high_text(), self.currency.code()),
            false => write!(f, "{} {}", self.low_text(), self.currency.code()),
        }
    }
}

/// Sums by currency: amounts of two currencies are never added.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Totals(BTreeMap<Currency, Price>);

impl Totals {
    /// The sums of these prices.
    pub fn of<'a>(prices: impl IntoIterator<Item = &'a Price>) -> Self {
        let mut totals = Self::default();
        for price in prices {
            let sum = totals.0.entry(price.currency).or_insert_with(|| Price::zero(price.currency));
            *sum = sum.plus(price);
        }
        totals
    }

    /// The sums, a currency each.
    pub fn iter(&self) -> impl Iterator<Item = &Price> {
        self.0.values()
    }

    /// The sum in one currency.
    pub fn get(&self, currency: Currency) -> Price {
        self.0.get(&currency).copied().unwrap_or(Price::zero(currency))
    }

    /// Whether nothing was added up.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Accepts a decimal number in plain notation: digits, and at most one point between digits. Neither
/// sign nor exponent, so that what was written is what is meant.
pub fn parse_decimal(text: &str) -> Result<Decimal, Broken> {
    let refused = || Broken::new(Rule::Format, message!("must be a decimal string, such as 412.50"));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match digits(whole) && digits(fraction) {
        true => Decimal::from_str_exact(text).map_err(|_| refused()),
        false => Err(refused()),
    }
}

/// Accepts the code of a currency that money is kept in (ISO 4217): no precious metals, no test codes.
pub fn parse_currency(code: &str) -> Result<Currency, Broken> {
    Currency::from_code(code)
        .filter(|currency| currency.exponent().is_some())
        .ok_or_else(|| Broken::new(Rule::OneOf, message!("must be an ISO 4217 currency code, such as USD")))
}

fn minor_digits(currency: Currency) -> u32 {
    currency.exponent().unwrap_or(2).into()
}

fn round(amount: Decimal, currency: Currency) -> Decimal {
    amount.round_dp_with_strategy(minor_digits(currency), RoundingStrategy::MidpointNearestEven).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(low: &str, high: &str) -> Price {
        Price::parse(parse_decimal(low).unwrap(), parse_decimal(high).unwrap(), Currency::USD).unwrap()
    }

    #[test]
    fn halves_are_rounded_to_the_even_minor_unit() {
        assert_eq!(usd("0.125", "0.135").times(Decimal::ONE).to_string(), "0.12–0.14 USD");
        let yen = Price::parse(Decimal::new(25, 1), Decimal::new(35, 1), Currency::JPY).unwrap();
        assert_eq!(yen.times(Decimal::ONE).to_string(), "2–4 JPY");
        let dinar = Price::parse(Decimal::new(10005, 4), Decimal::new(10005, 4), Currency::KWD).unwrap();
        assert_eq!(dinar.times(Decimal::ONE).to_string(), "1.000 KWD");
    }

    #[test]
    fn a_finer_rate_keeps_its_digits() {
        assert_eq!(usd("0.0825", "0.0825").to_string(), "0.0825 USD");
        assert_eq!(usd("260", "260").to_string(), "260.00 USD");
    }

    #[test]
    fn bad_amounts_are_refused() {
        for junk in ["", "-1", "+1", "1e3", ".5", "5.", "1,000", "NaN", "１", "1.2.3", "9999999999999999999"] {
            assert!(parse_decimal(junk).is_err(), "{junk}");
        }
        let (small, big) = (Decimal::new(1, 5), Price::MAX + Decimal::ONE);
        let faults = Price::parse(big, small, Currency::USD).unwrap_err().into_vec();
        assert_eq!(
            faults.iter().map(|f| (f.pointer.as_str(), f.rule)).collect::<Vec<_>>(),
            [("/low", Rule::Range), ("/high", Rule::Range), ("/high", Rule::Conflict)]
        );
        assert!(parse_currency("XAU").is_err() && parse_currency("usd").is_err());
    }

    #[test]
    fn currencies_are_added_apart() {
        let franc = Price::parse(Decimal::TEN, Decimal::TEN, Currency::CHF).unwrap();
        let totals = Totals::of([&usd("1", "2"), &franc, &usd("3", "3")]);
        assert_eq!(totals.iter().map(Price::to_string).collect::<Vec<_>>(), ["10.00 CHF", "4.00–5.00 USD"]);
    }
}

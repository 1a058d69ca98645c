use std::fmt;
use std::str::FromStr;

use super::memory;

/// Bytes that may be used, as they are written on a command line: `8GiB`, `500MB`, `1.5G`, `8589934592`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget(u64);

/// A text that is no number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no number of bytes: expected one such as 8GiB, 500MB or 1000000 (units kB, MB, GB, TB, KiB, MiB, GiB, TiB)"
)]
pub struct SizeError {
    /// The text.
    pub text: String,
}

/// Bytes for people: three digits or so, with a unit of 1024s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Human(pub u64);

impl Budget {
    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl Default for Budget {
    /// Half of what this process may use; 4 GiB where the system does not tell.
    fn default() -> Self {
        Budget(memory::allowed().map_or(4 << 30, |allowed| allowed / 2))
    }
}

impl FromStr for Budget {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        parse_size(text).map(Budget)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Human(self.0).fmt(f)
    }
}

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(power) = (1..UNITS.len()).rev().find(|power| self.0 >> (10 * power) > 0) else {
            return write!(f, "{} bytes", self.0);
        };
        let amount = self.0 as f64 / (1_u64 << (10 * power)) as f64;
        write!(f, "{amount:.2} {}iB", UNITS[power].to_ascii_uppercase())
    }
}

/// Reads a number of bytes. Units with an `i` are of 1024s, those without of 1000s, as everywhere in Kubernetes; case does not
/// matter, nor whether `B` is there. Fractions of a byte are cut off.
///
/// # Errors
/// [`SizeError`] for anything else, and for what 64 bits can't hold.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    parsed(text.trim()).ok_or_else(|| SizeError { text: text.into() })
}

fn parsed(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit_of(unit.trim_start())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().ok()?;
    // More digits than these make no difference to a byte.
    let fraction = &fraction[..fraction.len().min(18)];
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit) / 10_u128.pow(fraction.len() as u32);
    whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

fn unit_of(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let prefix = unit.strip_suffix('b').unwrap_or(&unit);
    let (letter, base) = match prefix.strip_suffix('i') {
        Some(letter) if !letter.is_empty() => (letter, 1024_u64),
        Some(_) => return None,
        None => (prefix, 1000),
    };
    let power = UNITS.iter().position(|known| *known == letter)?;
    base.checked_pow(power as u32)
}

/// By the power of 1000 or 1024.
const UNITS: [&str; 7] = ["", "k", "m", "g", "t", "p", "e"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("8589934592", 8 << 30),
            ("8GiB", 8 << 30),
            ("8 gi", 8 << 30),
            ("500MB", 500_000_000),
            (" 500m ", 500_000_000),
            ("1.5KiB", 1536),
            ("1.0001kB", 1000),
            ("2TB", 2_000_000_000_000),
            ("12B", 12),
            ("0.1GiB", 107_374_182),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        let wrong = [
            "",
            "GiB",
            "8XB",
            "-1",
            "1e9",
            "8 GiB!",
            "1.2.3",
            ".5",
            "5.",
            "iB",
            "18446744073709551616",
            "17EiB",
            "8ib",
        ];
        for text in wrong {
            let error = parse_size(text).expect_err(text);
            assert!(error.to_string().contains(&format!("{text:?}")) && error.to_string().contains("8GiB"));
        }
    }

    #[test]
    fn bytes_are_written_short() {
        let written = [0, 1023, 1024, 1536 << 20, u64::MAX].map(|bytes| Human(bytes).to_string());
        assert_eq!(written, ["0 bytes", "1023 bytes", "1.00 KiB", "1.50 GiB", "16.00 EiB"]);
    }

    #[test]
    fn the_default_is_half_of_what_is_allowed() {
        if let Some(allowed) = memory::allowed() {
            assert_eq!(Budget::default().bytes(), allowed / 2);
        }
        assert_eq!("2GiB".parse::<Budget>().map(Budget::bytes), Ok(2 << 30));
    }
}

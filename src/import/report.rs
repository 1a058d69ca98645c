use std::fmt;

/// Something of a file that did not simply become an op.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where in the file: `transform.transforms[3].OneOf.transforms[1].GlassBlur`.
    pub place: String,
    /// What stands there.
    pub found: String,
    /// Why it can't be taken, or what became of it.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.found, self.why)
    }
}

/// All that has to be said about an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What feedline has no equal for. The steps that need it are left out.
    pub unsupported: Vec<Finding>,
    /// What was taken, but not as it stands: dropped, renamed, or replaced where the caller allowed it.
    pub notices: Vec<Finding>,
}

impl Report {
    pub(super) fn unsupported(&mut self, place: &str, found: impl fmt::Display, why: impl Into<String>) {
        self.unsupported.push(Finding { place: place.into(), found: found.to_string(), why: why.into() });
    }

    pub(super) fn notice(&mut self, place: &str, found: impl fmt::Display, why: impl Into<String>) {
        self.notices.push(Finding { place: place.into(), found: found.to_string(), why: why.into() });
    }
}

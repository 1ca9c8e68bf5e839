//! What loads, but does not do what it says.

use super::position::Position;

/// Something in a parser that is most likely a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub at: Position,
    /// What kind of mistake.
    pub code: Code,
    /// What it is. Escaped.
    pub message: String,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)+) => {
        /// A kind of mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// Each kind.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// What it means.
            pub fn description(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// An option that the plugin does not have: it does nothing.
    UnknownOption "unknown-option";
    /// An operation that `mutate` does not have: it does nothing.
    UnknownOperation "unknown-operation";
    /// A value that the option does not take.
    BadValue "bad-value";
    /// A regex that does not compile.
    BadRegex "bad-regex";
    /// A pattern that never matches.
    NeverMatches "never-matches";
    /// A condition that is never true.
    NeverTrue "never-true";
    /// A token that a condition reads and nothing sets.
    UnsetToken "unset-token";
    /// A text in a condition whose escapes are read twice.
    EscapedTwice "escaped-twice";
    /// `statedump`, which Google refuses when a parser is submitted.
    Statedump "statedump";
    /// A date without a year and without `rebase`.
    NoYear "no-year";
    /// A format of dates that never fits.
    BadFormat "bad-format";
    /// An empty text that is merged, as any text is.
    EmptyMerge "empty-merge";
    /// A key that is given twice.
    TwiceGiven "given-twice";
    /// A tag of `drop` that Google does not name.
    UnknownTag "unknown-tag";
    /// A list where a token was most likely meant.
    ListNotToken "list-not-token";
}

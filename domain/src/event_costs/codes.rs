//! Closed lists whose values have public codes.

/// An enum with a stable code for each value, as it stands in JSON and in the database.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $value:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$about])* $value),+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The public code, never renamed.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$value => $code),+
                }
            }

            /// The value with exactly this code.
            pub fn parse(code: &str) -> Result<Self, $crate::Broken> {
                match code {
                    $($code => Ok(Self::$value),)+
                    _ => Err($crate::Broken::new(
                        $crate::Rule::OneOf,
                        $crate::message!("must be one of {values}", values = [$($code),+].join(", ")),
                    )),
                }
            }
        }
    };
}

pub(super) use codes;

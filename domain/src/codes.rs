//! Closed lists of codes: enums whose text form is public and never renamed.

/// Declares an enum with the code of each variant. Gives it `ALL`, `code`, `parse` and serde.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The public code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The value with exactly this code.
            pub fn parse(code: &str) -> Result<Self, $crate::Broken> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::Broken::new(
                        $crate::Rule::OneOf,
                        $crate::message!("must be one of {values}", values = [$($code),+].join(", ")),
                    )),
                }
            }
        }
    };
}

pub(crate) use codes;

//! Which shard a machine converts: a given number, or its index in an array of machines.

use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// Variables in which orchestrators pass each machine its array index, counted from 0. The first one that is set is used.
const ARRAY_INDEXES: [(&str, &str); 3] = [
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS Batch array jobs"),
    ("JOB_COMPLETION_INDEX", "Kubernetes indexed jobs"),
    ("SLURM_ARRAY_TASK_ID", "Slurm arrays that begin with 0"),
];

/// The value of `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShardArg {
    /// The shard of this number.
    Number(u32),
    /// The shard of this machine's array index.
    Auto,
}

/// The work of a machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Convert this shard.
    Shard(u32),
    /// Nothing to do: the array is larger than the plan. The size of the array is chosen before the plan exists, and AWS
    /// Batch does not support an array of one machine.
    Spare(u32),
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            number => {
                number.parse().map(Self::Number).map_err(|_| "expected a number from 0, or auto".to_owned())
            }
        }
    }
}

impl ShardArg {
    /// Returns the share of this machine in a plan of `shards` shards. `variable` reads the environment.
    pub(super) fn share(self, shards: u32, variable: impl Fn(&str) -> Option<String>) -> Result<Share> {
        match self {
            Self::Number(shard) if shard < shards => Ok(Share::Shard(shard)),
            Self::Number(shard) => Err(Error::new(ErrorKind::Usage, "the plan has no such shard")
                .with("shard", shard)
                .with("shards", shards)
                .hint(match shards {
                    0 | 1 => "pass 0".to_owned(),
                    _ => format!("pass a number from 0 to {}", shards - 1),
                })),
            Self::Auto => {
                let shard = array_index(variable)?;
                Ok(if shard < shards { Share::Shard(shard) } else { Share::Spare(shard) })
            }
        }
    }
}

fn array_index(variable: impl Fn(&str) -> Option<String>) -> Result<u32> {
    let set =
        |(name, _): &(&'static str, _)| Some((*name, variable(name).filter(|value| !value.is_empty())?));
    let Some((name, value)) = ARRAY_INDEXES.iter().find_map(set) else {
        let known: Vec<String> =
            ARRAY_INDEXES.iter().map(|(name, set_by)| format!("{name} ({set_by})")).collect();
        return Err(Error::new(
            ErrorKind::Usage,
            "cannot determine this machine's shard: none of these variables is set",
        )
        .with("variables", known.join(", "))
        .hint("run it as an array job, or pass a number with --shard"));
    };
    value.parse().map_err(|_| {
        Error::new(ErrorKind::Usage, "the array index is not a number")
            .with(name, &value)
            .hint("pass a number with --shard")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(arg: &str, environment: &[(&str, &str)]) -> Result<Share> {
        let variable = |wanted: &str| {
            environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        };
        arg.parse::<ShardArg>().unwrap().share(3, variable)
    }

    #[test]
    fn the_orchestrator_selects_the_shard() {
        for (environment, expected) in [
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", "2")][..], Share::Shard(2)),
            (&[("JOB_COMPLETION_INDEX", "0")], Share::Shard(0)),
            (&[("SLURM_ARRAY_TASK_ID", "1")], Share::Shard(1)),
            (&[("SLURM_ARRAY_TASK_ID", "1"), ("AWS_BATCH_JOB_ARRAY_INDEX", "2")], Share::Shard(2)),
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", ""), ("JOB_COMPLETION_INDEX", "1")], Share::Shard(1)),
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", "3")], Share::Spare(3)),
        ] {
            assert_eq!(share("auto", environment).unwrap(), expected, "{environment:?}");
        }
    }

    #[test]
    fn an_invalid_shard_is_refused() {
        for (arg, environment) in [
            ("3", &[("JOB_COMPLETION_INDEX", "0")][..]),
            ("auto", &[]),
            ("auto", &[("JOB_COMPLETION_INDEX", "")]),
            ("auto", &[("JOB_COMPLETION_INDEX", "one")]),
            ("auto", &[("JOB_COMPLETION_INDEX", "-1")]),
        ] {
            assert_eq!(
                share(arg, environment).unwrap_err().kind(),
                ErrorKind::Usage,
                "{arg} {environment:?}"
            );
        }
        for arg in ["", "x", "-1", "AUTO"] {
            assert!(arg.parse::<ShardArg>().is_err(), "{arg}");
        }
        assert_eq!(share("2", &[]).unwrap(), Share::Shard(2));
    }
}

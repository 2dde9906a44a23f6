//! Which shard a machine is to convert: a number, or what the orchestrator of an array of machines says.

use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// Where orchestrators tell each machine of an array its number, from 0. The first that is set counts.
const ARRAY_INDEXES: [(&str, &str); 3] = [
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS Batch array jobs"),
    ("JOB_COMPLETION_INDEX", "Kubernetes indexed jobs"),
    ("SLURM_ARRAY_TASK_ID", "Slurm arrays that begin with 0"),
];

/// What `--shard` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShardArg {
    /// This one.
    Number(u32),
    /// The one whose number the orchestrator gives.
    Auto,
}

/// What a machine is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Convert this shard.
    Shard(u32),
    /// Nothing: the array is larger than the plan. Its size was chosen before the plan was made, and AWS Batch knows no
    /// array of one machine.
    Spare(u32),
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            number => {
                number.parse().map(Self::Number).map_err(|_| "write a number from 0, or auto".to_owned())
            }
        }
    }
}

impl ShardArg {
    /// The share of this machine in a plan of so many shards; `variable` reads the environment.
    pub(super) fn share(self, shards: u32, variable: impl Fn(&str) -> Option<String>) -> Result<Share> {
        match self {
            Self::Number(shard) if shard < shards => Ok(Share::Shard(shard)),
            Self::Number(shard) => Err(Error::new(ErrorKind::Usage, "the plan has no such shard")
                .with("shard", shard)
                .with("shards", shards)
                .hint("shards are counted from 0")),
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
            ARRAY_INDEXES.iter().map(|(name, whose)| format!("{name} ({whose})")).collect();
        return Err(Error::new(ErrorKind::Usage, "no variable says which shard is that of this machine")
            .with("looked_for", known.join(", "))
            .hint("run it as a job of an array, or give --shard a number"));
    };
    value.parse().map_err(|_| {
        Error::new(ErrorKind::Usage, "the number of this machine in its array is no number")
            .with(name, &value)
            .hint("give --shard a number")
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
    fn the_orchestrator_says_which_shard_is_ours() {
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
    fn a_number_that_cannot_be_meant_is_refused() {
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

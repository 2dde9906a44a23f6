//! The works of the actors of a simulation.

use fastrand::Rng;

use super::days::{Day, MOST_DAYS, SHARDS};

/// Versions of logmill, which add none, either or both of two columns.
const VERSIONS: usize = 4;

/// The work of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Publishes a day, perhaps with columns that other runs do not know.
    Run {
        day: Day,
        width: usize,
        /// Whether it takes the day over from a run that holds it.
        steals: bool,
    },
    /// Publishes all days.
    Backfill { width: usize },
    /// Removes leftovers.
    Clean,
    /// Registers a published day.
    Register(Day),
    /// Reads the files that the manifest names.
    ReadByManifest(Day),
    /// Reads the folder that the catalog shows.
    ReadByCatalog(Day),
    /// Reads every file of the partition.
    ReadByPath(Day),
    /// Converts a shard of the first day.
    Shard(u32),
    /// Publishes the shards of the first day and removes them.
    Publish,
}

/// The actors of a simulation.
pub(super) struct Cast {
    pub(super) works: Vec<Work>,
    /// Number of days.
    pub(super) days: usize,
}

impl Cast {
    /// The actors of a seed: a few processes that compete for one day, for several days, or for the shards of a plan.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        // Many seeds have one version of logmill, whose tables have the same columns.
        let versions = if rng.u8(..3) == 0 { VERSIONS } else { 1 };
        match rng.u8(..8) {
            0 => Self::of_shards(rng, versions),
            1 => Self::of_days(rng),
            _ => Self::of_one_day(rng, versions),
        }
    }

    /// Two or three runs, and up to two others.
    fn of_one_day(rng: &mut Rng, versions: usize) -> Self {
        let mut works = vec![run(rng, 1, versions), run(rng, 1, versions)];
        for _ in 0..rng.usize(..3) {
            works.push(match rng.u8(..3) {
                0 => run(rng, 1, versions),
                1 => Work::Clean,
                _ => other(rng, 1),
            });
        }
        Self { works, days: 1 }
    }

    /// A backfill, and two or three other processes, in different versions.
    fn of_days(rng: &mut Rng) -> Self {
        let days = if rng.u8(..4) == 0 { MOST_DAYS } else { 2 };
        let mut works = vec![Work::Backfill { width: rng.usize(..VERSIONS) }, run(rng, days, VERSIONS)];
        for _ in 0..rng.usize(1..3) {
            works.push(match rng.u8(..4) {
                0 => Work::Clean,
                1 => other(rng, days),
                _ => run(rng, days, VERSIONS),
            });
        }
        Self { works, days }
    }

    /// A machine for each shard, one that replaces one of them or repeats its work, one that publishes, and perhaps another
    /// process.
    fn of_shards(rng: &mut Rng, versions: usize) -> Self {
        let mut works: Vec<Work> = (0..SHARDS).map(Work::Shard).collect();
        works.push(Work::Shard(rng.u32(..SHARDS)));
        works.push(Work::Publish);
        match rng.u8(..4) {
            0 => works.push(Work::Publish),
            1 => works.push(run(rng, 1, versions)),
            2 => works.push(Work::Clean),
            _ => {}
        }
        Self { works, days: 1 }
    }

    /// Whether there is a plan for shards.
    pub(super) fn has_plan(&self) -> bool {
        self.works.contains(&Work::Publish)
    }
}

fn run(rng: &mut Rng, days: usize, versions: usize) -> Work {
    let (day, width) = (Day(rng.usize(..days)), rng.usize(..versions));
    Work::Run { day, width, steals: rng.u8(..3) == 0 }
}

fn other(rng: &mut Rng, days: usize) -> Work {
    let day = Day(rng.usize(..days));
    let others = [
        Work::Clean,
        Work::Register(day),
        Work::ReadByManifest(day),
        Work::ReadByCatalog(day),
        Work::ReadByPath(day),
    ];
    others[rng.usize(..others.len())]
}

impl Work {
    /// A short name for traces.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Run { steals: false, .. } => "run",
            Self::Run { steals: true, .. } => "steal",
            Self::Backfill { .. } => "backfill",
            Self::Clean => "clean",
            Self::Register(_) => "register",
            Self::ReadByManifest(_) => "read",
            Self::ReadByCatalog(_) => "query",
            Self::ReadByPath(_) => "look",
            Self::Shard(_) => "shard",
            Self::Publish => "publish",
        }
    }

    /// Whether a scheduler starts the process again after a failure that may be temporary.
    pub(super) fn is_restarted(self) -> bool {
        matches!(self, Self::Run { .. } | Self::Backfill { .. } | Self::Shard(_))
    }
}

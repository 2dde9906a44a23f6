//! Functions that Athena has and the engine lacks.

use datafusion::execution::context::SessionContext;

/// Makes them known.
pub(super) fn register(_: &SessionContext) {}

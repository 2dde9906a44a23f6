//! The statements of earlier shells, in a file that only this user can read.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use rustyline::history::FileHistory;
use rustyline::{Editor, error::ReadlineError};

use super::completion::Assistant;
use crate::cli::console::Console;

pub(super) type History = FileHistory;

/// Returns the file of the history, in the folder for state of the XDG Base Directory Specification. An empty variable, or no
/// home, means that no history is kept.
pub(super) fn path() -> Option<PathBuf> {
    let folder = match env::var_os("XDG_STATE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".local/state"),
    };
    folder.is_absolute().then(|| folder.join("logmill/query_history"))
}

/// Reads the history, and creates its folder, which belongs to the user and not to a lake. The line editor creates the file
/// with a mode of its own.
pub(super) fn load(editor: &mut Editor<Assistant, History>, path: &Path, console: Console) {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let loaded = folder.map_err(ReadlineError::Io).and_then(|()| editor.load_history(path));
    match loaded {
        Err(ReadlineError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => console.warn(
            "cannot read the history of the shell",
            &[("file", path.display().to_string().into()), ("cause", cause.to_string().into())],
        ),
        Ok(()) => {}
    }
}

/// Adds an entry. A history that cannot be written only lasts as long as the shell.
pub(super) fn add(editor: &mut Editor<Assistant, History>, text: &str, path: &Path) {
    if editor.add_history_entry(text).unwrap_or_default() {
        let _ = editor.append_history(path);
    }
}

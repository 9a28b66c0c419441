//! The handles that this process has open.

use std::path::Path;

/// How many handles on `path` are open. Elsewhere than on Linux nobody says.
pub(crate) fn open_handles(path: &Path) -> usize {
    if !cfg!(target_os = "linux") {
        return 0;
    }
    let handles = std::fs::read_dir("/proc/self/fd").unwrap();
    handles
        .filter_map(|handle| std::fs::read_link(handle.ok()?.path()).ok())
        .filter(|target| target == path)
        .count()
}

#[test]
#[cfg(target_os = "linux")]
fn an_open_handle_is_counted() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(open_handles(file.path()), 1);
    let path = file.into_temp_path();
    assert_eq!(open_handles(&path), 0);
}

//! The page of each path, and the client bundle that contains it.

use crate::{JobId, LabRunId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Entry,
    Login,
    Logout,
    Setup,
    ViewLog,
    Jobs,
    Job(JobId),
    System,
    Audit,
    Lab,
    LabRun(LabRunId),
    NotFound,
}

/// A build of the client. A link from one bundle to another loads a new document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// The entry page. Small, because a first visit downloads it.
    Search,
    /// The lab, which is open to visitors too.
    Lab,
    /// For administrators, and how they log in.
    Console,
}

impl Route {
    /// The page at `path`, which starts with a slash and has no query.
    pub fn of(path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments[..] {
            [] | ["entry"] => Self::Entry,
            ["login"] => Self::Login,
            ["logout"] => Self::Logout,
            ["setup"] => Self::Setup,
            ["viewlog"] => Self::ViewLog,
            ["jobs"] => Self::Jobs,
            ["jobs", id] => id.parse().map_or(Self::NotFound, |id| Self::Job(JobId(id))),
            ["system"] => Self::System,
            ["audit"] => Self::Audit,
            ["lab"] => Self::Lab,
            ["lab", "runs", id] => id.parse().map_or(Self::NotFound, Self::LabRun),
            _ => Self::NotFound,
        }
    }

    /// Whether the page belongs to the console, whose links to other pages stand at the side. boot.js decides the same
    /// before the first paint.
    pub fn is_console(self) -> bool {
        matches!(self, Self::ViewLog | Self::Jobs | Self::Job(_) | Self::System | Self::Audit)
    }

    pub fn bundle(self) -> Bundle {
        match self {
            Self::Entry | Self::NotFound => Bundle::Search,
            Self::Lab | Self::LabRun(_) => Bundle::Lab,
            Self::Login | Self::Logout | Self::Setup => Bundle::Console,
            Self::ViewLog | Self::Jobs | Self::Job(_) | Self::System | Self::Audit => Bundle::Console,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_page_has_its_path() {
        for path in ["/", "/entry", "/entry/"] {
            assert_eq!(Route::of(path), Route::Entry, "{path}");
        }
        assert_eq!(Route::of("/viewlog"), Route::ViewLog);
        assert_eq!(Route::of("/jobs/"), Route::Jobs);
        assert_eq!(Route::of("/jobs/42"), Route::Job(JobId(42)));
        assert_eq!(Route::of("/system"), Route::System);
        assert_eq!(Route::of("/audit"), Route::Audit);
        assert_eq!(Route::of("/lab/"), Route::Lab);
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in
            ["/jobs/x", "/jobs/1/2", "/Login", "/viewlog2", "/jobs/99999999999999999999", "/lab/runs", "/lab/runs/42"]
        {
            assert_eq!(Route::of(path), Route::NotFound, "{path}");
        }
    }

    #[test]
    fn visitors_do_not_load_the_console() {
        for path in ["/", "/entry", "/no/such/page", "/jobs/x"] {
            assert_eq!(Route::of(path).bundle(), Bundle::Search, "{path}");
        }
        for path in ["/lab", "/lab/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert_eq!(Route::of(path).bundle(), Bundle::Lab, "{path}");
        }
        for path in ["/login", "/logout", "/setup", "/viewlog", "/jobs", "/jobs/42", "/system", "/audit"] {
            assert_eq!(Route::of(path).bundle(), Bundle::Console, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_has_a_page(path in prop_oneof![any::<String>(), "(/(jobs|login|[0-9a-z%.+-]{0,24})){0,4}"]) {
            if let Route::Job(JobId(id)) = Route::of(&path) {
                prop_assert!(path.contains(&id.unsigned_abs().to_string()));
            }
        }
    }
}

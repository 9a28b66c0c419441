//! Files and directories as async scopes.

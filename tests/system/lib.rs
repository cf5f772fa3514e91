//! The scenarios live in the test binary beside this file; the rigs that they use in the harness.

//! The engine against the plant, in virtual time.

mod it {
    mod bench;
    mod closed_loop;
}
